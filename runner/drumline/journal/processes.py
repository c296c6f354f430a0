"""Whether the process that writes a run is still that process: numbers of processes are used again.

A process is known by the boot of its machine, its namespace of process numbers (each container has its own) and the
moment at which it started. Whoever looks from another container doesn't see it; so each run also holds a lock on a file
of its own, which the system lets go of when the process is gone, however it went.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from drumline.processes import exists, started, started_before

_BOOT = Path("/proc/sys/kernel/random/boot_id")
#: Seconds, in total, for which processes that only check a lock may hold it.
_LOOK = 1.0


def identity(pid: int) -> str:
    """Boot, namespace and start of a process, as one word; empty where that can't be known."""
    start = started(pid)
    if not start:
        return ""
    if not _BOOT.exists():  # not Linux: the start is a moment that no other boot has
        return str(start)
    with suppress(OSError):
        return f"{_BOOT.read_text().strip()} {os.readlink(f'/proc/{pid}/ns/pid')} {start}"
    return ""


def is_same(pid: int, known: str | None, since: float) -> bool:
    """Whether the process with this number is the one whose ``identity`` is known.

    None: an older drumline noted none. Then it must at least be older than its run, which began at ``since``.
    """
    if not exists(pid):
        return False
    return identity(pid) == known if known else started_before(pid, since)


class Claimed(Exception):
    """Another process holds the claim: ``process`` is its number, empty where that isn't known."""

    def __init__(self, process: str) -> None:
        super().__init__(process)
        self.process = process


class Claim:
    """A lock that says: the process that writes this run is there. Held until ``release``, or until it is gone."""

    def __init__(self, directory: Path, run: str) -> None:
        """Raises ``Claimed`` when another process holds it."""
        self._path = _path(directory, run)
        self._file: IO[bytes] | None = None
        with suppress(OSError):  # a directory that can't be written: its process is known all the same
            self._path.parent.mkdir(exist_ok=True, mode=0o700)
            self._file = _claimed(self._path)

    def release(self) -> None:
        """The run has finished."""
        if self._file is not None:
            with suppress(OSError):
                self._path.unlink()
            self._file.close()
            self._file = None


def is_claimed(directory: Path, run: str) -> bool:
    """Whether a process holds the claim on a run, be it in another container."""
    try:
        with _path(directory, run).open("rb") as file:
            _lock(file, exclusive=False)
    except BlockingIOError:
        return True
    except (OSError, ImportError):
        return False
    return False


def remove_left(directory: Path, run: str) -> None:
    """Remove the claim of a process that is gone. One that is held stays; who is about to lock it makes it again."""
    path = _path(directory, run)
    with suppress(OSError), path.open("rb") as file:
        try:
            _lock(file, exclusive=True)
        except BlockingIOError:
            return
        except (OSError, ImportError):
            pass  # a file system without locks
        if _is_at(path, file):
            path.unlink()


def _claimed(path: Path) -> IO[bytes]:
    """The file, made and locked. Whoever tidies up may remove it before it is locked; then it is made again."""
    deadline = time.monotonic() + _LOOK
    while True:
        file = path.open("ab+")
        try:
            _lock(file, exclusive=True)
        except BlockingIOError:
            file.seek(0)
            process = file.read(20).decode(errors="replace")
            file.close()
            if time.monotonic() > deadline:
                raise Claimed(process) from None
            time.sleep(_LOOK / 100)
            continue
        except (OSError, ImportError):
            pass  # a file system without locks: its process is known all the same
        if _is_at(path, file):
            with suppress(OSError):  # a full disk: the lock holds all the same
                file.truncate(0)
                file.write(str(os.getpid()).encode())
                file.flush()
            return file
        file.close()


def _is_at(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _path(directory: Path, run: str) -> Path:
    return directory / "running" / (run if run.isalnum() else "-")


def _lock(file: IO[bytes], *, exclusive: bool) -> None:
    import fcntl

    fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
