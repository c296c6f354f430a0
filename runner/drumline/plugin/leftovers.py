"""Names of files that aren't whole yet, by which a later run knows those that were left behind.

A transfer writes ``.drumline-MACHINE-PROCESS-START-RANDOM`` beside the file that it is about, and renames it then.
MACHINE stands for the workstation, PROCESS and START for the drumline that wrote it: the number of its process and when
that began. What another workstation wrote, or a drumline that still runs, is not touched.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from functools import cache
from pathlib import Path

from drumline.processes import exists, started

_NAME = r"\.drumline-([0-9a-f]{8})-([0-9]+)-([0-9]+)-[0-9A-Za-z.]+\Z"


@cache
def machine() -> str:
    """This workstation, as far as process numbers mean the same in it."""
    known = [os.uname().nodename]
    with suppress(OSError):
        known.append(Path("/etc/machine-id").read_text())
    with suppress(OSError):
        known.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\0".join(known).encode(errors="replace")).hexdigest()[:8]


@cache
def own_prefix() -> str:
    """What the names begin with that this process gives."""
    return f".drumline-{machine()}-{os.getpid()}-{started(os.getpid())}-"


def temporary_name() -> str:
    """A new name for a file that isn't whole yet."""
    return own_prefix() + os.urandom(6).hex()


def is_left_behind(name: str) -> bool:
    """Whether a drumline of this workstation gave this name and is gone."""
    found = re.match(_NAME, name)
    if not found or found[1] != machine():
        return False
    pid, start = int(found[2]), int(found[3])
    return not (exists(pid) and started(pid) in (start, 0))


@cache
def sweep(directory: Path) -> None:
    """Remove what was left behind in a directory of this machine, once in each process. Raises nothing."""
    with suppress(OSError):
        for name in os.listdir(directory):
            if is_left_behind(name):
                with suppress(OSError):
                    os.unlink(directory / name)
