"""``drumline simulate``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drumline.cli.options import (
    completes,
    forks_option,
    playbook_options,
    prepared_with,
    state_option,
)

if TYPE_CHECKING:
    from drumline.forecast.estimate import Estimate
    from drumline.model.host import Inventory
    from drumline.model.playbook import Playbook


@click.command("simulate")
@playbook_options
@forks_option
@click.option("--serial", metavar="N", help="Run every play in batches of this size: 20, 25%, or a list such as 1,10%.")
@click.option(
    "--hosts",
    type=click.IntRange(min=1),
    metavar="N",
    help="Scale the fleet to this many hosts, cloning or leaving out hosts of each kind in proportion.",
)
@click.option(
    "--take",
    shell_complete=completes("task times"),
    multiple=True,
    metavar="TASK=TIME",
    help="How long a task takes on each host, overriding earlier runs: 30s, 2m, or a range such as 20s-40s.",
)
@click.option(
    "--fail",
    shell_complete=completes("task times"),
    multiple=True,
    metavar="TASK=SHARE",
    help="The share of its hosts on which a task fails: 5% or 0.05.",
)
@click.option(
    "--slow", multiple=True, metavar="HOSTS=FACTOR", help="Slowdown factor of these hosts: 3 means three times as slow."
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many runs to simulate. Default: depends on the plan's size.",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    metavar="N",
    help="Seed for the random draws.",
)
@click.option(
    "--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format."
)
@state_option
def command(playbooks: tuple[Path, ...], shape: str, **given: Any) -> None:
    """Simulate a run in virtual time: how long it would take, what it would wait for, where it would stop.

    Nothing is sent to any host. Times come from earlier runs in the journal; a task that never ran counts as one
    second. TASK is a task's id, PLAY.TASK, or a pattern that matches them; HOSTS is a host pattern.

        drumline simulate rollout.yml --serial 20 --slow 'db2=3'

        drumline simulate rollout.yml --hosts 10000 --fail 'unpack=2%'

    Exit status: 0, or 5 when the command line or the files are wrong.
    """
    from drumline.estimates import estimate_of, expected_plan
    from drumline.forecast.asked import in_batches, scenario_of
    from drumline.forecast.fleet import resized

    origin: dict[str, str] = {}

    def instead(playbook: Playbook, inventory: Inventory) -> tuple[Playbook, Inventory]:
        if given["hosts"] is not None:
            inventory, clones = resized(inventory, given["hosts"])
            origin.update(clones)
        if given["serial"] is not None:
            playbook = in_batches(playbook, given["serial"])
        return playbook, inventory

    prepared = prepared_with(playbooks, given, instead=instead)
    plan = expected_plan(prepared)
    scenario = scenario_of(
        plan,
        prepared.inventory,
        take=given["take"],
        fail=given["fail"],
        slow=given["slow"],
        origin=origin,
    )
    _print(estimate_of(prepared, scenario, plan=plan, rounds=given["rounds"], seed=given["seed"]), shape)


def _print(found: Estimate, shape: str) -> None:
    from drumline.reporting.ahead import estimate_data, estimate_lines
    from drumline.reporting.screens import screen_for

    if shape == "json":
        click.echo(json.dumps(estimate_data(found), indent=2))
        return
    screen, _ = screen_for(sys.stdout)
    for line in estimate_lines(found):
        screen.show(line)
