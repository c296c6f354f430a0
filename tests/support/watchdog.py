"""Ends what a run of tests has started once the run itself has ended, also when it was killed and could not tidy up.

Everything that the run starts has a mark in its environment, by which another process finds it.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable

#: The variable that is the mark.
MARK = "TEST_RUN"

_SCRIPT = """
import os, sys
from drumline_lab import processes
sys.stdin.read()  # until the run has ended
mark = sys.argv[1:]
processes.end(lambda: processes.with_descendants(processes.marked(*mark)) - {os.getpid()})
"""


def watch() -> Callable[[], None]:
    """Watch this process; what it returns ends all that it has started by then. No effect below one that is watched."""
    if MARK in os.environ:
        return lambda: None
    os.environ[MARK] = secrets.token_hex(8)
    command = [sys.executable, "-c", _SCRIPT, MARK, os.environ[MARK]]
    watchdog = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def end() -> None:
        watchdog.communicate()
        del os.environ[MARK]

    return end
