"""Files that connections need, read once for all of them and again when they have changed."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")
Stamp = tuple[int, int, int, int] | None


class FileCache(Generic[T]):
    """What ``read`` made of each file. May be used by several threads."""

    def __init__(self, read: Callable[[Path], T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[Stamp, T]] = {}

    def get(self, path: Path) -> T:
        """What the file says now. Raises what ``read`` raises."""
        now = stamp_of(path)
        with self._lock:
            kept = self._kept.get(path)
            if kept is None or kept[0] != now:
                kept = (now, self._read(path))
                self._kept[path] = kept
            return kept[1]


def content_of(path: Path) -> bytes:
    """What a file holds. Raises ``OSError``, also for pipes and devices: nothing says where they end."""
    status = os.stat(path)
    if stat.S_ISREG(status.st_mode):
        return path.read_bytes()
    if os.path.samestat(status, os.stat(os.devnull)):
        return b""
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "it is no file: a pipe or a device may never end", str(path))


def stamp_of(path: Path) -> Stamp:
    """Changes when the file changes; None if it doesn't exist."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode)
