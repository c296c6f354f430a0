"""Every event says what brought it about, and that has happened before it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from support.worlds import Hand, P, T, World, build, chain, worlds

from drumline.engine.instructions import Announce, Stop
from drumline.model.cause import Because, Cause
from drumline.model.event import (
    BarrierPassed,
    InterruptRequested,
    JobFinished,
    JobsAbandoned,
    JobsLate,
    JobsStarted,
    JobStaged,
    PlayStopped,
    RunFinished,
    StartCalledOff,
    TimePassed,
    Urgency,
    WaveReleased,
)
from drumline.model.outcome import FINAL, Status
from drumline.model.plan import Job, Keep
from drumline.model.playbook import Amount, Barrier, Late, Start, Strategy

#: What names a job.
OF_JOBS = {
    *(Because.NEED, Because.CATCH_UP, Because.THROTTLE, Because.STAGED, Because.END, Because.FAILURE),
    *(Because.RESCUE, Because.GROWTH),
}


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_what_brought_something_about_came_before_it(world: World) -> None:
    seen = _Seen(world.run())
    together: list[JobsAbandoned] = []  # what ends without running at the same moment is told group by group
    for entry in world.log:
        event: Any = entry.event if isinstance(entry, Announce) else entry
        if isinstance(event, JobsAbandoned):
            together.append(event)
        else:
            for cause in _causes(event):
                seen.check(cause, event)
        seen.add(event)
    for event in together:
        seen.check(event.cause, event)
    assert isinstance(world.announced[-1], RunFinished)


def _causes(event: Any) -> list[Cause]:
    if isinstance(event, JobsStarted):
        return list(event.causes)
    found = getattr(event, "cause", None)
    return [found] if found is not None else []


class _Seen:
    """What a log has told so far."""

    def __init__(self, world: World) -> None:
        self._plan = world.plan
        self._failed: set[Job] = set()
        self._over: set[Job] = set()
        self._staged: set[Job] = set()
        self._waves: set[tuple[int, ...]] = set()
        self._passed: set[tuple[int, ...]] = set()
        self._kinds: set[type] = set()

    def add(self, event: Any) -> None:
        self._kinds.add(type(event))
        match event:
            case JobFinished(job=job, status=status):
                self._end(job, status)
            case JobsAbandoned(jobs=jobs, status=status):
                for job in jobs:
                    self._end(job, status)
            case Stop(jobs=jobs, status=Status.FAILED):  # each is at fault, however it ends meanwhile
                self._failed.update(jobs)
            case JobStaged(job=job):
                self._staged.add(job)
            case WaveReleased(play=play, batch=batch, wave=wave):
                self._waves.add((play, batch, wave))
            case BarrierPassed(play=play, batch=batch, wave=wave):
                self._passed.add((play, batch, wave))

    def _end(self, job: Job, status: Status) -> None:
        assert status in FINAL
        self._over.add(job)
        if status in (Status.FAILED, Status.UNREACHABLE, Status.UNKNOWN):
            self._failed.add(job)

    def check(self, cause: Cause, event: Any) -> None:
        told = f"{event}: {cause}"
        if cause.kind in OF_JOBS:
            assert cause.job is not None, told
        match cause.kind:
            case Because.WAVE:
                assert cause.place in self._waves, told
            case Because.BARRIER:
                assert cause.place in self._passed, told
            case Because.BATCH:
                assert cause.place[1] < event.batch, told
            case Because.PLAY:
                assert cause.place[0] in self._plan.plays[event.play].needs, told
            case Because.DEADLINE | Because.QUORUM:
                assert cause.place in self._waves, told
            case Because.CLOCK:
                assert TimePassed in self._kinds, told
            case Because.PERSON:
                assert InterruptRequested in self._kinds, told
            case Because.STAGED:
                assert cause.job in self._staged, told
            case Because.NEED | Because.CATCH_UP | Because.END | Because.RESCUE:
                assert cause.job in self._over, told
            case Because.THROTTLE | Because.FORK | Because.SESSION:
                assert cause.job is None or cause.job in self._over | self._staged, told
            case Because.FAILURE if not isinstance(event, (StartCalledOff, Stop)):  # it may be about to
                assert cause.job in self._failed, told


# One of each, by hand.


def causes(run: Hand, kind: type[Any]) -> list[Cause]:
    return [event.cause for event in run.heard(kind)]


def test_waves_are_released_for_what_they_waited_for() -> None:
    chained = P(chain(["a", "b"], ["a"]), batches=2)
    run = Hand(build(chained, P([T(["a"])], needs=[0])))
    run.end(1, "t0", "a")
    run.end(2, "t1", "a")
    run.end(3, "t0", "b")
    run.feed(JobFinished(at=4, job=Job(4, "a"), status=Status.OK))
    assert causes(run, WaveReleased) == [
        Cause(Because.RUN),
        Cause(Because.BARRIER, place=(0, 0, 0)),
        Cause(Because.BATCH, place=(0, 0)),
        Cause(Because.BARRIER, place=(0, 1, 0)),
        Cause(Because.PLAY, place=(0,)),
    ]
    assert causes(run, BarrierPassed)[0] == Cause(Because.END, Job(0, "a"))
    assert causes(run, RunFinished) == [Cause(Because.END, Job(4, "a"))]


def started(run: Hand) -> dict[Job, Cause]:
    """Every job that was started, and why."""
    return {job: cause for start in run.starts for job, cause in zip(start.jobs, start.causes, strict=True)}


def test_jobs_start_for_their_wave_their_needs_or_a_slot() -> None:
    tasks = [T(["a", "b"]), T(["a", "b"], needs=[0]), T(["a"]), T(["c"])]
    run = Hand(build(P(tasks, strategy=Strategy.FREE)), forks=2, sessions=1)
    run.end(1, "t0", "a")
    run.end(2, "t0", "b")
    run.end(3, "t2", "a")
    run.end(4, "t3", "c")
    wave = Cause(Because.WAVE, place=(0, 0, 0))
    assert started(run) == {
        Job(0, "a"): wave,
        Job(0, "b"): wave,
        Job(2, "a"): Cause(Because.SESSION, Job(0, "a")),
        Job(3, "c"): Cause(Because.FORK, Job(0, "b")),
        Job(1, "a"): Cause(Because.SESSION, Job(2, "a")),
        Job(1, "b"): Cause(Because.FORK, Job(3, "c")),
    }
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]), strategy=Strategy.FREE)))
    run.end(1, "t0", "b")
    assert started(run)[Job(1, "b")] == Cause(Because.NEED, Job(0, "b"))


def test_a_throttled_job_starts_for_the_one_before_it() -> None:
    run = Hand(build(P([T(["a", "b"], throttle=1)])))
    run.end(1, "t0", "a")
    assert started(run)[Job(0, "b")] == Cause(Because.THROTTLE, Job(0, "a"))


def test_a_host_that_catches_up_starts_for_what_it_has_done() -> None:
    barrier = Barrier(quorum=Amount(50, percent=True), late=Late.CATCH_UP)
    run = Hand(build(P([T(["a", "b"]), T(["b"], needs=[]), T(["a", "b"], needs=[0])], barrier=barrier)))
    run.end(1, "t0", "a", "b")
    assert run.status("t2", "b") == "pending"  # it has t1 to do first
    run.end(2, "t1", "b")
    assert started(run)[Job(2, "b")] == Cause(Because.CATCH_UP, Job(1, "b"))


@pytest.mark.parametrize(("late", "status"), [(Late.FAIL, "failed"), (Late.DROP, "skipped")])
def test_late_jobs_name_the_wave_whose_time_it_was(late: Late, status: str) -> None:
    run = Hand(build(P(chain(["a", "b"], ["b"]), barrier=Barrier(deadline=5, late=late))), forks=1)
    run.wake()
    deadline = Cause(Because.DEADLINE, place=(0, 0, 0))
    assert causes(run, JobsLate) == [deadline]
    assert run.told[0].cause == deadline
    assert [(event.cause, event.status) for event in run.heard(JobsAbandoned)] == [(deadline, status)]
    quorum = Barrier(quorum=Amount(50, percent=True), late=late)
    run = Hand(build(P([T(["a", "b"])], barrier=quorum)))
    run.end(1, "t0", "a")
    assert causes(run, JobsLate) == [Cause(Because.QUORUM, Job(0, "a"), (0, 0, 0))]


def test_what_is_interrupted_names_who_did_it() -> None:
    run = Hand(build(P(chain(["a"], ["a"]))))
    run.feed(InterruptRequested(at=1, urgency=Urgency.AFTER_WAVE, by="SIGTERM"))
    assert causes(run, JobsAbandoned) == [Cause(Because.PERSON, by="SIGTERM")]


def test_a_start_is_released_for_the_last_that_was_staged_or_by_the_clock() -> None:
    run = Hand(build(P([T(["a", "b"], start=Start())])))
    run.stage(1, "t0", "a", "b")
    assert run.releases[0].cause == Cause(Because.STAGED, Job(0, "b"))
    run = Hand(build(P([T(["a"], start=Start(at=100.0))])))
    run.wake()
    assert started(run) == {Job(0, "a"): Cause(Because.CLOCK)}
    run.stage(50, "t0", "a")
    run.wake()
    assert run.releases[0].cause == Cause(Because.CLOCK)


def test_hosts_that_are_available_again_let_a_wave_go() -> None:
    keep = [Keep(group="g", least=1, hosts=("a", "b"))]
    run = Hand(build(P([T(["a"])], keep=keep), P([T(["b"])], keep=keep)))
    assert len(run.heard(WaveReleased)) == 1
    run.feed(JobFinished(at=1, job=Job(0, "a"), status=Status.OK))
    assert causes(run, WaveReleased)[1] == Cause(Because.AVAILABLE, Job(0, "a"))


def test_plays_that_wait_for_each_other_are_stopped_for_that() -> None:
    first = P([T(["a"])], keep=[Keep(group="g", least=2, hosts=("a", "b"))])
    run = Hand(build(first))
    assert causes(run, PlayStopped) == [Cause(Because.AVAILABLE)]
