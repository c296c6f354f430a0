"""Finds and ends processes by a mark in their environment, so that a practice server leaves none behind.

It reads ``/proc``. Where there is none (macOS), only what can be found otherwise is ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from drumline.plugin import UsageError

_PROC = Path("/proc")
#: Seconds for killed processes to be gone.
_PATIENCE = 15.0
#: Seconds between two looks.
_PAUSE = 0.005


def marked(name: str, value: object) -> set[int]:
    """Processes that have this variable in the environment that they were started with."""
    mark = f"{name}={value}".encode()
    return {pid for pid in _pids() if mark in _read(pid, "environ").split(b"\0")}


def of_program(name: str, argument: str) -> set[int]:
    """Processes of a program whose command line holds the argument."""
    lines = {pid: _read(pid, "cmdline") for pid in _pids()}
    return {
        pid for pid, line in lines.items() if argument.encode() in line and name.encode() in line.partition(b"\0")[0]
    }


def with_descendants(pids: Iterable[int]) -> set[int]:
    """Those of the processes that still run, with the children, grandchildren and so on of all."""
    children: dict[int, set[int]] = {}
    for pid in _pids():
        children.setdefault(_parent(pid), set()).add(pid)
    found = set(pids)
    waiting = list(found)
    while waiting:
        new = children.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return {pid for pid in found if _state(pid) not in ("Z", "X", "")}


def kill(pids: Iterable[int]) -> None:
    """SIGKILL to each; those that are gone, or not ours, are passed over."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def end(find: Callable[[], set[int]]) -> None:
    """Kill what ``find`` finds until it finds nothing more. Raises ``UsageError`` when something survives.

    It has to find nothing twice: a process that is just starting a program has no environment to be found by.
    """
    deadline = time.monotonic() + _PATIENCE
    empty = 0
    while empty < 2:
        pids = find()
        empty = 0 if pids else empty + 1
        kill(pids)
        if time.monotonic() > deadline:
            raise UsageError("Processes can't be ended", f"Processes {sorted(pids)} outlive SIGKILL.")
        time.sleep(_PAUSE)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir(_PROC) if name.isdigit()] if _PROC.is_dir() else []


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:  # it ended, or is another user's
        return b""


def _stat(pid: int) -> list[str]:
    """State, parent, and so on; the fields behind the name, which may hold spaces and brackets."""
    return _read(pid, "stat").decode(errors="replace").rpartition(")")[2].split()


def _state(pid: int) -> str:
    return next(iter(_stat(pid)), "")


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if len(fields) > 1 else 0
