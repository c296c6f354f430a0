"""What goes into a plan: which files were read or found while it was made, and what was in them.

So it can be said later whether they are still the same. What a plan only names (sources of ``copy``) may be huge: of
that, 64 MiB are read in all, some tenths of a second. Beyond them size and time of change stand for the content. And
of directories it names, a thousand entries are looked at in all: one that has more is known by its own time of change.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from drumline.plugin.history import InputFile

#: Bytes that are read of the files which a plan only names, since nothing can be stopped before the run has begun.
_MOST_READ = 64 << 20
#: Entries of the directories which a plan only names that are looked at, for the same reason. Not a time, by which the
#: same files would sometimes seem to be others.
_MOST_ENTRIES = 1000


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
        bytes_left, entries_left = _MOST_READ, _MOST_ENTRIES
        for path, known in self._files.items():
            if known:
                found.append(known)
                continue
            names = [path]
            if os.path.isdir(path):
                entries = list(islice(_below(path), entries_left + 1))
                if len(entries) <= entries_left:
                    entries_left -= len(entries)
                    names = sorted(entry.path for entry in entries if entry.is_file())
            for name in names:
                with suppress(OSError):
                    file = _file_at(name, bytes_left)
                    found.append(file)
                    bytes_left -= file.size if file.size <= bytes_left else 0
        return found


def _below(directory: str) -> Iterator[os.DirEntry[str]]:
    """All that is in a directory and in those within it, read no further than it is asked for."""
    waiting = [directory]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                yield entry


def _file_at(path: str, most: int) -> InputFile:
    """``most``: bytes up to which it is read. Raises ``OSError``, also for a pipe, which would never end."""
    status = os.stat(path)
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise OSError("neither a file nor a directory")
    if stat.S_ISDIR(status.st_mode) or status.st_size > most:
        return InputFile(path, status.st_size, _unread_digest(status))
    with open(path, "rb") as file:
        content = file.read(most)
    return InputFile(path, len(content), hashlib.sha256(content).digest())


def _unread_digest(status: os.stat_result) -> bytes:
    return hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode()).digest()


def is_as_before(file: InputFile, sealed: Callable[[bytes], bytes]) -> bool:
    """Whether a file is still what it was; ``sealed`` makes of a digest what ``file`` has of it."""
    try:
        status = os.stat(file.path)
        if status.st_size != file.size:
            return False
        if sealed(_unread_digest(status)) == file.digest:
            return True
        if not stat.S_ISREG(status.st_mode):
            return False
        with open(file.path, "rb") as opened:
            return sealed(hashlib.file_digest(opened, "sha256").digest()) == file.digest
    except OSError:
        return False


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
