"""drumline's bundled plugin: inventory sources beyond YAML and INI files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from drumline.plugin import SourceSpec, hookimpl


def is_program(source: str) -> bool:
    """Whether it is a file that begins with ``#!``, or an executable that isn't text.

    Executable text without ``#!`` isn't claimed: on some file systems every file is executable.
    """
    path = Path(source)
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(1024)
    except (OSError, ValueError):
        return False
    return head.startswith(b"#!") or (b"\0" in head and os.access(path, os.X_OK))


def is_ansibles(name: str) -> bool:
    """Whether ``plugin: NAME`` may mean one of Ansible's own, and Ansible is here to ask."""
    from drumline_inventory.ansible import find_program

    return name.count(".") >= 2 and find_program() is not None


def _ends_with(ending: str) -> Callable[[str], bool]:
    return lambda source: source.endswith(ending)


@hookimpl
def drumline_inventory_sources() -> Iterable[SourceSpec]:
    """All sources of this package, each imported when an inventory needs it."""
    return [
        SourceSpec(name="script", load="drumline_inventory.script", claims=is_program),
        SourceSpec(name="toml", load="drumline_inventory.toml", claims=_ends_with(".toml")),
        SourceSpec(name="constructed", load="drumline_inventory.constructed", aliases=("ansible.builtin.constructed",)),
        SourceSpec(name="csv", load="drumline_inventory.csv", claims=_ends_with(".csv")),
        SourceSpec(name="sql", load="drumline_inventory.sql"),
        SourceSpec(name="http", load="drumline_inventory.http"),
        SourceSpec(name="ssh_config", load="drumline_inventory.ssh_config"),
        SourceSpec(name="known_hosts", load="drumline_inventory.known_hosts"),
        SourceSpec(name="terraform", load="drumline_inventory.terraform", claims=_ends_with(".tfstate")),
        SourceSpec(name="docker", load="drumline_inventory.containers", aliases=("podman",)),
        SourceSpec(name="active_directory", load="drumline_inventory.directory", aliases=("ldap",)),
        SourceSpec(name="network", load="drumline_inventory.network"),
        SourceSpec(name="ansible", load="drumline_inventory.ansible", stands_in=is_ansibles),
    ]
