"""Hosts of OpenSSH's client settings: those that ``Host`` names without wildcards, with what is said of them.

As for ``ssh``, the first value that fits a host counts. What ``Match`` says is left to the connection, which reads the
file again: some of it is known only then.
"""

from __future__ import annotations

import glob
import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from msgspec import Struct

from drumline.plugin import Argument, InventorySource, Position, SourceCall, SourceData
from drumline_inventory.constructed import OPTIONS
from drumline_inventory.rows import with_constructed

_LINE = re.compile(r"\s*([A-Za-z][A-Za-z0-9]*)\s*(?:=|\s)\s*(.*?)\s*\Z")
#: Keywords and the variables that they stand for.
_VARIABLES = {
    "hostname": "ansible_host",
    "port": "ansible_port",
    "user": "ansible_user",
    "identityfile": "ansible_ssh_private_key_file",
    "proxyjump": "ansible_ssh_common_args",
    "proxycommand": "ansible_ssh_common_args",
}
_DEEPEST = 16  #: Levels of ``Include``, as in OpenSSH.


class _Setting(Struct, frozen=True):
    keyword: str
    words: tuple[str, ...]
    position: Position


class _HostBlock(Struct):
    """What is said of the hosts that match some patterns; None: of those that ``Match`` chooses."""

    patterns: tuple[str, ...] | None
    position: Position
    lines: list[_Setting] = []

    def fits(self, name: str) -> bool:
        if self.patterns is None:
            return False
        plain = [pattern for pattern in self.patterns if not pattern.startswith("!")]
        without = [pattern[1:] for pattern in self.patterns if pattern.startswith("!")]
        return any(fnmatchcase(name, one) for one in plain) and not any(fnmatchcase(name, one) for one in without)


def _read(call: SourceCall) -> SourceData:
    path = call.file()
    blocks = _blocks(call, path)
    places = _named(blocks)
    usual = str(Path("~/.ssh/config").expanduser())
    own = {} if str(path) == usual else {"ansible_ssh_config_file": str(path)}
    hosts = {name: {**own, **_variables(name, blocks)} for name in places}
    group = call["group"]
    return with_constructed(
        call, SourceData(hosts=hosts, places=places, members={group: tuple(hosts)} if group and hosts else {})
    )


def _blocks(call: SourceCall, path: Path) -> list[_HostBlock]:
    blocks = [_HostBlock(("*",), Position(str(path), 0))]
    for line in _lines(call, path, 0):
        if line.keyword == "host":
            blocks.append(_HostBlock(line.words, line.position))
        elif line.keyword == "match":
            every = [word.lower() for word in line.words] == ["all"]
            blocks.append(_HostBlock(("*",) if every else None, line.position))
        else:
            blocks[-1].lines.append(line)
    return blocks


def _lines(call: SourceCall, path: Path, depth: int) -> Iterator[_Setting]:
    for number, raw in enumerate(call.read_text(path).splitlines(), 1):
        found = _LINE.match(raw)
        if found is None or raw.lstrip().startswith("#"):
            continue
        position = Position(str(path), number, len(raw) - len(raw.lstrip()) + 1)
        keyword = found[1].lower()
        try:
            words = tuple(shlex.split(found[2], comments=True))
        except ValueError:
            words = (found[2],)
        if keyword == "include" and depth < _DEEPEST:
            for included in _included(words):
                yield from _lines(call, included, depth + 1)
        elif words:
            yield _Setting(keyword, words, position)


def _included(words: tuple[str, ...]) -> Iterator[Path]:
    """Relative names are those of files in ``~/.ssh``, as for OpenSSH."""
    for word in words:
        pattern = Path(word).expanduser()
        where = pattern if pattern.is_absolute() else Path("~/.ssh").expanduser() / pattern
        yield from map(Path, sorted(glob.glob(str(where))))


def _named(blocks: list[_HostBlock]) -> dict[str, Position]:
    """Each host that is named in full, and where."""
    found: dict[str, Position] = {}
    for block in blocks[1:]:
        for name in block.patterns or ():
            if not re.search(r"[*?!]", name):
                found.setdefault(name, block.position)
    return found


def _variables(name: str, blocks: list[_HostBlock]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in (line for block in blocks if block.fits(name) for line in block.lines):
        variable = _VARIABLES.get(line.keyword)
        if variable is not None:
            found.setdefault(variable, _value(line, name))
    return {variable: value for variable, value in found.items() if value is not None}


def _value(line: _Setting, name: str) -> Any:
    text = " ".join(line.words)
    if line.keyword == "port":
        return int(text) if text.isdecimal() else text
    if line.keyword == "hostname":
        return text.replace("%h", name).replace("%%", "%")
    if line.keyword == "proxyjump":
        return None if text.lower() == "none" else f"-J {shlex.quote(text)}"
    if line.keyword == "proxycommand":
        return None if text.lower() == "none" else f"-o {shlex.quote(f'ProxyCommand={text}')}"
    return text


SOURCE = InventorySource(
    name="ssh_config",
    read=_read,
    raw=("compose", "groups", "keyed_groups"),
    options=(
        Argument(name="path", default="~/.ssh/config", help="The file of settings."),
        Argument(name="group", default="ssh_config", help="The group that all hosts of it are in; empty for none."),
        *OPTIONS,
    ),
)
