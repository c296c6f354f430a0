"""Processes of this machine, known by more than their number."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.program import environment

from drumline import processes

NOBODY = 2**22 + 1  # above the kernel's largest number


@pytest.fixture
def awkward(tmp_path: Path) -> Iterator[int]:
    """A process whose name looks like the fields that follow it."""
    program = tmp_path / "a) Z 1 (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "300"]) as process:
        yield process.pid
        process.kill()


def test_one_exists_or_not(awkward: int) -> None:
    assert processes.exists(awkward)
    assert not any(processes.exists(pid) for pid in (NOBODY, 2**80))


def test_the_start_is_that_of_the_kernel(awkward: int) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    age = (processes.started(awkward) - processes.started(os.getpid())) / ticks
    assert age == pytest.approx(psutil.Process(awkward).create_time() - psutil.Process().create_time(), abs=2 / ticks)
    assert processes.started(NOBODY) == 0


def test_a_run_does_not_wait_for_the_import_of_psutil(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("- hosts: localhost\n  tasks: [{command: 'true'}]\n")
    script = "import sys; from drumline.cli import main\ntry: main()\nfinally: sys.exit('psutil' in sys.modules)"
    (tmp_path / "hosts").write_text("localhost ansible_connection=local\n")
    command = [sys.executable, "-c", script, "run", "site.yml", "-i", "hosts"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "done: 1 changed" in done.stdout


def test_elsewhere_the_start_is_that_of_psutil(awkward: int) -> None:
    assert processes._started_by_psutil(awkward) == processes._started_by_psutil(awkward)
    assert processes._started_by_psutil(awkward) > processes._started_by_psutil(os.getpid()) > 0
    assert processes._started_by_psutil(NOBODY) == 0


def test_what_started_before_a_moment(awkward: int) -> None:
    now = time.time()
    assert processes.started_before(awkward, now)
    assert not processes.started_before(awkward, now - 3600)
    assert processes.started_before(NOBODY, now)  # not known: whoever asks is not told that it is another one
