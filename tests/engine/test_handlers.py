"""Handlers run on the hosts that notified them since they ran there, at the next flush point, and nowhere else."""

from __future__ import annotations

import dataclasses

from hypothesis import given, settings
from msgspec.structs import replace
from support.worlds import Hand, P, T, World, build, worlds

from drumline.engine.instructions import Announce
from drumline.model.event import InterruptRequested, JobFinished, JobsAbandoned, JobsStarted, PlayStopped, Urgency
from drumline.model.outcome import Status
from drumline.model.playbook import BlockPart, MetaTask, Strategy, TriggerRule

FAILED, CHANGED, SKIPPED = Status.FAILED, Status.CHANGED, Status.SKIPPED
AB = ("a", "b")
TASKS = BlockPart.TASKS


def play(**fields: object) -> P:
    """``t0`` notifies both handlers, which are due at ``t1`` and ``t2``; ``t3`` comes after them."""
    tasks = [
        T(AB, notify=[0, 1]),
        T(AB, [0], handler=0, inside=(0, TASKS)),
        T(AB, [1, 0], handler=1, inside=(0, TASKS)),
        T(AB, [0], needs_blocks=[0]),
    ]
    return P(tasks, blocks=[None], **fields)  # type: ignore[arg-type]


def test_a_handler_runs_where_it_was_notified() -> None:
    run = Hand(build(play()))
    run.end(1, "t0", "a", status=CHANGED)
    run.end(1, "t0", "b")
    assert (run.status("t1", *AB), run.status("t2", *AB)) == ("running unneeded", "pending pending")
    run.end(2, "t1", "a")
    run.end(3, "t2", "a")
    assert run.status("t3", *AB) == "running running"


def test_handlers_that_no_one_notified_end_at_once_and_are_not_counted() -> None:
    run = Hand(build(play()))
    run.end(1, "t0", *AB)
    assert run.status("t1", *AB) == run.status("t2", *AB) == "unneeded unneeded"
    assert run.status("t3", *AB) == "running running"
    assert {event.status for event in run.heard(JobsAbandoned)} == {Status.UNNEEDED}
    assert run.state.counts() == {"ok": 2, "running": 2}


def test_only_a_change_notifies() -> None:
    for status in (Status.OK, SKIPPED):
        run = Hand(build(play()))
        run.end(1, "t0", *AB, status=status)
        assert run.status("t1", *AB) == "unneeded unneeded"


def test_what_was_notified_is_used_up_when_the_handler_runs() -> None:
    tasks = [T(AB, notify=[0]), T(AB, [0], handler=0), T(AB, [1], notify=[0]), T(AB, [2], handler=0)]
    run = Hand(build(P(tasks)))
    run.end(1, "t0", *AB, status=CHANGED)
    run.end(2, "t1", *AB, status=CHANGED)
    run.end(3, "t2", "a", status=CHANGED)
    run.end(3, "t2", "b")
    assert run.status("t3", *AB) == "running unneeded"


def test_a_handler_notifies_later_ones_for_this_flush_and_earlier_ones_for_the_next() -> None:
    tasks = [
        T(AB, notify=[1]),
        T(AB, [0], handler=0),
        T(AB, [1], handler=1, notify=[0, 2]),
        T(AB, [2], handler=2),
        T(AB, [3], handler=0),
    ]
    run = Hand(build(P(tasks)))
    run.end(1, "t0", *AB, status=CHANGED)
    assert run.status("t1", *AB) == "unneeded unneeded"
    run.end(2, "t2", "a", status=CHANGED)
    run.end(2, "t2", "b")
    assert run.status("t3", *AB) == "running unneeded"
    run.end(3, "t3", "a")
    assert run.status("t4", *AB) == "running unneeded"


def test_a_host_that_failed_runs_no_handlers_and_what_comes_after_them_is_abandoned() -> None:
    tasks = [T(AB, notify=[0]), T(AB, [0]), T(AB, [1], handler=0), T(AB, [2, 1])]
    run = Hand(build(P(tasks)))
    run.end(1, "t0", *AB, status=CHANGED)
    run.end(2, "t1", "a", status=FAILED)
    run.end(2, "t1", "b")
    assert run.status("t2", *AB) == "abandoned running"
    run.end(3, "t2", "b")
    assert run.status("t3", *AB) == "abandoned running"


def test_a_handler_that_fails_keeps_the_others_of_its_host_from_running() -> None:
    run = Hand(build(play()))
    run.end(1, "t0", *AB, status=CHANGED)
    run.end(2, "t1", "a", status=FAILED)
    run.end(2, "t1", "b")
    assert run.status("t2", *AB) == "abandoned running"
    run.end(3, "t2", "b")
    assert run.status("t3", *AB) == "abandoned running"


def forced(limit: float | None = None) -> P:
    """``t0`` notifies, ``t1`` may fail, and the handlers ``t2`` and ``t3`` run all the same."""
    tasks = [
        T(AB, notify=[0, 1]),
        T(AB, [0]),
        T(AB, [1], TriggerRule.ALL_DONE, handler=0, inside=(0, TASKS)),
        T(AB, [2, 1], TriggerRule.ALL_DONE, handler=1, inside=(0, TASKS)),
        T(AB, [1], needs_blocks=[0]),
    ]
    return P(tasks, blocks=[None], force_handlers=True, max_fail_percentage=limit)


def test_forced_handlers_run_on_hosts_that_failed() -> None:
    run = Hand(build(forced()))
    run.end(1, "t0", *AB, status=CHANGED)
    run.end(2, "t1", "a", status=FAILED)
    run.end(2, "t1", "b")
    assert run.status("t2", *AB) == "running running"
    run.end(3, "t2", "a", status=FAILED)
    run.end(3, "t2", "b")
    assert run.status("t3", *AB) == "abandoned running"
    run.end(4, "t3", "b")
    assert run.status("t4", *AB) == "abandoned running"


def test_forced_handlers_do_not_run_on_hosts_that_can_not_be_reached() -> None:
    run = Hand(build(forced()))
    run.end(1, "t0", *AB, status=CHANGED)
    run.end(2, "t1", "a", status=Status.UNREACHABLE)
    run.end(2, "t1", "b")
    assert run.status("t2", *AB) == "abandoned running"


def test_forced_handlers_run_although_the_play_was_stopped() -> None:
    for strategy in Strategy:
        run = Hand(build(replaced(forced(0), strategy)))
        run.end(1, "t0", *AB, status=CHANGED)
        run.end(2, "t1", "b")
        run.end(2, "t1", "a", status=FAILED)
        assert run.heard(PlayStopped)
        assert run.status("t2", *AB) == "running running"
        run.end(3, "t2", *AB)
        run.end(4, "t3", *AB)
        assert run.status("t4", *AB) == "abandoned abandoned"
        assert run.state.finished


def replaced(play: P, strategy: Strategy) -> P:
    return dataclasses.replace(play, strategy=strategy)


def test_nothing_is_forced_when_the_run_is_interrupted() -> None:
    run = Hand(build(forced()))
    run.end(1, "t0", *AB, status=CHANGED)
    run.interrupt(2, Urgency.NOW)
    run.end(3, "t1", *AB, status=Status.CANCELLED)
    assert run.status("t2", *AB) == run.status("t3", *AB) == "cancelled cancelled"


def test_a_flush_may_be_left_out_on_a_host_and_what_was_notified_waits_for_the_next() -> None:
    gate = T(AB, [0], inside=(0, TASKS))
    tasks = [T(AB, notify=[0]), gate, T(AB, [1, 0], handler=0, inside=(0, TASKS)), T(AB, [2, 0], handler=0)]
    plan = build(P(tasks, blocks=[None]))
    steps = [*plan.steps]
    steps[1] = replace(steps[1], task=replace(steps[1].task, meta=MetaTask.FLUSH_HANDLERS))
    run = Hand(replace(plan, steps=tuple(steps)))
    run.end(1, "t0", *AB, status=CHANGED)
    run.end(2, "t1", "a", status=SKIPPED)
    run.end(2, "t1", "b")
    assert run.status("t2", *AB) == "unneeded running"
    run.end(3, "t2", "b")
    assert run.status("t3", *AB) == "running unneeded"


def test_a_handler_that_runs_once_runs_on_the_first_host_that_notified_it() -> None:
    tasks = [T("abc", notify=[0]), T("abc", [0], handler=0, run_once=True), T("abc", [1], handler=0)]
    run = Hand(build(P(tasks)))
    run.end(1, "t0", "a")
    run.end(1, "t0", "b", "c", status=CHANGED)
    assert (run.status("t1", "b"), run.status("t1", "c")) == ("running", "pending")
    run.end(2, "t1", "b")
    assert run.status("t2", *"abc") == "unneeded unneeded unneeded"


def test_batches_have_notifications_of_their_own() -> None:
    run = Hand(build(play(batches=2)))
    run.end(1, "t0", "a", status=CHANGED)
    run.end(2, "t1", "a")
    run.end(3, "t2", "a")
    run.end(4, "t3", "a")
    run.end(5, "t0", "b")
    assert (run.status("t1", "b"), run.status("t3", "b")) == ("unneeded", "running")


def test_a_failed_host_that_a_rescue_takes_back_still_runs_its_handlers() -> None:
    tasks = [
        T("a", notify=[0]),
        T("a", [0], inside=(0, TASKS)),
        T("a", [1], handler=0, inside=(0, TASKS)),
        T("a", [], inside=(0, BlockPart.RESCUE)),
        T("a", [], needs_blocks=[0], handler=0),
    ]
    run = Hand(build(P(tasks, blocks=[None])))
    run.end(1, "t0", "a", status=CHANGED)
    run.end(2, "t1", "a", status=FAILED)
    assert run.status("t2", "a") == "abandoned"
    run.end(3, "t3", "a")
    assert run.status("t4", "a") == "running"


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_handlers_run_only_where_something_has_notified_them(world: World) -> None:
    """Read literally: each start of a handler uses up what its host, or with run_once any host, has notified before."""
    world.run()
    notified: set[tuple[int, int, int, str]] = set()
    for entry in world.log:
        if isinstance(entry, JobFinished):
            step = world.plan.steps[entry.job.step]
            notified |= {(step.play, step.batch, int(name), entry.job.host) for name in entry.notified}
        elif isinstance(entry, JobsStarted):
            for step, host in ((world.plan.steps[job.step], job.host) for job in entry.jobs):
                if step.task.handler is not None:
                    assert (step.play, step.batch, step.task.handler, host) in notified


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_handlers_that_nothing_notifies_leave_no_trace(world: World) -> None:
    tasks = [replace(step.task, notify=()) for step in world.plan.steps]
    steps = tuple(replace(step, task=task) for step, task in zip(world.plan.steps, tasks, strict=True))
    world.plan = replace(world.plan, steps=steps)
    world.run()
    handlers = {step.index for step in world.plan.steps if step.task.handler is not None}
    assert not {job.step for job in world.started} & handlers
    told = [entry.event for entry in world.log if isinstance(entry, Announce)]
    ended = [event for event in told if isinstance(event, JobsAbandoned)]
    allowed = {Status.UNNEEDED, Status.CANCELLED} if world.exit_status == 130 else {Status.UNNEEDED}
    assert {event.status for event in ended if {job.step for job in event.jobs} & handlers} <= allowed


def test_an_interrupt_ends_handlers_that_were_notified_as_cancelled() -> None:
    run = Hand(build(play()))
    run.feed(InterruptRequested(at=0.5, urgency=Urgency.AFTER_WAVE))
    run.end(1, "t0", "a", status=CHANGED)
    run.end(1, "t0", "b")
    assert run.status("t1", *AB) == "cancelled cancelled"  # whether they are notified was open when it came
