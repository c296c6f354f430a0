"""What installed distributions declare for drumline: the entry points of its group.

``importlib.metadata`` says the same, and more. Importing it (for it reads metadata as e-mail, records as CSV and zipped
packages) takes a tenth of a small run; the two files that count here are read in a few lines.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from msgspec import Struct

_INFORMATION = (".dist-info", ".egg-info")


class EntryPoint(Struct, frozen=True):
    """A line ``name = value`` of a distribution's entry points."""

    name: str
    value: str  #: ``package.module`` or ``package.module:attribute``
    origin: str  #: Name and version of the distribution.

    def load(self) -> Any:
        """Import what it names."""
        module, _, path = self.value.partition(":")
        found: Any = importlib.import_module(module.strip())
        for attribute in filter(None, path.strip().split(".")):
            found = getattr(found, attribute)
        return found


def entry_points(group: str, directories: Iterable[str]) -> Iterator[EntryPoint]:
    """The entry points of a group, of all distributions in the directories; the first of one name hides the others."""
    seen: set[str] = set()
    for information in _informations(directories):
        lines = list(_section(_text(information, "entry_points.txt"), group))
        if not lines:
            continue
        name, version = _name_and_version(information)
        if name not in seen:
            seen.add(name)
            yield from (EntryPoint(*line, origin=f"{name} {version}") for line in lines)


def _informations(directories: Iterable[str]) -> Iterator[str]:
    for directory in directories:
        with suppress(OSError):  # it isn't there, or it is a zipped package
            names = os.listdir(directory or ".")
            yield from (os.path.join(directory, name) for name in names if name.endswith(_INFORMATION))


def _text(information: str, name: str) -> str:
    # Some dozens are opened: a Path for each takes as long as all the rest.
    with suppress(OSError), open(os.path.join(information, name), encoding="utf-8", errors="replace") as file:
        return file.read()
    return ""


def _section(text: str, wanted: str) -> Iterator[tuple[str, str]]:
    """The lines of one section of an INI file: names and values."""
    section = ""
    for line in map(str.strip, text.splitlines() if f"[{wanted}]" in text else ()):
        if line.startswith("["):
            section = line.strip("[]")
        elif section == wanted and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name.strip(), value.partition("[")[0].strip()  # of extras, which no one declares any more


def _name_and_version(information: str) -> tuple[str, str]:
    """Of the headers that metadata begins with."""
    text = _text(information, "METADATA") or _text(information, "PKG-INFO")
    headers = dict(line.split(": ", 1) for line in text.partition("\n\n")[0].splitlines() if ": " in line)
    return headers.get("Name", os.path.basename(information)), headers.get("Version", "")
