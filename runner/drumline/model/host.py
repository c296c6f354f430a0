"""The inventory: hosts, groups and their variables, already merged from all sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from drumline.diagnostics import Diagnostic
from drumline.model.value import Variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host. ``variables`` are its own and its groups', merged by Ansible's precedence."""

    name: str
    variables: Variables = field(default_factory=dict)
    #: Names of all groups it is in, parents included, ``all`` left out, sorted.
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group. ``hosts`` are its own members, not those of its children."""

    name: str
    hosts: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    variables: Variables = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All hosts and groups, in the order in which the sources name them. ``all`` and ``ungrouped`` always exist."""

    hosts: Mapping[str, Host] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    #: Each host's own variables as the sources gave them, unmerged, for ``inventory list``.
    own_variables: Mapping[str, Variables] = field(default_factory=dict)
    #: What the sources were, for messages and the journal.
    sources: tuple[str, ...] = ()
    #: Files of them that were left out, since something is wrong there.
    warnings: tuple[Diagnostic, ...] = ()
