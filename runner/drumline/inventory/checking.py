"""What is odd about an inventory, though it can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from drumline.inventory.sources import members, shared_names
from drumline.model.host import Inventory
from drumline.model.value import Template
from drumline.secret import Secret

#: What transports and drumline itself read.
_READ = ("ansible_", "drumline_")


def oddities(inventory: Inventory, is_used: Callable[[str], bool] | None = None) -> Iterator[tuple[str, str]]:
    """Kinds and sentences. ``is_used`` says whether a playbook uses a variable."""
    for name in shared_names(inventory):
        yield "duplicate", f"'{name}' is both a host and a group; in patterns it means the host."
    for (address, _), hosts in _addresses(inventory).items():
        if len(hosts) > 1:
            yield "duplicate", f"{', '.join(hosts)} have one address: {address}."
    for group, within in members(inventory).items():
        if not within and group not in ("all", "ungrouped"):
            yield "empty", f"Group '{group}' has no hosts."
    if is_used is not None:
        for name in sorted(_variables(inventory)):
            if not name.startswith(_READ) and not is_used(name):
                yield "unused", f"Nothing uses the variable '{name}'."


def _addresses(inventory: Inventory) -> dict[tuple[str, str], list[str]]:
    """The hosts at each address, by the way to it, as far as these are known and no templates."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, host in inventory.hosts.items():
        values = [host.variables.get(f"ansible_{part}", "") for part in ("host", "port", "connection")]
        if any(isinstance(value, Template | Secret) for value in values):
            continue
        address, port, connection = values
        place = f"{address or name}:{port}" if port else str(address or name)
        found.setdefault((place, str(connection)), []).append(name)
    return found


def _variables(inventory: Inventory) -> set[str]:
    return {name for host in inventory.hosts.values() for name in host.variables}
