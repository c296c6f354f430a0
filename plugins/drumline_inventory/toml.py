"""Inventories in TOML, as Ansible's ``toml`` inventory plugin reads them.

::

    [web]
    children = ["canary"]
    [web.hosts]
    "web[1:3]" = {}
    web4 = {ansible_host = "10.0.0.4"}
    [web.vars]
    http_port = 80
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drumline.plugin import (
    Diagnostic,
    FilesError,
    InventoryDraft,
    InventorySource,
    Position,
    SourceCall,
    did_you_mean,
)

_SECTIONS = ("hosts", "vars", "children")
#: Where a message of the library says that it is.
_PLACE = re.compile(r"\s*\(at line (\d+), column (\d+)\)\Z")


def _read(call: SourceCall) -> None:
    text = call.read_text(Path(call.source))
    try:
        groups = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FilesError([_syntax(call.source, str(error))]) from None
    lines = _Lines(call.source, text)
    if isinstance(groups.get("plugin"), str):
        call.refuse("A source can't be configured in TOML", "Write the file with 'plugin:' in YAML.", "plugin")
    for name, group in groups.items():
        _Table(name, lines, call.draft).read(group)


def _syntax(path: str, said: str) -> Diagnostic:
    found = _PLACE.search(said)
    position = Position(path, int(found[1]), int(found[2])) if found else Position(path, 0)
    return Diagnostic(summary="This file isn't valid TOML", detail=f"{_PLACE.sub('', said)}.", position=position)


class _Lines:
    """Finds names in the text: the library keeps no positions."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()

    def of(self, *names: str) -> Position:
        """The first line with the last name in it, from where the others stand on."""
        start = 0
        for name in names:
            found = (number for number in range(start, len(self._lines)) if name in self._lines[number])
            start = next(found, start)
        column = self._lines[start].find(names[-1]) if self._lines else 0
        return Position(self._path, start + 1, max(0, column) + 1)


class _Table:
    """One table at the top: a group."""

    def __init__(self, name: str, lines: _Lines, draft: InventoryDraft) -> None:
        self._name = name
        self._lines = lines
        self._draft = draft

    def read(self, group: Any) -> None:
        place = self._lines.of(self._name)
        if not isinstance(group, Mapping):
            self._complain(f"Group '{self._name}' has to be a table.", place)
            return
        self._draft.declare(self._name, place)
        for section, content in group.items():
            if section == "hosts":
                self._hosts(content)
            elif section == "vars":
                self._draft.set_variables(self._name, self._variables(content, "vars"), place)
            elif section == "children":
                self._children(content)
            else:
                known = f"A group has 'hosts', 'vars' and 'children', not '{section}'."
                self._complain(f"{known}{did_you_mean(section, _SECTIONS)}", self._lines.of(self._name, section))

    def _hosts(self, content: Any) -> None:
        if not isinstance(content, Mapping):
            self._complain(f"'hosts' of group '{self._name}' has to be a table.", self._lines.of(self._name, "hosts"))
            return
        for pattern, variables in content.items():
            place = self._lines.of(self._name, pattern)
            self._draft.add_hosts(pattern, self._variables(variables, pattern), self._name, place)

    def _children(self, content: Any) -> None:
        names = content if isinstance(content, list | Mapping) else [content]
        for child in names:
            place = self._lines.of(self._name, str(child))
            if not isinstance(child, str):
                self._complain(f"'children' of group '{self._name}' has to be a list of names.", place)
            else:
                self._draft.add_child(self._name, child, place)

    def _variables(self, content: Any, of: str) -> Mapping[str, Any]:
        place = self._lines.of(self._name, of)
        if not isinstance(content, Mapping):
            self._complain(f"The variables of '{of}' in group '{self._name}' have to be a table.", place)
            return {}
        found: Mapping[str, Any] = self._draft.author_text(content, place)
        return found

    def _complain(self, detail: str, position: Position) -> None:
        self._draft.mistakes.add("Wrong type in an inventory", detail=detail, position=position)


SOURCE = InventorySource(name="toml", read=_read)
