"""Barriers: quorum, deadline, what becomes of what is late, and hosts that catch up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from support.worlds import Hand, P, T, World, build, chain, worlds

from drumline.engine.instructions import Announce
from drumline.model.event import (
    BarrierPassed,
    JobFinished,
    JobsAbandoned,
    JobsLate,
    JobsStarted,
    WaveReleased,
)
from drumline.model.outcome import Status
from drumline.model.plan import Job, Step
from drumline.model.playbook import Amount, Barrier, Late, Strategy, TriggerRule

ALL = Amount(100, percent=True)
HALF = Amount(50, percent=True)
FOUR = ["a", "b", "c", "d"]


def hand(*hosts: list[str], quorum: Amount = ALL, **barrier: Any) -> Hand:
    """A chain of tasks with these hosts, and this barrier after each wave."""
    return Hand(build(P(chain(*hosts), barrier=Barrier(quorum=quorum, **barrier))))


def passed(run: Hand) -> list[tuple[int, float, int]]:
    """Wave, time and number of open jobs of the barriers that have passed."""
    return [(event.wave, event.at, event.open) for event in run.heard(BarrierPassed)]


def released(run: Hand) -> list[tuple[int, float]]:
    return [(event.wave, event.at) for event in run.heard(WaveReleased)]


def test_with_a_quorum_the_next_wave_is_released_before_all_jobs_are_over() -> None:
    run = hand(FOUR, FOUR, quorum=HALF, deadline=100)
    run.end(1, "t0", "a")
    assert released(run) == [(0, 0)]
    run.end(2, "t0", "b")
    assert passed(run) == [(0, 2, 2)]
    assert run.status("t1", *FOUR) == "running running pending pending"
    assert not run.heard(JobsLate)  # they have until the deadline


@pytest.mark.parametrize(("quorum", "enough"), [(Amount(30, percent=True), 2), (Amount(3), 3), (Amount(9), 4)])
def test_shares_are_rounded_up_and_numbers_bounded_by_the_wave(quorum: Amount, enough: int) -> None:
    run = hand(FOUR, FOUR, quorum=quorum, late=Late.CATCH_UP)
    for number, host in enumerate(FOUR[:enough]):
        assert released(run) == [(0, 0)]
        run.end(number, "t0", host)
    assert len(released(run)) == 2


def test_a_quorum_counts_jobs_in_whatever_status() -> None:
    run = hand(FOUR, FOUR, quorum=HALF, deadline=100)
    run.end(1, "t0", "a", status=Status.FAILED)
    run.end(2, "t0", "b", status=Status.SKIPPED)
    assert passed(run)[0] == (0, 2, 2)


def test_a_host_that_is_behind_begins_no_later_wave_before_it_is_through_with_the_earlier_one() -> None:
    """Even without a need: ``t1`` needs nothing on its own host."""
    tasks = [T(["a", "b"]), T(["c"]), T(["a", "b"], needs=[1])]
    run = Hand(build(P(tasks, barrier=Barrier(quorum=Amount(2), deadline=100))))
    run.end(1, "t0", "a")
    run.end(2, "t1", "c")
    assert run.status("t2", "a", "b") == "running pending"
    run.end(3, "t0", "b")
    assert run.status("t2", "a", "b") == "running running"


def test_at_the_deadline_what_is_open_is_stopped_and_has_failed() -> None:
    run = hand(FOUR, FOUR, deadline=10)
    run.end(1, "t0", "a", "b", "c")
    assert run.state.wake_at == 10
    assert run.wake() == 10
    [late] = run.heard(JobsLate)
    assert (late.jobs, late.late, late.reason) == ((Job(0, "d"),), Late.FAIL, "the deadline of 10 s had passed")
    assert run.stops == {("t0", "d"): ("failed", "late at the barrier: the deadline of 10 s had passed")}
    assert passed(run) == []  # d is being stopped
    run.end(11, "t0", "d", status=Status.FAILED)
    assert passed(run) == [(0, 11, 0)]
    assert run.status("t1", *FOUR) == "running running running abandoned"


def test_the_deadline_counts_from_the_release_of_its_wave() -> None:
    run = hand(["a"], ["a"], deadline=600)
    run.end(40, "t0", "a")
    assert run.wake() == 640
    assert run.heard(JobsLate)[0].reason == "the deadline of 10 m had passed"


def test_a_wave_that_is_over_has_no_deadline() -> None:
    run = hand(["a"], [], deadline=600)
    run.end(40, "t0", "a")
    assert run.state.wake_at is None


def test_jobs_without_a_place_are_late_as_well() -> None:
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]), barrier=Barrier(deadline=10))), forks=1)
    run.wake()
    assert run.stops.keys() == {("t0", "a")}
    [ended] = run.heard(JobsAbandoned)
    assert (ended.jobs, ended.status) == ((Job(0, "b"),), Status.FAILED)
    assert ended.reason == "late at the barrier: the deadline of 10 s had passed"
    run.end(11, "t0", "a", status=Status.FAILED)
    assert run.state.finished
    assert run.status("t1", "a", "b") == "abandoned abandoned"


def test_a_late_job_that_was_over_all_the_same_stays_what_it_is() -> None:
    run = hand(["a"], ["a"], deadline=10)
    run.wake()
    run.end(10.1, "t0", "a")
    assert run.status("t1", "a") == "running"


def test_a_host_that_is_dropped_leaves_the_play_without_having_failed() -> None:
    plan = build(P(chain(FOUR, FOUR, ["x"]), barrier=Barrier(deadline=10, late=Late.DROP)), P([T(FOUR)], needs=[0]))
    world = World(plan, stuck=frozenset({("t0", "d")}), chances={}).run()
    assert world.state.status(Job(0, "d")) is Status.SKIPPED
    assert world.state.status(Job(1, "d")) is Status.SKIPPED
    assert world.state.status(Job(2, "x")) is Status.OK
    assert world.state.status(Job(3, "d")) is Status.OK  # another play
    assert world.exit_status == 0
    [reason] = {event.reason for event in world.announced if isinstance(event, JobsAbandoned)}
    assert reason == "late at the barrier: the deadline of 10 s had passed"


def test_without_a_deadline_the_rest_is_late_when_the_quorum_is_there() -> None:
    run = hand(FOUR, FOUR, quorum=HALF)
    run.end(1, "t0", "a", "b")
    assert run.heard(JobsLate)[0].reason == "50% of the wave had finished"
    assert run.stops.keys() == {("t0", "c"), ("t0", "d")}
    assert passed(run) == [(0, 1, 2)]
    assert run.status("t1", *FOUR) == "running running pending pending"
    run.end(2, "t0", "c", "d", status=Status.FAILED)
    assert run.status("t1", *FOUR) == "running running abandoned abandoned"


@pytest.mark.parametrize(
    ("number", "reason"), [(1, "1 job of the wave had finished"), (2, "2 jobs of the wave had finished")]
)
def test_a_quorum_of_jobs_is_told_in_words(number: int, reason: str) -> None:
    run = hand(FOUR, FOUR, quorum=Amount(number))
    run.end(1, "t0", *FOUR[:number])
    assert run.heard(JobsLate)[0].reason == reason


def test_what_catches_up_runs_what_it_missed_and_is_counted_again_when_it_has() -> None:
    three = ["a", "b", "c"]
    run = hand(three, three, three, three, quorum=Amount(2), deadline=10, late=Late.CATCH_UP)
    run.end(1, "t0", "a", "b")
    run.end(2, "t1", "a", "b")  # c is behind: the two others are all that counts
    run.end(3, "t0", "c")
    assert run.status("t1", "c") == "running"
    assert run.status("t2", *three) == "running running pending"
    run.end(4, "t1", "c")
    run.end(5, "t2", "c")
    assert len(released(run)) == 3
    run.end(6, "t2", "a")
    assert len(released(run)) == 3
    run.end(7, "t2", "b")
    assert released(run)[3] == (3, 7)
    run.end(8, "t3", "c", "a")  # c has caught up, and is counted again: two of three are through
    assert passed(run)[3] == (3, 8, 1)


def test_after_the_deadline_nobody_waits_for_those_who_catch_up() -> None:
    run = hand(FOUR, FOUR, deadline=10, late=Late.CATCH_UP)
    run.end(1, "t0", "a")
    run.wake()
    assert passed(run) == [(0, 10, 3)]
    assert not run.stops
    run.end(11, "t1", "a")
    assert passed(run)[1] == (1, 11, 3)
    run.wake()
    assert len(run.heard(JobsLate)) == 1  # they are late already, and may be
    assert not run.state.finished  # but a batch has ended only when all its jobs have
    run.end(50, "t0", "b", "c", "d")
    run.end(60, "t1", "b", "c", "d")
    assert run.state.finished


def test_the_next_batch_waits_for_hosts_that_catch_up() -> None:
    barrier = Barrier(deadline=10, late=Late.CATCH_UP)
    run = Hand(build(P([T(["a", "b", "c", "d"])], batches=2, barrier=barrier)))
    run.end(1, "t0", "a")
    run.wake()
    assert run.status("t0", "a", "c", "b", "d") == "ok running pending pending"
    run.end(30, "t0", "c")
    assert run.status("t0", "b", "d") == "running running"


def test_a_task_of_other_hosts_waits_for_those_who_are_behind() -> None:
    run = hand(["a", "b"], ["db"], deadline=10, late=Late.CATCH_UP)
    run.end(1, "t0", "a")
    run.wake()
    assert run.status("t1", "db") == "pending"
    run.end(20, "t0", "b")
    assert run.status("t1", "db") == "running"


def test_a_run_once_task_is_done_by_a_host_that_is_not_behind() -> None:
    hosts = ["a", "b"]
    tasks = [T(hosts), T(hosts, needs=[0], run_once=True)]
    run = Hand(build(P(tasks, barrier=Barrier(deadline=10, late=Late.CATCH_UP))))
    run.end(1, "t0", "b")
    run.wake()
    assert run.status("t1", "a", "b") == "pending running"


def test_a_late_run_once_task_for_which_no_host_was_chosen_fails_on_the_first_one() -> None:
    tasks = [T(["a"]), T(["a"], needs=[0], run_once=True)]
    barrier = Barrier(deadline=10, late=Late.CATCH_UP)
    run = Hand(build(P([tasks[0], T(["a"], [0], run_once=True, barrier=Barrier(deadline=5))], barrier=barrier)))
    run.wake()
    assert run.status("t1", "a") == "pending"
    assert run.wake() == 15
    assert run.status("t1", "a") == "failed"


def test_a_batch_waits_for_a_run_once_task_that_all_its_barriers_have_let_go() -> None:
    """``b`` fails, so that the task waits for ``a``, which catches up."""
    tasks = [T(["a", "b"]), T(["a", "b"], [0], run_once=True)]
    run = Hand(build(P(tasks, barrier=Barrier(deadline=10, late=Late.CATCH_UP))))
    run.end(1, "t0", "b", status=Status.FAILED)
    run.wake()
    run.wake()
    assert len(passed(run)) == 2
    run.end(30, "t0", "a")
    assert run.status("t1", "a") == "running"
    assert not run.state.finished
    run.end(31, "t1", "a")
    assert run.state.finished


def test_the_barrier_says_what_it_cost_all_that_waited() -> None:
    run = hand(["a", "b", "c"], ["a"])
    run.end(10, "t0", "a")
    run.end(14, "t0", "b")
    run.end(15, "t0", "c")
    [event] = run.heard(BarrierPassed)
    assert (event.last, event.waited, event.waited_in_all) == (Job(0, "c"), 5, 5 + 1)


def test_reports_that_overtake_each_other_make_no_negative_waiting() -> None:
    run = hand(["a", "b"], ["a"])
    run.end(10, "t0", "b")
    run.end(9.99, "t0", "a")
    [event] = run.heard(BarrierPassed)
    assert (event.waited, event.waited_in_all) == (0, 0)


def test_a_barrier_waits_for_late_jobs_when_their_failure_would_break_a_limit() -> None:
    plan = build(P(chain(FOUR, FOUR), barrier=Barrier(quorum=HALF), max_fail_percentage=25))
    run = Hand(plan)
    run.end(1, "t0", "a", "b")
    assert passed(run) == []
    run.end(2, "t0", "c", status=Status.FAILED)
    run.end(3, "t0", "d")  # over before it was stopped
    assert released(run) == [(0, 0), (1, 3)]


def test_a_plan_without_barriers_has_plain_ones() -> None:
    """As in journals of older versions."""
    plan = build(P(chain(["a", "b"], ["a", "b"]), barrier=Barrier(deadline=1)))
    [play] = plan.plays
    old = replace(plan, plays=(replace(play, batches=(replace(play.batches[0], barriers=()),)),))
    run = Hand(old)
    assert run.state.wake_at is None
    run.end(5, "t0", "a")
    assert len(released(run)) == 1


def test_free_has_no_barriers() -> None:
    run = Hand(build(P(chain(["a"], ["a"]), barrier=Barrier(deadline=1), strategy=Strategy.FREE)))
    assert run.state.wake_at is None


def test_trigger_rules_see_late_jobs_as_failed_and_dropped_ones_as_skipped() -> None:
    for late, expected in ((Late.FAIL, "running abandoned"), (Late.DROP, "abandoned running")):
        barrier = Barrier(deadline=10, late=late)
        tasks = [T(["a"], barrier=barrier), T(["x"], [0], TriggerRule.ONE_FAILED), T(["y"], [0])]
        run = Hand(build(P(tasks)))
        run.wake()
        run.end(11, "t0", "a", status=Status.FAILED if late is Late.FAIL else Status.SKIPPED)
        assert run.status("t1", "x").replace("skipped", "abandoned") == expected.split()[0]
        assert run.status("t2", "y") == expected.split()[1]


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_no_barrier_passes_before_its_quorum_is_there_and_each_host_keeps_the_order_of_waves(world: World) -> None:
    world.growing = 0.0  # a job that adds to the plan ends later than it reports
    world.together = 1  # so that the log tells what had ended before a barrier and what after it
    world.run()
    ended: set[Job] = set()
    counted: dict[tuple[int, int, int], tuple[set[Job], int]] = {}  # by wave: its jobs, and how many must have ended
    for entry in world.log:
        if isinstance(entry, JobFinished):
            ended.add(entry.job)
        elif isinstance(entry, JobsStarted):
            for job in entry.jobs:
                assert_in_order(world, job, ended)
        elif isinstance(entry, Announce) and isinstance(entry.event, JobsAbandoned):
            ended |= set(entry.event.jobs)
        elif isinstance(entry, Announce) and isinstance(entry.event, WaveReleased):
            event = entry.event
            counted[event.play, event.batch, event.wave] = quorum_of(world, event, ended)
        elif isinstance(entry, Announce) and isinstance(entry.event, BarrierPassed):
            passed = entry.event
            jobs, enough = counted[passed.play, passed.batch, passed.wave]
            assert was_let_go(world, passed) or len(jobs & ended) >= enough


def steps_of(world: World, play: int, batch: int, wave: int) -> list[Step]:
    return [world.plan.steps[index] for index in world.plan.plays[play].batches[batch].waves[wave]]


def jobs_of(world: World, play: int, batch: int, wave: int) -> set[Job]:
    """Without those of ``run_once`` steps."""
    steps = [step for step in steps_of(world, play, batch, wave) if not step.task.run_once]
    return {Job(step.index, host) for step in steps for host in step.hosts}


def done_once(world: World, play: int, batch: int, wave: int) -> set[Job]:
    """The jobs of ``run_once`` steps, each on the host that did it for all in the end."""
    steps = [step for step in steps_of(world, play, batch, wave) if step.task.run_once]
    jobs = {Job(step.index, host) for step in steps for host in step.hosts}
    return {job for job in jobs if world.state.status(job) is not Status.PENDING}


def quorum_of(world: World, event: WaveReleased, ended: set[Job]) -> tuple[set[Job], int]:
    """The jobs that may count at the barrier, and how many of them must have ended at least.

    Hosts that are behind don't count. Of those whose only open job is a ``run_once`` one no one knows here: whether
    that host was chosen by then is not in the log.
    """
    where = event.play, event.batch
    earlier = [job for wave in range(event.wave) for job in jobs_of(world, *where, wave) - ended]
    behind = {job.host for job in earlier}
    maybe = {job.host for wave in range(event.wave) for job in done_once(world, *where, wave) - ended}
    once = done_once(world, *where, event.wave)
    jobs = {job for job in jobs_of(world, *where, event.wave) if job.host not in behind} | once
    count = len({job for job in jobs if job in once or job.host not in maybe})
    barrier = world.plan.plays[event.play].batches[event.batch].barriers[event.wave]
    return jobs, min(count, barrier.quorum.at_least(count))


def was_let_go(world: World, passed: BarrierPassed) -> bool:
    """Whether what was open may catch up, so that the barrier doesn't wait for it.

    ``run_once`` jobs for which no host was chosen yet are not named as late, but aren't waited for either.
    """
    where = passed.play, passed.batch, passed.wave
    barrier = world.plan.plays[passed.play].batches[passed.batch].barriers[passed.wave]
    said = [event for event in world.announced if isinstance(event, (WaveReleased, JobsLate))]
    mine = [event for event in said if (event.play, event.batch, event.wave) == where and event.at <= passed.at]
    over = barrier.deadline is not None and passed.at >= mine[0].at + barrier.deadline
    return barrier.late is Late.CATCH_UP and (over or len(mine) > 1)


def assert_in_order(world: World, job: Job, ended: set[Job]) -> None:
    step = world.plan.steps[job.step]
    if world.plan.plays[step.play].play.strategy is Strategy.FREE:
        return
    for wave in range(step.wave):
        assert not {other for other in jobs_of(world, step.play, step.batch, wave) - ended if other.host == job.host}
