"""Clocks that are wrong, for practice hosts: ``libfaketime`` shifts what a process and its children see.

Time that is waited for passes as always; only the time of day is another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from drumline.plugin import UsageError

#: Where distributions put it.
_PLACES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1")
#: What the library leaves behind for every process that it was first loaded into, when that is killed.
_LEFT = ("faketime_shm_{}", "sem.faketime_sem_{}")


def ahead(seconds: float) -> Mapping[str, str]:
    """Variables for a process whose clock is that much ahead. Raises ``UsageError`` where the library is missing."""
    if not seconds:
        return {}
    library = next((str(path) for place in _PLACES for path in Path("/").glob(place[1:])), None)
    if library is None:
        raise UsageError("No clock can be shifted here", "Install libfaketime (Debian: apt install faketime).")
    # Without the last one, Wine waits for ever where it should wait for some milliseconds.
    return {"LD_PRELOAD": library, "FAKETIME": f"{seconds:+.6f}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def forget(pid: int) -> None:
    """Remove what is left of a process that was started with such variables and is over."""
    for name in _LEFT:
        with contextlib.suppress(OSError):
            Path("/dev/shm", name.format(pid)).unlink()
