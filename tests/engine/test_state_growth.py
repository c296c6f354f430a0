"""Plans that grow while their run goes on: what was added is waited for, and nothing is renumbered."""

from __future__ import annotations

import random
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from support.worlds import Hand, P, T, World, any_growth, build, chain, worlds

from drumline.diagnostics import Position
from drumline.engine.instructions import Announce
from drumline.engine.state import RunState
from drumline.engine.transitions import IllegalMove
from drumline.journal.codec import decode_event, encode_event
from drumline.model.cause import Because
from drumline.model.event import (
    BarrierPassed,
    Event,
    Input,
    JobFinished,
    JobsLate,
    JobsStarted,
    PlanGrown,
    RunFinished,
    Urgency,
    WaveReleased,
)
from drumline.model.outcome import Status
from drumline.model.plan import Growth, Job, Step
from drumline.model.playbook import Amount, Barrier, Late, Strategy, Task

FAILED = Status.FAILED
EXAMPLES = settings(max_examples=50, deadline=None)


def added(run: Hand, task: str, *hosts: str, on: tuple[str, ...] = (), steps: int = 2) -> None:
    """Jobs of a task add a chain of steps on their hosts, or on others."""
    jobs = tuple(run.job(task, host) for host in hosts)
    parent = run.plan.steps[jobs[0].step]
    first, wave = len(run.plan.steps), len(run.plan.plays[parent.play].batches[parent.batch].waves)
    made = tuple(
        Step(
            index=first + number,
            task=Task(id=f"g{first + number}", name="added", action="command", position=Position("more.yml")),
            play=parent.play,
            batch=parent.batch,
            wave=wave + number,
            hosts=on or hosts,
            added_by=parent.index,
        )
        for number in range(steps)
    )
    growth = Growth(steps=made, barriers=tuple(Barrier() for _ in made))
    run.plan = run.plan.grown(growth)
    run.feed(PlanGrown(at=1, jobs=jobs, growth=growth))


def test_who_needs_the_task_and_its_barrier_wait_for_what_it_added() -> None:
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]))))
    added(run, "t0", "a")
    assert run.status("g2", "a") == "pending"  # the job that adds it still runs
    run.end(2, "t0", "a", "b")
    assert run.status("t0", "a", "b") == "holding ok"
    assert run.status("g2", "a") == "running"
    assert run.status("t1", "a", "b") == "pending pending"
    run.end(3, "g2", "a")
    run.end(4, "g3", "a")
    assert run.status("t0", "a") == "ok"
    assert run.status("t1", "a", "b") == "running running"
    released = [(event.wave, event.cause.kind) for event in run.heard(WaveReleased)]
    assert released == [(0, Because.RUN), (2, Because.GROWTH), (3, Because.BARRIER), (1, Because.BARRIER)]
    assert [event.wave for event in run.heard(BarrierPassed)] == [2, 3, 0]
    assert run.plan.plays[0].batches[0].levels == ((0,), (1,), (0, 0), (0, 1))


def test_with_free_a_host_that_added_nothing_goes_on() -> None:
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]), strategy=Strategy.FREE)))
    added(run, "t0", "a")
    run.end(2, "t0", "a", "b")
    assert run.status("t1", "a", "b") == "pending running"


def test_what_failed_of_it_counts_for_those_that_need_the_task() -> None:
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]))))
    added(run, "t0", "a", "b", steps=1)
    run.end(2, "t0", "a", "b")
    run.end(3, "g2", "a", status=FAILED)
    run.end(3, "g2", "b")
    assert run.status("t0", "a", "b") == "ok ok"
    assert run.status("t1", "a", "b") == "abandoned running"
    run.end(4, "t1", "b")
    [finished] = run.heard(RunFinished)
    assert finished.exit_status == 2


def test_a_job_that_fails_after_it_added_takes_that_with_it() -> None:
    run = Hand(build(P([T(["a"])])))
    added(run, "t0", "a")
    run.end(2, "t0", "a", status=FAILED)
    assert run.status("g1", "a") == run.status("g2", "a") == "abandoned"
    assert run.state.finished


def test_what_was_added_may_add_in_turn() -> None:
    run = Hand(build(P(chain(["a"], ["a"]))))
    added(run, "t0", "a", steps=1)
    run.end(2, "t0", "a")
    added(run, "g2", "a", steps=1)
    run.end(3, "g2", "a")
    assert run.status("t0", "a") == run.status("g2", "a") == "holding"
    run.end(4, "g3", "a")
    assert run.status("t1", "a") == "running"
    assert run.plan.plays[0].batches[0].levels == ((0,), (1,), (0, 0), (0, 0, 0))


def test_jobs_of_other_hosts_are_waited_for_too() -> None:
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]), strategy=Strategy.FREE)))
    added(run, "t0", "a", on=("db",), steps=1)
    run.end(2, "t0", "a", "b")
    assert run.status("t1", "a", "b") == "pending running"
    run.end(3, "g2", "db")
    assert run.status("t1", "a") == "running"


def test_what_is_open_of_it_is_late_in_the_place_of_the_job_that_added_it() -> None:
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]), barrier=Barrier(deadline=10.0))))
    added(run, "t0", "a")
    run.end(2, "t0", "a", "b")
    run.wake()
    assert [event.jobs for event in run.heard(JobsLate)] == [(run.job("g2", "a"),)]
    assert run.stops == {("g2", "a"): ("failed", "late at the barrier: the deadline of 10 s had passed")}
    run.end(12, "g2", "a", status=FAILED)
    assert run.status("g3", "a") == "abandoned"
    assert run.status("t1", "a", "b") == "abandoned running"


def test_a_host_that_is_behind_runs_what_it_added_first() -> None:
    half = Barrier(quorum=Amount(50, percent=True), late=Late.CATCH_UP)
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]), barrier=half)))
    added(run, "t0", "a")
    run.end(2, "t0", "a", "b")
    assert run.status("t1", "a", "b") == "pending running"
    run.end(3, "g2", "a")
    run.end(4, "g3", "a")
    assert run.status("t1", "a") == "running"


def test_nothing_that_is_added_after_an_interrupt_is_released() -> None:
    run = Hand(build(P([T(["a"])])))
    run.interrupt(1, Urgency.AFTER_WAVE)
    added(run, "t0", "a")
    assert run.status("g1", "a") == "cancelled"
    run.end(2, "t0", "a")
    assert run.state.finished


def test_only_running_jobs_add_to_a_plan() -> None:
    run = Hand(build(P(chain(["a"], ["a"]))))
    with pytest.raises(IllegalMove, match="The plan"):
        added(run, "t1", "a")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"index": 7}, "numbers that don't follow"),
        ({"added_by": None}, "added by no step"),
        ({"batch": 1}, "another batch"),
        ({"wave": 5}, "waves that don't follow"),
    ],
)
def test_what_does_not_fit_a_plan_is_refused(change: dict[str, int | None], words: str) -> None:
    plan = build(P([T(["a"])]))
    task = Task(id="g", name="g", action="command", position=Position("more.yml"))
    right = Step(index=1, task=task, play=0, batch=0, wave=1, hosts=("a",), added_by=0)
    step = replace(right, **change)
    with pytest.raises(ValueError, match=words):
        plan.grown(Growth(steps=(step,), barriers=(Barrier(),)))


@EXAMPLES
@given(worlds())
def test_a_run_that_grows_is_replayed_from_what_is_written_of_it(world: World) -> None:
    world.growing = 0.5
    world.run()
    again = RunState(world.first, forks=world.forks, sessions=world.sessions)
    said: list[Event] = []
    for entry in world.log:
        if isinstance(entry, get_args(Input)):
            event: Any = decode_event(type(entry).__name__, encode_event(entry))
            said += [item.event for item in again.handle(event) if isinstance(item, Announce)]
            again.validate()
    assert again.plan == world.state.plan == world.plan
    assert again.counts() == world.state.counts()
    assert [list(state.statuses.items()) for state in again.jobs.ledger.steps] == [
        list(state.statuses.items()) for state in world.state.jobs.ledger.steps
    ]


@EXAMPLES
@given(worlds())
def test_nothing_is_renumbered(world: World) -> None:
    world.growing = 0.5
    world.run()
    before, after = world.first, world.plan
    assert after.steps[: len(before.steps)] == before.steps
    for play, grown in zip(before.plays, after.plays, strict=True):
        for batch, larger in zip(play.batches, grown.batches, strict=True):
            assert larger.waves[: len(batch.waves)] == batch.waves
            assert sorted(larger.level(wave) for wave in range(len(batch.waves))) == [
                (wave,) for wave in range(len(batch.waves))
            ]


@EXAMPLES
@given(worlds())
def test_what_was_added_starts_after_the_job_that_added_it_and_before_whoever_needs_that(world: World) -> None:
    world.growing = 0.5
    world.run()
    reported: set[Job] = set()
    started: set[Job] = set()
    adders: set[Job] = set()
    for entry in world.log:
        if isinstance(entry, JobFinished):
            reported.add(entry.job)
        elif isinstance(entry, PlanGrown):
            adders |= set(entry.jobs)
        elif isinstance(entry, JobsStarted):
            for job in entry.jobs:
                step = world.plan.steps[job.step]
                if step.added_by is not None:
                    parent = Job(step.added_by, job.host)
                    assert parent in reported if parent in adders else adders & reported
                for need in step.needs:
                    holder = Job(-1 if need.step is None else need.step, job.host)
                    assert holder not in adders or set(of_it(world, holder, started)) <= reported
            started |= set(entry.jobs)


def of_it(world: World, holder: Job, jobs: set[Job]) -> list[Job]:
    """Those of the jobs that a job added on its host."""
    return [job for job in jobs if job.host == holder.host and world.plan.steps[job.step].added_by == holder.step]


def test_any_growth_fits_its_plan() -> None:
    plan = build(P([T(["a", "b"])]))
    chance = random.Random(1)
    for _ in range(20):
        plan = plan.grown(any_growth(plan, (Job(0, "a"),), chance))
    assert [step.index for step in plan.steps] == list(range(len(plan.steps)))


def says_it_adds(run: Hand, at: float, task: str, *hosts: str) -> None:
    """These jobs have ended but for what they add, in one turn."""
    run.feed(*[JobFinished(at=at, job=run.job(task, host), status=Status.OK, adds=True) for host in hosts])


def test_jobs_that_add_wait_for_one_another_and_are_asked_together() -> None:
    run = Hand(build(P(chain(["a", "b", "c"], ["a", "b", "c"]))), forks=2)
    says_it_adds(run, 1, "t0", "a")
    assert run.status("t0", "a", "b", "c") == "holding running running"  # its fork is free for c
    says_it_adds(run, 2, "t0", "c")
    assert run.grows == []
    run.end(3, "t0", "b")
    [grow] = run.grows
    assert grow.jobs == (Job(0, "a"), Job(0, "c"))
    added(run, "t0", "a", "c", steps=1)
    assert run.status("g2", "a", "c") == "running running"
    assert run.status("t1", "b") == "pending"
    run.end(4, "g2", "a", "c")
    assert run.status("t0", "a", "b", "c") == "ok ok ok"


def test_with_free_a_job_isn_t_held_up_by_hosts_that_come_later() -> None:
    run = Hand(build(P(chain(["a", "b"], ["a", "b"]), strategy=Strategy.FREE)))
    run.end(1, "t0", "a")
    says_it_adds(run, 2, "t1", "a")
    assert [grow.jobs for grow in run.grows] == [(Job(1, "a"),)]


def test_a_job_for_which_nothing_can_be_added_fails() -> None:
    run = Hand(build(P(chain(["a"], ["a"]))))
    says_it_adds(run, 1, "t0", "a")
    assert run.state.awaited == (Job(0, "a"),)
    run.end(2, "t0", "a", status=FAILED)
    assert run.status("t0", "a") == "failed"
    assert run.status("t1", "a") == "abandoned"
    assert run.state.finished


def test_what_is_added_after_an_interrupt_does_not_run() -> None:
    run = Hand(build(P([T(["a", "b"])])))
    says_it_adds(run, 1, "t0", "a")
    run.interrupt(2)
    run.end(3, "t0", "b")
    added(run, "t0", "a", steps=1)
    assert run.status("g1", "a") == "cancelled"
    assert run.state.finished


def test_a_job_is_done_when_nothing_of_what_was_added_is_for_its_host() -> None:
    run = Hand(build(P([T(["a", "b"])])))
    says_it_adds(run, 1, "t0", "a", "b")
    first = run.plan.steps[0]
    task = Task(id="g1", name="added", action="command", position=Position("more.yml"))
    step = Step(index=1, task=task, play=0, batch=0, wave=1, hosts=("a",), added_by=first.index)
    growth = Growth(steps=(step,), barriers=(Barrier(),))
    run.plan = run.plan.grown(growth)
    run.feed(PlanGrown(at=2, jobs=(Job(0, "a"), Job(0, "b")), growth=growth))
    assert run.status("t0", "a", "b") == "holding ok"
