"""Where roles are found, as Ansible looks for them.

A role of a collection (``namespace.collection.role``) is looked for in the directories of collections; so is a short
name, in each of the collections that ``collections`` names. Any other role: in ``roles/`` beside the playbook, in
``roles_path``, beside the role that needs it, beside the playbook itself. A path is a role as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from drumline.source.collections import ALL

_OF_COLLECTION = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\Z")


class RolePlace(Struct, frozen=True):
    """A role that was found."""

    name: str
    path: Path
    collection: str = ""  #: ``namespace.collection``.


class RolePlaces:
    """Looks for the roles of one load."""

    def __init__(self, roles_path: Sequence[str] = (), collections_path: Sequence[str] = ()) -> None:
        self._roles_path = _expanded(roles_path)
        self._collections_path = _expanded(collections_path)
        self._known: dict[tuple[str, Path, Path | None, tuple[str, ...]], RolePlace | None] = {}

    def find(
        self, name: str, playbook: Path, *, beside: Path | None = None, collections: tuple[str, ...] = ()
    ) -> RolePlace | None:
        """The role of this name.

        ``playbook`` is the playbook's directory, ``beside`` the one of the role that names it, ``collections`` those in
        which short names are looked for.
        """
        key = name, playbook, beside, collections
        if key not in self._known:
            self._known[key] = self._find(name, playbook, beside, collections)
        return self._known[key]

    def looked_in(self, name: str, playbook: Path, beside: Path | None, collections: tuple[str, ...]) -> list[Path]:
        """All places of a role of this name, for messages."""
        in_collections = [path for path, _, _ in self._in_collections(name, playbook, collections)]
        return [*in_collections, *(directory / name for directory in self._directories(playbook, beside))]

    def playbook(self, name: str, playbook: Path) -> Path | None:
        """The playbook of a collection that has this full name (``namespace.collection.name``)."""
        if not _OF_COLLECTION.match(name):
            return None
        namespace, collection, *directories, last = name.split(".")
        for top in self._tops(playbook):
            for suffix in (".yml", ".yaml"):
                path = top.joinpath(namespace, collection, "playbooks", *directories, f"{last}{suffix}")
                if path.is_file():
                    return path
        return None

    def _find(self, name: str, playbook: Path, beside: Path | None, collections: tuple[str, ...]) -> RolePlace | None:
        for path, collection, role in self._in_collections(name, playbook, collections):
            if path.is_dir():
                return RolePlace(role, path, collection)
        for directory in self._directories(playbook, beside):
            path = Path(os.path.normpath(directory / Path(name).expanduser()))
            if path.is_dir():
                return RolePlace(name, path)
        path = Path(name).expanduser().absolute()
        return RolePlace(path.name, path) if path.is_dir() else None

    def _directories(self, playbook: Path, beside: Path | None) -> Iterator[Path]:
        yield playbook / "roles"
        yield from self._roles_path
        if beside is not None:
            yield beside
        yield playbook

    def _in_collections(
        self, name: str, playbook: Path, collections: tuple[str, ...]
    ) -> Iterator[tuple[Path, str, str]]:
        """Paths of roles in collections, with the collection and the role's name there."""
        wanted: list[tuple[str, str]] = []
        if _OF_COLLECTION.match(name):
            namespace, collection, role = name.split(".", 2)
            wanted = [(f"{namespace}.{collection}", role)]
        elif "/" not in name:
            wanted = [(collection, name) for collection in collections if collection.count(".") == 1]
        for collection, role in wanted:
            for top in self._tops(playbook):
                yield top.joinpath(*collection.split("."), "roles", *role.split(".")), collection, role

    def _tops(self, playbook: Path) -> Iterator[Path]:
        for directory in (playbook / "collections", *self._collections_path):
            yield directory if directory.name == ALL else directory / ALL


def collection_of(playbook: Path) -> str:
    """The collection to which a playbook belongs (``namespace.collection``); empty for none."""
    *_, namespace, collection = ("", "", *_before_playbooks(playbook))
    return f"{namespace}.{collection}" if namespace else ""


def _before_playbooks(path: Path) -> tuple[str, ...]:
    parts = path.absolute().parts
    for at, part in enumerate(parts[:-4]):
        if part == ALL and parts[at + 3] == "playbooks":
            return parts[at + 1 : at + 3]
    return ()


def _expanded(paths: Iterable[str]) -> tuple[Path, ...]:
    return tuple(Path(path).expanduser().absolute() for path in paths)
