"""A fleet of another size: hosts cloned, or left out, so that groups keep their proportions."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from drumline.errors import UsageError
from drumline.model.host import Group, Host, Inventory


def resized(inventory: Inventory, count: int) -> tuple[Inventory, Mapping[str, str]]:
    """The inventory with ``count`` hosts, and for each clone the host that it is one of.

    Hosts in the same groups are of one kind; each kind keeps its share, and one host at least. Clones of ``web1`` are
    ``web1-2``, ``web1-3``, … and stand beside it in each group. Raises ``UsageError`` when there are more kinds.
    """
    kinds: dict[tuple[str, ...], list[str]] = {}
    for host in inventory.hosts.values():
        kinds.setdefault(host.groups, []).append(host.name)
    if count < len(kinds):
        raise UsageError(
            "Too few hosts for this inventory",
            f"--hosts {count}: it has {len(kinds)} kinds of hosts (those that are in the same groups), and each keeps "
            "one at least.",
        )
    wanted = _shares([len(names) for names in kinds.values()], count)
    copies = {
        name: clones
        for names, many in zip(kinds.values(), wanted, strict=True)
        for name, clones in zip(names, _copies(names, many, inventory), strict=True)
    }
    return _with(inventory, copies), {clone: name for name, clones in copies.items() for clone in clones[1:]}


def _shares(sizes: list[int], count: int) -> list[int]:
    """``count`` dealt out in proportion to the sizes, one at least, by the largest remainder."""
    total = sum(sizes)
    exact = [size * count / total for size in sizes]
    shares = [max(1, int(share)) for share in exact]
    by_need = sorted(range(len(sizes)), key=lambda kind: shares[kind] - exact[kind])
    for kind in (by_need * (1 + abs(count - sum(shares)) // len(sizes)))[: max(0, count - sum(shares))]:
        shares[kind] += 1
    while sum(shares) > count:  # kinds that got their one host without having a share of it
        largest = max(range(len(shares)), key=lambda kind: (shares[kind] > 1, shares[kind] - exact[kind]))
        shares[largest] -= 1
    return shares


def _copies(names: list[str], count: int, inventory: Inventory) -> list[tuple[str, ...]]:
    """For each host of a kind the hosts that stand for it; none for one that is left out."""
    each, more = divmod(count, len(names))
    return [_clones(name, each + (index < more), inventory) for index, name in enumerate(names)]


def _clones(name: str, count: int, inventory: Inventory) -> tuple[str, ...]:
    found, number = [name][:count], 1
    while len(found) < count:
        number += 1
        clone = f"{name}-{number}"
        if clone not in inventory.hosts and clone not in inventory.groups:
            found.append(clone)
    return tuple(found)


def _with(inventory: Inventory, copies: Mapping[str, tuple[str, ...]]) -> Inventory:
    hosts = {
        clone: Host(name=clone, variables=host.variables, groups=host.groups)
        for host in inventory.hosts.values()
        for clone in copies[host.name]
    }
    groups = {name: _group(group, copies) for name, group in inventory.groups.items()}
    return replace(inventory, hosts=hosts, groups=groups)


def _group(group: Group, copies: Mapping[str, tuple[str, ...]]) -> Group:
    return replace(group, hosts=tuple(clone for name in group.hosts for clone in copies[name]))
