"""What stands in the files of a role: its lists of tasks and handlers, its variables, and what ``meta`` says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from drumline.diagnostics import Position, did_you_mean
from drumline.inventory.combining import combined
from drumline.loading import keywords
from drumline.loading.keywords import KeywordReader
from drumline.loading.reading import Reading
from drumline.model.value import Value, Variables
from drumline.source.nodes import Entry, Node

_EXTENSIONS = (".yml", ".yaml", ".json")
#: Keys of ``meta/main.yml``. What is said of the role for a catalogue has no effect.
_META = frozenset({"allow_duplicates", "argument_specs", "collections", "dependencies", "galaxy_info"})


class Meta(Struct, frozen=True, kw_only=True):
    """What ``meta`` says that matters."""

    dependencies: tuple[Node, ...] = ()
    allow_duplicates: bool = False
    collections: tuple[str, ...] = ()
    #: By the name of the file of tasks that they are for.
    argument_specs: Mapping[str, Entry] = {}


class RoleFiles:
    """The files of the role in a directory, which is named at a place."""

    def __init__(self, path: Path, reading: Reading, named: Position) -> None:
        self._path = path
        self._reading = reading
        self._named = named

    def list_at(self, kind: str, name: str | None = None) -> tuple[Path, list[Node]] | None:
        """A file of ``tasks`` or ``handlers`` and what stands in it; None where there is nothing."""
        path = self.file(kind, name)
        node = self._reading.document(path, self._named) if path else None
        if path is None or node is None:
            return None
        if not isinstance(node.value, list):
            detail = f"A file of {kind} is a list of tasks, but this is {node.kind}."
            self._reading.found.add("Not a list of tasks", detail=detail, position=node.position, hides_names=True)
            return None
        return path, node.value

    def variables(self, kind: str, name: str | None = None) -> Variables:
        """The variables in ``defaults`` or ``vars``: of a file, or of all files in a directory."""
        found: dict[str, Value] = {}
        for path in self._files(kind, name, directories=True):
            found = combined([found, self._reading.variables(path, self._named)])
        return found

    def meta(self) -> Meta:
        """What ``meta/main.yml`` says, and ``meta/argument_specs.yml``, which is stronger."""
        entries = self._dictionary("main", "The description of a role")
        if not entries and not self._exists("argument_specs"):
            return Meta()
        reader = KeywordReader(entries, self._reading.found)
        _check_keys(reader)
        specs = reader.node("argument_specs")
        if self._exists("argument_specs"):
            entry = self._dictionary("argument_specs", "A file of argument specs").get("argument_specs")
            specs = entry.node if entry is not None else None
        dependencies = reader.node("dependencies")
        if dependencies is not None and not isinstance(dependencies.value, list):
            reader.wrong("dependencies", "a list of roles", dependencies)
        return Meta(
            dependencies=tuple(dependencies.value) if dependencies and isinstance(dependencies.value, list) else (),
            allow_duplicates=reader.value("allow_duplicates", reader.boolean, False),
            collections=reader.value("collections", reader.names, ()),
            argument_specs=specs.value if specs is not None and isinstance(specs.value, dict) else {},
        )

    def file(self, kind: str, name: str | None = None) -> Path | None:
        """A file of the role: ``main``, or the one that is named, which has to be there and stand in the directory."""
        return next(self._files(kind, name), None)

    def _exists(self, name: str) -> bool:
        return any((self._path / "meta" / f"{name}{extension}").is_file() for extension in _EXTENSIONS)

    def _dictionary(self, name: str, what: str) -> Mapping[str, Entry]:
        path = _first(self._path / "meta" / name, (*_EXTENSIONS, ""))
        node = self._reading.document(path, self._named) if path else None
        if node is None:
            return {}
        if not isinstance(node.value, dict):
            detail = f"{what} is a dictionary, but this is {node.kind}."
            self._reading.found.add("Wrong type in a role", detail=detail, position=node.position, hides_names=True)
            return {}
        return node.value

    def _files(self, kind: str, name: str | None, *, directories: bool = False) -> Iterator[Path]:
        directory = self._path / kind
        extensions = (*_EXTENSIONS, "") if name is None else ("", *_EXTENSIONS)
        path = _first(directory / (name or "main"), extensions, directories=directories)
        if path is None:
            if name is not None:
                detail = f"The role has no file '{name}' in {directory}."
                self._reading.found.add(
                    "A file of a role isn't there", detail=detail, position=self._named, hides_names=True
                )
        elif name is not None and not path.resolve().is_relative_to(directory.resolve()):
            detail = f"'{name}' leads out of {directory}; the files of a role stand in it."
            self._reading.found.add("A file outside its role", detail=detail, position=self._named, hides_names=True)
        elif path.is_dir():
            yield from _below(path)
        else:
            yield path


def _check_keys(reader: KeywordReader) -> None:
    for key, entry in reader.entries.items():
        if key not in _META and key not in keywords.INHERITED:
            detail = f"The description of a role has no key '{key}'.{did_you_mean(key, _META)}"
            reader.found.add("Unknown keyword", detail=detail, position=entry.key_position)


def _first(path: Path, extensions: Sequence[str], *, directories: bool = False) -> Path | None:
    """The first of these files that is there; a directory of the name counts where ``directories`` do."""
    for extension in extensions:
        candidate = path.with_name(path.name + extension)
        if candidate.is_file() or (directories and candidate.is_dir()):
            return candidate
    return None


def _below(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        if path.is_dir():
            if not path.suffix:
                yield from _below(path)
        elif path.suffix in (*_EXTENSIONS, ""):
            yield path
