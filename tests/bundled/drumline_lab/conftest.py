"""Labs to try things on, and a look at what they leave behind."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drumline_lab import lab
from drumline_lab.fleet import FleetRequest


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Where a lab may be; it is down at the end."""
    place = tmp_path / "lab"
    yield place
    lab.down(place)


@pytest.fixture
def up(directory: Path) -> Callable[..., lab.State]:
    """Starts a lab in the directory."""

    def start(linux: int = 0, windows: int = 0, program: str | None = None) -> lab.State:
        return lab.up(directory, FleetRequest(linux=linux, windows=windows, program=program))

    return start


@pytest.fixture
def leftovers(tmp_path: Path) -> Callable[[], list[str]]:
    """Command lines of live processes that have to do with this test's directory."""

    def look() -> list[str]:
        found = []
        mark = str(tmp_path).encode()
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                line = (path / "cmdline").read_bytes()
                if line and (mark in line or mark in (path / "environ").read_bytes()):
                    found.append(line.replace(b"\0", b" ").decode(errors="replace"))
        return found

    return look


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Waits until a condition holds, at most twenty seconds."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, "the condition never held"
            time.sleep(0.01)

    return wait
