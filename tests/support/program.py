"""The real program, as a process: exit status, streams and signals are the ones that a user meets."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

DRUMLINE = (sys.executable, "-c", "from drumline.cli import main; main()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a call ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err

    def events(self) -> list[dict[str, Any]]:
        """What ``--events -`` wrote."""
        return [json.loads(line) for line in self.out.splitlines()]


def environment(directory: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Of a user whose home and state are below the directory."""
    others = ("ANSIBLE_", "DRUMLINE_", "XDG_", "SSH_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return {**kept, "HOME": str(directory), "DRUMLINE_STATE": str(directory / "state"), "TERM": "dumb", **(extra or {})}


def at_import(module: str, statement: str) -> str:
    """A script that is the program, and does something (with ``os``, once) when it comes to import a module."""
    return (
        "import os, sys; from drumline.cli import main\n"
        "def look(event, about):\n"
        f"    if event == 'import' and about[0] == {module!r}: {statement}\n"
        "sys.addaudithook(look); main()"
    )


def call(directory: Path, *arguments: object, env: Mapping[str, str] | None = None, **options: Any) -> Ended:
    """Call the program in a directory and wait for its end."""
    return _ended([*DRUMLINE, *map(str, arguments)], directory, env, **options)


def shell(directory: Path, line: str, *arguments: object) -> Ended:
    """Run a line of sh that calls the program as ``drumline``; the arguments are its ``$@``."""
    script = f'drumline() {{ {shlex.join(DRUMLINE)} "$@"; }}\n{line}'
    ended = _ended(["/bin/sh", "-c", script, "sh", *map(str, arguments)], directory)
    assert "Traceback" not in ended.said
    return ended


def _ended(command: list[str], directory: Path, env: Mapping[str, str] | None = None, **options: Any) -> Ended:
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment(directory, env),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )
    return Ended(status=done.returncode, out=done.stdout, err=done.stderr)


class Running:
    """The program while it runs, in a process group of its own as a shell would start it."""

    def __init__(self, directory: Path, arguments: Sequence[object], env: Mapping[str, str] | None) -> None:
        self._ready, write_end = os.pipe()
        # Not before drumline's own first step: until then a Ctrl-C meets Python alone.
        start = at_import("drumline.cli.entry", f"os.close({write_end})")
        self._popen = subprocess.Popen(
            [sys.executable, "-c", start, *map(str, arguments)],
            cwd=directory,
            env=environment(directory, env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
            pass_fds=(write_end,),
        )
        os.close(write_end)
        self.pid = self._popen.pid

    def wait_for_start(self) -> None:
        """Wait until Python runs and drumline has begun."""
        assert os.read(self._ready, 1) == b""

    def ctrl_c(self) -> None:
        """What a terminal does: the whole group gets the signal. No effect when it has ended."""
        if self._popen.poll() is None:
            os.killpg(self._popen.pid, signal.SIGINT)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        self._popen.send_signal(number)

    def wait(self, seconds: float = 60.0) -> int:
        """Wait for the end without reading what it says; the exit status."""
        status = self._popen.wait(seconds)
        for stream in (self._popen.stdout, self._popen.stderr):
            assert stream is not None
            stream.close()
        return status

    def end(self, seconds: float = 60.0) -> Ended:
        """Wait for the end; fails when it takes longer."""
        out, err = self._popen.communicate(timeout=seconds)
        return Ended(status=self._popen.returncode, out=out, err=err)

    def close(self) -> None:
        """Kill it if it is still there."""
        os.close(self._ready)
        if self._popen.poll() is None:
            self._popen.kill()
            self._popen.communicate()


@contextmanager
def running(directory: Path, *arguments: object, env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start the program; it is killed if a test leaves it running."""
    program = Running(directory, arguments, env)
    try:
        yield program
    finally:
        program.close()


def wait_until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait until a condition holds; returns what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{condition} did not come true in {seconds:g} s"
        time.sleep(0.02)
    return found


def processes_with(marker: str) -> list[int]:
    """The ids of all processes that have a text in their command line."""
    every = psutil.process_iter(["cmdline"])
    return [process.pid for process in every if marker in " ".join(process.info["cmdline"] or ())]


def below(pid: int) -> list[int]:
    """The ids of all descendants of a process."""
    with suppress(psutil.NoSuchProcess):
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return []


def needs_sudo() -> None:
    """Skip a test of becoming another user where sudo isn't there, or asks for a password."""
    if shutil.which("sudo") is None or subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode:
        pytest.skip("sudo isn't installed, or asks for a password")
