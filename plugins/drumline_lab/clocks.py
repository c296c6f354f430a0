"""Clocks that are wrong, for practice hosts: ``libfaketime`` shifts what a process and its children see.

Time that is waited for passes as always; only the time of day is another.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
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
    return {
        "LD_PRELOAD": library,
        "FAKETIME": f"{seconds:+.6f}",
        # Without this Wine waits for ever where it should wait for some milliseconds.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # It looks at its variables again after that many seconds, and finds none inside bash.
        "FAKETIME_CACHE_DURATION": "1000000000",
    }


def is_shifted(variables: Mapping[str, str]) -> bool:
    """Whether these variables give a process another clock."""
    return "FAKETIME" in variables


def forget(pid: int) -> None:
    """Remove what is left of a process that was started with such variables and has ended."""
    for name in _LEFT:
        with contextlib.suppress(OSError):
            Path("/dev/shm", name.format(pid)).unlink()


class Shifted:
    """A clock that any number of processes share: none of them leaves anything behind.

    In bash, which answers for ``getenv`` itself, the library works only when another process has made what they share.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._keeper: subprocess.Popen[bytes] | None = None

    def start(self) -> Mapping[str, str]:
        """The variables, as ``ahead`` gives them. They hold until ``stop``."""
        variables = dict(ahead(self._seconds))
        if variables:
            variables["FAKETIME_SHARED"] = self._keep({**os.environ, **variables})
        return variables

    def stop(self) -> None:
        """May be called twice."""
        if self._keeper is not None:
            self._keeper.kill()
            self._keeper.communicate()
            forget(self._keeper.pid)
            self._keeper = None

    def _keep(self, environment: Mapping[str, str]) -> str:
        # It answers when it has loaded the library, and so made what is shared; then it waits.
        self._keeper = subprocess.Popen(
            ["sh", "-c", "echo; read -r end"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        assert self._keeper.stdout
        self._keeper.stdout.readline()
        return f"/faketime_sem_{self._keeper.pid} /faketime_shm_{self._keeper.pid}"
