"""Writes the inventory of a practice fleet, as YAML that Ansible reads as well."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from drumline_lab.fleet import FleetHost

_HEAD = """\
# The practice fleet of `drumline lab up`; `drumline lab down` removes it and this file.
# Every host is this machine and works as this user. lab_root is the directory that is a host's own.
"""


def write(path: Path, hosts: Sequence[FleetHost]) -> None:
    """Write it for the owner's eyes only: it holds passwords."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, 0o600)
        file.write(render(hosts))


def render(hosts: Sequence[FleetHost]) -> str:
    """The inventory's text."""
    kinds = [kind for kind in ("linux", "windows") if any(host.kind == kind for host in hosts)]
    lines = ["all:", "  children:"]
    for kind in kinds:
        lines += [f"    {kind}:", *_kind([host for host in hosts if host.kind == kind])]
    return _HEAD + "\n".join(lines) + "\n"


def _kind(hosts: Sequence[FleetHost]) -> Iterable[str]:
    yield "      hosts:"
    for host in hosts:
        yield f"        {host.name}:"
        for name, value in _variables(host).items():
            # JSON's strings and numbers are YAML's too.
            yield f"          {name}: {json.dumps(value, ensure_ascii=False)}"
    yield "      children:"
    for group in dict.fromkeys(group for host in hosts for group in host.groups):
        yield f"        {group}:"
        yield "          hosts:"
        yield from (f"            {host.name}:" for host in hosts if group in host.groups)


def _variables(host: FleetHost) -> dict[str, str | int]:
    return {
        "ansible_host": host.address,
        "ansible_port": host.port,
        "ansible_user": host.user,
        **host.variables,
        "lab_root": host.root,
    }
