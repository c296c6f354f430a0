"""What goes into a plan: which files were read or found while it was made, and what was in them.

So it can be said later whether they are still the same. What a plan only names (sources of ``copy``) may be huge: of
that, 64 MiB are read in all, some tenths of a second. Beyond them size and time of change stand for the content.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from drumline.plugin.history import InputFile

#: Bytes that are read of the files which a plan only names, since nothing can be stopped before the run has begun.
_MOST_READ = 64 << 20


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
        found: list[InputFile] = []
        left = _MOST_READ
        for path, known in self._files.items():
            if known:
                found.append(known)
                continue
            for name in _names_at(path):
                with suppress(OSError):
                    file = _file_at(name, left)
                    found.append(file)
                    left -= file.size if file.size <= left else 0
        return found


def _names_at(place: str) -> list[str]:
    """The regular files at a place; a pipe would never end."""
    names = [place]
    if os.path.isdir(place):
        names = sorted(os.path.join(directory, name) for directory, _, inner in os.walk(place) for name in inner)
    return [name for name in names if os.path.isfile(name)]


def _file_at(path: str, most: int) -> InputFile:
    """``most``: bytes up to which it is read. Raises ``OSError``."""
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        if status.st_size > most:
            identity = f"{status.st_size} {status.st_mtime_ns}".encode()
            return InputFile(path, status.st_size, hashlib.sha256(identity).digest())
        content = file.read(most)
        return InputFile(path, len(content), hashlib.sha256(content).digest())


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
