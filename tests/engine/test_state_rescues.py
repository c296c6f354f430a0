"""Failures in blocks: pending until the rescue has ended, then rescued, or counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from support.worlds import Hand, P, T, World, build, worlds

from drumline.engine.instructions import Announce
from drumline.model.cause import Because
from drumline.model.event import (
    FailuresPending,
    FailuresSettled,
    JobFinished,
    JobsAbandoned,
    JobsStarted,
    PlayStopped,
    RunFinished,
    Urgency,
)
from drumline.model.outcome import FINAL, Status
from drumline.model.plan import Job, places_of
from drumline.model.playbook import BlockPart, Strategy

FAILED = Status.FAILED
EXAMPLES = settings(max_examples=60, deadline=None)


def play(*, hosts: Sequence[str] = ("a", "b"), parent: tuple[int, BlockPart] | None = None, **options: Any) -> P:
    """``t0`` to ``t1`` in the tasks of a block, ``t2`` in its rescue, ``t3`` always, ``t4`` after the block."""
    tasks = [
        T(hosts, inside=(0, BlockPart.TASKS)),
        T(hosts, needs=[0], inside=(0, BlockPart.TASKS)),
        T(hosts, inside=(0, BlockPart.RESCUE)),
        T(hosts, inside=(0, BlockPart.ALWAYS)),
        T(hosts, needs_blocks=[0]),
    ]
    return P(tasks, blocks=[parent], **options)


def ends(run: Hand) -> RunFinished:
    [finished] = run.heard(RunFinished)
    return finished


def settled(run: Hand) -> list[tuple[list[tuple[str, str]], bool]]:
    return [([run.key(job) for job in event.jobs], event.rescued) for event in run.heard(FailuresSettled)]


def test_a_rescue_makes_up_for_a_failure_and_the_host_goes_on() -> None:
    run = Hand(build(play(max_fail_percentage=0.0), P([T(["a", "b"])], needs=[0])))
    run.end(1, "t0", "a", status=FAILED)
    assert [event.jobs for event in run.heard(FailuresPending)] == [(Job(0, "a"),)]
    assert run.status("t1", "a") == "pending"  # its wave hasn't been released
    run.end(2, "t0", "b")
    assert run.status("t1", "a", "b") == "abandoned running"
    run.end(3, "t1", "b")
    assert run.status("t2", "a", "b") == "running unneeded"
    run.end(4, "t2", "a")
    assert settled(run) == [([("t0", "a")], True)]
    assert run.status("t0", "a") == "rescued"
    run.end(5, "t3", "a", "b")
    run.end(6, "t4", "a", "b")
    assert run.status("t4", "a", "b") == "ok ok"
    run.feed(*[JobFinished(at=7, job=Job(5, host), status=Status.OK) for host in ("a", "b")])
    assert not run.heard(PlayStopped)
    assert ends(run).exit_status == 0
    assert ends(run).counts == {"abandoned": 1, "ok": 9, "rescued": 1}


def test_where_the_rescue_fails_both_failures_count() -> None:
    run = Hand(build(play(max_fail_percentage=10.0)))
    run.end(1, "t0", "a", status=FAILED)
    run.end(1, "t0", "b")
    run.end(2, "t1", "b")
    run.end(3, "t2", "a", status=FAILED)
    assert settled(run) == [([("t0", "a")], False)]
    [stopped] = run.heard(PlayStopped)
    assert stopped.reason.startswith("1 of 2 hosts failed")
    assert ends(run).exit_status == 2


def test_always_runs_where_the_rescue_failed_and_what_needs_the_block_does_not() -> None:
    run = Hand(build(play()))
    run.end(1, "t0", "a", status=FAILED)
    run.end(1, "t0", "b")
    run.end(2, "t1", "b")
    run.end(3, "t2", "a", status=FAILED)
    assert run.status("t3", "a", "b") == "running running"
    run.end(4, "t3", "a", "b")
    assert run.status("t4", "a", "b") == "abandoned running"
    run.end(5, "t4", "b")
    assert ends(run).exit_status == 2


def test_a_block_that_never_began_on_a_host_has_neither_rescue_nor_always_there() -> None:
    before = T(["a", "b"])
    inside = [
        T(["a", "b"], needs=[0], inside=(0, BlockPart.TASKS)),
        T(["a", "b"], inside=(0, BlockPart.RESCUE)),
        T(["a", "b"], inside=(0, BlockPart.ALWAYS)),
    ]
    run = Hand(build(P([before, *inside], blocks=[None])))
    run.end(1, "t0", "a", status=FAILED)
    run.end(1, "t0", "b")
    run.end(2, "t1", "b")
    assert run.status("t1", "a") == "abandoned"
    assert run.status("t2", "a", "b") == "unneeded unneeded"
    assert run.status("t3", "a", "b") == "abandoned running"


def test_a_host_that_cannot_be_reached_runs_neither_part() -> None:
    run = Hand(build(play()))
    run.end(1, "t0", "a", status=Status.UNREACHABLE)
    run.end(1, "t0", "b")
    run.end(2, "t1", "b")
    assert run.status("t2", "a", "b") == "abandoned unneeded"
    assert run.status("t3", "a", "b") == "abandoned running"
    assert not run.heard(FailuresPending)


def test_an_inner_failure_belongs_to_the_block_around_it_when_its_own_rescue_fails() -> None:
    hosts = ["a"]
    tasks = [
        T(hosts, inside=(1, BlockPart.TASKS)),
        T(hosts, inside=(1, BlockPart.RESCUE)),
        T(hosts, inside=(1, BlockPart.ALWAYS)),
        T(hosts, needs_blocks=[1], inside=(0, BlockPart.TASKS)),
        T(hosts, inside=(0, BlockPart.RESCUE)),
        T(hosts, needs_blocks=[0]),
    ]
    run = Hand(build(P(tasks, blocks=[None, (0, BlockPart.TASKS)])))
    run.end(1, "t0", "a", status=FAILED)
    run.end(2, "t1", "a", status=FAILED)
    assert settled(run) == []
    assert run.status("t2", "a") == "running"  # always, though the block around it has failed by now
    run.end(3, "t2", "a")
    assert run.status("t3", "a") == "abandoned"
    run.end(4, "t4", "a")
    assert settled(run) == [([("t1", "a"), ("t0", "a")], True)]
    run.end(5, "t5", "a")
    assert ends(run).exit_status == 0


def test_any_errors_fatal_lets_every_host_enter_the_rescue() -> None:
    run = Hand(build(play(any_errors_fatal=True)))
    run.end(1, "t0", "a", status=FAILED)
    run.end(1, "t0", "b")
    assert run.status("t1", "a", "b") == "abandoned abandoned"
    assert run.status("t2", "a", "b") == "running running"
    run.end(2, "t2", "a", "b")
    run.end(3, "t3", "a", "b")
    run.end(4, "t4", "a", "b")
    assert not run.heard(PlayStopped)
    assert ends(run).exit_status == 0


def test_a_run_once_task_fails_for_all_its_hosts() -> None:
    hosts = ["a", "b"]
    tasks = [
        T(hosts, run_once=True, inside=(0, BlockPart.TASKS)),
        T(hosts, inside=(0, BlockPart.RESCUE)),
        T(hosts, needs_blocks=[0]),
    ]
    run = Hand(build(P(tasks, blocks=[None])))
    run.end(1, "t0", "a", status=FAILED)
    assert run.status("t1", "a", "b") == "running running"
    run.end(2, "t1", "a")
    run.end(2, "t1", "b", status=FAILED)
    assert settled(run) == [([("t0", "a")], True)]
    assert run.status("t2", "a", "b") == "running abandoned"


def test_what_needs_one_task_of_a_block_waits_for_the_rescue() -> None:
    tasks = [
        T(["a"], inside=(0, BlockPart.TASKS)),
        T(["a"], inside=(0, BlockPart.RESCUE)),
        T(["a"], needs=[0]),
        T(["z"], needs=[0]),
    ]
    run = Hand(build(P(tasks, blocks=[None], strategy=Strategy.FREE)))
    run.end(1, "t0", "a", status=FAILED)
    assert run.status("t2", "a") == run.status("t3", "z") == "pending"
    run.end(2, "t1", "a")
    assert run.status("t2", "a") == run.status("t3", "z") == "running"


def test_an_interrupt_leaves_no_failure_pending() -> None:
    run = Hand(build(play()))
    run.end(1, "t0", "a", status=FAILED)
    run.interrupt(2, Urgency.AFTER_WAVE)
    run.end(3, "t0", "b")
    assert settled(run) == [([("t0", "a")], False)]
    assert ends(run).exit_status == 130


def test_what_follows_names_the_failure() -> None:
    run = Hand(build(play()))
    run.end(1, "t0", "a", status=FAILED)
    run.end(1, "t0", "b")
    [abandoned] = run.heard(JobsAbandoned)
    assert abandoned.jobs == (Job(1, "a"),)
    assert (abandoned.cause.kind, abandoned.cause.job) == (Because.FAILURE, Job(0, "a"))


@EXAMPLES
@given(worlds())
def test_every_pending_failure_is_settled_once(world: World) -> None:
    world.run()
    pending = [job for event in world.announced if isinstance(event, FailuresPending) for job in event.jobs]
    found = [job for event in world.announced if isinstance(event, FailuresSettled) for job in event.jobs]
    assert sorted(pending) == sorted(found)
    rescued = {
        job for event in world.announced if isinstance(event, FailuresSettled) and event.rescued for job in event.jobs
    }
    assert all((world.state.status(job) is Status.RESCUED) == (job in rescued) for job in pending)


@EXAMPLES
@given(worlds())
def test_parts_follow_one_another_on_each_host(world: World) -> None:
    """No rescue starts before the tasks have ended there, nor where nothing failed; no always part before both."""
    world.run()
    ended: dict[Job, Status] = {}
    for entry in world.log:
        if isinstance(entry, JobFinished):
            ended[entry.job] = entry.status
        elif isinstance(entry, Announce) and isinstance(entry.event, JobsAbandoned):
            ended |= dict.fromkeys(entry.event.jobs, entry.event.status)
        elif isinstance(entry, JobsStarted):
            for job in entry.jobs:
                assert_parts_before_have_ended(world, job, ended)


def assert_parts_before_have_ended(world: World, job: Job, ended: dict[Job, Status]) -> None:
    plan = world.plan
    for block, part in places_of(plan, plan.steps[job.step].inside):
        before = [
            step
            for step in plan.steps
            for other, its in places_of(plan, step.inside)
            if other == block and its < part and job.host in step.hosts and not step.task.run_once
        ]
        assert all(ended.get(Job(step.index, job.host)) in FINAL for step in before)
        if part is BlockPart.RESCUE and not any(step.task.run_once for step in plan.steps):
            fatal = plan.steps[job.step].task.any_errors_fatal
            assert fatal or {FAILED, Status.ABANDONED, Status.CANCELLED} & {
                ended[Job(step.index, job.host)] for step in before
            }


@pytest.mark.parametrize("rescued", [True, False])
def test_canaries_and_batches_count_what_was_not_rescued(rescued: bool) -> None:
    run = Hand(build(play(hosts=["a", "b"], batches=2, canary=True)))
    run.end(1, "t0", "a", status=FAILED)
    run.end(2, "t2", "a", status=Status.OK if rescued else FAILED)
    assert bool(run.heard(PlayStopped)) is not rescued
