"""``drumline coverage``: what share of playbooks and roles loads, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import click

from drumline.cli.options import trust_option


@click.command("coverage")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "--stubs", is_flag=True, help="Let stubs stand in for actions and roles that aren't there, to look at the rest."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format."
)
@click.option("--list", "listed", is_flag=True, help="List everything that doesn't load, with its mistakes.")
@trust_option
@click.option("--most", type=click.IntRange(min=0), default=25, show_default=True, help="Names of each kind; 0: all.")
def command(paths: tuple[Path, ...], stubs: bool, form: str, listed: bool, most: int, trust: bool) -> None:
    """Say what share of the playbooks and roles below PATH loads, and what is missing for the rest, by count.

    Each is planned with a made-up inventory that has every group that it names. Undefined variables aren't counted,
    since the real inventory may define them. No code of what is looked at is run, unless it is trusted by --trust.
    """
    from drumline.survey.checking import Checker
    from drumline.survey.coverage import as_json, as_text, coverage_of
    from drumline.survey.finding import units_in

    with Checker(stubs=stubs, trusted=trust).working() as checker:
        checked = [checker.check(unit) for unit in units_in(paths, checker.actions)]
    coverage = coverage_of(checked)
    if form == "json":
        failing = {one.unit.path: [mistake.render() for mistake in one.mistakes] for one in checked if one.mistakes}
        click.echo(json.dumps({**as_json(coverage), **({"failing": failing} if listed else {})}, indent=2))
        return
    if listed:
        for one in checked:
            if one.mistakes:
                click.echo(f"{one.unit.kind} {one.unit.path}")
                click.echo("\n".join(f"  {line}" for found in one.mistakes for line in found.render().splitlines()))
        click.echo()
    click.echo(as_text(coverage, most))
