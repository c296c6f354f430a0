"""``drumline inventory``: hosts, groups and their variables, as the sources define them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import click

from drumline.cli.groups import CommandGroup as Commands
from drumline.cli.messages import show_warnings
from drumline.cli.options import completes, inventory_options, settings_with
from drumline.diagnostics import Diagnostics, did_you_mean
from drumline.errors import UsageError
from drumline.inventory.listing import IsSecret, as_json, listing
from drumline.inventory.patterns import select
from drumline.inventory.sources import members, shared_names
from drumline.model.host import Group, Inventory
from drumline.secret import is_secret_name

#: Text that YAML reads as text without quotes, and words that it reads as something else.
_PLAIN = re.compile(r"[A-Za-z/][\w./*@+\\-]*\Z")
_WORDS = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")

reveal_option = click.option("--reveal", is_flag=True, help="Show passwords and other secrets instead of masking them.")
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format."
)


@click.group(cls=Commands, short_help="Show hosts, groups and their variables.")
def command() -> None:
    """Show hosts, groups and their variables, as defined in the inventory.

    Templates are shown unrendered. Variables with secret-sounding names, such as db_password, are masked.
    """


@command.command("list", short_help="List hosts with their variables.")
@click.argument("pattern", default="all", shell_complete=completes("patterns"))
@inventory_options
@format_option
@reveal_option
def list_command(pattern: str, inventory: tuple[str, ...], form: str, reveal: bool) -> None:
    """List the hosts that match PATTERN (default: all) with their variables.

    With --format json, the output has the same structure as that of 'ansible-inventory --list'.
    """
    loaded = _load(inventory)
    warnings = Diagnostics()
    # A sample or a file of groups for a second -i has groups and no hosts.
    chosen = () if pattern == "all" and not loaded.hosts else select(pattern, loaded, warnings=warnings)
    show_warnings(warnings)
    if form == "json":
        click.echo(_json(listing(loaded, chosen, is_secret_unless(reveal))))
    else:
        lines = [line for host in chosen for line in _host_lines(loaded, host, is_secret_unless(reveal))]
        click.echo("\n".join([*lines, *(_empty_groups(loaded) if pattern == "all" else ())]))


@command.command("graph", short_help="Draw groups with their child groups and hosts.")
@click.argument("group", default="all", shell_complete=completes("groups"))
@inventory_options
def graph_command(group: str, inventory: tuple[str, ...]) -> None:
    """Draw GROUP (default: all) with its child groups and hosts as a tree."""
    loaded = _load(inventory)
    if group not in loaded.groups:
        raise UsageError("No such group", f"The inventory has no group '{group}'.{did_you_mean(group, loaded.groups)}")
    click.echo("\n".join(_graph(loaded.groups, group, 0)))


@command.command("host", short_help="Show the variables of one host.")
@click.argument("name", shell_complete=completes("hosts"))
@inventory_options
@format_option
@reveal_option
def host_command(name: str, inventory: tuple[str, ...], form: str, reveal: bool) -> None:
    """Show the variables of the host NAME, including those of its groups."""
    loaded = _load(inventory)
    host = loaded.hosts.get(name)
    if host is None:
        raise UsageError("No such host", f"The inventory has no host '{name}'.{did_you_mean(name, loaded.hosts)}")
    if form == "json":
        click.echo(_json(as_json(host.variables, is_secret_unless(reveal))))
    else:
        click.echo("\n".join(_host_lines(loaded, name, is_secret_unless(reveal))))


def _load(sources: tuple[str, ...]) -> Inventory:
    from drumline import app  # not needed for --help, and it imports everything

    settings = settings_with(inventory=sources)
    inventory = app.inventory_of(settings, app.registry(settings))
    show_warnings(inventory.warnings)
    for name in shared_names(inventory):
        click.echo(f"warning: '{name}' is both a host and a group; in patterns it means the host.", err=True)
    return inventory


def is_secret_unless(reveal: bool) -> IsSecret:
    """Which values are masked: none where they are to be revealed."""
    return (lambda _name: False) if reveal else lambda name: not name or is_secret_name(name)


def _host_lines(inventory: Inventory, name: str, is_secret: IsSecret) -> Iterator[str]:
    """The host as YAML, with its groups in a comment."""
    host = inventory.hosts[name]
    yield f"{name}:  # {', '.join(host.groups) or 'implicit'}"
    for key, value in sorted(as_json(host.variables, is_secret).items()):
        yield f"  {key}: {one_line(value)}"


def _empty_groups(inventory: Inventory) -> Iterator[str]:
    """A comment for each group without hosts, since no host's line names it."""
    for name, hosts in members(inventory).items():
        if not hosts and name not in ("all", "ungrouped"):
            yield f"# no hosts in group {name}"


def one_line(value: Any) -> str:
    """A value as YAML writes it on one line."""
    if isinstance(value, str) and _PLAIN.match(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def _graph(groups: Mapping[str, Group], name: str, depth: int) -> Iterator[str]:
    yield _branch(f"@{name}:", depth)
    for child in groups[name].children:
        yield from _graph(groups, child, depth + 1)
    if name != "all":
        yield from (_branch(host, depth + 1) for host in groups[name].hosts)


def _branch(text: str, depth: int) -> str:
    return f"{'  |' * depth}--{text}" if depth else text


def _json(value: Any) -> str:
    return json.dumps(value, indent=4, sort_keys=True, ensure_ascii=False)
