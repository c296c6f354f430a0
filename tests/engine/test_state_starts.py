"""Synchronised starts: all or no one, by burst or by the clock, and what the skew was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from support.worlds import Hand, P, T, World, build, worlds

from drumline.engine.instructions import Announce, Release, Stop
from drumline.engine.skew import lead, measure, uncertainties
from drumline.model.cause import THE_RUN, Because, Cause
from drumline.model.event import (
    InterruptRequested,
    JobFinished,
    JobsAbandoned,
    JobsStarted,
    JobStaged,
    RunFinished,
    StartCalledOff,
    StartMeasured,
    StartReleased,
    Urgency,
)
from drumline.model.outcome import Status
from drumline.model.plan import Job
from drumline.model.playbook import Barrier, Late, Start, Strategy

ABC = ["a", "b", "c"]
A, B, C = (Job(0, host) for host in ABC)
TOGETHER = Start()


def hand(moment: Start = TOGETHER, *, forks: int = 50, sessions: int = 4, **task: Any) -> Hand:
    """One task on three hosts that synchronised starts, and one after it."""
    tasks = [T(ABC, start=moment, **task), T(ABC, needs=[0])]
    return Hand(build(P(tasks)), forks=forks, sessions=sessions)


def called_off(run: Hand) -> str:
    [event] = run.heard(StartCalledOff)
    return event.reason


def test_all_are_released_in_one_burst_when_the_last_one_is_staged() -> None:
    run = hand()
    run.stage(1, "t0", "a", "c")
    assert not run.releases
    run.stage(2, "t0", "b")
    assert run.releases == [Release((A, C, B), cause=Cause(Because.STAGED, B))]


def test_staged_jobs_need_no_place() -> None:
    """Else a start on more hosts than ``forks`` would wait for itself."""
    run = hand(forks=1, sessions=1)
    for host in ABC:
        assert run.status("t0", host) == "running"
        run.stage(1, "t0", host)
    assert len(run.releases) == 1


def test_a_staged_jobs_place_is_given_back_once() -> None:
    run = hand(forks=2)
    run.stage(1, "t0", *ABC)
    run.feed(StartReleased(at=2, jobs=(A, B, C)))
    for at, host in enumerate(ABC):
        run.end(3 + at, "t0", host, began=2.0)
    assert run.status("t1", *ABC) == "running running ready"


def test_who_is_skipped_or_lost_before_takes_no_part() -> None:
    tasks = [T(ABC), T(ABC, needs=[0], start=TOGETHER)]
    run = Hand(build(P(tasks)))
    run.end(1, "t0", "a", status=Status.FAILED)
    run.end(2, "t0", "b", "c")
    run.end(3, "t1", "b", status=Status.SKIPPED)  # by when
    assert not run.releases
    run.stage(4, "t1", "c")
    assert run.releases == [Release((Job(1, "c"),), cause=Cause(Because.STAGED, Job(1, "c")))]


def test_a_start_in_which_nobody_takes_part_is_over() -> None:
    run = hand()
    run.end(1, "t0", *ABC, status=Status.SKIPPED)
    assert not run.releases
    assert run.status("t1", *ABC) == "running running running"
    assert not run.heard(StartMeasured)


@pytest.mark.parametrize("status", [Status.FAILED, Status.UNREACHABLE, Status.UNKNOWN])
def test_nobody_starts_when_one_fails_before(status: Status) -> None:
    run = hand(forks=2)
    run.stage(1, "t0", "a")
    assert run.status("t0", *ABC) == "running running running"
    run.end(2, "t0", "b", status=status)
    assert called_off(run) == "'t0' failed on b before the start"
    assert run.stops == {("t0", host): ("cancelled", "the start was called off") for host in ("a", "c")}
    run.end(3, "t0", "a", "c", status=Status.CANCELLED)
    assert not run.releases
    assert run.status("t1", *ABC) == "abandoned abandoned abandoned"
    causes = {event.cause for event in run.heard(JobsAbandoned)}
    assert causes == {Cause(Because.FAILURE, B)}


def test_what_waits_for_a_place_is_abandoned_when_a_start_is_called_off() -> None:
    run = hand(forks=1)
    run.end(2, "t0", "a", status=Status.FAILED)
    assert run.status("t0", *ABC) == "failed abandoned abandoned"
    assert [job for event in run.heard(JobsAbandoned) for job in event.jobs][:2] == [B, C]
    assert run.state.finished


def test_the_word_that_was_to_be_given_is_taken_back_when_one_fails_in_the_same_turn() -> None:
    run = hand()
    run.stage(1, "t0", "a", "b")
    staged = JobStaged(at=2, job=C, offset=0, uncertainty=0, round_trip=0)
    instructions = run.state.handle(staged, JobFinished(at=2, job=A, status=Status.UNREACHABLE))
    assert not [item for item in instructions if isinstance(item, Release)]
    assert [item.jobs for item in instructions if isinstance(item, Stop)] == [(B, C)]


def test_a_host_that_is_lost_in_the_moment_of_the_release_calls_it_off() -> None:
    run = hand()
    run.stage(1, "t0", *ABC)
    run.end(1, "t0", "b", status=Status.UNREACHABLE)  # no StartReleased has come
    assert run.stops.keys() == {("t0", "a"), ("t0", "c")}


def test_without_a_host_that_may_be_lost_the_others_start() -> None:
    run = hand()
    run.stage(1, "t0", *ABC)
    run.feed(JobFinished(at=1, job=B, status=Status.UNREACHABLE, ignored=True))
    assert run.releases[1:] == [Release((A, C), cause=Cause(Because.END, B))]
    assert not run.stops


def test_a_failure_after_the_release_is_one_like_any_other() -> None:
    run = hand()
    run.stage(1, "t0", *ABC)
    run.feed(StartReleased(at=2, jobs=(A, B, C)))
    run.end(3, "t0", "a", status=Status.FAILED, began=2.0)
    assert not run.heard(StartCalledOff)
    assert not run.stops
    run.end(4, "t0", "b", "c", began=2.0)
    assert run.status("t1", *ABC) == "abandoned running running"


def test_a_host_that_is_lost_in_another_task_calls_the_start_off() -> None:
    run = Hand(build(P([T(["c"]), T(ABC, start=TOGETHER)])), sessions=1)
    assert run.status("t1", *ABC) == "running running ready"
    run.stage(1, "t1", "a", "b")
    run.end(2, "t0", "c", status=Status.UNREACHABLE)
    assert called_off(run) == "c was lost before the start"
    assert run.stops.keys() == {("t1", "a"), ("t1", "b")}


def test_a_play_that_stops_starts_nothing_that_is_staged() -> None:
    plan = build(P([T(["x"]), T(["a", "b"], start=TOGETHER)], any_errors_fatal=True, strategy=Strategy.FREE))
    run = Hand(plan)
    run.stage(1, "t1", "a")
    run.end(2, "t0", "x", status=Status.FAILED)
    assert called_off(run).startswith("the play was stopped: 't0' failed on x")
    assert run.stops.keys() == {("t1", "a"), ("t1", "b")}


def test_a_late_wave_starts_nothing() -> None:
    run = hand(barrier=Barrier(deadline=10))
    run.stage(1, "t0", "a", "b")
    run.wake()
    assert {status for status, _ in run.stops.values()} == {"failed"}
    run.end(11, "t0", "c", status=Status.FAILED)
    run.end(11, "t0", "a", "b", status=Status.FAILED)
    assert not run.releases


def test_what_is_dropped_starts_nothing_and_has_not_failed() -> None:
    run = hand(barrier=Barrier(deadline=10, late=Late.DROP))
    run.stage(1, "t0", "a", "b")
    run.wake()
    run.end(11, "t0", "c", status=Status.SKIPPED)
    assert not run.releases  # the others are late too
    run.end(11, "t0", "a", "b", status=Status.SKIPPED)
    assert run.status("t1", *ABC) == "skipped skipped skipped"
    assert run.heard(RunFinished)[0].exit_status == 0


# By the clock.


def test_with_max_skew_all_start_a_little_ahead_by_their_own_clocks() -> None:
    run = hand(Start(max_skew=0.1))
    run.stage(5, "t0", "a", "b", round_trip=0.01)
    run.stage(6, "t0", "c", round_trip=0.05)
    [release] = run.releases
    assert release.instant == pytest.approx(6 + 0.2 + 3 * 0.002 + 4 * 0.05)


def test_nothing_starts_when_the_clocks_are_known_too_badly() -> None:
    run = hand(Start(max_skew=0.1))
    run.stage(1, "t0", "a", uncertainty=0.02)
    run.stage(1, "t0", "b", uncertainty=0.15)
    run.stage(1, "t0", "c", uncertainty=0.001)
    assert called_off(run) == (
        "the clock of b is known to ±150 ms, and that of a to ±20 ms: 70 ms more than the max_skew of 100 ms"
    )
    assert not run.releases
    assert run.stops["t0", "b"] == ("failed", called_off(run))
    assert run.stops["t0", "a"][0] == run.stops["t0", "c"][0] == "cancelled"
    run.end(2, "t0", "b", status=Status.FAILED)
    run.end(2, "t0", "a", "c", status=Status.CANCELLED)
    [finished] = run.heard(RunFinished)
    assert (finished.exit_status, finished.counts) == (2, {"abandoned": 3, "cancelled": 2, "failed": 1})
    assert {event.cause for event in run.heard(JobsAbandoned)} == {Cause(Because.FAILURE, B)}


def test_the_longer_ago_a_clock_was_read_the_less_it_is_known() -> None:
    known = uncertainties({A: staged(A, at=0, uncertainty=0.001), B: staged(B, at=60, uncertainty=0.002)}, at=60)
    assert known == pytest.approx({A: 0.007, B: 0.002})
    assert list(known) == [A, B]  # the worst one first


def test_together_alone_asks_nothing_of_the_clocks() -> None:
    run = hand()
    run.stage(1, "t0", *ABC, uncertainty=5)
    assert len(run.releases) == 1


def at_1000() -> Hand:
    """Its word has to be given 0.206 s before 1000."""
    return hand(Start(at=1000))


def test_nothing_is_staged_until_a_minute_before_its_time() -> None:
    run = at_1000()
    assert run.status("t0", *ABC) == "ready ready ready"
    assert run.wake() == 940
    assert run.status("t0", *ABC) == "running running running"


def test_the_word_is_given_shortly_before_the_time() -> None:
    run = at_1000()
    run.wake()
    run.stage(950, "t0", *ABC)
    assert not run.releases
    assert run.wake() == pytest.approx(1000 - 0.206)
    assert run.releases == [Release((A, B, C), 1000, Cause(Because.CLOCK))]
    assert run.state.wake_at is None


def test_who_is_not_ready_in_time_calls_the_start_off() -> None:
    run = at_1000()
    run.wake()
    run.stage(950, "t0", "a")
    assert run.wake() == pytest.approx(999.794)
    assert called_off(run) == (
        "it was to start at 1970-01-01 00:16:40 UTC, and 2 of 3 hosts were not ready 200 ms before: b, c"
    )
    assert run.stops["t0", "b"] == ("failed", called_off(run))
    assert run.stops["t0", "a"][0] == run.stops["t0", "c"][0] == "cancelled"
    run.end(1001, "t0", "b", status=Status.FAILED)
    run.end(1001, "t0", "a", "c", status=Status.CANCELLED)
    assert run.heard(RunFinished)[0].exit_status == 2


def test_a_time_that_has_passed_when_its_wave_is_released_starts_nothing() -> None:
    tasks = [T(ABC), T(ABC, needs=[0], start=Start(at=1000))]
    run = Hand(build(P(tasks)))
    run.end(1012, "t0", *ABC)
    assert run.heard(StartCalledOff)[0].cause.job == Job(1, "a")
    assert run.status("t1", *ABC) == "failed abandoned abandoned"
    assert run.heard(RunFinished)[0].exit_status == 2


def test_the_last_one_may_be_ready_too_late() -> None:
    run = at_1000()
    run.wake()
    run.stage(950, "t0", "a", "b")
    run.stage(999.9, "t0", "c")  # before TimePassed came
    assert called_off(run) == "it was to start at 1970-01-01 00:16:40 UTC, and c was ready too late"


def test_a_word_that_would_come_too_late_is_not_given() -> None:
    """This machine slept, say."""
    run = at_1000()
    run.wake()
    run.stage(950, "t0", *ABC)
    run.pass_time(2000)
    assert called_off(run).endswith("and the go signal would have come too late")


def test_clocks_are_judged_for_the_time_of_the_start() -> None:
    run = hand(Start(at=1000, max_skew=0.010))
    run.wake()
    run.stage(941, "t0", *ABC, uncertainty=0.001)  # and 5.9 ms of drift each until then
    assert called_off(run).startswith("the clock of a is known to ±6.9 ms")


# Ctrl-C.


def test_ctrl_c_while_staged_starts_nothing() -> None:
    run = hand(forks=1)
    run.stage(1, "t0", "a")
    run.interrupt(2)
    assert run.stops == {("t0", "a"): ("cancelled", ""), ("t0", "b"): ("cancelled", "")}
    assert run.status("t0", "c") == "cancelled"
    assert called_off(run) == "the run was interrupted"
    run.end(3, "t0", "a", "b", status=Status.CANCELLED)
    assert run.state.finished
    assert not run.releases


def test_ctrl_c_in_the_turn_of_the_release_takes_the_word_back() -> None:
    run = hand()
    run.stage(1, "t0", "a", "b")
    staged = JobStaged(at=2, job=C, offset=0, uncertainty=0, round_trip=0)
    instructions = run.state.handle(staged, InterruptRequested(at=2, urgency=Urgency.AFTER_WAVE))
    assert not [item for item in instructions if isinstance(item, Release)]


def test_ctrl_c_before_the_time_starts_nothing() -> None:
    run = at_1000()
    run.interrupt(2)
    assert run.status("t0", *ABC) == "cancelled cancelled cancelled"
    assert run.state.finished


def test_ctrl_c_after_the_release_lets_the_wave_end() -> None:
    run = hand()
    run.stage(1, "t0", *ABC)
    run.feed(StartReleased(at=2, jobs=(A, B, C)))
    run.interrupt(3)
    assert not run.stops


# Measured.


def staged(job: Job, *, at: float = 0.0, uncertainty: float = 0.0) -> JobStaged:
    return JobStaged(at=at, job=job, offset=0.0, uncertainty=uncertainty, round_trip=0.0)


def test_the_skew_is_told_when_all_are_over() -> None:
    run = hand()
    run.stage(1, "t0", *ABC, uncertainty=0.002)
    run.feed(StartReleased(at=1, jobs=(A, B, C)))
    run.end(2, "t0", "a", began=1.010)
    run.end(3, "t0", "c", began=1.013)
    assert not run.heard(StartMeasured)
    run.end(4, "t0", "b", began=1.011)
    [event] = run.heard(StartMeasured)
    assert (event.step, event.jobs, event.worst) == (0, 3, C)
    assert (event.skew, event.p50, event.p99) == pytest.approx((0.003, 0.001, 0.003))
    assert event.uncertainty == pytest.approx(0.004, abs=1e-5)


def test_percentiles_are_of_the_nearest_rank() -> None:
    jobs = [Job(0, f"h{number}") for number in range(200)]
    event = measure(dict.fromkeys(jobs, 5.0) | {jobs[199]: 6.0, jobs[198]: 5.5}, {}, at=7.0, cause=THE_RUN)
    assert (event.p50, event.p99, event.skew, event.worst) == (0.0, 0.0, 1.0, jobs[199])
    event = measure({jobs[0]: 5.0}, {jobs[0]: staged(jobs[0], at=5.0, uncertainty=0.25)}, at=7.0, cause=THE_RUN)
    assert (event.skew, event.p99, event.uncertainty) == (0.0, 0.0, 0.25)


def test_the_lead_grows_with_hosts_and_round_trips() -> None:
    assert lead(500, 0.05) == pytest.approx(1.4)


# For any run.


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_no_command_starts_before_all_of_its_step_are_staged(world: World) -> None:
    world.run()
    staged: dict[int, set[Job]] = {}
    over: set[Job] = set()
    released: set[int] = set()
    for entry in world.log:
        if isinstance(entry, JobStaged):
            assert entry.job.step not in released
            staged.setdefault(entry.job.step, set()).add(entry.job)
        elif isinstance(entry, JobFinished):
            over.add(entry.job)
        elif isinstance(entry, Announce) and isinstance(entry.event, JobsAbandoned):
            over |= set(entry.event.jobs)
        elif isinstance(entry, JobsStarted):
            assert not {job.step for job in entry.jobs} & released
        elif isinstance(entry, StartReleased):
            step = world.plan.steps[entry.jobs[0].step]
            released.add(step.index)
            everybody = {Job(step.index, host) for host in step.hosts}
            if not step.task.run_once:
                assert everybody - over == set(entry.jobs) <= staged[step.index]


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_where_a_start_was_called_off_no_command_began(world: World) -> None:
    world.run()
    called = {event.step for event in world.announced if isinstance(event, StartCalledOff)}
    assert not {job.step for job in world.began} & called
    interrupted = False
    for entry in world.log:
        interrupted = interrupted or isinstance(entry, InterruptRequested)
        assert not (interrupted and isinstance(entry, (Release, StartReleased)))


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_the_skew_that_is_told_is_the_real_one_within_its_uncertainty(world: World) -> None:
    """The world's hosts have clocks that are wrong by no more than they say."""
    world.run()
    for event in world.announced:
        if isinstance(event, StartMeasured):
            real = [at for job, at in world.began.items() if job.step == event.step]
            assert len(real) >= event.jobs
            if len(real) == event.jobs:
                assert abs(event.skew - (max(real) - min(real))) <= event.uncertainty + 1e-9
