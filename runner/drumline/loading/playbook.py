"""Playbooks from files. All that is wrong with them is reported at once, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from drumline.diagnostics import Diagnostic, Diagnostics, Position
from drumline.errors import FilesError
from drumline.loading import keywords
from drumline.loading.imports import Import, keyword_of_import, read_import
from drumline.loading.needs import check_needs
from drumline.loading.plays import read_play, with_ids
from drumline.loading.reading import NOTHING_AROUND, Around, Reading
from drumline.model.playbook import Play, Playbook
from drumline.plugin.actions import Action
from drumline.source.gc_tuning import without_collector
from drumline.source.mistakes import sorted_mistakes
from drumline.source.nodes import Entry, Node

#: What Ansible had in the place of ``import_playbook``; whatever else stands beside it belongs to that.
_OLD_IMPORT = "include"
#: What a dictionary has that is a generator file, and stands where a playbook is expected.
_OF_GENERATORS = frozenset({"patterns", "plays", "tables"})


def load_playbooks(paths: Sequence[Path], actions: Mapping[str, Action], around: Around = NOTHING_AROUND) -> Playbook:
    """The plays of all files, one after the other. ``actions`` is keyed by names and aliases.

    Raises ``FilesError`` with every mistake in all of the files.
    """
    playbook, found = read_playbooks(paths, actions, around)
    if found:
        raise FilesError(found)
    return playbook


def read_playbooks(
    paths: Sequence[Path],
    actions: Mapping[str, Action],
    around: Around = NOTHING_AROUND,
    written: list[Node] | None = None,
) -> tuple[Playbook, list[Diagnostic]]:
    """The same, as far as the files can be read, and the mistakes in the order of files and lines.

    ``written`` gets what stands in the files, with generated plays in place of what generates them.
    """
    found = Diagnostics()
    reading = Reading(actions, found, around)
    reading.written = written
    files = _Files(reading)
    with without_collector():
        plays = [play for path in paths for play in files.plays_of(path)]
        numbered = with_ids(plays, "play", found)
        found.extend(check_needs(numbered))
    playbook = Playbook(path=", ".join(map(str, paths)), plays=tuple(numbered), imported=reading.imported)
    return playbook, sorted_mistakes(found, reading.imported, [str(path) for path in reading.paths])


def _is_generator(node: Node) -> bool:
    """Whether a file is a generator file rather than a list of plays."""
    return isinstance(node.value, dict) and not _OF_GENERATORS.isdisjoint(node.value)


class _Files:
    """Reads files of plays, and those that they import."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._found = reading.found

    def plays_of(self, path: Path, imported: Position | None = None) -> list[Play]:
        """The plays of a file, which is imported at the place, and of its imports, in order."""
        self._reading.look_for_actions(directories=(path.absolute().parent,))
        nodes = self._read(path, imported)
        with self._reading.opened(path):
            return [play for item in nodes for play in self._plays(item)]

    def _read(self, path: Path, imported: Position | None) -> list[Node]:
        """What stands in the file, for plays and imports; nothing where it can't be read, which is noted."""
        known = len(self._found)
        node = self._reading.document(path, imported)
        if len(self._found) > known:
            return []
        if node is None or node.value == []:
            position = node.position if node else Position(str(path))
            self._found.add("This playbook is empty", detail="A playbook is a list of plays.", position=position)
            return []
        if _is_generator(node):
            return [Node({keywords.GENERATE: Entry(node.position, node)}, node.position)]
        if not isinstance(node.value, list):
            detail = f"A playbook is a list of plays (each begins with '- '), but this is {node.kind}."
            self._found.add("Not a playbook", detail=detail, position=node.position, hides_names=True)
            return []
        return node.value

    def _plays(self, node: Node) -> Iterable[Play]:
        """What stands for one item of the list: a play, or all those of an import."""
        entries = node.value
        if not isinstance(entries, dict):
            detail = f"A play is a dictionary with 'hosts' and 'tasks', but this is {node.kind}."
            self._found.add("Not a play", detail=detail, position=node.position, hides_names=True)
            return []
        old = next((key for key in entries if keywords.bare_name(key) == _OLD_IMPORT), None)
        if old is not None:
            keywords.add_missing(old, entries[old].key_position, self._found)
            return []
        if keywords.GENERATE in entries:
            from drumline.loading.generated import generated_plays  # few playbooks generate plays

            return generated_plays(entries, self._reading)
        keyword = keyword_of_import(entries)
        if self._reading.written is not None:
            self._reading.written.append(node)
        if keyword is None:
            return [read_play(entries, node.position, self._reading)]
        imported = read_import(keyword, entries, self._found)
        with self._reading.as_it_is():
            return self._import(imported) if imported else []

    def _import(self, imported: Import) -> list[Play]:
        directory = Path(imported.position.path).parent
        path = self._reading.places.playbook(imported.file, directory) or directory / Path(imported.file).expanduser()
        if not path.is_file():
            detail = f"There is no file '{path}'."
            self._found.add("A playbook isn't there", detail=detail, position=imported.position, hides_names=True)
            return []
        if self._reading.is_open(path):
            detail = f"{self._reading.chain(path)}."
            self._found.add("A playbook imports itself", detail=detail, position=imported.position)
            return []
        return [imported.applied(play) for play in self.plays_of(path, imported.position)]
