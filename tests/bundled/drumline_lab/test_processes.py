"""Finding and ending processes by what they were started with."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drumline_lab import processes

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program with an awkward name and a mark, and with a child that has no mark."""
    program = tmp_path / "a) Z 1 (b"
    program.symlink_to("/bin/sh")
    script = "env -i sh -c 'echo ready; exec sleep 1000' & wait"
    environment = {"DRUMLINE_TEST": str(tmp_path), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen([program, "-c", script], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        yield process
        processes.end(lambda: processes.with_descendants({process.pid}))


def test_they_are_found_by_mark_by_program_and_by_descent(parent: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert processes.marked("DRUMLINE_TEST", tmp_path) == {parent.pid}
    assert processes.marked("DRUMLINE_TEST", tmp_path.parent) == set()
    assert processes.of_program("a) Z 1 (b", "sleep 1000") == {parent.pid}
    assert len(processes.with_descendants({parent.pid})) == 2


def test_all_of_them_end(parent: subprocess.Popen[bytes], tmp_path: Path) -> None:
    found = processes.with_descendants({parent.pid})
    processes.end(lambda: processes.with_descendants(processes.marked("DRUMLINE_TEST", tmp_path) | found))
    assert parent.wait() == -9
    assert processes.with_descendants(found) == set()


def test_a_parent_does_not_go_on_whose_child_is_killed_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that is busy between two signals, where the numbers of processes have begun anew between the two."""
    send = os.kill

    def slow(pid: int, number: int) -> None:
        send(pid, number)
        time.sleep(0.1)

    monkeypatch.setattr(os, "kill", slow)
    script = "sleep 1000; touch $0/went-on"
    with subprocess.Popen(["sh", "-c", script, tmp_path]) as parent:
        while not (children := processes.with_descendants({parent.pid}) - {parent.pid}):
            time.sleep(0.01)
        processes.kill(sorted({parent.pid, *children}, reverse=True))
        assert parent.wait() == -9
    assert not list(tmp_path.iterdir())


def test_one_that_has_ended_and_was_not_waited_for_does_not_run() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.read() == b""
        processes.end(lambda: processes.with_descendants({process.pid}))
