"""Whether the process that writes a run is still that process: numbers of processes are used again.

A process is known by the boot of its machine, its namespace of process numbers (each container has its own) and the
moment at which it started. Whoever looks from another container doesn't see it; so each run also holds a lock on a file
of its own, which the system lets go of when the process is gone, however it went.
"""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def identity(pid: int) -> str:
    """Boot, namespace and start of a process, as one word; empty where that can't be known."""
    try:
        started = _stat(pid)[19]
        return f"{_BOOT.read_text().strip()} {os.readlink(f'/proc/{pid}/ns/pid')} {started}"
    except (OSError, IndexError):
        return _identity_by_ps(pid)


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` from the third on: the second one may hold spaces and parentheses."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _identity_by_ps(pid: int) -> str:
    """Where there is no /proc (macOS)."""
    if Path("/proc/self/stat").exists():
        return ""
    with suppress(OSError, subprocess.SubprocessError):
        asked = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    return ""


def is_same(pid: int, known: str | None, since: float) -> bool:
    """Whether the process with this number is the one whose ``identity`` is known.

    None: an older drumline noted none. Then it must at least be older than its run, which began at ``since``.
    """
    if not _exists(pid):
        return False
    return identity(pid) == known if known else _started_before(pid, since)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError, ValueError, TypeError):
        return False
    return True


def _started_before(pid: int, moment: float) -> bool:
    try:
        with open("/proc/uptime", encoding="ascii") as file:
            uptime = float(file.read().split()[0])
        ticks = int(_stat(pid)[19])
    except (OSError, IndexError, ValueError):
        return True
    age = uptime - ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - age <= moment + 1.0  # clocks that were set a little


class Claim:
    """A lock that says: the process that writes this run is there. Held until ``release``, or until it is gone."""

    def __init__(self, directory: Path, run: str) -> None:
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
    while True:
        file = path.open("wb")
        with suppress(OSError, ImportError):  # a file system without locks: its process is known all the same
            _lock(file, exclusive=True, wait=True)  # for those who only look whether it is locked
        if _is_at(path, file):
            return file
        file.close()


def _is_at(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _path(directory: Path, run: str) -> Path:
    return directory / "running" / (run if run.isalnum() else "-")


def _lock(file: IO[bytes], *, exclusive: bool, wait: bool = False) -> None:
    import fcntl

    fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB))
