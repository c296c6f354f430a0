"""From ``-i SOURCE…`` to the inventory. All mistakes of all sources are found before the first is reported.

A source is a YAML, JSON or INI file, a directory of sources, a comma list of hosts (``web1,web2,``), or whatever a
plugin claims. Later sources add to earlier ones, and their variables override earlier ones.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from drumline.diagnostics import Position
from drumline.errors import FilesError, UsageError
from drumline.inventory.author_text import author_text
from drumline.inventory.draft import Draft, check_cycles
from drumline.inventory.host_variables import FILES, Giver, ask_givers
from drumline.inventory.merging import hosts_of, merge
from drumline.model.host import Inventory
from drumline.plugin.sources import InventorySource, SourceData
from drumline.source.inputs import note_file
from drumline.source.text import read_text
from drumline.source.vault import Decrypted

#: Files in a directory that aren't inventory sources (Ansible's rules).
_IGNORED = r"\A\.|\A(?:host_vars|group_vars|vars_plugins)\Z|(?:~|\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry))\Z"
_YAML_EXTENSIONS = (".yml", ".yaml", ".json")
_YAML_START = r"---|\{|[^\[\]\s=]+:(?:\s|\Z)"


def load_inventory(
    sources: Sequence[str],
    readers: Sequence[InventorySource] = (),
    *,
    givers: Iterable[Giver] = FILES,
    extra_directories: Sequence[Path] = (),
) -> Inventory:
    """Read and merge all sources.

    ``readers`` are asked first for every file and text. ``givers`` provide variables, the strongest first.
    ``extra_directories`` are those of the playbooks, whose ``group_vars`` and ``host_vars`` win over those beside the
    inventory. Raises ``FilesError`` with every mistake.
    """
    loader = _Loader(readers)
    for source in sources:
        loader.read(source)
    draft = loader.draft
    draft.check_declared()
    check_cycles(draft)
    beside = _directories_beside(sources)
    playbook = [directory for directory in _distinct(extra_directories) if directory not in beside]
    given = ask_givers(givers, draft, beside, playbook)
    if draft.mistakes:
        raise FilesError(draft.mistakes)
    return merge(draft, given, sources)


def require_hosts(inventory: Inventory) -> None:
    """Raise ``UsageError`` if there are no hosts."""
    if not inventory.hosts:
        named = ", ".join(inventory.sources) or "none was given"
        raise UsageError("The inventory has no hosts", f"Its sources: {named}. Name others with -i.")


def members(inventory: Inventory) -> dict[str, tuple[str, ...]]:
    """Every group with all its hosts, including those of its children: the magic variable ``groups``."""
    groups = dict(inventory.groups)
    return {name: tuple(dict.fromkeys(hosts_of(name, groups))) for name in groups}


def shared_names(inventory: Inventory) -> tuple[str, ...]:
    """Names shared by a host and a group, which deserve a warning: in a pattern, they mean the host."""
    return tuple(name for name in inventory.groups if name in inventory.hosts)


class _Loader:
    """Reads one source after another into a draft."""

    def __init__(self, readers: Sequence[InventorySource]) -> None:
        self.draft = Draft()
        self._readers = readers

    def read(self, source: str) -> None:
        """Read one ``-i SOURCE``."""
        path = Path(source)
        if os.path.isdir(source):  # unlike Path, it returns False for a NUL character
            self._read_directory(path)
        elif self._read_with_plugin(source):
            pass
        elif os.path.exists(source):
            self._read_file(path)
        elif "," in source:
            self._read_list(source)
        else:
            hint = f" For a list of hosts, write a comma after it: -i '{source},'." if "/" not in source else ""
            self.draft.mistakes.add("An inventory source doesn't exist", detail=f"There is no {source!r}.{hint}")

    def _read_directory(self, directory: Path) -> None:
        try:
            names = sorted(path.name for path in directory.iterdir())
        except OSError as error:
            self.draft.mistakes.add("An inventory source can't be read", detail=f"{directory}: {error.strerror}.")
            return
        parts = [self._part(str(directory / name)) for name in names if not re.search(_IGNORED, name)]
        good = [part for part in parts if not part.mistakes and (part.hosts or len(part.groups) > 2)]
        for part in parts:
            if not part.mistakes:
                self.draft.absorb(part)
        # As in Ansible, an unreadable file doesn't hide the others.
        told = self.draft.warnings if good else self.draft.mistakes
        for part in parts:
            told.extend(part.mistakes)

    def _part(self, source: str) -> Draft:
        """The draft of one file in a directory."""
        loader = _Loader(self._readers)
        loader.read(source)
        return loader.draft

    def _read_list(self, source: str) -> None:
        for name in filter(None, map(str.strip, source.split(","))):
            self.draft.add_hosts(name, {}, "ungrouped", None)

    def _read_file(self, path: Path) -> None:
        try:
            text = read_text(path)
            if path.suffix == ".toml":
                detail = "Inventories in TOML are not supported yet. Write it in YAML or INI."
                self.draft.mistakes.add("This inventory is TOML", detail=detail, position=Position(str(path)))
            elif path.suffix in _YAML_EXTENSIONS or (path.suffix != ".ini" and _looks_like_yaml(text)):
                from drumline.inventory.yaml_source import read_yaml

                read_yaml(text, str(path), self.draft)
            else:
                from drumline.inventory.ini_source import read_ini

                if isinstance(text, Decrypted):
                    part = Draft()
                    read_ini(text, str(path), part)
                    part.hide()
                    self.draft.absorb(part)
                    self.draft.mistakes.extend(part.mistakes)
                else:
                    read_ini(text, str(path), self.draft)
        except FilesError as error:
            self.draft.mistakes.extend(error.diagnostics)

    def _read_with_plugin(self, source: str) -> bool:
        reader = next((reader for reader in self._readers if reader.claims(source)), None)
        if reader is None:
            return False
        if os.path.isfile(source):
            note_file(Path(source))
        try:
            _enter(reader.read(source), Position(source), self.draft)
        except FilesError as error:
            self.draft.mistakes.extend(error.diagnostics)
        except UsageError as error:
            self.draft.mistakes.add(error.summary, detail=error.detail)
        return True


def _looks_like_yaml(text: str) -> bool:
    """Judged by its first significant line; in doubt, it is INI."""
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";")))
    return bool(re.match(_YAML_START, next(lines, "")))


def _enter(data: SourceData, position: Position, draft: Draft) -> None:
    """Add data from a plugin. Its text is trusted, like that of files."""
    for host, variables in data.hosts.items():
        draft.add_host(host, author_text(variables, position), position)
    for group in dict.fromkeys([*data.groups, *data.members, *data.children]):
        draft.declare(group, position)
        draft.set_variables(group, author_text(data.groups.get(group, {}), position), position)
        for host in data.members.get(group, ()):
            draft.add_member(group, host, position)
    for group, children in data.children.items():
        for child in children:
            draft.declare(child, position)
            draft.add_child(group, child, position)


def _directories_beside(sources: Iterable[str]) -> list[Path]:
    """Where ``group_vars`` and ``host_vars`` may be: in a source that is a directory, or beside a file."""
    paths = (Path(source) for source in sources if os.path.exists(source))
    return list(_distinct(path if path.is_dir() else path.parent for path in paths))


def _distinct(directories: Iterable[Path]) -> Iterator[Path]:
    yield from dict.fromkeys(directory.resolve() for directory in directories)
