"""Hosts of OpenSSH's ``known_hosts``: whoever this user has logged in to. Names that are hashed can't be read back."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drumline.plugin import Argument, InventorySource, Position, SourceCall, SourceData
from drumline_inventory.constructed import OPTIONS
from drumline_inventory.rows import with_constructed

_WITH_PORT = re.compile(r"\[([^\]]+)\]:(\d+)\Z")
_HASHED = "|"


def _read(call: SourceCall) -> SourceData:
    path = call.file()
    hosts: dict[str, dict[str, Any]] = {}
    places: dict[str, Position] = {}
    hashed = 0
    for names, position in _lines(call, path):
        if names.startswith(_HASHED):
            hashed += 1
            continue
        host, variables = _host([name for name in names.split(",") if not re.search(r"[*?!]", name)])
        if host is not None and host not in hosts:
            hosts[host], places[host] = variables, position
    plural = "names are" if hashed != 1 else "name is"
    warnings = (f"{hashed} {plural} hashed in {path} (HashKnownHosts) and can't be read.",) if hashed else ()
    group = call["group"]
    members = {group: tuple(hosts)} if group and hosts else {}
    return with_constructed(call, SourceData(hosts=hosts, places=places, members=members, warnings=warnings))


def _lines(call: SourceCall, path: Path) -> Iterator[tuple[str, Position]]:
    """The names of each line that has a key of a host; those of authorities and revoked keys are left out."""
    for number, line in enumerate(call.read_text(path).splitlines(), 1):
        words = line.split()
        if len(words) >= 3 and not words[0].startswith(("#", "@")):
            yield words[0], Position(str(path), number, 1)


def _host(names: list[str]) -> tuple[str | None, dict[str, Any]]:
    """The host of a line: its first name that isn't an address, with its address and port."""
    if not names:
        return None, {}
    plain = [(found[1], int(found[2])) if (found := _WITH_PORT.match(name)) else (name, None) for name in names]
    name, port = next((one for one in plain if not _is_address(one[0])), plain[0])
    address = next((one for one, _ in plain if one != name and _is_address(one)), None)
    return name, {
        **({"ansible_host": address} if address else {}),
        **({"ansible_port": port} if port not in (None, 22) else {}),
    }


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


SOURCE = InventorySource(
    name="known_hosts",
    read=_read,
    raw=("compose", "groups", "keyed_groups"),
    options=(
        Argument(name="path", default="~/.ssh/known_hosts", help="The file of known hosts."),
        Argument(name="group", default="known_hosts", help="The group that all of them are in; empty for none."),
        *OPTIONS,
    ),
)
