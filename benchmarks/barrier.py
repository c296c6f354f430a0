"""B7: what a barrier costs. From the end of a wave's last job to the beginning of the next wave's first one."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from _measure import judged, machine, print_table
from engine import write_project
from msgspec.structs import replace

from drumline import app
from drumline.app.carrying_out import carry_out
from drumline.config import Settings
from drumline.plugin import Emit, Exit, Run, Target
from drumline.reporting.listeners import listeners_for
from drumline.testing.null import NullConnection, NullSession, NullTransport

#: Milliseconds, for 99 of 100 barriers.
LIMIT = 20.0


@dataclass(slots=True)
class Wave:
    """When its first job reached a session, and when its last one had ended."""

    begun: float
    ended: float = 0.0


class Timed(NullTransport):
    """Notes when commands come and go; the command's text tells which wave it belongs to."""

    def __init__(self) -> None:
        self.waves: dict[str, Wave] = {}

    def connect(self, target: Target) -> NullConnection:
        return _Connection(self.waves)


class _Connection(NullConnection):
    def __init__(self, waves: dict[str, Wave]) -> None:
        self._waves = waves

    def open_session(self) -> NullSession:
        return _Session(self._waves)


class _Session(NullSession):
    def __init__(self, waves: dict[str, Wave]) -> None:
        self._waves = waves

    def run(self, request: Run, emit: Emit) -> Exit:
        now = time.perf_counter()
        wave = self._waves.setdefault(request.text, Wave(now))
        exit_ = super().run(request, emit)
        wave.ended = time.perf_counter()
        return exit_


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--waves", type=int, default=201)
    options = parser.parse_args()
    gaps = [
        (after.begun - before.ended) * 1000 for before, after in pairwise(_waves(options.hosts, options.waves).values())
    ]
    row = [f"{len(gaps)} barriers", f"{statistics.median(gaps):.1f} ms", judged(_p99(gaps), LIMIT, " ms")]
    title = f"B7, barrier: {options.hosts} hosts that do nothing ({machine()})"
    print_table(title, ["", "median", "p99"], [row])


def _p99(values: list[float]) -> float:
    """The value that 99 of 100 don't exceed."""
    return sorted(values)[max(0, -(-len(values) * 99 // 100) - 1)]


def _waves(hosts: int, waves: int) -> dict[str, Wave]:
    """One run of so many waves, by the real way from the files to the journal and the report."""
    transport = Timed()
    with tempfile.TemporaryDirectory(prefix="drumline-benchmark-") as name:
        directory = Path(name)
        playbook = write_project(directory, hosts, waves)
        os.chdir(directory)
        prepared = app.prepare([playbook], Settings(inventory=("hosts.ini",), state=directory / "state"))
        transports = {**prepared.registry.transports, transport.name: transport}
        prepared = replace(prepared, registry=replace(prepared.registry, transports=transports))
        with _silence(), listeners_for(prepared.plan) as reports:
            status = carry_out(prepared, reports.listeners, command="benchmark")
    assert status == 0, status
    assert len(transport.waves) == waves
    return transport.waves


@contextmanager
def _silence() -> Iterator[None]:
    said = sys.stdout
    with open(os.devnull, "w") as sys.stdout:
        yield
    sys.stdout = said


if __name__ == "__main__":
    main()
