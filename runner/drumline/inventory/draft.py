"""The content of an inventory's sources, collected while they are read, with the mistakes in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any, TypeAlias

from msgspec import Struct

from drumline.diagnostics import Diagnostics, Position, did_you_mean
from drumline.inventory.author_text import author_text
from drumline.inventory.combining import combined
from drumline.inventory.ranges import check_group_name, check_name, expand
from drumline.model.value import Value
from drumline.source.nodes import hidden
from drumline.source.origins import SOURCES, Owner, noted_origins

#: The group of all hosts, and the group of hosts that are in no other.
ALL, UNGROUPED = "all", "ungrouped"
_PRIORITY = "ansible_group_priority"

#: Where each variable is defined.
Places: TypeAlias = Mapping[str, Position]


class DraftGroup(Struct):
    """One group: its own hosts and children in the order of the files."""

    variables: dict[str, Value] = {}
    hosts: dict[str, None] = {}
    children: dict[str, Position | None] = {}  #: The place where each was made a child.
    priority: int = 1
    #: Whether a file defines it, rather than just naming it as a child or giving it variables.
    declared: bool = False
    position: Position | None = None  #: The place where it was first mentioned.


class Draft:
    """Hosts and groups so far. Methods note mistakes in ``mistakes`` and go on."""

    def __init__(self) -> None:
        self.mistakes = Diagnostics()
        self.warnings = Diagnostics()
        #: Where variables are defined, in the order in which they were read; None where no one asks.
        self.notes: list[tuple[Owner, Mapping[str, Value], Places | Position | None]] | None = (
            None if noted_origins() is None else []
        )
        self.hosts: dict[str, dict[str, Value]] = {}
        self.groups: dict[str, DraftGroup] = {
            ALL: DraftGroup(declared=True, children={UNGROUPED: None}),
            UNGROUPED: DraftGroup(declared=True),
        }

    def declare(self, name: str, position: Position | None) -> DraftGroup:
        """The group of that name, which is defined here."""
        group = self._group(name, position)
        group.declared = True
        return group

    def add_hosts(
        self,
        pattern: str,
        variables: Mapping[str, Value],
        group: str,
        position: Position | None,
        places: Places | None = None,
    ) -> None:
        """Add the hosts that a pattern such as ``web[01:20]:2222`` stands for, with their own variables.

        ``places`` are those of the variables; None: that of the host.
        """
        try:
            names, port = expand(pattern)
        except ValueError as error:
            self.mistakes.add("Not a host name", detail=str(error), position=position)
            return
        own = variables if port is None else {"ansible_port": port, **variables}
        members = self._group(group, position).hosts
        for name in names:
            members[name] = None
            self._give_host(name, own, places or position)

    def add_host(self, name: str, variables: Mapping[str, Value], position: Position | None) -> None:
        """Add one host by its plain name."""
        try:
            check_name(name)
        except ValueError as error:
            self.mistakes.add("Not a host name", detail=str(error), position=position)
            return
        self._give_host(name, variables, position)

    def _give_host(self, name: str, variables: Mapping[str, Value], place: Places | Position | None) -> None:
        if variables or name not in self.hosts:
            self.hosts[name] = combined([self.hosts.get(name, {}), variables])
        self._note(Owner("host", name, SOURCES), variables, place)

    def _note(self, owner: Owner, variables: Mapping[str, Value], place: Places | Position | None) -> None:
        if self.notes is not None:
            self.notes.append((owner, variables, place))

    def add_member(self, group: str, host: str, position: Position | None) -> None:
        """Put a host, perhaps a new one, into a group."""
        self.add_host(host, {}, position)
        if host in self.hosts:
            self._group(group, position).hosts[host] = None

    def add_child(self, parent: str, child: str, position: Position | None) -> None:
        """Make one group a child of another."""
        if child == ALL:
            self.mistakes.add(
                "'all' can't be a child", detail=f"Every group, including '{parent}', is in 'all'.", position=position
            )
            return
        self._group(child, position)
        self._group(parent, position).children.setdefault(child, position)

    def set_variables(
        self, group: str, variables: Mapping[str, Value], position: Position | None, places: Places | None = None
    ) -> None:
        """Give a group variables. ``places`` are those of the variables; None: that of the group."""
        target = self._group(group, position)
        self._note(Owner("group", group, SOURCES), variables, places or position)
        for name, value in variables.items():
            if name == _PRIORITY:
                self._set_priority(group, value, position)
            else:
                target.variables |= combined([{name: target.variables.get(name)}, {name: value}])

    def absorb(self, other: Draft) -> None:
        """Add everything from another draft but its mistakes."""
        for name, group in other.groups.items():
            mine = self._group(name, group.position)
            mine.variables = combined([mine.variables, group.variables])
            mine.hosts |= group.hosts
            for child, place in group.children.items():
                mine.children.setdefault(child, place)
            mine.declared |= group.declared
            mine.priority = group.priority if group.priority != 1 else mine.priority
        for host, variables in other.hosts.items():
            self.hosts[host] = combined([self.hosts.get(host, {}), variables])
        self.warnings.extend(other.warnings)
        if self.notes is not None:
            self.notes += other.notes or ()

    def tell_origins(self) -> None:
        """Have noted where variables are defined, where someone asks."""
        noted = noted_origins()
        for owner, variables, place in self.notes or ():
            if noted is not None:
                noted.note(owner, variables, place)

    def copy(self) -> Draft:
        """Another draft with the same content."""
        copied = Draft()
        copied.absorb(self)
        return copied

    def author_text(self, value: Any, position: Position) -> Value:
        """A value as its author wrote it: texts in it with braces are templates."""
        return author_text(value, position)

    def hide(self) -> None:
        """Mark all variables as secret, since they were encrypted."""
        for variables in (*self.hosts.values(), *(group.variables for group in self.groups.values())):
            variables.update({name: hidden(value) for name, value in variables.items()})

    def check_declared(self) -> None:
        """Report groups that are named as children or have variables, but are defined nowhere."""
        known = [name for name, group in self.groups.items() if group.declared]
        for name, group in self.groups.items():
            if not group.declared:
                detail = f"No source has a group '{name}'.{did_you_mean(name, known)}"
                self.mistakes.add("Undefined group", detail=detail, position=group.position)

    def _group(self, name: str, position: Position | None) -> DraftGroup:
        group = self.groups.get(name)
        if group is None:
            try:
                check_group_name(name)
            except ValueError as error:
                self.mistakes.add("Not a group name", detail=str(error), position=position)
            group = self.groups[name] = DraftGroup(position=position)
        return group

    def _set_priority(self, group: str, value: Value, position: Position | None) -> None:
        try:
            self.groups[group].priority = int(value)
        except (TypeError, ValueError):
            detail = f"{_PRIORITY} of group '{group}' has to be a whole number."
            self.mistakes.add("Not a priority", detail=detail, position=position)


def check_cycles(draft: Draft) -> None:
    """Report every cycle of groups, and break it, so that the rest can be checked."""
    while True:
        graph: dict[str, Iterable[str]] = {name: group.children for name, group in draft.groups.items()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            cycle = list(reversed(error.args[1]))  # parents first
            _report_cycle(draft, cycle)
        else:
            return


def _report_cycle(draft: Draft, cycle: list[str]) -> None:
    """``cycle`` names each group before one of its children; its first and last are the same."""
    edges = list(pairwise(cycle))
    places = [(draft.groups[parent].children[child], (parent, child)) for parent, child in edges]
    position, (parent, child) = max(places, key=lambda place: place[0] or Position(""))
    del draft.groups[parent].children[child]
    start = cycle.index(child)
    path = [*cycle[start:-1], *cycle[: start + 1]]
    detail = f"A group can't be inside itself: {' > '.join(path)}."
    draft.mistakes.add("Groups contain each other", detail=detail, position=position)
