"""Processes of this machine, identified by more than their number, since numbers are reused."""

from __future__ import annotations

import os
from pathlib import Path


def exists(pid: int) -> bool:
    """Whether any process has this number."""
    try:
        os.kill(pid, 0)
    except PermissionError:  # another user's
        return True
    except (OSError, OverflowError):
        return False
    return True


def started(pid: int) -> int:
    """When a process started, in a unit that is the same for all processes of this machine; 0 if unknown.

    On Linux it is read here rather than by psutil, whose start times change when the clock is set, and whose import
    takes longer than everything else in a small run.
    """
    if not Path("/proc/self/stat").exists():
        return _started_by_psutil(pid)
    try:
        # The command's name in parentheses may hold anything, so count from its end: see proc(5).
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def started_before(pid: int, moment: float) -> bool:
    """Whether a process started before this time, in seconds since the epoch; true if that isn't known."""
    import psutil

    try:
        return psutil.Process(pid).create_time() <= moment + 1.0  # tolerates small clock adjustments
    except (psutil.Error, ValueError):
        return True


def _started_by_psutil(pid: int) -> int:
    import psutil

    try:
        return int(psutil.Process(pid).create_time() * 1e6)
    except (psutil.Error, ValueError):
        return 0
