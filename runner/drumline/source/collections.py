"""Where collections of Ansible's are installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

#: The directory of all collections in each of the places.
ALL = "ansible_collections"


def places_of(collection: str, directories: Iterable[Path]) -> Iterator[Path]:
    """Where a collection (``namespace.name``) may be, in each of the directories of collections."""
    for directory in directories:
        top = directory if directory.name == ALL else directory / ALL
        yield top.joinpath(*collection.split("."))
