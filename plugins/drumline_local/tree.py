"""Ending a process with all that it has started, as far as the kernel tells.

Members of the tree are the processes of its session and the descendants of any member that was seen, so that one
that started a session of its own is found too, unless its parents had all ended before anyone looked.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

#: Seconds between the polite signal and the other.
_GRACE = 0.5
#: Seconds for which members that appear during the killing are looked for.
_PERSISTENCE = 5.0
_PAUSE = 0.01


def end_tree(leader: subprocess.Popen[bytes], kill_foreign: Callable[[list[int]], None] | None = None) -> None:
    """SIGTERM to all members, a short grace, then SIGKILL until none is left. Returns with the leader reaped.

    Members that belong to another user are killed by ``kill_foreign``, else by ``sudo``, which a command may have used.
    """
    members: set[psutil.Process] = set()
    _signal(_find(members, leader.pid), signal.SIGTERM)
    _wait_until_gone(leader, members, _GRACE)
    foreign = [process.pid for process in _foreign(_find(members, leader.pid))]
    if foreign:
        (kill_foreign or _kill_through_sudo)(foreign)
    deadline = time.monotonic() + _PERSISTENCE
    while _signal(_find(members, leader.pid), signal.SIGKILL) and time.monotonic() < deadline:
        leader.poll()
        time.sleep(_PAUSE)
    leader.wait()


def _wait_until_gone(leader: subprocess.Popen[bytes], members: set[psutil.Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while _find(members, leader.pid) and time.monotonic() < deadline:
        leader.poll()
        time.sleep(_PAUSE)


def _signal(processes: list[psutil.Process], number: int) -> int:
    """Signal those that are this user's; returns how many they were."""
    signalled = 0
    for process in processes:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process.send_signal(number)
            signalled += 1
    return signalled


def _foreign(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if not _signal([process], 0)]


def _kill_through_sudo(pids: list[int]) -> None:
    with suppress(OSError):  # without sudo, none of them was started by it
        subprocess.run(
            ["sudo", "-n", "kill", "-KILL", *map(str, pids)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )


def _find(members: set[psutil.Process], session: int) -> list[psutil.Process]:
    """The living members, parents first; those found for the first time are added to ``members``."""
    members |= _of_session(session)
    known = {member.pid for member in members}
    for member in tuple(members):
        with suppress(psutil.Error):  # its children have another parent now
            if member.ppid() not in known:  # else they are found with those of its parent: a look is not cheap
                members.update(member.children(recursive=True))
    # The numbers of processes begin anew when they come to their end, which may be 32768.
    return sorted(filter(_is_living, members), key=lambda member: (member.create_time(), member.pid))


def _of_session(session: int) -> set[psutil.Process]:
    found = set()
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            if os.getsid(pid) == session:
                found.add(psutil.Process(pid))
    return found


def _is_living(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    return False
