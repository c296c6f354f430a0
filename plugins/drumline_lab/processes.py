"""Finds and ends processes by a mark in their environment, so that a practice server leaves none behind."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

import psutil

from drumline.plugin import UsageError

#: Seconds for killed processes to be gone.
_PATIENCE = 15.0
#: Seconds between two looks.
_PAUSE = 0.005


def marked(name: str, value: object) -> set[int]:
    """Processes that have this variable in the environment that they were started with."""
    every = psutil.process_iter(["environ"])
    return {process.pid for process in every if (process.info["environ"] or {}).get(name) == str(value)}


def of_program(name: str, argument: str) -> set[int]:
    """Processes of a program whose command line holds the argument."""
    lines = {process.pid: process.info["cmdline"] for process in psutil.process_iter(["cmdline"])}
    return {pid for pid, line in lines.items() if line and name in line[0] and argument in " ".join(line)}


def with_descendants(pids: Iterable[int]) -> set[int]:
    """Those of the processes that still run, with the children, grandchildren and so on of all."""
    table = {process.pid: process.info for process in psutil.process_iter(["ppid", "status"])}
    children = defaultdict(set)
    for pid, info in table.items():
        children[info["ppid"]].add(pid)
    found = set(pids)
    waiting = list(found)
    while waiting:
        new = children[waiting.pop()] - found
        found |= new
        waiting += new
    return {
        pid for pid in found & table.keys() if table[pid]["status"] not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    }


def kill(pids: Iterable[int]) -> None:
    """SIGKILL to each; those that are gone, or not ours, are passed over.

    All are stopped first: a parent might go on when its child ends, and numbers don't tell which is which.
    """
    found = list(pids)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


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
