"""Ending a process with all that it has started, as far as the kernel tells.

Members of the tree are the processes of its session and the descendants of any member that was seen, so that one
that started a session of its own is found too, unless its parents had all ended before anyone looked.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

#: Seconds between the polite signal and the other.
_GRACE = 0.5
#: Seconds for which members that appear during the killing are looked for.
_PERSISTENCE = 5.0
_PAUSE = 0.01


class _Entry(NamedTuple):
    pid: int
    parent: int
    session: int  #: Where the kernel doesn't tell, the process group.


def end_tree(leader: subprocess.Popen[bytes]) -> None:
    """SIGTERM to all members, a short grace, then SIGKILL until none is left. Returns with the leader reaped.

    Members that belong to another user (``become``) are killed through ``sudo``, as they were started.
    """
    members = {leader.pid}
    _signal(_find(members, leader.pid), signal.SIGTERM)
    _wait_until_gone(leader, members, _GRACE)
    _kill_through_sudo(_foreign(_find(members, leader.pid)))
    deadline = time.monotonic() + _PERSISTENCE
    while _signal(_find(members, leader.pid), signal.SIGKILL) and time.monotonic() < deadline:
        leader.poll()
        time.sleep(_PAUSE)
    leader.wait()


def _wait_until_gone(leader: subprocess.Popen[bytes], members: set[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while _find(members, leader.pid) and time.monotonic() < deadline:
        leader.poll()
        time.sleep(_PAUSE)


def _signal(pids: list[int], number: int) -> int:
    """Signal those that are this user's; returns how many they were."""
    signalled = 0
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
            signalled += 1
    return signalled


def _foreign(pids: list[int]) -> list[int]:
    return [pid for pid in pids if not _signal([pid], 0)]


def _kill_through_sudo(pids: list[int]) -> None:
    if pids:
        with suppress(OSError):  # without sudo, none of them was started by it
            subprocess.run(
                ["sudo", "-n", "kill", "-KILL", *map(str, pids)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )


def _find(members: set[int], session: int) -> list[int]:
    """The living members; those found for the first time are added to ``members``."""
    table = _from_proc() if Path("/proc/self/stat").exists() else _from_ps()
    grown = True
    while grown:
        new = {entry.pid for entry in table if entry.session == session or entry.parent in members} - members
        members |= new
        grown = bool(new)
    return [entry.pid for entry in table if entry.pid in members]


def _from_proc() -> list[_Entry]:
    """All processes of this machine that are not zombies, as Linux tells."""
    return [entry for name in os.listdir("/proc") if name.isdigit() and (entry := _read(int(name)))]


def _read(pid: int) -> _Entry | None:
    """See proc(5): the command name in parentheses may hold anything, so count from its end."""
    try:
        state, parent, _group_id, session = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:4]
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else _Entry(pid, int(parent), int(session))


def _from_ps() -> list[_Entry]:
    """The same elsewhere."""
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,pgid=,state="], capture_output=True, text=True, check=True
    ).stdout
    rows = (line.split() for line in listing.splitlines())
    return [_Entry(int(row[0]), int(row[1]), int(row[2])) for row in rows if not row[3].startswith("Z")]
