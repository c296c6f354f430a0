"""The background process of a lab: ``python -m drumline_lab.serve ORDER``, started by ``lab up`` and no one else."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from drumline.plugin import DrumlineError
from drumline_lab import inventory
from drumline_lab.fleet import Fleet, FleetRequest
from drumline_lab.lab import INVENTORY, LOCK, State, clean_up


def main(order: dict[str, Any]) -> None:
    """Serve the fleet until a signal comes, or ``up`` ends too early."""
    directory = Path(order["directory"])
    wanted = FleetRequest(**order["wanted"])
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    _raise_file_limit()
    # Never closed: whoever waits for the lock waits for the end of this process.
    fcntl.flock(os.open(directory / LOCK, os.O_RDWR), fcntl.LOCK_EX)
    state = State(wanted=wanted, token=order["token"], pid=os.getpid())
    state.save(directory)
    fleet = Fleet(directory, wanted, order["token"])
    with contextlib.ExitStack() as stack:
        stack.callback(clean_up, directory)
        stack.callback(fleet.stop)
        _serve(fleet, state, stop)


def _serve(fleet: Fleet, state: State, stop: threading.Event) -> None:
    try:
        hosts = tuple(fleet.start())
    except DrumlineError as error:
        _tell({"error": error.summary, "detail": error.detail})
        return
    State(wanted=state.wanted, token=state.token, pid=state.pid, hosts=hosts).save(fleet.directory)
    inventory.write(fleet.directory / INVENTORY, hosts)
    _tell({"ready": True})
    if not stop.is_set() and sys.stdin.readline() == "stay\n":
        # Whoever started it must not wait for these to be closed.
        for number in (0, 1):
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        stop.wait()


def _tell(answer: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(answer), flush=True)


def _raise_file_limit() -> None:
    """Hundreds of hosts and their connections need more open files than a process gets at first."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
