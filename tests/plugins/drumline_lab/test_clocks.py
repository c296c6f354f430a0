"""Processes whose clock is wrong by a known number of seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from drumline.plugin import UsageError
from drumline_lab import clocks


@pytest.mark.parametrize("seconds", [0, 7200, -3.25])
def test_a_process_sees_another_time(seconds: float) -> None:
    before = time.time()
    done = subprocess.run(
        ["date", "+%s.%N"], env={**os.environ, **clocks.ahead(seconds)}, capture_output=True, check=True
    )
    assert before + seconds - 0.001 <= float(done.stdout) <= time.time() + seconds + 0.001


def test_what_a_killed_process_leaves_is_removed() -> None:
    with subprocess.Popen(
        ["sh", "-c", "date; exec sleep 60"], env={**os.environ, **clocks.ahead(5)}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert [path.name for path in Path("/dev/shm").glob(f"faketime_shm_{process.pid}")]
    clocks.forget(process.pid)
    clocks.forget(process.pid)
    assert not list(Path("/dev/shm").glob(f"*faketime*_{process.pid}"))


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "_PLACES", ("/not/there/libfaketime.so.1",))
    with pytest.raises(UsageError, match="apt install faketime"):
        clocks.ahead(1)
