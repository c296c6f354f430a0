"""What ``gather.sh`` has printed, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, TypeAlias

#: Facts by Ansible's names, without ``ansible_``.
Facts: TypeAlias = dict[str, Any]

#: Parts in which files stand below their names.
_FILES = ("together", "files", "env", "zone", "hardware", "net", "block", "cpus")
_FILE = re.compile(r"(?:^|\n)==> (/[^\n]*) <==\n")
#: A line of ``ls -ldni``: its inode, what it is, and the rest of the line from the date on.
_LISTED = re.compile(r" *(\d+) +(\S)\S* +\d+ +\d+ +\d+ +(?:\d+, *)?\d+ +(.*)")
_DATE = re.compile(r"(?:\S+ +\d+ +[\d:]+|[\d-]+ +[\d:.]+(?: +[+-]\d{4})?) +")


class Said:
    """What one host has said; ``root`` stands before the names of its files, and is left out of them here."""

    def __init__(self, parts: Mapping[str, bytes], root: str = "") -> None:
        self.parts = {name: data.decode("utf-8", errors="replace") for name, data in parts.items()}
        self._root = root

    def part(self, name: str) -> str:
        """What was said under this name, without space around it; empty if nothing was."""
        return self.parts.get(name, "").strip()

    def lines(self, name: str) -> list[str]:
        return self.part(name).split("\n") if self.part(name) else []

    def file_lines(self, path: str) -> list[str]:
        """The lines of a file; none if it isn't there."""
        return (self.file(path) or "").splitlines()

    def file(self, path: str) -> str | None:
        """The content of a file without space around it; None if it isn't there, can't be read or is empty."""
        return self.files.get(path, "").strip(" \t\r\n\0") or None

    @cached_property
    def files(self) -> dict[str, str]:
        """The files of all parts, by their names."""
        return {self._path(path): text for name in _FILES for path, text in _files_in(self.parts.get(name, ""))}

    @cached_property
    def there(self) -> frozenset[str]:
        """Paths and programs of which it was asked whether they exist, and that do."""
        return frozenset(self.lines("there"))

    @cached_property
    def links(self) -> dict[str, str]:
        """What symbolic links point to, as it stands in them."""
        listed = (rest.split(" -> ", 1) for _, kind, rest in self._listed if kind == "l" and " -> " in rest)
        return {self._path(name): target for name, target in listed}

    @property
    def root_inode(self) -> int | None:
        """The inode of ``/``."""
        return next((inode for inode, _, name in self._listed if name == "/"), None)

    @cached_property
    def _listed(self) -> list[tuple[int, str, str]]:
        found = (_LISTED.match(line) for line in self.lines("links"))
        return [(int(line[1]), line[2], _DATE.sub("", line[3], count=1)) for line in found if line]

    def _path(self, name: str) -> str:
        return name.removeprefix(self._root)

    def below(self, directory: str) -> dict[str, list[str]]:
        """The files below a directory: the names in it, and what comes after each."""
        found: dict[str, list[str]] = {}
        for path in self.files:
            if path.startswith(directory):
                name, _, rest = path[len(directory) :].partition("/")
                found.setdefault(name, []).append(rest)
        return found


def _files_in(text: str) -> Iterator[tuple[str, str]]:
    """Pairs of name and content, as ``head`` prints several files."""
    _, *found = _FILE.split(text)
    return zip(found[::2], found[1::2], strict=True)


def integer(text: object, default: int = 0) -> int:
    """A whole number in text that a host has said; or the default."""
    try:
        return int(str(text).strip())
    except ValueError:
        return default


def split(output: bytes, word: str) -> dict[str, bytes]:
    """The parts of an output, in order, by the names that stand behind the word."""
    _, *found = re.split(rb"(?:^|\n)%s ([^\n]*)\n" % re.escape(word.encode()), output)
    return {name.decode(errors="replace"): data for name, data in zip(found[::2], found[1::2], strict=True)}
