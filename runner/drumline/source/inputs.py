"""What goes into a plan: which files were read or found while it was made, and what was in them.

So it can be said later whether they are still the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drumline.plugin.history import InputFile


class Inputs:
    """Files, in the order in which they were met."""

    def __init__(self) -> None:
        self._files: dict[str, InputFile | None] = {}

    def read(self, path: Path, content: bytes) -> None:
        """This was read."""
        where = os.path.abspath(path)
        self._files[where] = InputFile(where, len(content), hashlib.sha256(content).digest())

    def found(self, path: Path) -> None:
        """This will be read while the plan runs: a file, or a directory with all that is in it."""
        self._files.setdefault(os.path.abspath(path), None)

    def files(self) -> list[InputFile]:
        """All of them; what was only found is read now. What can't be read any more is left out."""
        return [file for path, known in self._files.items() for file in ([known] if known else _files_at(path))]


def _files_at(place: str) -> Iterator[InputFile]:
    paths = [place]
    if os.path.isdir(place):
        walked = os.walk(place)
        paths = sorted(os.path.join(directory, name) for directory, _, names in walked for name in names)
    for path in paths:
        try:
            if not os.path.isfile(path):  # a pipe would never end
                continue
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
                yield InputFile(path, file.tell(), digest)
        except OSError:
            continue


_noted: Inputs | None = None


@contextmanager
def inputs_noted() -> Iterator[Inputs]:
    """While this lasts, what is read by whatever thread is noted there."""
    global _noted
    before, _noted = _noted, Inputs()
    try:
        yield _noted
    finally:
        _noted = before


def note_content(path: Path, content: bytes) -> None:
    """This file was read."""
    if _noted is not None:
        _noted.read(path, content)


def note_file(path: Path) -> None:
    """This file or directory was found; it is read later, or by someone else."""
    if _noted is not None:
        _noted.found(path)
