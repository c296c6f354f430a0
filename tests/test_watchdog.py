"""A run of tests leaves no process behind, whatever becomes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

import psutil
import pytest
from support.program import wait_until
from support.watchdog import MARK

_RUN = """
import os, signal, subprocess, sys
from support.watchdog import watch
end = watch()
watch()()  # below one that is watched
print(subprocess.Popen(["sleep", "300"], start_new_session=True).pid, flush=True)
sys.stdin.read()
end()
"""


def is_running(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "ended"])
def test_what_a_run_has_started_ends_with_it(killed: bool) -> None:
    unwatched = {name: value for name, value in os.environ.items() if name != MARK}
    environment = unwatched | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _RUN]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        started = int(run.stdout.readline())
        assert is_running(started)
        if killed:
            run.kill()
        run.stdin.close()
        assert run.wait(30) == (-signal.SIGKILL if killed else 0)
    wait_until(lambda: not is_running(started))
