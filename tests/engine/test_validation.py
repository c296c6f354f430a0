"""``RunState.validate`` finds what was corrupted, whichever part of the state it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from support.worlds import Hand, P, T, build, chain

from drumline.engine import transitions
from drumline.engine.records import BatchState, PlayState, StepState, WaveState
from drumline.engine.state import RunState
from drumline.engine.transitions import IllegalMove, Lateness, PlayPhase, StartPhase, WavePhase, moved
from drumline.engine.validation import InvalidState
from drumline.model.cause import THE_RUN
from drumline.model.outcome import Status
from drumline.model.plan import Job
from drumline.model.playbook import Amount, Barrier, Late, Start

HOSTS = ["a", "b", "c", "d"]
LATE = Barrier(quorum=Amount(50, percent=True), deadline=100.0, late=Late.CATCH_UP)


def under_way() -> Hand:
    """A run in which there is some of everything.

    ``t0`` has passed its barrier without c and d, which are behind; c has caught up with it since. ``t1`` runs on a,
    has failed on b, waits for a fork on c and for ``t0`` on d. ``t2`` is a start: a is staged, b isn't. ``t3`` runs on
    a, and has b wait at its gate. ``t4`` is in a wave that was not released. The second play waits for the first.
    """
    tasks = [
        T(HOSTS),
        T(HOSTS, needs=[0]),
        T(["a", "b"], needs=[0], start=Start()),
        T(["a", "b"], needs=[0], throttle=1),
        T(HOSTS, needs=[1], run_once=True),
    ]
    run = Hand(build(P(tasks, barrier=LATE), P([T(HOSTS)], needs=[0])), forks=3, sessions=2)
    run.end(1, "t0", "a", "b", "c")
    run.end(2, "t1", "b", status=Status.FAILED)
    run.stage(3, "t2", "a")
    return run


def step(state: RunState, index: int) -> StepState:
    return state.jobs.ledger.steps[index]


def play(state: RunState, index: int = 0) -> PlayState:
    return state.jobs.ledger.plays[index]


def batch(state: RunState) -> BatchState:
    return play(state).batches[0]


def wave(state: RunState, number: int) -> WaveState:
    return batch(state).waves[number]


def set_(thing: Any, name: str, value: Any) -> Any:
    setattr(thing, name, value)


#: What is corrupted, and what is said of it.
CORRUPTED: dict[str, tuple[Callable[[RunState], Any], str]] = {
    "a job is missing": (lambda state: step(state, 1).statuses.pop("d"), "step 1: hosts with a job"),
    "a job before its wave": (lambda state: step(state, 4).statuses.update(a=Status.PENDING), "step 4: jobs on"),
    "a tally": (lambda state: set_(step(state, 1).tally, "open", 2), "step 1: jobs by how they count"),
    "a success that is ignored": (lambda state: step(state, 0).ignored.add("a"), "step 0: ignored on ['a']"),
    "a failure that none was": (lambda state: step(state, 0).failures.update(a=None), "step 0: hosts that failed"),
    "a failure without a host": (lambda state: step(state, 1).failures.clear(), "step 1: hosts that failed"),
    "a cause of success": (lambda state: step(state, 0).causes.update(a=Job(1, "b")), "step 0: a cause on ['a']"),
    "a play's failed hosts": (lambda state: play(state).failed.add("a"), "play 0: hosts that failed"),
    "a play's unreachable hosts": (
        lambda state: play(state).unreachable.update(a=Job(0, "a")),
        "play 0: hosts that can't be reached",
    ),
    "a play that ended": (lambda state: set_(play(state), "phase", PlayPhase.COMPLETED), "completed, with open jobs"),
    "a play that waits": (lambda state: set_(play(state), "phase", PlayPhase.WAITING), "waits for other plays, with"),
    "a batch that was left": (lambda state: set_(play(state), "batch", 1), "batch 0 was left too early"),
    "a batch that was begun": (
        lambda state: set_(play(state, 1), "batch", -1) or set_(wave_of(state, 1), "phase", WavePhase.RELEASED),
        "batch 0 was begun too early",
    ),
    "released waves": (lambda state: set_(batch(state).chains[0], "released", 3), "3 waves released, 1 passed"),
    "passed waves": (lambda state: set_(batch(state).chains[0], "passed", 0), "2 waves released, 0 passed"),
    "a wave's phase": (
        lambda state: set_(wave(state, 2), "phase", WavePhase.RELEASED),
        "they are passed, released, released",
    ),
    "a batch's failures": (lambda state: batch(state).failures.hosts.clear(), "its hosts that failed"),
    "a batch's first failure": (lambda state: set_(batch(state).failures, "first", None), "whether something failed"),
    "a wave's open jobs": (lambda state: set_(wave(state, 1), "open", 1), "wave 1 of batch 0 of play 0: open jobs"),
    "jobs that don't count": (lambda state: set_(wave(state, 1), "open_aside", 0), "that the barrier doesn't count"),
    "a wave that was held": (lambda state: set_(wave(state, 1), "phase", WavePhase.HELD), "and some of its steps"),
    "a wave that was ended": (lambda state: set_(wave(state, 1), "phase", WavePhase.ENDED), "ended, with 7 open jobs"),
    "a wave that can't be late": (
        lambda state: set_(wave(state, 2), "lateness", Lateness.AT_QUORUM),
        "never released, and at its quorum",
    ),
    "a wave without a deadline": (lambda state: set_(wave(state, 1), "deadline", None), "a deadline that it hasn't"),
    "a host that isn't behind": (lambda state: batch(state).behind.pop("d"), "hosts that are behind"),
    "a host that is behind": (lambda state: batch(state).behind.update(a={(1,): 1}), "hosts that are behind"),
    "lost hosts": (lambda state: state.jobs.ledger.lost.clear(), "hosts that were lost"),
    "running jobs": (lambda state: state.jobs.running.pop(Job(1, "a")), "running jobs"),
    "a job that stops": (lambda state: state.jobs.stopping.update({Job(1, "c"): Status.FAILED}), "told to stop"),
    "a job without a slot": (lambda state: state.jobs.placeless.add(Job(1, "c")), "without a slot without running"),
    "an end that nothing followed": (lambda state: state.jobs.ended.append((Job(0, "a"), Status.OK)), "was not looked"),
    "a ready job that waits nowhere": (lambda state: state.jobs.dispatch.queues.pop("c"), "ready jobs"),
    "a ready job that waits twice": (lambda state: state.jobs.sending.update({Job(1, "c"): THE_RUN}), "ready jobs"),
    "another host's queue": (
        lambda state: state.jobs.dispatch.queues.update(d=state.jobs.dispatch.queues.pop("c")),
        "holds another host's jobs",
    ),
    "an empty queue": (lambda state: state.jobs.dispatch.queues.update(a=deque()), "a queue is empty"),
    "a host that no one calls": (lambda state: state.jobs.dispatch.waiting.clear(), "hosts that wait"),
    "a slot that no one has": (lambda state: state.jobs.dispatch.active.update(b=2), "jobs with a slot, by host"),
    "more forks": (lambda state: set_(state.jobs.dispatch, "forks", 2), "more slots than there are"),
    "more sessions": (lambda state: set_(state.jobs.dispatch, "sessions", 1), "more slots than there are"),
    "a fork that no one takes": (lambda state: set_(state.jobs.dispatch, "forks", 4), "c waits, and there is a fork"),
    "a session that no one takes": (lambda state: state.jobs.dispatch.active.update(c=0), "and there is a session"),
    "no one inside a gate": (lambda state: state.jobs.dispatch.gates[3].inside.clear(), "gate of step 3: inside"),
    "a gate that lets more in": (lambda state: set_(state.jobs.dispatch.gates[3], "most", 2), "1 of 2 inside, 1 wait"),
    "a start of nothing": (lambda state: set_(state.starts.active[2], "step", step(state, 4).step), "the step isn't"),
    "a staged job with a slot": (lambda state: state.jobs.placeless.clear(), "are staged, and have a slot"),
    "a start that is held": (
        lambda state: set_(state.starts.active[2], "phase", StartPhase.HELD),
        "whether it is held",
    ),
    "a start without jobs": (
        lambda state: (
            set_(state.starts.active[2], "staged", {}) or set_(state.starts.active[2], "phase", StartPhase.STAGED)
        ),
        "staged, and no job is staged",
    ),
    "a job that may run": (
        lambda state: (
            set_(step(state, 0), "statuses", dict.fromkeys(HOSTS, Status.OK)) or set_(batch(state), "behind", {})
        ),
        "step 1 on d: pending, and to be ready",
    ),
    "a run that is finished": (lambda state: set_(state, "finished", True), "whether the run is finished"),
    "a question of no one": (lambda state: state.asking.update({Job(1, "c"): None}), "asking without running"),
    "a start not looked at": (lambda state: state.starts.touched.update({2: None}), "starts that were not looked at"),
}


def wave_of(state: RunState, index: int) -> WaveState:
    return play(state, index).batches[0].waves[0]


@pytest.mark.parametrize("name", CORRUPTED)
def test_what_is_corrupted_is_named(name: str) -> None:
    run = under_way()
    corrupt, words = CORRUPTED[name]
    corrupt(run.state)
    with pytest.raises(InvalidState) as error:
        run.state.validate()
    assert words in error.value.detail


def test_a_run_once_task_without_a_host_is_noticed() -> None:
    run = Hand(build(P([T(["a", "b"]), T(["a", "b"], needs=[0], run_once=True)])))
    run.end(1, "t0", "a", "b")
    job = Job(1, "a")
    del run.state.jobs.running[job]
    step(run.state, 1).statuses.clear()
    run.state.jobs.dispatch.active.clear()
    with pytest.raises(InvalidState, match="it may run on one of its hosts, and none was chosen"):
        run.state.validate()


def test_a_run_that_stands_still_is_noticed() -> None:
    run = Hand(build(P(chain(["a"], ["a"]))))
    del run.state.jobs.running[Job(0, "a")]
    with pytest.raises(InvalidState, match="the run stands still"):
        run.state.validate()


@pytest.mark.parametrize(
    "moves", [transitions.PLAYS, transitions.WAVES, transitions.LATENESS, transitions.STARTS, transitions.LEGAL]
)
def test_a_table_of_moves_has_every_phase_and_an_end(moves: dict[Enum, frozenset[Enum]]) -> None:
    kind = type(next(iter(moves)))
    assert set(moves) == set(kind)
    assert all(set(following) <= set(kind) for following in moves.values())
    assert any(not following for following in moves.values())


def test_a_move_that_is_not_in_its_table_is_refused() -> None:
    assert moved("wave 0", transitions.WAVES, WavePhase.HELD, WavePhase.ENDED) is WavePhase.ENDED
    with pytest.raises(IllegalMove, match="WavePhase made an illegal move") as error:
        moved("wave 0", transitions.WAVES, WavePhase.PASSED, WavePhase.RELEASED)
    assert error.value.detail == "It is passed and can't become released: wave 0."
