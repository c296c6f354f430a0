"""Which files below some paths are playbooks, roles, lists of tasks or inventories."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from drumline.errors import FilesError, UsageError
from drumline.loading import keywords
from drumline.plugin.actions import Action
from drumline.source.nodes import Node
from drumline.source.yaml import read
from drumline.templating import not_yet

#: Directories that no one's playbooks are in.
_LEFT_OUT = frozenset({"node_modules", "venv", "__pycache__", "site-packages"})
#: Directories of which YAML files are data, or of something else.
_DATA = frozenset(
    {"defaults", "files", "group_vars", "host_vars", "meta", "templates", "vars", "releasenotes", "inventory"}
)
#: Directories that make another one a role.
_OF_ROLE = ("tasks", "handlers", "meta", "defaults", "vars")
#: The action of a task, and words in it that may be mistakes.
_MOST_MISTAKEN = 3
_MAIN = ("main.yml", "main.yaml", "main")
_YAML = (".yml", ".yaml")
#: Directories of variables, and names that files and directories of an inventory have.
_VARIABLES = frozenset({"defaults", "group_vars", "host_vars", "vars"})
_INVENTORY = re.compile(r"(?:hosts|inventory|inventories)(?:\.(?:ya?ml|ini))?\Z")
#: What a playbook begins with, for one that isn't valid YAML.
_HOSTS = re.compile(r"^-\s+(?:name:.*\n(?:\s+\w+:.*\n)*?\s+)?(?:hosts|(?:[\w.]+\.)?import_playbook)\s*:", re.MULTILINE)


class Kind(StrEnum):
    """What a unit is."""

    PLAYBOOK = "playbook"
    ROLE = "role"
    TASKS = "tasks"
    INVENTORY = "inventory"
    VARIABLES = "variables"


class Unit(Struct, frozen=True, kw_only=True, order=True):
    """What is looked at as one: a playbook, a role with all its files, or a list of tasks in no role."""

    path: str
    kind: Kind
    root: str  #: The directory that it was found below.


def units_in(paths: Sequence[Path], actions: Mapping[str, Action], *, everything: bool = False) -> list[Unit]:
    """What there is below the paths, each once, sorted; ``everything``: inventories and files of variables, too.

    Raises ``UsageError`` for a path that isn't there.
    """
    found: dict[str, Unit] = {}
    for path in paths:
        if not path.exists():
            raise UsageError("A path isn't there", f"There is no file or directory '{path}'.")
        if not path.is_dir() and not path.is_file():
            raise UsageError("A path can't be read", f"'{path}' is neither a file nor a directory.")
        if path.is_dir():
            found.update((unit.path, unit) for unit in _in_directory(path, actions))
            if everything:
                found.update((unit.path, unit) for unit in _beside(path) if unit.path not in found)
        else:
            kind = (everything and _kind_beside(path)) or _kind(path, actions, named=True) or Kind.PLAYBOOK
            found[str(path)] = Unit(path=str(path), kind=kind, root=str(path.parent))
    return sorted(found.values())


def _in_directory(root: Path, actions: Mapping[str, Action]) -> Iterator[Unit]:
    for directory, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in _LEFT_OUT)
        place = Path(directory)
        if is_role(place):
            yield Unit(path=directory, kind=Kind.ROLE, root=str(root))
            names[:] = [name for name in names if name not in (*_DATA, "tasks", "handlers")]
        if place.name in _DATA:
            names.clear()
            continue
        for name in sorted(files):
            if name.endswith(_YAML) and (place / name).is_file():
                kind = _kind(place / name, actions)
                if kind is not None:
                    yield Unit(path=str(place / name), kind=kind, root=str(root))


def _beside(root: Path) -> Iterator[Unit]:
    """Inventories and files of variables."""
    for directory, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in _LEFT_OUT)
        for name in sorted(files):
            kind = _kind_beside(Path(directory, name))
            if kind is not None:
                yield Unit(path=str(Path(directory, name)), kind=kind, root=str(root))


def _kind_beside(path: Path) -> Kind | None:
    if not path.is_file():  # a pipe would never end
        return None
    if any(part in _VARIABLES for part in path.parts[:-1]):
        return Kind.VARIABLES if path.suffix in (*_YAML, ".json", "") and path.stat().st_size else None
    if not _INVENTORY.match(path.name) and not any(_INVENTORY.match(part) for part in path.parts[:-1]):
        return None
    is_source = path.suffix in (*_YAML, ".ini", "") and not os.access(path, os.X_OK)
    return Kind.INVENTORY if is_source and not _HOSTS.search(_text(path)) else None


def is_role(directory: Path) -> bool:
    """Whether a directory is one of a role: its tasks, handlers or other files have a ``main``."""
    if directory.name in _OF_ROLE:
        return False
    return any((directory / part / name).is_file() for part in ("tasks", "handlers", "meta") for name in _MAIN)


def task_files(role: Path) -> list[str]:
    """The files of a role's tasks beside ``main``, named as ``tasks_from`` does."""
    tasks = role / "tasks"
    names = (path.relative_to(tasks) for path in tasks.rglob("*") if path.suffix in _YAML and path.is_file())
    return sorted(str(name) for name in names if str(name) not in _MAIN)


def _kind(path: Path, actions: Mapping[str, Action], *, named: bool = False) -> Kind | None:
    """What a file is, judging by what stands in it; None for something else."""
    try:
        node = read(path)
    except FilesError:
        return Kind.PLAYBOOK if _HOSTS.search(_text(path)) else None
    if node is None or not isinstance(node.value, list):
        return None
    items = [item.value for item in node.value if isinstance(item.value, dict)]
    if any(_is_play(item) for item in items):
        return Kind.PLAYBOOK
    if items and len(items) == len(node.value) and all(_is_task(item, actions) for item in items):
        return Kind.TASKS
    return Kind.PLAYBOOK if named else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _is_play(entries: Mapping[str, object]) -> bool:
    return (
        "hosts" in entries
        or keywords.GENERATE in entries
        or any(keywords.bare_name(key) == "import_playbook" for key in entries)
    )


def _is_task(entries: Mapping[str, object], actions: Mapping[str, Action]) -> bool:
    """Whether it has an action, or is a block; a dictionary with other keys, or with several of them, isn't a task."""
    others = [key for key in entries if key not in keywords.TASK | keywords.BLOCK and not key.startswith("with_")]
    return len(others) <= _MOST_MISTAKEN and any(
        key in actions or key in ("block", "action", "local_action") or bool(not_yet.module(key)) or _includes(key)
        for key in entries
    )


def _includes(key: str) -> bool:
    return keywords.bare_name(key) in (
        "include_tasks",
        "import_tasks",
        "include_role",
        "import_role",
        "include_vars",
        "meta",
    )


def node_of(path: Path) -> Node | None:
    """What stands in a file; None if it can't be read."""
    try:
        return read(path)
    except FilesError:
        return None
