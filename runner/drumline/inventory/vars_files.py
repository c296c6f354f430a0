"""Variables in files of their own: ``group_vars/`` and ``host_vars/`` beside an inventory or a playbook.

For each name, the first of these is used: a directory ``NAME`` with files in it, or a file ``NAME``, ``NAME.yml``,
``NAME.yaml``, ``NAME.json``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from drumline.diagnostics import Diagnostics
from drumline.errors import FilesError
from drumline.inventory.combining import combined
from drumline.inventory.merging import LOCAL_NAMES, STAGES
from drumline.model.value import Value
from drumline.plugin.sources import HostVariables, SourceData
from drumline.source.nodes import plain
from drumline.source.origins import Owner, note_variables, noted_origins, places_in
from drumline.source.yaml import read

_EXTENSIONS = ("", ".yml", ".yaml", ".json")

#: Name of a group or host to its variables.
Found = dict[str, dict[str, Value]]


def variables_in_files(
    inventory: SourceData, directories: Sequence[Path], playbook_directories: Sequence[Path]
) -> list[HostVariables]:
    """The variables beside the inventory and the playbooks. Raises ``FilesError`` with every mistake."""
    mistakes = Diagnostics()
    hosts = (*inventory.hosts, *LOCAL_NAMES)  # this machine may have variables even if no source lists it

    def read(places: Sequence[Path], stage: str) -> tuple[Found, Found]:
        groups = _in_all([place / "group_vars" for place in places], inventory.groups, mistakes, "group", stage)
        return groups, _in_all([place / "host_vars" for place in places], hosts, mistakes, "host", stage)

    beside, playbook = read(directories, STAGES[0]), read(playbook_directories, STAGES[1])
    if mistakes:
        raise FilesError(mistakes)
    return [
        HostVariables(groups=beside[0], hosts=beside[1]),
        HostVariables(groups=playbook[0], hosts=playbook[1], stage="playbook"),
    ]


def _in_all(directories: Iterable[Path], names: Iterable[str], mistakes: Diagnostics, kind: str, stage: str) -> Found:
    """The variables in several directories; later ones override earlier ones."""
    found: Found = {}
    for directory in directories:
        for name, variables in _read_variables(directory, names, mistakes, kind, stage).items():
            found[name] = combined([found.get(name, {}), variables])
    return found


def _read_variables(directory: Path, names: Iterable[str], mistakes: Diagnostics, kind: str, stage: str) -> Found:
    """The variables for these names in a ``group_vars`` or ``host_vars`` directory; none if there is no directory."""
    try:
        present = {path.name: path for path in directory.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        mistakes.add("A directory can't be read", detail=f"{directory}: {error.strerror}.")
        return {}
    if not present:
        return {}
    found: Found = {}
    for name in names:
        path = next((present[name + ending] for ending in _EXTENSIONS if name + ending in present), None)
        if path is not None:
            found[name] = _merge(_files(path, top=True), mistakes, Owner(kind, name, stage))
    return found


def _files(path: Path, *, top: bool = False, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Path]:
    """The file itself, or all files below the directory, in the order of their names.

    Links back up to directories that are being read are skipped.
    """
    if not path.is_dir():
        if top or path.suffix in _EXTENSIONS:
            yield path
        return
    status = path.stat()
    itself = (status.st_dev, status.st_ino)
    if itself in above:
        return
    for inner in sorted(path.iterdir()):
        if not inner.name.startswith(".") and not inner.name.endswith("~") and not (inner.is_dir() and inner.suffix):
            yield from _files(inner, above=above | {itself})


def _merge(files: Iterator[Path], mistakes: Diagnostics, owner: Owner) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    try:
        for file in files:
            merged = combined([merged, read_variables(file, mistakes, owner)])
    except OSError as error:
        mistakes.add("A directory can't be read", detail=f"{error.filename}: {error.strerror}.")
    return merged


def read_variables(file: Path, mistakes: Diagnostics, owner: Owner | None = None) -> dict[str, Value]:
    """The variables in a file: the owner's, or of a playbook or a role; mistakes are noted."""
    try:
        document = read(file)
    except FilesError as error:
        mistakes.extend(replace(mistake, hides_names=True) for mistake in error.diagnostics)
        return {}
    if document is None:
        return {}
    if not isinstance(document.value, dict):
        detail = f"A file of variables is a dictionary, but this is {document.kind}."
        mistakes.add("Wrong type in a file of variables", detail=detail, position=document.position, hides_names=True)
        return {}
    variables: dict[str, Value] = plain(document)
    noted = noted_origins()
    if owner is None:
        note_variables(document, variables)
    elif noted is not None:
        noted.note(owner, variables, places_in(document))
    return variables


def variables_in(file: Path) -> dict[str, Value]:
    """The variables in a file. Raises ``FilesError`` with every mistake."""
    mistakes = Diagnostics()
    found = read_variables(file, mistakes)
    if mistakes:
        raise FilesError(mistakes)
    return found
