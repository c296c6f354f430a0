"""The rules of needs, plays, batches, waves and interrupts, case by case."""

from __future__ import annotations

import pytest
from support.worlds import P, T, World, build, chain

from drumline.engine.instructions import Announce, StartJobs, Stop
from drumline.engine.state import RunState
from drumline.engine.transitions import IllegalMove
from drumline.model.cause import Because, Cause
from drumline.model.event import (
    BarrierPassed,
    Input,
    InterruptRequested,
    JobFinished,
    JobsAbandoned,
    JobsStarted,
    RunStarted,
    Urgency,
)
from drumline.model.outcome import Status
from drumline.model.plan import Job
from drumline.model.playbook import Start, Strategy, TriggerRule


def test_a_failed_host_drops_out_of_a_chain_and_the_others_go_on() -> None:
    world = World(build(P(chain(["a", "b"], ["a", "b"], ["a", "b"]))), outcomes={("t0", "b"): Status.FAILED}).run()
    assert world.statuses("t1") == {"a": "ok", "b": "abandoned"}
    assert world.statuses("t2") == {"a": "ok", "b": "abandoned"}
    assert world.exit_status == 2


def test_a_need_on_other_hosts_is_decided_by_all_of_them() -> None:
    world = World(build(P(chain(["a", "b"], ["db"], ["a", "b"]))), outcomes={("t0", "b"): Status.FAILED}).run()
    assert world.statuses("t1") == {"db": "abandoned"}
    assert world.statuses("t2") == {"a": "abandoned", "b": "abandoned"}


def test_independent_branches_go_on_after_a_failure() -> None:
    tasks = [T(["a"]), T(["a"]), T(["a"], needs=[0]), T(["a"], needs=[1])]
    world = World(build(P(tasks)), outcomes={("t0", "a"): Status.FAILED}).run()
    assert world.statuses("t2") == {"a": "abandoned"}
    assert world.statuses("t3") == {"a": "ok"}


def test_an_ignored_failure_is_none_for_those_that_need_it() -> None:
    world = World(
        build(P(chain(["a"], ["a"]))),
        outcomes={("t0", "a"): Status.FAILED},
        ignored=frozenset({("t0", "a")}),
    ).run()
    assert world.statuses("t1") == {"a": "ok"}
    assert world.exit_status == 0


def test_an_unreachable_host_drops_out_of_its_play() -> None:
    tasks = [T(["a", "b"]), T(["a", "b"])]
    world = World(build(P(tasks)), sessions=1, outcomes={("t0", "a"): Status.UNREACHABLE}).run()
    assert world.statuses("t1") == {"a": "abandoned", "b": "ok"}
    assert world.exit_status == 4


def test_failed_wins_over_unreachable_in_the_exit_status() -> None:
    outcomes = {("t0", "a"): Status.UNREACHABLE, ("t0", "b"): Status.FAILED}
    assert World(build(P([T(["a", "b"])])), outcomes=outcomes).run().exit_status == 2


@pytest.mark.parametrize(
    ("rule", "ends", "expected"),
    [
        (TriggerRule.NONE_FAILED, (Status.OK, Status.SKIPPED), "ok"),
        (TriggerRule.NONE_FAILED, (Status.OK, Status.FAILED), "abandoned"),
        (TriggerRule.ALL_SUCCESS, (Status.OK, Status.CHANGED), "ok"),
        (TriggerRule.ALL_SUCCESS, (Status.OK, Status.SKIPPED), "skipped"),
        (TriggerRule.ALL_SUCCESS, (Status.OK, Status.FAILED), "abandoned"),
        (TriggerRule.ALL_DONE, (Status.FAILED, Status.SKIPPED), "ok"),
        (TriggerRule.ONE_SUCCESS, (Status.OK, Status.FAILED), "ok"),
        (TriggerRule.ONE_SUCCESS, (Status.FAILED, Status.FAILED), "abandoned"),
        (TriggerRule.ONE_SUCCESS, (Status.SKIPPED, Status.SKIPPED), "skipped"),
        (TriggerRule.ONE_FAILED, (Status.OK, Status.FAILED), "ok"),
        (TriggerRule.ONE_FAILED, (Status.OK, Status.OK), "skipped"),
        (TriggerRule.ALL_FAILED, (Status.FAILED, Status.FAILED), "ok"),
        (TriggerRule.ALL_FAILED, (Status.OK, Status.FAILED), "abandoned"),
        (TriggerRule.ALL_FAILED, (Status.OK, Status.SKIPPED), "skipped"),
    ],
)
def test_trigger_rules(rule: TriggerRule, ends: tuple[Status, Status], expected: str) -> None:
    tasks = [T(["a"]), T(["a"]), T(["a"], needs=[0, 1], rule=rule)]
    world = World(build(P(tasks)), outcomes={("t0", "a"): ends[0], ("t1", "a"): ends[1]}).run()
    assert world.statuses("t2") == {"a": expected}


def test_a_play_waits_for_the_play_that_it_needs_and_its_failed_hosts_stay_out() -> None:
    plan = build(P([T(["a", "b"])]), P([T(["a", "b"])], needs=[0]))
    world = World(plan, outcomes={("t0", "b"): Status.OK}, chances={}).run()
    first = [job for job in world.started if job.step == 0]
    assert world.started[:2] == first
    world = World(build(P([T(["a", "b"])]), P([T([], []), T(["a", "b"])], needs=[0])), chances={}).run()
    assert world.exit_status == 0
    failing = build(P([T(["a", "b"])]), P([T(["c"]), T(["a", "b"])], needs=[0]))
    world = World(failing, outcomes={("t0", "b"): Status.FAILED}).run()
    assert world.statuses("t1") == {"a": "ok", "b": "abandoned"}


def test_plays_that_need_nothing_run_side_by_side() -> None:
    world = World(build(P([T(["a"])]), P([T(["b"])])))
    world.run()
    assert [job.host for job in world.started] == ["a", "b"]
    assert isinstance(next(entry for entry in world.log if isinstance(entry, JobsStarted)), JobsStarted)
    assert len(next(entry for entry in world.log if isinstance(entry, JobsStarted)).jobs) == 2


def test_any_errors_fatal_ends_the_play_after_the_wave() -> None:
    plan = build(P(chain(["a", "b"], ["a", "b"]), any_errors_fatal=True), P([T(["a"])], needs=[0]))
    world = World(plan, outcomes={("t0", "a"): Status.FAILED}).run()
    assert world.statuses("t1") == {"a": "abandoned", "b": "abandoned"}
    assert world.state.status(Job(2, "a")) is Status.ABANDONED
    assert [job for job in world.started if job.step == 0] == [Job(0, "a"), Job(0, "b")]


def test_run_once_takes_the_first_host_that_still_takes_part() -> None:
    tasks = [T(["a", "b"]), T(["a", "b"], needs=[0], run_once=True), T(["a", "b"], needs=[1])]
    world = World(build(P(tasks)), outcomes={("t0", "a"): Status.FAILED}).run()
    assert [job for job in world.started if job.step == 1] == [Job(1, "b")]


def test_a_host_that_failed_before_a_run_once_task_does_not_come_back_after_it() -> None:
    hosts = ["a", "b"]
    tasks = [T(hosts), T(hosts, needs=[0], run_once=True), T(hosts, needs=[1], run_once=True), T(hosts, needs=[2])]
    world = World(build(P(tasks)), outcomes={("t0", "a"): Status.FAILED}).run()
    assert world.statuses("t3") == {"a": "abandoned", "b": "ok"}


def test_batches_follow_one_another() -> None:
    world = World(build(P(chain(["a", "b"], ["a", "b"]), batches=2))).run()
    assert [(world.plan.steps[job.step].batch, job.host) for job in world.started] == [
        (0, "a"),
        (0, "a"),
        (1, "b"),
        (1, "b"),
    ]


def test_free_lets_each_host_run_ahead() -> None:
    world = World(build(P(chain(["a", "b"], ["a", "b"]), strategy=Strategy.FREE)))
    state = RunState(world.plan)
    state.handle(RunStarted(at=0, run="x"), JobsStarted(at=0, jobs=(Job(0, "a"), Job(0, "b"))))
    [start] = state.handle(JobFinished(at=1, job=Job(0, "a"), status=Status.OK))
    assert isinstance(start, StartJobs)
    assert start.jobs == (Job(1, "a"),)


def test_the_barrier_tells_who_came_last_and_how_long_the_others_waited() -> None:
    state = RunState(build(P([T(["a", "b"])])))
    jobs = (Job(0, "a"), Job(0, "b"))
    state.handle(RunStarted(at=0, run="x"), JobsStarted(at=0, jobs=jobs))
    state.handle(JobFinished(at=10, job=jobs[1], status=Status.OK))
    [_ended, passed, *_] = state.handle(JobFinished(at=12.5, job=jobs[0], status=Status.OK))
    cause = Cause(Because.END, jobs[0])
    expected = BarrierPassed(at=12.5, play=0, batch=0, wave=0, last=jobs[0], waited=2.5, waited_in_all=2.5, cause=cause)
    assert passed == Announce(expected)


def test_the_first_interrupt_lets_the_wave_end() -> None:
    plan = build(P(chain(["a", "b", "c"], ["a", "b", "c"])))
    world = World(plan, forks=1, interrupts={1: Urgency.AFTER_WAVE}).run()
    assert set(world.statuses("t0").values()) == {"ok"}
    assert set(world.statuses("t1").values()) == {"cancelled"}


def test_the_second_interrupt_stops_what_runs() -> None:
    plan = build(P(chain(["a", "b", "c"], ["a", "b", "c"])))
    world = World(plan, forks=2, interrupts={1: Urgency.NOW}).run()
    assert sorted(world.statuses("t0").values()) == ["cancelled", "cancelled", "ok"]
    assert world.exit_status == 130


def test_what_was_to_be_sent_is_taken_back_when_an_urgent_interrupt_comes_with_what_let_it() -> None:
    state = RunState(build(P(chain(["a", "b"], ["a", "b"]), strategy=Strategy.FREE)))
    first, second = Job(0, "a"), Job(0, "b")
    state.handle(RunStarted(at=0, run="x"), JobsStarted(at=0, jobs=(first, second)))
    inputs: list[Input] = [
        JobFinished(at=1, job=first, status=Status.OK),
        InterruptRequested(at=1, urgency=Urgency.NOW),
    ]
    instructions = state.handle(*inputs)
    assert not [item for item in instructions if isinstance(item, StartJobs)]
    assert Stop((second,), cause=Cause(Because.PERSON)) in instructions
    assert state.status(Job(1, "a")) is Status.CANCELLED
    state.handle(JobFinished(at=2, job=second, status=Status.CANCELLED))
    assert state.finished


def test_one_success_anywhere_is_enough_at_once() -> None:
    """``c`` waits for no one but the first success, though that is on a host which has such a job itself."""
    tasks = [T(["a", "b"]), T(["a", "c"], needs=[0], rule=TriggerRule.ONE_SUCCESS)]
    state = RunState(build(P(tasks, strategy=Strategy.FREE)))
    state.handle(RunStarted(at=0, run="x"), JobsStarted(at=0, jobs=(Job(0, "a"), Job(0, "b"))))
    [start] = state.handle(JobFinished(at=1, job=Job(0, "a"), status=Status.OK))
    assert start == StartJobs((Job(1, "a"), Job(1, "c")), (Cause(Because.NEED, Job(0, "a")),) * 2)


def test_the_cause_of_an_abandoned_job_is_the_failure_on_its_own_host() -> None:
    plan = build(P(chain(["a", "b"], ["a", "b"], ["a", "b"])))
    world = World(plan, outcomes={("t0", "b"): Status.FAILED, ("t1", "a"): Status.FAILED}).run()
    causes = {event.jobs: event.cause for event in world.announced if isinstance(event, JobsAbandoned)}
    assert causes == {
        (Job(1, "b"),): Cause(Because.FAILURE, Job(0, "b")),
        (Job(2, "a"),): Cause(Because.FAILURE, Job(1, "a")),
        (Job(2, "b"),): Cause(Because.FAILURE, Job(0, "b")),
    }


def test_a_long_chain_of_abandoned_waves_needs_no_deep_stack() -> None:
    hosts = [["a"]] * 5000
    world = World(build(P(chain(*hosts))), outcomes={("t0", "a"): Status.FAILED}).run()
    assert world.state.counts() == {"failed": 1, "abandoned": 4999}


def test_an_illegal_move_raises_with_the_story_of_the_job() -> None:
    state = RunState(build(P([T(["a"])])))
    job = Job(0, "a")
    state.handle(RunStarted(at=0, run="x"), JobsStarted(at=0, jobs=(job,)))
    state.handle(JobFinished(at=1, job=job, status=Status.OK))
    with pytest.raises(IllegalMove, match="pending → ready → running → ok → running") as error:
        state.handle(JobsStarted(at=2, jobs=(job,)))
    assert "host a" in str(error.value)


def test_an_empty_plan_is_over_at_once() -> None:
    assert World(build()).run().exit_status == 0
    assert World(build(P([]), P([T([])], needs=[0]))).run().exit_status == 0


def test_who_needs_a_task_that_runs_once_waits_for_its_end_though_its_own_host_has_failed_before() -> None:
    """The staged ``t0`` is called off on its last host, and with that alone ``t2`` can't run on ``h5`` any more."""
    moment, later = Start(at=3.0), Start(max_skew=0.003)
    hosts = ["h0", "h1", "h2", "h3", "h5"]
    once = T(hosts, needs=[0, 1], rule=TriggerRule.ALL_SUCCESS, run_once=True, start=later)
    first, never = T(["h0", "h2", "h3"], start=moment), T(["h1"], rule=TriggerRule.ONE_FAILED, run_once=True)
    plan = build(P([first, never, once, T(["h5"], needs=[2], start=later)], strategy=Strategy.FREE))
    world = World(plan, forks=1, stuck=frozenset({("t0", "h2")})).run()  # which validates the state after every event
    assert world.state.status(Job(3, "h5")) is Status.ABANDONED
