"""``drumline plan``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drumline.cli.options import (
    forks_option,
    inventory_options,
    playbook_path,
    scope_options,
    settings_with,
    split_tags,
    state_option,
    tag_options,
)
from drumline.errors import UsageError

if TYPE_CHECKING:
    from drumline.app import Prepared


@click.command("plan")
@click.argument("playbooks", nargs=-1, required=True, type=playbook_path, metavar="PLAYBOOK...")
@inventory_options
@scope_options
@tag_options
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "dot"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs, DOT for Graphviz.",
)
@click.option("--estimate", is_flag=True, help="Also say how long it would take, by earlier runs in the journal.")
@forks_option
@state_option
def command(playbooks: tuple[Path, ...], shape: str, estimate: bool, **given: Any) -> None:
    """Show the waves that a run would release, and what each task waits for. Nothing is sent to any host.

    Exit status: 0, or 5 when the command line or the files are wrong.
    """
    from drumline.app import prepare
    from drumline.clock import SystemClock
    from drumline.planning.render import FORMATS, as_text

    if estimate and shape == "dot":
        raise UsageError("There is no room for times in DOT", "Use --estimate with --format text or json.")
    prepared = prepare(
        playbooks,
        settings_with(inventory=given["inventory"], forks=given["forks"], state=given["state"]),
        limit=given["limit"],
        extra_vars=given["extra_vars"],
        tags=split_tags(given["tags"]),
        skip_tags=split_tags(given["skip_tags"]),
    )
    text = as_text(prepared.plan, now=SystemClock().now()) if shape == "text" else FORMATS[shape](prepared.plan)
    click.echo(_with_estimate(text, shape, prepared) if estimate else text)


def _with_estimate(text: str, shape: str, prepared: Prepared) -> str:
    from drumline.app import estimate_of
    from drumline.reporting.ahead import estimate_data, estimate_lines
    from drumline.reporting.lines import plain

    found = estimate_of(prepared)
    if shape == "json":
        return json.dumps({**json.loads(text), "estimate": estimate_data(found)}, ensure_ascii=False)
    return "\n".join([text, "", *map(plain, estimate_lines(found))])
