"""``drumline inventory check``: what is odd about an inventory, and whether its hosts answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from drumline.cli.options import inventory_options, prepared_with
from drumline.cli.showing import as_json, as_yaml, format_option, read_shown
from drumline.inventory.checking import oddities
from drumline.inventory.writing import table


@click.command("check", short_help="Show duplicates, empty groups, unused variables; see whether hosts answer.")
@click.option(
    "--playbook",
    type=click.Path(path_type=Path, readable=False),
    metavar="PLAYBOOK",
    help="Show variables of hosts that neither this playbook nor another variable uses.",
)
@click.option("--connect", is_flag=True, help="Connect to all hosts, too, and compare their clocks.")
@inventory_options
@format_option("text", "json", "yaml", "table")
def command(playbook: Path | None, connect: bool, inventory: tuple[str, ...], form: str) -> None:
    """Show what is odd about the inventory though it can be read: duplicates, empty groups, unused variables.

    The exit status is 1 if anything is odd, and with --connect that of a run if hosts don't answer.
    """
    is_used = None
    if playbook is not None:
        from drumline.loading.written import all_templates, mentions

        given: dict[str, Any] = {"limit": None, "extra_vars": (), "tags": None, "skip_tags": None, "strict": False}
        prepared = prepared_with([playbook], {"inventory": inventory, **given})
        loaded = prepared.inventory
        is_used = mentions(all_templates(prepared.plan.playbook), loaded)
    else:
        loaded = read_shown(inventory)
    found = list(oddities(loaded, is_used))
    plain = [{"kind": kind, "detail": detail} for kind, detail in found]
    if form in ("json", "yaml"):
        click.echo(as_json(plain) if form == "json" else as_yaml(plain))
    elif form == "table":
        click.echo("\n".join(table(("kind", "detail"), found)))
    else:
        click.echo("\n".join(detail for _, detail in found) or "Nothing is odd.")
    status = 1 if found else 0
    if connect:
        status = _connect(inventory) or status
    raise SystemExit(status)


def _connect(inventory: tuple[str, ...]) -> int:
    """The exit status of a look at all hosts' clocks, which needs a connection and changes nothing."""
    from drumline.cli.exec import command as run

    try:
        run.main([*(word for source in inventory for word in ("-i", source)), "all", "--clock"], standalone_mode=False)
    except SystemExit as end:
        return int(end.code or 0)
    return 0
