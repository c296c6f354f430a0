"""The inputs of a plan: the files that were read or found while it was made, with digests of their content.

They show later whether the files are still the same. Files that a plan only names (sources of ``copy``) may be huge, so
only 64 MiB of them are read in total, which takes some tenths of a second. Beyond that, size and modification time
stand in for the content. Of the directories that it names, only a thousand entries are checked in total: a directory
with more is identified by its own modification time.
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

#: The most bytes read of files that a plan only names, since nothing can be stopped before the run begins.
_MOST_READ = 64 << 20
#: The most entries checked of directories that a plan only names, for the same reason. It isn't a time limit, since
#: then the same files would sometimes seem to have changed.
_MOST_ENTRIES = 1000


class Inputs:
    """Files, in the order in which they were noted."""

    def __init__(self) -> None:
        self._files: dict[str, InputFile | None] = {}

    def read(self, path: Path, content: bytes) -> None:
        """Note a file that was read."""
        where = os.path.abspath(path)
        self._files[where] = InputFile(where, len(content), hashlib.sha256(content).digest())

    def found(self, path: Path) -> None:
        """Note what will be read while the plan runs: a file, or a directory with its contents."""
        self._files.setdefault(os.path.abspath(path), None)

    def files(self) -> list[InputFile]:
        """All files. Those that were only found are read now; those that can't be read any more are left out.

        Each is there once, even if it was noted by itself and with its directory.
        """
        found: dict[str, InputFile] = {}
        bytes_left, entries_left = _MOST_READ, _MOST_ENTRIES
        for path, known in self._files.items():
            if known:
                found[path] = known
                continue
            names = [path]
            if os.path.isdir(path):
                entries = list(islice(_below(path), entries_left + 1))
                if len(entries) <= entries_left:
                    entries_left -= len(entries)
                    names = sorted(entry.path for entry in entries if _is_file(entry))
            for name in names:
                if name in found:
                    continue
                with suppress(OSError):
                    file = _file_at(name, bytes_left)
                    found[name] = file
                    bytes_left -= file.size if file.size <= bytes_left else 0
        return list(found.values())


def _below(directory: str) -> Iterator[os.DirEntry[str]]:
    """Everything below a directory, read lazily."""
    waiting = [directory]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                yield entry


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file or a link to one. A link that leads round in a circle is neither."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _file_at(path: str, most: int) -> InputFile:
    """``most``: the most bytes to read. Raises ``OSError``, also for a pipe, which would never end."""
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
    """Whether a file is still the same; ``sealed`` turns a digest into the form that ``file`` has."""
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
    """Within this context, files read by any thread are noted."""
    global _noted
    before, _noted = _noted, Inputs()
    try:
        yield _noted
    finally:
        _noted = before


def note_content(path: Path, content: bytes) -> None:
    """Note that this file was read."""
    if _noted is not None:
        _noted.read(path, content)


def note_file(path: Path) -> None:
    """Note that this file or directory was found, and is read later or elsewhere."""
    if _noted is not None:
        _noted.found(path)
