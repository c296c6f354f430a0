"""``drumline inventory``: hosts, groups and their variables, as the sources define them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import click

from drumline.cli.explain import command as explain_command
from drumline.cli.groups import CommandGroup as Commands
from drumline.cli.inventory_check import command as check_command
from drumline.cli.inventory_diff import command as diff_command
from drumline.cli.messages import show_warnings
from drumline.cli.options import completes, inventory_options
from drumline.cli.showing import as_json, as_yaml, format_option, is_secret_unless, one_line, read_shown, reveal_option
from drumline.diagnostics import Diagnostics, did_you_mean
from drumline.errors import UsageError
from drumline.inventory.listing import IsSecret, listing
from drumline.inventory.listing import as_json as plain_variables
from drumline.inventory.patterns import select
from drumline.inventory.sources import members, shared_names
from drumline.inventory.writing import as_ini, as_tree, ini_value, table
from drumline.model.host import Group, Inventory
from drumline.source.origins import origins_noted


@click.group(cls=Commands, short_help="Show hosts, groups and their variables.")
def command() -> None:
    """Show hosts, groups and their variables, as defined in the inventory.

    Templates are shown unrendered. Variables with secret-sounding names, such as db_password, are masked.
    """


@command.command("list", short_help="List hosts with their variables.")
@click.argument("pattern", default="all", shell_complete=completes("patterns"))
@inventory_options
@format_option("text", "json", "yaml", "table", "ini")
@click.option("--export", is_flag=True, help="With json: variables of groups at their groups, as Ansible's --export.")
@reveal_option
def list_command(pattern: str, inventory: tuple[str, ...], form: str, export: bool, reveal: bool) -> None:
    """List the hosts that match PATTERN (default: all) with their variables.

    With --format json, the output has the same structure as that of 'ansible-inventory --list'. What yaml and ini give
    can be read as an inventory again.
    """
    exported = export or form in ("yaml", "ini")
    with origins_noted() if exported else nullcontext() as noted:
        loaded = _load(inventory)
    warnings = Diagnostics()
    # A sample or a file of groups for a second -i has groups and no hosts.
    chosen = () if pattern == "all" and not loaded.hosts else select(pattern, loaded, warnings=warnings)
    show_warnings(warnings)
    is_secret = is_secret_unless(reveal)
    own = noted.variables_of("host") if noted is not None else None
    if form == "text":
        lines = [line for host in chosen for line in _host_lines(loaded, host, is_secret)]
        click.echo("\n".join([*lines, *(_empty_groups(loaded) if pattern == "all" else ())]))
    elif form == "table":
        click.echo("\n".join(_host_table(loaded, chosen, is_secret)))
    else:
        listed = listing(loaded, chosen, is_secret, own=own)
        if form == "json":
            click.echo(as_json(listed, sort_keys=True))
        else:
            click.echo(as_yaml(as_tree(listed)) if form == "yaml" else "\n".join(as_ini(listed)))


def _host_table(inventory: Inventory, hosts: Iterable[str], is_secret: IsSecret) -> Iterator[str]:
    names = ("ansible_host", "ansible_port", "ansible_user", "ansible_connection")
    rows = []
    for host in hosts:
        known = inventory.hosts[host]
        own = plain_variables(known.variables, is_secret)
        rows.append([host, ",".join(known.groups), *(str(own.get(name, "")) for name in names)])
    return table(("host", "groups", "address", "port", "user", "connection"), rows)


@command.command("graph", short_help="Draw groups with their child groups and hosts.")
@click.argument("group", default="all", shell_complete=completes("groups"))
@inventory_options
@format_option("text", "json", "yaml")
def graph_command(group: str, inventory: tuple[str, ...], form: str) -> None:
    """Draw GROUP (default: all) with its child groups and hosts as a tree."""
    loaded = _load(inventory)
    if group not in loaded.groups:
        raise UsageError("No such group", f"The inventory has no group '{group}'.{did_you_mean(group, loaded.groups)}")
    if form == "text":
        click.echo("\n".join(graph_lines(loaded.groups, group)))
    else:
        tree = {group: _tree(loaded.groups, group)}
        click.echo(as_json(tree) if form == "json" else as_yaml(tree))


@command.command("host", short_help="Show the variables of one host.")
@click.argument("name", shell_complete=completes("hosts"))
@inventory_options
@format_option("text", "json", "yaml", "table", "ini")
@reveal_option
def host_command(name: str, inventory: tuple[str, ...], form: str, reveal: bool) -> None:
    """Show the variables of the host NAME, including those of its groups."""
    loaded = _load(inventory)
    host = loaded.hosts.get(name)
    if host is None:
        raise UsageError("No such host", f"The inventory has no host '{name}'.{did_you_mean(name, loaded.hosts)}")
    is_secret = is_secret_unless(reveal)
    own = plain_variables(host.variables, is_secret)
    if form == "text":
        click.echo("\n".join(_host_lines(loaded, name, is_secret)))
    elif form == "json":
        click.echo(as_json(own, sort_keys=True))
    elif form == "yaml":
        click.echo(as_yaml(own))
    elif form == "table":
        click.echo("\n".join(table(("variable", "value"), [(key, one_line(own[key])) for key in sorted(own)])))
    else:
        click.echo("\n".join(f"{key}={ini_value(own[key])}" for key in sorted(own)))


def _load(sources: tuple[str, ...]) -> Inventory:
    inventory = read_shown(sources)
    for name in shared_names(inventory):
        click.echo(f"warning: '{name}' is both a host and a group; in patterns it means the host.", err=True)
    return inventory


def _host_lines(inventory: Inventory, name: str, is_secret: IsSecret) -> Iterator[str]:
    """The host as YAML, with its groups in a comment."""
    host = inventory.hosts[name]
    yield f"{name}:  # {', '.join(host.groups) or 'implicit'}"
    for key, value in sorted(plain_variables(host.variables, is_secret).items()):
        yield f"  {key}: {one_line(value)}"


def _empty_groups(inventory: Inventory) -> Iterator[str]:
    """A comment for each group without hosts, since no host's line names it."""
    for name, hosts in members(inventory).items():
        if not hosts and name not in ("all", "ungrouped"):
            yield f"# no hosts in group {name}"


def _tree(groups: Mapping[str, Group], name: str) -> dict[str, Any]:
    children = {child: _tree(groups, child) for child in groups[name].children}
    return {"children": children, "hosts": [] if name == "all" else list(groups[name].hosts)}


def graph_lines(groups: Mapping[str, Group], name: str, depth: int = 0) -> Iterator[str]:
    """The group with its child groups and hosts as a tree."""
    yield _branch(f"@{name}:", depth)
    for child in groups[name].children:
        yield from graph_lines(groups, child, depth + 1)
    if name != "all":
        yield from (_branch(host, depth + 1) for host in groups[name].hosts)


def _branch(text: str, depth: int) -> str:
    return f"{'  |' * depth}--{text}" if depth else text


for _name, _command in (("explain", explain_command), ("diff", diff_command), ("check", check_command)):
    command.add_command(_command, _name)
