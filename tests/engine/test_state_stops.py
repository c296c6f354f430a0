"""When plays stop: limits on failures, canaries, hosts that have to stay available; and holds at an interrupt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.worlds import Hand, P, T, World, build, chain, worlds

from drumline.engine.instructions import Announce
from drumline.model.cause import Because, Cause
from drumline.model.event import (
    ApprovalGiven,
    ApprovalRequested,
    FailuresPending,
    FailuresSettled,
    InterruptRequested,
    JobFinished,
    JobsAbandoned,
    JobsLate,
    JobsStarted,
    JobWaiting,
    PlayStopped,
    RunFinished,
    Urgency,
    WaveReleased,
)
from drumline.model.outcome import Status
from drumline.model.plan import Job, Keep, Need
from drumline.model.playbook import Amount, Barrier, Late, Strategy

TEN = [f"h{number}" for number in range(10)]


def reasons(run: Hand) -> list[str]:
    return [event.reason for event in run.heard(PlayStopped)]


def test_any_errors_fatal_says_which_task_failed_where() -> None:
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]), any_errors_fatal=True)))
    run.end(1, "t0", "b", status=Status.FAILED)
    assert not reasons(run)  # the wave ends first
    run.end(2, "t0", "a")
    [stopped] = run.heard(PlayStopped)
    assert stopped == PlayStopped(
        at=2,
        play=0,
        batch=0,
        reason="'t0' failed on b, and any_errors_fatal lets nothing fail",
        cause=Cause(Because.FAILURE, Job(0, "b")),
    )
    assert run.status("t1", "a", "b") == "abandoned abandoned"


@pytest.mark.parametrize(("failed", "stops"), [(2, False), (3, True)])
def test_max_fail_percentage_is_the_share_that_may_fail(failed: int, stops: bool) -> None:
    """As in Ansible: the play stops when it is exceeded, not when it is reached."""
    run = Hand(build(P(chain(TEN, TEN), max_fail_percentage=20)))
    run.end(1, "t0", *TEN[:failed], status=Status.UNREACHABLE)
    run.end(2, "t0", *TEN[failed:])
    expected = ["3 of 10 hosts failed (30%, and max_fail_percentage is 20): h0, h1, h2"]
    assert reasons(run) == (expected if stops else [])
    assert run.status("t1", "h9") == ("abandoned" if stops else "running")


def test_max_fail_percentage_counts_hosts_of_the_batch_over_all_its_waves() -> None:
    run = Hand(build(P(chain(TEN, TEN, TEN), max_fail_percentage=20, batches=2)))
    first = TEN[::2]
    run.end(1, "t0", first[0], status=Status.FAILED)
    run.end(2, "t0", *first[1:])
    assert not reasons(run)  # 1 of 5
    run.end(3, "t1", first[1], status=Status.FAILED)
    run.end(4, "t1", *first[2:])
    assert reasons(run) == ["2 of 5 hosts failed (40%, and max_fail_percentage is 20): h0, h2"]
    assert run.status("t0", *TEN[1::2]) == " ".join(["abandoned"] * 5)
    assert run.heard(JobsAbandoned)[-1].reason == reasons(run)[0]


def test_zero_percent_lets_nothing_fail() -> None:
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]), max_fail_percentage=0)))
    run.end(1, "t0", "a", status=Status.FAILED)
    run.end(1, "t0", "b")
    assert len(reasons(run)) == 1


def test_an_ignored_failure_breaks_no_limit() -> None:
    plan = build(P(chain(["a", "b"], ["a", "b"]), max_fail_percentage=0, any_errors_fatal=True, canary=True))
    world = World(plan, outcomes={("t0", "a"): Status.FAILED}, ignored=frozenset({("t0", "a")})).run()
    assert world.statuses("t1") == {"a": "ok", "b": "ok"}


def test_with_free_a_limit_holds_at_once() -> None:
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]), strategy=Strategy.FREE, max_fail_percentage=0)))
    run.end(1, "t0", "a", status=Status.FAILED)
    assert len(reasons(run)) == 1
    run.end(2, "t0", "b")
    assert run.status("t1", "b") == "abandoned"


def test_nothing_may_fail_in_a_canary_batch() -> None:
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]), batches=2, canary=True)))
    run.end(1, "t0", "a", status=Status.UNREACHABLE)
    assert reasons(run) == ["the canary batch lets nothing fail: 1 of its 1 hosts failed: a"]
    assert run.status("t0", "b") == "abandoned"


def test_a_failure_outside_the_canarys_own_hosts_counts_too() -> None:
    tasks = [T(["a", "b"]), T(["db"], needs=[0])]
    plan = build(P(tasks, batches=2, canary=True))
    run = Hand(plan)
    run.end(1, "t0", "a")
    run.end(2, "t1", "db", status=Status.FAILED)
    assert reasons(run)[0].startswith("the canary batch lets nothing fail")


def test_what_fails_after_the_canary_stops_nothing() -> None:
    run = Hand(build(P(chain(["a", "b", "c", "d"], ["a", "b", "c", "d"]), batches=2, canary=True)))
    run.end(1, "t0", "a", "c")
    run.end(2, "t1", "a", "c")
    run.end(3, "t0", "b", status=Status.FAILED)
    run.end(4, "t0", "d")
    assert not reasons(run)
    assert run.status("t1", "d") == "running"


def test_no_batch_follows_one_that_no_host_got_through() -> None:
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]), batches=2)))
    run.end(1, "t0", "a", status=Status.FAILED)
    assert reasons(run) == ["the only host of the batch dropped out, so that no other batch is begun"]
    assert run.status("t0", "b") == "abandoned"
    assert run.state.finished


@pytest.mark.parametrize("limit", [{"max_fail_percentage": 0}, {"any_errors_fatal": True}, {"canary": True}])
def test_no_batch_follows_one_whose_limit_was_broken_by_a_host_that_caught_up(limit: dict[str, Any]) -> None:
    """All barriers of the first batch have passed when ``c`` fails."""
    barrier = Barrier(deadline=10, late=Late.CATCH_UP)
    run = Hand(build(P([T(["a", "b", "c", "d"])], batches=2, barrier=barrier, **limit)))
    run.end(1, "t0", "a")
    run.wake()
    assert not reasons(run)
    run.end(20, "t0", "c", status=Status.FAILED)
    assert len(reasons(run)) == 1
    assert run.status("t0", "b", "d") == "abandoned abandoned"


def test_a_host_that_came_through_while_a_limit_held_the_barrier_back_is_excused_no_more() -> None:
    """``e`` is being stopped when ``d`` is late and may catch up: one more failure would break the limit."""
    hosts = ["a", "b", "c", "d", "e"]
    barriers = [Barrier(quorum=Amount(4)), Barrier(deadline=10, late=Late.CATCH_UP), Barrier(deadline=10)]
    needs: list[list[int]] = [[], [0], [1]]
    tasks = [T(hosts, need, barrier=barrier) for need, barrier in zip(needs, barriers, strict=True)]
    run = Hand(build(P(tasks, max_fail_percentage=40)))
    run.end(1, "t0", "a", "b", "c", "d")
    run.end(2, "t1", "a", "b", status=Status.FAILED)
    run.end(3, "t1", "c")
    run.wake()
    run.end(12, "t1", "d")
    assert run.status("t2", "d") == "pending"  # the barrier waits for e
    run.end(13, "t0", "e")
    assert run.status("t2", "d") == "running"
    run.wake()
    assert ("t2", "d") in run.stops


def test_the_last_batch_stops_nothing_when_all_of_it_fails() -> None:
    run = Hand(build(P([T(["a"])]), P([T(["b"])], needs=[0])))
    run.end(1, "t0", "a", status=Status.FAILED)
    assert not reasons(run)


def keeping(least: int, tasks: list[T], *hosts: str, batches: int = 3, **play: Any) -> Hand:
    keep = [Keep(group="app", least=least, hosts=hosts)]
    return Hand(build(P(tasks, batches=batches, keep=keep, **play)))


def test_a_batch_is_not_opened_when_too_few_hosts_would_be_left() -> None:
    six = TEN[:6]
    run = keeping(4, chain(six, six), *six)
    run.end(1, "t0", "h0", status=Status.FAILED)
    run.end(2, "t0", "h3")
    run.end(3, "t1", "h3")
    assert reasons(run) == ["app: 3 of 6 hosts would be left, and 4 have to be; lost: h0"]
    assert run.heard(PlayStopped)[0].cause == Cause(Because.FAILURE, Job(0, "h0"))
    assert run.status("t0", "h1", "h2", "h4", "h5") == " ".join(["abandoned"] * 4)


def test_hosts_outside_the_play_are_left_too() -> None:
    run = keeping(4, chain(TEN[:6], TEN[:6]), *TEN[:7])
    run.end(1, "t0", "h0", status=Status.FAILED)
    run.end(2, "t0", "h3")
    run.end(3, "t1", "h3")
    assert not reasons(run)
    assert run.status("t0", "h1", "h4") == "running running"


def test_what_failed_in_another_play_and_what_was_dropped_is_not_available() -> None:
    keep = [Keep(group="app", least=2, hosts=("a", "b", "c"))]
    barrier = Barrier(deadline=10, late=Late.DROP)
    run = Hand(build(P([T(["c"])], barrier=barrier), P([T(["a", "b"])], needs=[0], keep=keep, batches=2)))
    run.wake()
    run.end(11, "t0", "c", status=Status.SKIPPED)
    assert reasons(run) == ["app: 1 of 3 hosts would be left, and 2 have to be; lost: c"]
    assert run.heard(RunFinished)[0].exit_status == 2  # nothing failed, but not everything was done


def test_keep_available_holds_before_each_wave() -> None:
    keep = [Keep(group="app", least=1, hosts=("a", "x"))]
    run = Hand(build(P([T(["x"])]), P(chain(["a"], ["a"]), keep=keep)))
    run.end(1, "t0", "x", status=Status.FAILED)
    run.end(2, "t0", "a")
    assert reasons(run) == ["app: 0 of 2 hosts would be left, and 1 have to be; lost: x"]
    assert run.status("t1", "a") == "abandoned"


def test_plays_at_once_that_keep_the_same_hosts_available_take_turns() -> None:
    six = TEN[:6]
    keep = [Keep(group="app", least=4, hosts=tuple(six))]
    run = Hand(build(P([T(six)], batches=3, keep=keep), P([T(six[::-1])], batches=3, keep=keep), P([T(six)])))
    assert [(event.play, event.batch) for event in run.heard(WaveReleased)] == [(0, 0), (2, 0)]
    for number in range(3):  # the one that is under way goes on first
        run.end(number, "t0", six[number], six[number + 3])
    assert [(event.play, event.batch) for event in run.heard(WaveReleased)][2:] == [(0, 1), (0, 2), (1, 0)]
    assert not reasons(run)


def test_plays_at_once_do_not_wait_for_each_other_for_ever() -> None:
    """The last play has taken ``b`` out, and needs the task of the play that waits for ``b`` to come back."""
    keep = [Keep(group="app", least=1, hosts=("a", "b"))]
    plan = build(P([T(["x"])]), P([T(["a"])], needs=[0], keep=keep), P(chain(["b"], ["b"]), keep=keep))
    last = replace(plan.steps[3], needs=(Need(step=1), Need(step=2)))
    run = Hand(replace(plan, steps=(*plan.steps[:3], last)))
    run.end(1, "t0", "x")
    run.end(2, "t0", "b")
    assert run.state.finished
    assert reasons(run) == ["too few hosts would be left, since a play that took some out waits for this one"]
    assert run.status("t0", "a") == "abandoned"
    assert run.heard(RunFinished)[0].exit_status == 2


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_keep_available_holds_at_every_release_whatever_fails(world: World) -> None:
    assert_available(world)


@settings(max_examples=60, deadline=None)
@given(worlds(), st.lists(st.integers(2, 4), min_size=2, max_size=3), st.integers(2, 4))
def test_keep_available_holds_for_plays_at_once(world: World, batches: list[int], least: int) -> None:
    keep = [Keep(group="app", least=least, hosts=tuple(TEN[:6]))]
    world.plan = build(*[P(chain(TEN[:6], TEN[:6]), batches=count, keep=keep) for count in batches])
    assert_available(world)


def assert_available(world: World) -> None:
    world.together = 1  # so that the log tells what failed before a release and what after it
    world.run()
    failed: set[Job] = set()  # but for what is pending, or was rescued
    late: set[str] = set()
    ended: set[Job] = set()
    opened: dict[int, int] = {}  # play to batch
    for entry in world.log:
        if isinstance(entry, JobFinished):
            ended.add(entry.job)
            lost = not entry.ignored and entry.status in (Status.FAILED, Status.UNREACHABLE)
            failed |= {entry.job} if lost else set()
        elif isinstance(entry, Announce) and isinstance(entry.event, JobsAbandoned):
            ended |= set(entry.event.jobs)
            failed |= set(entry.event.jobs) if entry.event.status is Status.FAILED else set()
        elif isinstance(entry, Announce) and isinstance(entry.event, FailuresPending):
            failed -= set(entry.event.jobs)
        elif isinstance(entry, Announce) and isinstance(entry.event, FailuresSettled):
            failed |= set() if entry.event.rescued else set(entry.event.jobs)
        elif isinstance(entry, Announce) and isinstance(entry.event, JobsLate) and entry.event.late is Late.DROP:
            late |= {job.host for job in entry.event.jobs} & dropped(world)
        elif isinstance(entry, Announce) and isinstance(entry.event, WaveReleased):
            event = entry.event
            others = opened.keys() - {event.play} if event.wave == 0 else set()
            taken = [taken_out(world, play, opened[play], ended) for play in others]
            opened[event.play] = event.batch
            gone = late | {job.host for job in failed}
            for keep in world.plan.plays[event.play].keep:
                hosts = world.plan.plays[event.play].batches[event.batch].hosts
                assert len(set(keep.hosts).difference(gone, hosts, *taken)) >= keep.least


def taken_out(world: World, play: int, batch: int, ended: set[Job]) -> set[str]:
    """The hosts of a batch that is not over, in groups of which its play keeps others available."""
    steps = [step for step in world.plan.steps if (step.play, step.batch) == (play, batch)]
    jobs = sum(1 if step.task.run_once and step.hosts else len(step.hosts) for step in steps)
    if jobs == len({job for job in ended for step in steps if job.step == step.index}):
        return set()
    kept = {host for keep in world.plan.plays[play].keep for host in keep.hosts}
    return kept & set(world.plan.plays[play].batches[batch].hosts)


def dropped(world: World) -> set[str]:
    """Hosts that left a play: what was late before a host was chosen (``run_once``) drops none."""
    found = [event for event in world.announced if isinstance(event, JobsAbandoned)]
    told = {job.host for event in found if event.status is Status.SKIPPED for job in event.jobs}
    return told | {job.host for job, status in world.stopped.items() if status is Status.SKIPPED}


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_nothing_of_a_play_that_stopped_starts_any_more(world: World) -> None:
    world.run()
    stopped: set[int] = set()
    for entry in world.log:
        if isinstance(entry, Announce) and isinstance(entry.event, PlayStopped):
            assert entry.event.play not in stopped
            stopped.add(entry.event.play)
        elif isinstance(entry, JobsStarted):
            steps = [world.plan.steps[job.step] for job in entry.jobs]
            forced = {
                step.play
                for step in steps
                if step.task.handler is not None and world.plan.plays[step.play].play.force_handlers
            }
            assert not ({step.play for step in steps} - forced) & stopped


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_throttle_holds_at_every_moment(world: World) -> None:
    world.run()
    running: set[Job] = set()
    for entry in world.log:
        if isinstance(entry, JobsStarted):
            running |= set(entry.jobs)
        elif isinstance(entry, JobFinished):
            running.discard(entry.job)
        for step in world.plan.steps:
            if step.task.throttle:
                assert sum(job.step == step.index for job in running) <= step.task.throttle


def test_a_throttled_task_keeps_its_places_busy_and_others_go_past_it() -> None:
    hosts = ["a", "b", "c", "d"]
    run = Hand(build(P([T(hosts, throttle=2), T(hosts)])))
    assert run.status("t0", *hosts) == "running running ready ready"
    assert run.status("t1", *hosts) == "running running running running"
    run.end(1, "t0", "b")
    assert run.status("t0", *hosts) == "running ok running ready"
    run.end(2, "t0", "a", "c")
    assert run.status("t0", "d") == "running"


def test_a_host_that_is_lost_makes_room_in_a_throttled_task() -> None:
    hosts = ["a", "b", "c"]
    run = Hand(build(P([T(hosts), T(hosts, throttle=1)])), sessions=1, forks=2)
    assert run.status("t1", *hosts) == "ready ready ready"
    run.end(1, "t0", "a", status=Status.UNREACHABLE)
    run.end(2, "t0", "b")
    assert run.status("t1", *hosts) == "abandoned running ready"


# Holds.


def asking() -> Hand:
    run = Hand(build(P([T(["a"]), T(["b"])])))
    run.feed(ApprovalRequested(at=1, job=Job(0, "a"), message="Go on?"))
    return run


def test_nobody_is_asked_any_more_once_the_run_is_interrupted() -> None:
    run = asking()
    run.interrupt(2)
    assert run.stops == {("t0", "a"): ("cancelled", "")}  # and b runs to its end
    run.end(3, "t0", "a", status=Status.CANCELLED)
    run.end(4, "t1", "b")
    assert run.state.finished


def test_an_answered_question_is_no_hold() -> None:
    run = asking()
    run.feed(ApprovalGiven(at=2, job=Job(0, "a"), approved=True, by="ops@desk"))
    run.interrupt(3)
    assert not run.stops


def test_a_question_that_comes_after_the_interrupt_is_not_asked() -> None:
    run = Hand(build(P([T(["a"])])))
    run.interrupt(1)
    run.feed(ApprovalRequested(at=2, job=Job(0, "a"), message="Go on?"))
    assert run.stops == {("t0", "a"): ("cancelled", "")}


def test_waiting_changes_nothing() -> None:
    run = Hand(build(P([T(["a"])])))
    run.feed(JobWaiting(at=1, job=Job(0, "a"), reason="for port 22"))
    run.feed(InterruptRequested(at=2, urgency=Urgency.AFTER_WAVE))
    assert run.status("t0", "a") == "running"
    assert not run.stops


def test_a_job_that_did_not_answer_when_it_was_stopped_has_failed() -> None:
    run = Hand(build(P([T(["a"])], barrier=Barrier(deadline=10))))
    run.wake()
    run.end(25, "t0", "a", status=Status.UNKNOWN)
    assert run.state.finished
    assert run.heard(RunFinished)[0].exit_status == 2
