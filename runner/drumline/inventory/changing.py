"""An inventory that tasks change while the run goes on: hosts that they add, and groups that they put hosts in.

What a task changes stands in its result, as Ansible has it: ``add_host`` with ``host_name``, ``groups`` and
``host_vars``, or ``add_group`` with ``parent_groups``. A new group has no variables. One that was there gives its
variables to the hosts that join it, by Ansible's precedence among groups, as far as their order is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from drumline.inventory.combining import combined
from drumline.inventory.draft import ALL, UNGROUPED
from drumline.inventory.merging import Hosts, hosts_of
from drumline.inventory.sources import members
from drumline.model.host import Group, Host, Inventory
from drumline.model.plan import Job
from drumline.model.value import Variables


class Changing:
    """The inventory of a run as it is by now. ``reread`` is called on any thread, the rest on the driver's."""

    def __init__(self, inventory: Inventory, read: Callable[[], Inventory]) -> None:
        self.inventory = inventory
        self._read = read
        self._changes: list[tuple[str, Mapping[str, Any]]] = []  # hosts, and results of tasks there
        self._fresh: dict[Job, Inventory] = {}

    def change(self, host: str, result: Mapping[str, Any]) -> None:
        """A task on a host has given this result."""
        self._changes.append((host, result))
        self.inventory = changed(self.inventory, host, result)

    def reread(self, job: Job) -> tuple[str, ...]:
        """A job reads it anew; returns the hosts that are no more. Raises ``FilesError`` and ``UsageError``."""
        fresh = self._fresh[job] = self._changed(self._read())
        return tuple(host for host in self.inventory.hosts if host not in fresh.hosts)

    def renew(self, job: Job) -> None:
        """From here on it is as the job has read it; in a run that is gone on with, as it is by now."""
        fresh = self._fresh.pop(job, None)
        self.inventory = self._changed(self._read() if fresh is None else fresh)

    def _changed(self, inventory: Inventory) -> Inventory:
        """With what tasks have changed: hosts that they added, and groups of hosts that there still are."""
        for host, result in self._changes:
            inventory = changed(inventory, host, result)
        return inventory


def changed(inventory: Inventory, host: str, result: Mapping[str, Any]) -> Inventory:
    """The inventory after a task on a host that gave this result."""
    items = result.get("results")
    for one in items if isinstance(items, list) else [result]:
        if not isinstance(one, Mapping) or one.get("failed") or one.get("skipped"):
            continue
        if isinstance(added := one.get("add_host"), Mapping):
            groups = list(map(str, added.get("groups") or ()))
            inventory = _with_host(inventory, str(added["host_name"]), groups, added.get("host_vars") or {})
        elif isinstance(group := one.get("add_group"), str):
            inventory = _with_member(inventory, host, group)
            for parent in one.get("parent_groups") or ():
                inventory = _with_child(inventory, str(parent), group)
    return inventory


def _with_host(inventory: Inventory, name: str, groups: Iterable[str], variables: Variables) -> Inventory:
    known = inventory.hosts[name] if name in inventory.hosts else Host(name=name, variables=_of_all(inventory))
    host = replace(known, variables=combined([known.variables, variables]))
    inventory = _with_hosts(inventory, [host])
    if name not in _group(inventory, ALL).hosts and not known.groups:
        inventory = _with_group(inventory, _joined(_group(inventory, UNGROUPED), name, inventory))
    for group in groups:
        inventory = _with_member(inventory, name, group)
    return inventory


def _of_all(inventory: Inventory) -> Variables:
    return _group(inventory, ALL).variables


def _with_member(inventory: Inventory, host: str, group: str) -> Inventory:
    if group == ALL or host not in inventory.hosts:
        return inventory
    before = inventory
    ungrouped = _group(inventory, UNGROUPED)
    inventory = _with_group(inventory, replace(ungrouped, hosts=tuple(one for one in ungrouped.hosts if one != host)))
    inventory = _with_group(_known(inventory, group), _joined(_group(_known(inventory, group), group), host, inventory))
    return _with_hosts(inventory, [_merged(host, before, inventory)])


def _with_child(inventory: Inventory, parent: str, child: str) -> Inventory:
    if parent == ALL or child not in inventory.groups:
        return inventory
    before, inventory = inventory, _known(inventory, parent)
    group = _group(inventory, parent)
    if child in group.children:
        return inventory
    inventory = _with_group(inventory, replace(group, children=(*group.children, child)))
    hosts = dict.fromkeys(hosts_of(child, dict(inventory.groups)))
    return _with_hosts(inventory, [_merged(host, before, inventory) for host in hosts])


def _merged(name: str, before: Inventory, after: Inventory) -> Host:
    """The host, in the groups that it is in by now: their variables are weaker than its own."""
    host = after.hosts[name]
    known = _inherited(name, before)
    missing = object()
    own = {key: value for key, value in host.variables.items() if known.get(key, missing) is not value}
    groups = tuple(sorted(_groups_of(name, after)))
    return replace(host, variables=combined([_inherited(name, after), own]), groups=groups)


def _inherited(name: str, inventory: Inventory) -> Variables:
    """The variables of all groups of a host, the stronger ones last."""
    depths = _depths(inventory)
    ordered = sorted(_groups_of(name, inventory), key=lambda group: (depths[group], group))
    layers = [_of_all(inventory), *(inventory.groups[group].variables for group in ordered)]
    return combined(layers)


def _groups_of(name: str, inventory: Inventory) -> list[str]:
    return [group for group, hosts in members(inventory).items() if name in hosts and group not in (ALL, UNGROUPED)]


def _depths(inventory: Inventory) -> dict[str, int]:
    """The length of the longest path to each group from one that stands in no other."""
    depths = dict.fromkeys(inventory.groups, 0)
    for _ in inventory.groups:
        deeper = {
            child: depths[name] + 1
            for name, group in inventory.groups.items()
            for child in group.children
            if name != ALL and depths.get(child, 0) <= depths[name]
        }
        if not deeper:
            break
        depths |= deeper
    return depths


def _group(inventory: Inventory, name: str) -> Group:
    return inventory.groups.get(name) or Group(name=name)


def _joined(group: Group, host: str, inventory: Inventory) -> Group:
    """The group with a host more, in the order of the inventory, whichever host was first."""
    if host in group.hosts:
        return group
    hosts = {*group.hosts, host}
    return replace(group, hosts=tuple(one for one in inventory.hosts if one in hosts))


def _known(inventory: Inventory, name: str) -> Inventory:
    """The inventory, in which there is a group of this name."""
    if name in inventory.groups:
        return inventory
    top = _group(inventory, ALL)
    return _with_group(_with_group(inventory, Group(name=name)), replace(top, children=(*top.children, name)))


def _with_group(inventory: Inventory, group: Group) -> Inventory:
    return replace(inventory, groups={**inventory.groups, group.name: group})


def _with_hosts(inventory: Inventory, hosts: Iterable[Host]) -> Inventory:
    return replace(inventory, hosts=_replaced(inventory.hosts, {host.name: host for host in hosts}))


def _replaced(known: Mapping[str, Host], new: Mapping[str, Host]) -> Mapping[str, Host]:
    return known.replaced(new) if isinstance(known, Hosts) else {**known, **new}
