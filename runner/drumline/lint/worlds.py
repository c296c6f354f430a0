"""Small worlds: a plan cut down to a few hosts, run by the engine with jobs that end in prescribed ways.

So the consequences of a skipped, failed or late task aren't described here again: the engine decides them, as in a
real run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, assert_never

from msgspec.structs import replace

from drumline.engine.instructions import Announce, Finish, Grow, PlanPlay, Release, StartJobs, Stop
from drumline.engine.state import RunState
from drumline.model.event import Input, JobFinished, JobsStarted, RunStarted, TimePassed
from drumline.model.outcome import Status
from drumline.model.plan import Batch, Job, Need, Plan, PlannedPlay, Step, places_of
from drumline.model.playbook import Barrier, Late

#: Every batch has one more host on which all goes well, so that trouble on a few hosts never affects a whole batch.
_BYSTANDER = ""
#: At a barrier that drops late jobs, some jobs never end by themselves.
_DROPS = Barrier(deadline=1.0, late=Late.DROP)


class End(NamedTuple):
    """How a job ends by itself; None stands for a job that doesn't."""

    status: Status = Status.OK
    ignored: bool = False


def needed_steps(plan: Plan, wanted: int) -> set[int]:
    """The indices of a step and all that it needs, directly or through others."""
    found: set[int] = set()
    waiting = [wanted]
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting += (other for need in plan.steps[index].needs for other in _steps_of(plan, need))
    return found


def _steps_of(plan: Plan, need: Need) -> Iterator[int]:
    if need.step is not None:
        yield need.step
    elif need.block is not None:
        yield from (
            step.index
            for step in plan.steps
            if any(place.block == need.block for place in places_of(plan, step.inside))
        )
    else:
        yield from (step.index for step in plan.steps if step.play == need.play)


class SmallWorld:
    """Some steps of a plan and all that they need, on a few hosts. Limits relative to the fleet don't apply."""

    def __init__(
        self, plan: Plan, kept: Collection[int], hosts: Collection[str], dropping: Collection[int] = ()
    ) -> None:
        """``kept`` are steps with all that they need, ``dropping`` those of them whose barriers drop late jobs."""
        self._indices = sorted(kept)
        self._number = {index: number for number, index in enumerate(self._indices)}
        self._hosts = frozenset(hosts)
        self._dropping = dropping
        steps = tuple(self._step(plan.steps[index]) for index in self._indices)
        plays = tuple(self._play(play) for play in plan.plays)
        self.plan = Plan(playbook=plan.playbook, plays=plays, steps=steps, blocks=plan.blocks)

    def _step(self, step: Step) -> Step:
        return replace(
            step,
            index=self._number[step.index],
            task=replace(step.task, start=None, throttle=0),
            hosts=tuple(host for host in step.hosts if host in self._hosts),
            needs=tuple(Need(self._number[need.step]) if need.step is not None else need for need in step.needs),
        )

    def _play(self, play: PlannedPlay) -> PlannedPlay:
        return replace(
            play,
            play=replace(play.play, max_fail_percentage=None),
            batches=tuple(self._batch(batch) for batch in play.batches),
            keep=(),
        )

    def _batch(self, batch: Batch) -> Batch:
        drops = [any(index in self._dropping for index in wave) for wave in batch.waves]
        return replace(
            batch,
            hosts=(*(host for host in batch.hosts if host in self._hosts), _BYSTANDER),
            waves=tuple(tuple(self._number[index] for index in wave if index in self._number) for wave in batch.waves),
            barriers=tuple(_DROPS if drop else Barrier() for drop in drops),
        )

    def run(self, end_of: Callable[[int], End | None]) -> Ran:
        """The run in which jobs end as ``end_of`` says for their step's index in the whole plan."""
        return Ran(self.plan, [end_of(index) for index in self._indices], self._number)


class Ran:
    """One complete run, in which nothing takes time."""

    def __init__(self, plan: Plan, ends: Sequence[End | None], numbers: Mapping[int, int]) -> None:
        self._plan = plan
        self._ends = ends
        self._numbers = numbers
        self._state = RunState(plan, forks=len(plan.steps) + 1, sessions=len(plan.steps) + 1)
        self._due: deque[Input] = deque([RunStarted(at=0.0, run="world")])
        while not self._state.finished:
            self._take(self._due.popleft() if self._due else self._later())

    def statuses(self, step: int) -> list[Status]:
        """How the jobs of a step of the whole plan ended."""
        number = self._numbers[step]
        return [self._state.status(Job(number, host)) for host in self._plan.steps[number].hosts]

    def _later(self) -> TimePassed:
        at = self._state.wake_at
        assert at is not None, "the run stands still"
        return TimePassed(at=at)

    def _take(self, event: Input) -> None:
        for instruction in self._state.handle(event):
            match instruction:
                case StartJobs(jobs=jobs):
                    self._state.handle(JobsStarted(at=event.at, jobs=jobs))
                    for job in jobs:
                        end = self._ends[job.step]
                        if end is not None:
                            self._end(job, end.status, event.at, ignored=end.ignored)
                case Stop(jobs=jobs, status=status):
                    for job in jobs:
                        self._end(job, status, event.at)
                case Announce() | Finish():
                    pass
                case Release() | Grow() | PlanPlay():
                    raise AssertionError("no task of a small world is synchronised, and none adds to its plan")
                case _:
                    assert_never(instruction)

    def _end(self, job: Job, status: Status, at: float, *, ignored: bool = False) -> None:
        self._due.append(JobFinished(at=at, job=job, status=status, ignored=ignored))
