"""Facts of Windows hosts: which parts of ``gather.ps1`` a subset means, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from drumline_actions.facts.said import Facts

_GROUPS = {
    "min": ("date_time", "distribution", "env", "local", "platform", "powershell_version", "user"),
    "network": ("all_ip_addresses", "interfaces", "windows_domain", "winrm"),
    "hardware": ("bios", "memory", "processor", "uptime", "virtual"),
    "all_ipv4_addresses": ("all_ip_addresses",),
    "all_ipv6_addresses": ("all_ip_addresses",),
}
_ALL = frozenset(part for group in _GROUPS.values() for part in group)
#: All names of subsets.
NAMES = frozenset({"all", *_GROUPS, *_ALL})


def parts_wanted(wanted: Iterable[str]) -> list[str]:
    """The parts that are wanted, as in Ansible: all, less what ``!NAME`` says, and what is named itself.

    Names of other subsets, which only POSIX hosts have, mean nothing.
    """
    named, removed = set[str](), set[str]()
    for word in wanted:
        name = word.removeprefix("!")
        group = set(_ALL if name == "all" else _GROUPS.get(name, (name,))) & _ALL
        if word == "!all":
            removed |= group - set(_GROUPS["min"])
        elif word != name:
            removed |= group
        elif name != "all":
            named |= group
    return sorted((_ALL - removed) | named)


def windows_facts(answer: dict[str, Any]) -> tuple[Facts, list[str]]:
    """The facts, and warnings of parts that couldn't be had."""
    facts: Facts = json.loads(answer["facts"])
    warnings = answer.get("warnings") or []
    return facts, [str(warning) for warning in warnings]
