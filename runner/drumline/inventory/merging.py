"""From a draft to the inventory: the order of hosts, and variables merged by Ansible's precedence.

From weak to strong (Ansible's "Understanding variable precedence", 3 to 10):

1. variables in the sources of ``all``, then of the other groups,
2. ``group_vars/all`` beside the inventory, then beside the playbook,
3. ``group_vars/*`` beside the inventory, then beside the playbook,
4. the host's variables in the sources, its ``host_vars`` beside the inventory, then beside the playbook.

Variables from plugins for a group or host (``drumline_host_vars``) come right below the files of their stage.

Among groups, parents are weaker than children; at the same depth a higher ``ansible_group_priority`` is stronger, then
the later name in the alphabet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from graphlib import TopologicalSorter

from drumline.inventory.combining import combined
from drumline.inventory.draft import ALL, UNGROUPED, Draft
from drumline.model.host import Group, Host, Inventory
from drumline.model.value import Variables
from drumline.plugin.sources import HostVariables
from drumline.source.origins import SOURCES, Owner, noted_origins

#: Names that mean this machine, whether or not the inventory lists them.
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
#: Stages of variables beside those of the sources, the weaker one first.
STAGES = ("inventory", "playbook")


class Hosts(dict[str, Host]):
    """All hosts by name. This machine can be looked up even if the inventory doesn't list it (it is implicit)."""

    def __init__(self, hosts: Iterable[Host], implicit: dict[str, Host]) -> None:
        super().__init__((host.name, host) for host in hosts)
        self._implicit = implicit
        #: The name of this machine: as listed in the inventory, else as first named by a pattern.
        self.local: str | None = next((name for name in LOCAL_NAMES if name in self), None)

    def replaced(self, new: Mapping[str, Host]) -> Hosts:
        """The same with some hosts added, or in the place of those of their names."""
        found = Hosts({**self, **new}.values(), self._implicit)
        found.local = self.local or found.local
        return found

    def __missing__(self, name: str) -> Host:
        if name in self._implicit and self.local is not None and self.local in self:
            return self[self.local]
        return self._implicit[name]

    def get(self, name: str, default: Host | None = None) -> Host | None:  # type: ignore[override]
        try:
            return self[name]
        except KeyError:
            return default


def local_host(name: str, hosts: Mapping[str, Host]) -> str:
    """The name used for this machine, given any of its names: all of them mean one host, as in Ansible."""
    if not isinstance(hosts, Hosts):
        return name
    if hosts.local is None:
        hosts.local = name
    return hosts.local


def merge(draft: Draft, given: Sequence[HostVariables], sources: Sequence[str]) -> Inventory:
    """The finished inventory. The draft has no cycles of groups; ``given`` are weakest first."""
    return _Merger(draft, given).merge(tuple(sources))


def hosts_of(group: str, groups: dict[str, Group]) -> Iterator[str]:
    """The hosts of a group and its descendants, level by level; a host may occur more than once."""
    seen = {group}
    level = [group]
    while level:
        for name in level:
            yield from groups[name].hosts
        children = dict.fromkeys(child for name in level for child in groups[name].children)
        level = [child for child in children if child not in seen]
        seen.update(level)


class _Merger:
    def __init__(self, draft: Draft, given: Sequence[HostVariables]) -> None:
        self._draft = draft
        self._stages = {stage: [layer for layer in given if layer.stage == stage] for stage in STAGES}
        self._layers = [layer for stage in self._stages.values() for layer in stage]
        self._by_groups: dict[tuple[str, ...], tuple[tuple[str, ...], Variables]] = {}

    def merge(self, sources: tuple[str, ...]) -> Inventory:
        _settle(self._draft)
        noted = noted_origins()
        if noted is not None:
            noted.owners_of = self.owners
        groups = {name: self._group(name) for name in self._draft.groups}
        return Inventory(
            hosts=Hosts((self._host(name, self._own(name)) for name in self._draft.hosts), self._implicit()),
            groups=groups,
            sources=sources,
            warnings=tuple(self._draft.warnings),
        )

    def _group(self, name: str) -> Group:
        draft = self._draft.groups[name]
        return Group(
            name=name,
            hosts=tuple(draft.hosts),
            children=tuple(draft.children),
            variables=combined([draft.variables, *(layer.groups.get(name, {}) for layer in self._layers)]),
            priority=draft.priority,
        )

    def _own(self, host: str) -> Variables:
        found = [layer.hosts[host] for layer in self._layers if host in layer.hosts]
        own = self._draft.hosts.get(host, {})
        return combined([own, *found]) if found else own

    def _host(self, name: str, own: Variables) -> Host:
        direct = tuple(self._memberships[name])
        if direct not in self._by_groups:
            self._by_groups[direct] = self._inherited(direct)
        groups, inherited = self._by_groups[direct]
        # Hosts without variables of their own share one dictionary, which keeps large fleets small.
        return Host(name=name, variables=combined([inherited, own]) if own else inherited, groups=groups)

    def _implicit(self) -> dict[str, Host]:
        inherited = self._inherited(())[1]
        hosts = {}
        for name in LOCAL_NAMES:
            variables = combined([inherited, {"ansible_connection": "local"}, self._own(name)])
            hosts[name] = Host(name=name, variables=variables)
        return hosts

    def _inherited(self, direct: tuple[str, ...]) -> tuple[tuple[str, ...], Variables]:
        """The names of all groups of a host that is directly in these, and its variables from them and from ``all``."""
        ordered = self._ordered(direct)
        return tuple(sorted(ordered)), combined(self._layers_of(ordered))

    def _layers_of(self, ordered: Sequence[str]) -> Iterator[Variables]:
        for _, name, stage in _of_groups(ordered):
            if stage == SOURCES:
                yield self._draft.groups[name].variables
            else:
                yield from (layer.groups.get(name, {}) for layer in self._stages[stage])

    def _ordered(self, direct: Iterable[str]) -> list[str]:
        """All groups of a host that is directly in these, but for ``all``, the weakest first."""
        groups = {ancestor for name in direct for ancestor in (name, *self._ancestors[name])} - {ALL}
        return sorted(groups, key=lambda name: (self._depths[name], self._draft.groups[name].priority, name))

    def owners(self, host: str) -> list[Owner]:
        """Whose variables a host has, the weakest first."""
        of_groups = _of_groups(self._ordered(self._memberships.get(host, ())))
        return [*of_groups, *(Owner("host", host, stage) for stage in (SOURCES, *STAGES))]

    @cached_property
    def _memberships(self) -> dict[str, list[str]]:
        """The groups that list each host."""
        found: dict[str, list[str]] = {name: [] for name in self._draft.hosts}
        for name, group in self._draft.groups.items():
            for host in group.hosts:
                found[host].append(name)
        return found

    @cached_property
    def _parents_first(self) -> list[str]:
        graph = {name: group.children for name, group in self._draft.groups.items()}
        return list(TopologicalSorter(graph).static_order())[::-1]

    @cached_property
    def _depths(self) -> dict[str, int]:
        """The length of the longest path from ``all``."""
        depths = dict.fromkeys(self._draft.groups, 0)
        for name in self._parents_first:
            for child in self._draft.groups[name].children:
                depths[child] = max(depths[child], depths[name] + 1)
        return depths

    @cached_property
    def _ancestors(self) -> dict[str, set[str]]:
        ancestors: dict[str, set[str]] = {name: set() for name in self._draft.groups}
        for name in self._parents_first:
            for child in self._draft.groups[name].children:
                ancestors[child] |= {name, *ancestors[name]}
        return ancestors


def _of_groups(ordered: Sequence[str]) -> list[Owner]:
    """Where variables of these groups and of ``all`` stand, the weakest first."""
    in_sources = [Owner("group", name, SOURCES) for name in (ALL, *ordered)]
    return [
        *in_sources,
        *(Owner("group", name, stage) for chosen in ([ALL], ordered) for stage in STAGES for name in chosen),
    ]


def _settle(draft: Draft) -> None:
    """Put groups without a parent into ``all``, and hosts without a group into ``ungrouped``, but no others."""
    with_parent = {child for group in draft.groups.values() for child in group.children}
    for name in draft.groups:
        if name != ALL and name not in with_parent:
            draft.groups[ALL].children[name] = None
    grouped = {host for name, group in draft.groups.items() if name not in (ALL, UNGROUPED) for host in group.hosts}
    ungrouped = draft.groups[UNGROUPED]
    alone = dict.fromkeys(host for host in [*ungrouped.hosts, *draft.hosts] if host not in grouped)
    ungrouped.hosts = alone
