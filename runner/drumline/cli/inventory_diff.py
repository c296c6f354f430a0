"""``drumline inventory diff``: what differs between two sources, or between an earlier run and now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from msgspec.structs import asdict

from drumline.cli.options import completes, inventory_options, settings_with, state_option
from drumline.cli.showing import as_json, as_yaml, format_option, is_secret_unless, one_line, read_shown, reveal_option
from drumline.errors import UsageError
from drumline.inventory.comparing import Difference, differences
from drumline.inventory.listing import listing
from drumline.inventory.patterns import NO_MATCH, select
from drumline.inventory.writing import table
from drumline.model.host import Inventory
from drumline.model.value import Template
from drumline.source.origins import origins_noted

_ENTRIES = {"member": "host", "child": "group", "variable": "variable"}


@click.command("diff", short_help="Show what differs between two sources, or between a run and now.")
@click.argument("before", required=False, metavar="[OLD]", shell_complete=completes("files"))
@click.argument("after", required=False, metavar="[NEW]", shell_complete=completes("files"))
@click.option("--run", metavar="RUN", help="Compare the hosts of an earlier run with those that its plays have now.")
@inventory_options
@state_option
@format_option("text", "json", "yaml", "table")
@reveal_option
def command(
    before: str | None,
    after: str | None,
    run: str | None,
    inventory: tuple[str, ...],
    state: Path | None,
    form: str,
    reveal: bool,
) -> None:
    """Show the hosts, groups and variables that differ between the sources OLD and NEW.

    With only OLD, the other one is the inventory (-i). With --run, it shows which hosts joined or left the plays of an
    earlier run. The exit status is 1 if anything differs.
    """
    if run is not None:
        if before is not None:
            raise UsageError("A run and a source were given", "Give --run, or the sources to compare.")
        found = list(_since(run, state, read_shown(inventory)))
    elif before is None:
        raise UsageError("There is nothing to compare", "Name two sources, or a run: --run RUN.")
    else:
        others = (after,) if after is not None else inventory
        found = list(differences(_listed((before,), reveal), _listed(others, reveal)))
    _show(found, form)
    raise SystemExit(1 if found else 0)


def _listed(sources: tuple[str, ...], reveal: bool) -> dict[str, Any]:
    with origins_noted() as noted:
        inventory = read_shown(sources)
    return listing(inventory, inventory.hosts, is_secret_unless(reveal), own=noted.variables_of("host"))


def _since(run: str, state: Path | None, now: Inventory) -> Iterator[Difference]:
    """The hosts that joined or left the plays of a run since."""
    from drumline.cli.surroundings import surroundings

    with closing(surroundings().history_in(settings_with(state=state).state)) as history:
        plan = history.plan(history.find(run))
    for planned in plan.plays:
        pattern = planned.play.hosts
        if isinstance(pattern, Template) or not isinstance(pattern, str):
            continue
        hosts = _now(pattern, now)
        for host in dict.fromkeys([*planned.hosts, *hosts]):
            if host not in planned.hosts or host not in hosts:
                was, is_now = (host if host in known else None for known in (planned.hosts, hosts))
                yield Difference("member", f"play {planned.play.id}", host, was, is_now)


def _now(pattern: str, inventory: Inventory) -> tuple[str, ...]:
    from drumline.errors import FilesError

    try:
        return select(pattern, inventory)
    except FilesError as error:
        if error.diagnostics[0].summary == NO_MATCH:
            return ()
        raise


def _show(found: list[Difference], form: str) -> None:
    if form in ("json", "yaml"):
        plain = [asdict(one) for one in found]
        click.echo(as_json(plain) if form == "json" else as_yaml(plain))
    elif form == "table":
        rows = [(one.sign, one.kind, one.of, one.name, _value(one.before), _value(one.after)) for one in found]
        click.echo("\n".join(table(("", "what", "of", "name", "before", "after"), rows)))
    elif found:
        click.echo("\n".join(map(_line, found)))
    else:
        click.echo("No difference.")


def _line(one: Difference) -> str:
    if one.kind in ("host", "group"):
        return f"{one.sign} {one.kind} {one.of}"
    said = f"{one.sign} {one.of}: {_ENTRIES[one.kind]} {one.name}"
    if one.kind != "variable":
        return said
    if one.sign == "~":
        return f"{said}: {_value(one.before)} -> {_value(one.after)}"
    return f"{said}: {_value(one.after if one.before is None else one.before)}"


def _value(value: Any) -> str:
    if value is None:
        return ""
    return one_line(value["value"]) if isinstance(value, dict) else str(value)
