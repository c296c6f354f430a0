"""Ending a command with its children, by every shell here that may be a host's ``/bin/sh``."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from drumline.plugin.marks import mark
from drumline_ssh import wire
from drumline_ssh.ending import ending_script

SHELLS = [path for path in map(shutil.which, ("dash", "bash", "ksh", "mksh", "yash", "busybox")) if path]
WORD = "0123456789abcdef"


def command_of(shell: str) -> list[str]:
    return [shell, "sh"] if shell.endswith("busybox") else [shell]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_and_its_children_end_and_the_shell_stays(shell: str) -> None:
    """Also an orphan, a child that ignores SIGTERM, and one with a session of its own and an orphan in that."""
    tree = (
        "(trap '' TERM; echo deaf $(exec sh -c 'echo $PPID'); while :; do sleep 0.1; done) &"
        "(sleep 1000 & echo orphan $!)"
        "\nsetsid sh -c '(sleep 1000 & echo further $!); echo apart $$; sleep 1001; :' &"
        "\nwhile :; do sleep 0.1; done"
    )
    # In a session of its own, as sshd starts it.
    with subprocess.Popen(
        command_of(shell),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as warm:
        assert warm.stdin
        assert warm.stdout
        started: dict[str, int] = {}
        try:
            warm.stdin.write(wire.command(tree, WORD, started="begin"))
            warm.stdin.flush()
            assert warm.stdout.readline() == b"\x1ebegin %d\n" % warm.pid
            while len(started) < 4:
                name, number = warm.stdout.readline().split()
                started[name.decode()] = int(number)
            assert all(is_running(pid) for pid in started.values())
            ended = subprocess.run(
                command_of(shell), input=ending_script(warm.pid).encode(), capture_output=True, check=False
            )
            assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
            assert {name for name, pid in started.items() if is_running(pid)} == set()
            assert warm.stdout.readline().startswith(mark(WORD))
            warm.stdin.write(wire.command("echo fine", WORD))
            warm.stdin.close()
            assert warm.stdout.read() == b"fine\n" + mark(WORD) + b" 0\n"
        finally:
            warm.kill()
            for pid in filter(is_running, started.values()):
                os.kill(pid, signal.SIGKILL)
