"""The inventory: hosts, groups and their variables, already merged from all sources."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from drumline.diagnostics import Diagnostic
from drumline.model.value import Variables


class Host(Struct, frozen=True, kw_only=True, gc=False):
    """One host. ``variables`` are its own and its groups', merged by Ansible's precedence."""

    name: str
    variables: Variables = {}
    #: Names of all its groups, including parents but not ``all``, sorted.
    groups: tuple[str, ...] = ()


class Group(Struct, frozen=True, kw_only=True, gc=False):
    """One group. ``hosts`` are its own members, not those of its children."""

    name: str
    hosts: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    variables: Variables = {}
    priority: int = 1  #: Of groups at the same depth, the variables of a higher one win.


class Inventory(Struct, frozen=True, kw_only=True, gc=False):
    """All hosts and groups, in the order in which the sources name them. ``all`` and ``ungrouped`` always exist."""

    hosts: Mapping[str, Host] = {}
    groups: Mapping[str, Group] = {}
    #: The sources, for messages and the journal.
    sources: tuple[str, ...] = ()
    #: Warnings about files that were left out because of mistakes in them.
    warnings: tuple[Diagnostic, ...] = ()
