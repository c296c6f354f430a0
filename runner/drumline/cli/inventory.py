"""``drumline inventory``: hosts, groups and their variables, as the sources give them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from drumline.cli.options import inventory_options, settings_with
from drumline.diagnostics import did_you_mean
from drumline.errors import UsageError
from drumline.loading.inventory import load_inventory, require_hosts, shared_names
from drumline.loading.patterns import select
from drumline.model.host import Group, Inventory
from drumline.model.value import Template
from drumline.plugin.manager import load_plugins
from drumline.secret import MASK, Secret

#: Where hosts come from when nobody says.
_DEFAULT = "inventory"
_SECRET_NAME = re.compile(r"(?:pass|password|passwd|passphrase|secret|token|api_?key)\Z", re.IGNORECASE)

Show = Callable[[str, Any], Any]

reveal_option = click.option("--reveal", is_flag=True, help="Show passwords and the like, which are masked otherwise.")
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it."
)


@click.group(short_help="Show hosts, groups and their variables.")
def command() -> None:
    """Show hosts, groups and their variables, as the inventory's sources give them.

    Templates are shown as they are written. Variables whose names say that they are secret are masked.
    """


@command.command("list")
@click.argument("pattern", default="all")
@inventory_options
@format_option
@reveal_option
def list_command(pattern: str, inventory: tuple[str, ...], form: str, reveal: bool) -> None:
    """List the hosts of PATTERN (all of them without one) with their variables.

    With --format json the output has the shape of 'ansible-inventory --list'.
    """
    loaded = _load(inventory)
    chosen = select(pattern, loaded) if loaded.hosts else ()
    show = _shower(reveal)
    if form == "json":
        click.echo(_json(listing(loaded, chosen, show)))
    else:
        require_hosts(loaded)
        click.echo("\n".join(line for host in chosen for line in _host_lines(loaded, host, show)))


@command.command("graph")
@click.argument("group", default="all")
@inventory_options
def graph_command(group: str, inventory: tuple[str, ...]) -> None:
    """Draw GROUP (all groups without one) with its groups and hosts as a tree."""
    loaded = _load(inventory)
    if group not in loaded.groups:
        raise UsageError("No such group", f"The inventory has no group '{group}'.{did_you_mean(group, loaded.groups)}")
    click.echo("\n".join(_graph(loaded.groups, group, 0)))


@command.command("host")
@click.argument("name")
@inventory_options
@format_option
@reveal_option
def host_command(name: str, inventory: tuple[str, ...], form: str, reveal: bool) -> None:
    """Show the variables of the host NAME, its groups' included."""
    loaded = _load(inventory)
    host = loaded.hosts.get(name)
    if host is None:
        raise UsageError("No such host", f"The inventory has no host '{name}'.{did_you_mean(name, loaded.hosts)}")
    show = _shower(reveal)
    if form == "json":
        click.echo(_json({key: show(key, value) for key, value in host.variables.items()}))
    else:
        click.echo("\n".join(_host_lines(loaded, name, show)))


def listing(inventory: Inventory, hosts: Iterable[str], show: Show) -> dict[str, Any]:
    """What ``ansible-inventory --list`` prints for these hosts: groups by name, and ``_meta`` with their variables."""
    chosen = dict.fromkeys(hosts)
    result: dict[str, Any] = {
        "_meta": {"hostvars": _hostvars(inventory, chosen, show), "profile": "inventory_legacy"},
    }
    for name, group in inventory.groups.items():
        members = [] if name == "all" else [host for host in group.hosts if host in chosen]
        content = {"hosts": members, "children": list(group.children)}
        if any(content.values()):
            result[name] = {key: names for key, names in content.items() if names}
    return result


def _hostvars(inventory: Inventory, hosts: Iterable[str], show: Show) -> dict[str, Any]:
    variables = {host: inventory.hosts[host].variables for host in hosts}
    return {host: {key: show(key, value) for key, value in own.items()} for host, own in variables.items() if own}


def _load(sources: tuple[str, ...]) -> Inventory:
    named = tuple(settings_with(inventory=sources).inventory)
    if not named and not Path(_DEFAULT).exists():
        raise UsageError("No inventory", f"There is no {_DEFAULT} in this folder. Name one with -i.")
    inventory = load_inventory(named or (_DEFAULT,), load_plugins(Path("plugins")).inventory_sources)
    for name in shared_names(inventory):
        click.echo(f"warning: '{name}' is a host and a group; in patterns it means the host.", err=True)
    return inventory


def _host_lines(inventory: Inventory, name: str, show: Show) -> Iterator[str]:
    host = inventory.hosts[name]
    yield f"{name}:  # {', '.join(host.groups) or 'implicit'}"
    for key, value in sorted(host.variables.items()):
        yield f"  {key}: {_one_line(show(key, value))}"


def _one_line(value: Any) -> str:
    """Text as it is where nobody can take it for something else, everything else as JSON (which is YAML, too)."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z/.*][\w./*@+-]*", value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


#: What YAML reads as something else than text.
_WORDS = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")


def _graph(groups: Mapping[str, Group], name: str, depth: int) -> Iterator[str]:
    yield _branch(f"@{name}:", depth)
    for child in groups[name].children:
        yield from _graph(groups, child, depth + 1)
    if name != "all":
        yield from (_branch(host, depth + 1) for host in groups[name].hosts)


def _branch(text: str, depth: int) -> str:
    return f"{'  |' * depth}--{text}" if depth else text


def _shower(reveal: bool) -> Show:
    """How a variable's value is shown, given its name."""

    def show(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: show(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [show(name, item) for item in value]
        if not reveal and value is not None and (isinstance(value, Secret) or _SECRET_NAME.search(name)):
            return MASK
        if isinstance(value, Secret):
            return value.reveal()
        return value.text if isinstance(value, Template) else value

    return show


def _json(value: Any) -> str:
    return json.dumps(value, indent=4, sort_keys=True, ensure_ascii=False)
