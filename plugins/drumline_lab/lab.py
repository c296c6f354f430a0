"""A lab from outside: starts the background process that serves the fleet, asks about it, and ends it.

Its directory holds all there is of it::

    inventory.yml  what to give to -i
    lab.json       which hosts there are, and the process behind them
    lab.lock       locked by the process for as long as it lives, so that a crash shows
    lab.log        what the process has said
    id_ed25519     the key pair that opens the Linux hosts
    hosts/NAME/    of each host: its server's files, and its own in root/

``up`` hands the process two pipes. It says on one when all hosts are up, and is told on the other to stay; should
``up`` end before that, in whatever way, it finds that pipe closed and takes everything down again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from drumline.plugin import UsageError
from drumline_lab import processes
from drumline_lab.fleet import MARK, PROBE, FleetHost, FleetRequest, answers, linux_names, remove_host

INVENTORY = "inventory.yml"
STATE = "lab.json"
LOCK = "lab.lock"
LOG = "lab.log"
_FILES = (INVENTORY, STATE, LOG, "id_ed25519", "id_ed25519.pub", LOCK)
#: seconds for the process to take its hosts down
_PATIENCE = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What ``lab.json`` says. ``hosts`` is empty until all are up."""

    wanted: FleetRequest
    token: str  #: Sets names of this lab apart from those of others.
    pid: int
    hosts: tuple[FleetHost, ...] = ()

    def save(self, directory: Path) -> None:
        """Write it whole or not at all; it holds passwords."""
        data = {**asdict(self), "hosts": [host.to_json() for host in self.hosts]}
        draft = directory / f"{STATE}.new"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(data, file, indent=2)
        draft.replace(directory / STATE)

    @classmethod
    def load(cls, directory: Path) -> State | None:
        """The state in a directory, or None where there is no lab."""
        try:
            data: dict[str, Any] = json.loads((directory / STATE).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            raise UsageError("The lab's state can't be read", f"{directory / STATE}: {error}. Remove it.") from error
        hosts = tuple(FleetHost.from_json(host) for host in data.pop("hosts"))
        return cls(wanted=FleetRequest(**data.pop("wanted")), hosts=hosts, **data)


def up(directory: Path, wanted: FleetRequest) -> State:
    """Start a lab, or return the one that is up already. Raises ``UsageError`` when it can't be had as wanted."""
    state = State.load(directory)
    if state is not None and alive(directory):
        if (state.wanted.linux, state.wanted.windows) == (wanted.linux, wanted.windows):
            return state
        raise UsageError(
            "Another practice fleet is up",
            f"In {directory} are {state.wanted.linux} Linux and {state.wanted.windows} Windows hosts. "
            "Run 'drumline lab down' first, or choose another --directory.",
        )
    if state is not None:
        clean_up(directory)
    _make_directory(directory)
    try:
        return _start(directory, wanted)
    except BaseException:
        clean_up(directory)
        raise


def down(directory: Path) -> bool:
    """Stop a lab and remove all there is of it, also after a crash. Returns whether there was one."""
    state = State.load(directory)
    if state is None and not (directory / LOCK).exists():
        return False
    if state is not None and alive(directory):
        _end(directory, state.pid)
    clean_up(directory)
    return True


def alive(directory: Path) -> bool:
    """Whether the process behind a lab lives: it holds the lock, which the system takes back at its end."""
    try:
        with open(directory / LOCK, "rb") as lock:
            return not _try_lock(lock)
    except (FileNotFoundError, NotADirectoryError):
        return False


def health(state: State) -> dict[str, bool]:
    """Host name to whether it answers."""
    return {host.name: answers(host) for host in state.hosts}


def clean_up(directory: Path) -> None:
    """End what a lab's hosts left running and remove its files; nothing that isn't the lab's."""
    state = State.load(directory)
    # Whatever one of the steps meets, the others are taken.
    with contextlib.ExitStack() as steps:
        steps.callback(_remove_files, directory)
        # Commands of Windows hosts that a crash of the process has left behind.
        steps.callback(processes.end, lambda: processes.with_descendants(processes.marked(MARK, directory)))
        if state is not None:
            for name in host_names(state.wanted):
                steps.callback(remove_host, directory, name, state.token, state.wanted.program)


def _remove_files(directory: Path) -> None:
    shutil.rmtree(directory / "hosts", ignore_errors=True)
    for name in _FILES:
        (directory / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # someone keeps files of their own there
        directory.rmdir()


def host_names(wanted: FleetRequest) -> list[str]:
    """All hosts that such a lab has or was about to have."""
    return [
        PROBE,
        *(name for name, _ in linux_names(wanted.linux)),
        *(f"app{number}" for number in range(1, wanted.windows + 1)),
    ]


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        taken = [name for name in (*_FILES, "hosts") if (directory / name).exists()]
        (directory / LOCK).touch()
    except OSError as error:
        raise UsageError("The lab's directory can't be made", f"{error}. Choose another --directory.") from error
    if taken:
        raise UsageError(
            "The directory holds files of something else",
            f"{directory} has {', '.join(taken)}, and no lab. Remove them, or choose another --directory.",
        )


def _start(directory: Path, wanted: FleetRequest) -> State:
    token = secrets.token_hex(4)
    order = json.dumps({"directory": str(directory), "token": token, "wanted": asdict(wanted)})
    with open(os.open(directory / LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "drumline_lab.serve", order],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            answer = json.loads(process.stdout.readline() or b"{}")
            state = State.load(directory)
            if "ready" not in answer or state is None:
                raise _failure(directory, answer)
            if missing := [name for name, well in health(state).items() if not well]:
                raise UsageError("A host of the lab doesn't answer", f"{', '.join(missing)} came up without answering.")
            process.stdin.write(b"stay\n")
            process.stdin.flush()
        except BaseException:
            process.stdin.close()
            process.wait()
            raise
        # It lives on: leaving the block must not wait for it.
        process.returncode = 0
    return state


def _failure(directory: Path, answer: dict[str, str]) -> UsageError:
    if "error" in answer:
        return UsageError(answer["error"], answer["detail"])
    said = (directory / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return UsageError("The lab's process has ended", "\n".join(said[-5:]))


def _end(directory: Path, pid: int) -> None:
    # Opened before the signal: the process removes the file, and keeps its lock until the very end.
    with open(directory / LOCK, "rb") as lock:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + _PATIENCE
            while time.monotonic() < deadline:
                if _try_lock(lock):
                    return
                time.sleep(0.02)
    raise UsageError("The lab doesn't stop", f"Process {pid} outlives SIGKILL.")


def _try_lock(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
