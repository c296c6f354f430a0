"""Small inventories for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from drumline.model.host import Group, Host, Inventory


def make_inventory(
    hosts: Iterable[str] | Mapping[str, Mapping[str, Any]], groups: Mapping[str, Iterable[str]] | None = None
) -> Inventory:
    """An inventory of these hosts (names, or names with their variables) in these groups (names of members)."""
    variables = hosts if isinstance(hosts, Mapping) else {name: {} for name in hosts}
    members = {name: tuple(hosts) for name, hosts in (groups or {}).items()}
    grouped = {host for names in members.values() for host in names}
    ungrouped = tuple(name for name in variables if name not in grouped)
    children = (*members, "ungrouped")
    return Inventory(
        hosts={name: _make_host(name, own, members) for name, own in variables.items()},
        groups={
            "all": Group(name="all", children=children),
            "ungrouped": Group(name="ungrouped", hosts=ungrouped),
            **{name: Group(name=name, hosts=hosts) for name, hosts in members.items()},
        },
        sources=("test",),
    )


def _make_host(name: str, variables: Mapping[str, Any], members: Mapping[str, tuple[str, ...]]) -> Host:
    groups = sorted(group for group, hosts in members.items() if name in hosts) or ["ungrouped"]
    return Host(name=name, variables=variables, groups=tuple(groups))
