"""What a plugin that knows hosts provides: readers of inventory sources, and variables for hosts and groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol

from msgspec import Struct


class SourceData(Struct, frozen=True, kw_only=True):
    """What an inventory source gives, before groups are merged. Same shapes as Ansible's YAML inventory."""

    #: Group name to own variables; order counts.
    groups: Mapping[str, Mapping[str, Any]] = {}
    #: Group name to names of hosts in it.
    members: Mapping[str, Iterable[str]] = {}
    #: Group name to names of its child groups.
    children: Mapping[str, Iterable[str]] = {}
    #: Host name to own variables; every host is listed here.
    hosts: Mapping[str, Mapping[str, Any]] = {}


class InventorySource(Protocol):
    """Reads one kind of inventory source."""

    @property
    def name(self) -> str:
        """What ``drumline plugins`` and messages call it."""
        ...

    def claims(self, source: str) -> bool:
        """Whether this ``-i SOURCE`` (a path, or any other text) is of its kind; asked of one source after another."""
        ...

    def read(self, source: str) -> SourceData:
        """Read it, or raise ``FilesError`` (with positions) or ``UsageError``."""
        ...


class HostVariables(Struct, frozen=True, kw_only=True):
    """Variables of hosts and groups beside those that the inventory sources give them."""

    #: Group name to variables, ``all`` among them. Groups and hosts that the inventory hasn't are left out.
    groups: Mapping[str, Mapping[str, Any]] = {}
    #: Host name to variables; they win over those of groups.
    hosts: Mapping[str, Mapping[str, Any]] = {}
    #: Where they stand: with what lies beside the inventory, or with what lies beside the playbook and wins over that.
    stage: Literal["inventory", "playbook"] = "inventory"
