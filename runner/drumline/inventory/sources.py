"""From ``-i SOURCE…`` to the inventory. All mistakes of all sources are found before the first is reported.

A source is a directory of sources, or what a plugin claims; drumline itself claims files of YAML and INI and lists of
hosts (:mod:`drumline.inventory.readers`). Later sources add to earlier ones, and their variables override earlier ones.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from drumline.diagnostics import Diagnostics
from drumline.errors import FilesError, UsageError
from drumline.inventory.draft import Draft, check_cycles
from drumline.inventory.host_variables import FILES, Giver, ask_givers
from drumline.inventory.merging import hosts_of, merge
from drumline.inventory.readers import BUILT_IN
from drumline.inventory.reading import USUAL, Offered, SourcePart, SourceReader, SourceRules
from drumline.model.host import Inventory

#: Files in a directory that aren't inventory sources (Ansible's rules).
_IGNORED = r"\A\.|\A(?:host_vars|group_vars|vars_plugins)\Z|(?:~|\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry))\Z"


def load_inventory(
    sources: Sequence[str],
    readers: Sequence[Offered] = BUILT_IN,
    *,
    givers: Iterable[Giver] = FILES,
    extra_directories: Sequence[Path] = (),
    rules: SourceRules = USUAL,
) -> Inventory:
    """Read and merge all sources.

    The first of ``readers`` that claims a source reads it. ``givers`` provide variables, the strongest first.
    ``extra_directories`` are those of the playbooks, whose ``group_vars`` and ``host_vars`` win over those beside the
    inventory. Raises ``FilesError`` with every mistake.
    """
    beside = _directories_beside(sources)
    playbook = [directory for directory in _distinct(extra_directories) if directory not in beside]
    givers = tuple(givers)

    def earlier(with_variables: bool) -> Inventory:
        draft = loader.draft.copy()
        check_cycles(draft)
        return merge(draft, ask_givers(givers, draft, beside, playbook) if with_variables else (), sources)

    loader = _Loader(SourceReader(readers, rules, earlier))
    loader.read(sources)
    draft = loader.draft
    draft.tell_origins()
    draft.check_declared()
    check_cycles(draft)
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
    """Reads all sources into a draft. Those that wait are under way side by side; their content comes in order."""

    def __init__(self, reader: SourceReader) -> None:
        self.draft = Draft()
        self._reader = reader

    def read(self, sources: Sequence[str]) -> None:
        begun: list[list[SourcePart]] = []
        try:
            for source in sources:
                begun.append(list(map(self._reader.begin, self._files(source))))
            for source, parts in zip(sources, begun, strict=True):
                if os.path.isdir(source):  # unlike Path, it returns False for a NUL character
                    self._finish_directory(parts)
                else:
                    self._finish(parts)
        except BaseException:
            for part in (part for parts in begun for part in parts):
                part.abandon()
            raise

    def _files(self, source: str) -> Iterator[str]:
        """The source, or those in it if it is a directory."""
        if not os.path.isdir(source):
            yield source
            return
        try:
            names = sorted(path.name for path in Path(source).iterdir())
        except OSError as error:
            self.draft.mistakes.add("An inventory source can't be read", detail=f"{source}: {error.strerror}.")
            return
        for name in names:
            if not re.search(_IGNORED, name):
                yield from self._files(str(Path(source, name)))

    def _finish(self, parts: Iterable[SourcePart]) -> None:
        for part in parts:
            part.finish()
            self.draft.absorb(part.draft)
            self.draft.mistakes.extend(part.draft.mistakes)

    def _finish_directory(self, parts: Sequence[SourcePart]) -> None:
        """As in Ansible, an unreadable file doesn't hide the others; but a source that fails is a mistake."""
        good, found = False, Diagnostics()
        for part in parts:
            part.finish()
            if part.failed:
                self.draft.mistakes.extend(part.draft.mistakes)
            elif part.draft.mistakes:
                found.extend(part.draft.mistakes)
            else:
                self.draft.absorb(part.draft)
                good = good or bool(part.draft.hosts) or len(part.draft.groups) > 2
        (self.draft.warnings if good else self.draft.mistakes).extend(found)


def _directories_beside(sources: Iterable[str]) -> list[Path]:
    """Where ``group_vars`` and ``host_vars`` may be: in a source that is a directory, or beside a file."""
    paths = (Path(source) for source in sources if os.path.exists(source))
    return list(_distinct(path if path.is_dir() else path.parent for path in paths))


def _distinct(directories: Iterable[Path]) -> Iterator[Path]:
    yield from dict.fromkeys(directory.resolve() for directory in directories)
