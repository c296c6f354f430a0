"""What is left of a run: imagined in another process, then counted down by the waves that are open."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from support.program import wait_until
from support.worlds import P, build, chain

from drumline.forecast.remaining import Left, Remaining
from drumline.journal.store import Journal
from drumline.masking import Secrets
from drumline.model.event import Event, JobFinished, RunStarted
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan

HOSTS = ["a", "b", "c"]
PLAN = build(P(chain(HOSTS, HOSTS)))
WAVES = [(0, 0, 0), (0, 0, 1)]


def write_run(directory: Path, plan: Plan = PLAN) -> int:
    """A run in which every job took ten seconds, wave after wave; returns its number."""
    journal = Journal(directory)
    writer = journal.begin(plan, command="test")
    ends: list[Event] = [
        JobFinished(at=10.0 * step.index + 10, job=Job(step.index, host), status=Status.OK, started=10.0 * step.index)
        for step in plan.steps
        for host in step.hosts
    ]
    writer.append([RunStarted(at=0.0, run=writer.id), *ends])
    journal.close()
    return writer.number


def remaining(directory: Path, run: int = 1000, plan: Plan = PLAN) -> Remaining:
    return Remaining(plan, directory, run=run, forks=50, sessions=4, costs={}, secrets=Secrets())


def known(left: Remaining) -> Left:
    """What is left right at the beginning, as soon as it is known."""

    def ask() -> Left | None:
        now = time.time()
        return left(now, {WAVES[0]: now})

    found = wait_until(ask)
    assert isinstance(found, Left)
    return found


def test_it_counts_down_wave_by_wave(tmp_path: Path) -> None:
    for _ in range(2):
        write_run(tmp_path)
    with remaining(tmp_path) as left:
        assert known(left).time.middle == pytest.approx(20, abs=0.2)
        now = time.time() + 100

        def at(seconds: float, **waves: float) -> float:
            found = left(now + seconds, {WAVES[int(name[1:])]: now - since for name, since in waves.items()})
            assert found is not None
            return found.time.middle

        assert at(0, w0=4) == pytest.approx(16, abs=0.2)
        assert at(10, w0=25) == pytest.approx(10, abs=0.2)  # it is late; what comes after it takes as long as ever
        assert at(20, w1=-20) == pytest.approx(10, abs=0.2)
        assert at(30, w1=20) == 0.0
        assert left(now + 40, {}) is None


def test_an_answer_is_good_for_a_moment(tmp_path: Path) -> None:
    write_run(tmp_path)
    with remaining(tmp_path) as left:
        known(left)
        now = time.time() + 100
        first = left(now, {WAVES[0]: now})
        assert left(now + 0.1, {WAVES[0]: now}) is first
        assert left(now + 5, {WAVES[0]: now}) is not first


def test_what_never_ran_is_counted_apart(tmp_path: Path) -> None:
    write_run(tmp_path)
    longer = build(P(chain(HOSTS, HOSTS, HOSTS)))
    with remaining(tmp_path, plan=longer) as left:
        found = known(left)
        assert found.time.middle == pytest.approx(20, abs=1.0)
        assert found.unknown == 1


def test_the_run_itself_is_no_earlier_run(tmp_path: Path) -> None:
    number = write_run(tmp_path)
    with remaining(tmp_path, run=number) as left:
        process = left._process
        assert process is not None
        assert process.wait(30) == 0
        assert left(time.time(), {WAVES[0]: time.time()}) is None


def test_nothing_of_it_is_left(tmp_path: Path) -> None:
    with remaining(tmp_path) as left:
        process = left._process
        assert process is not None
    assert process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
