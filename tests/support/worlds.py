"""Plans for the engine's tests, made by hand or at random, and a simulated world that carries them out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import strategies as st

from drumline.diagnostics import Position
from drumline.execution.instructions import Announce, Finish, Instruction, Start, Stop
from drumline.execution.state import RunState
from drumline.model.event import Event, InterruptRequested, JobFinished, JobsStarted, RunStarted, Urgency
from drumline.model.outcome import Status
from drumline.model.plan import Batch, Job, Need, Plan, PlannedPlay, Step
from drumline.model.playbook import Play, Playbook, Strategy, Task, TriggerRule

_HERE = Position("playbook.yml")


@dataclass(frozen=True)
class T:
    """A task of a test's plan: its hosts and the indices of the tasks of its play that it needs."""

    hosts: Sequence[str]
    needs: Sequence[int] = ()
    rule: TriggerRule = TriggerRule.NONE_FAILED
    run_once: bool = False


@dataclass(frozen=True)
class P:
    """A play: its tasks, and the indices of the plays that it needs."""

    tasks: Sequence[T]
    needs: Sequence[int] = ()
    strategy: Strategy = Strategy.WAVES
    any_errors_fatal: bool = False
    batches: int = 1


def build(*plays: P) -> Plan:
    """A plan of these plays; with several batches the hosts are dealt out in turn."""
    steps: list[Step] = []
    planned: list[PlannedPlay] = []
    for index, play in enumerate(plays):
        hosts = tuple(dict.fromkeys(host for task in play.tasks for host in task.hosts))
        batches = [_batch(play, index, number, hosts, steps) for number in range(play.batches)]
        made = Play(
            id=f"p{index}",
            name=f"play {index}",
            hosts="all",
            position=_HERE,
            strategy=play.strategy,
        )
        planned.append(PlannedPlay(play=made, hosts=hosts, batches=tuple(batches), needs=tuple(play.needs)))
    return Plan(playbook=Playbook(path="playbook.yml"), plays=tuple(planned), steps=tuple(steps))


def _batch(play: P, index: int, number: int, all_hosts: tuple[str, ...], steps: list[Step]) -> Batch:
    hosts = all_hosts[number :: play.batches]
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}  # steps with the same hosts have one tuple, as planned ones do
    first = len(steps)
    levels: list[int] = []
    for position, task in enumerate(play.tasks):
        levels.append(1 + max((levels[need] for need in task.needs), default=-1))
        roots = [] if task.needs else [Need(play=need) for need in play.needs]
        mine = tuple(host for host in task.hosts if host in hosts)
        steps.append(
            Step(
                index=len(steps),
                task=Task(
                    id=f"t{position}",
                    name=f"t{position}",
                    action="command",
                    position=_HERE,
                    trigger_rule=task.rule,
                    run_once=task.run_once,
                    any_errors_fatal=play.any_errors_fatal,
                ),
                play=index,
                batch=number,
                wave=levels[-1],
                hosts=shared.setdefault(mine, mine),
                needs=(*(Need(step=first + need) for need in task.needs), *roots),
            )
        )
    count = max(levels, default=-1) + 1
    waves = [tuple(first + place for place, level in enumerate(levels) if level == wave) for wave in range(count)]
    return Batch(hosts=hosts, waves=tuple(waves))


@dataclass
class World:
    """Carries a plan out in virtual time: which job ends next, and how, is a matter of chance.

    Everything that the state was told and that it said is kept: ``log`` holds events and instructions in order.
    """

    plan: Plan
    seed: int = 0
    forks: int = 50
    sessions: int = 4
    outcomes: dict[tuple[str, str], Status] = field(default_factory=dict)  # (task id, host): how it ends, else ok
    chances: dict[Status, float] = field(default_factory=dict)
    ignored: frozenset[tuple[str, str]] = frozenset()
    interrupts: dict[int, Urgency] = field(default_factory=dict)  # after so many turns
    together: int = 1  # at most so many jobs end in one turn, just before an interrupt too if it is more than 1
    log: list[Event | Instruction] = field(default_factory=list)
    exit_status: int | None = None

    def run(self) -> World:
        self.random = random.Random(self.seed)
        self.state = RunState(self.plan, forks=self.forks, sessions=self.sessions)
        self.time = 0.0
        self.under_way: list[Job] = []
        self.stopped: set[Job] = set()
        self.feed(RunStarted(at=0.0, run="test"))
        ended = 0
        while self.exit_status is None:
            interrupt = self.interrupts.pop(ended, None)
            assert self.under_way or interrupt, "the run is not over, and nothing is under way"
            least = 0 if interrupt else 1
            most = min(self.together - 1 if interrupt else self.together, len(self.under_way))
            events: list[Event] = [self.end_one() for _ in range(self.random.randint(least, most))]
            if interrupt:
                events.append(InterruptRequested(at=self.time, urgency=interrupt))
            else:
                ended += 1
            self.feed(*events)
        return self

    def end_one(self) -> JobFinished:
        job = self.under_way.pop(self.random.randrange(len(self.under_way)))
        self.time += self.random.random()
        ignored = (self.plan.steps[job.step].task.id, job.host) in self.ignored
        status = self.outcome(job)
        return JobFinished(at=self.time, job=job, status=status, ignored=ignored and status is Status.FAILED)

    def outcome(self, job: Job) -> Status:
        if job in self.stopped:
            return Status.CANCELLED
        fixed = self.outcomes.get((self.plan.steps[job.step].task.id, job.host))
        if fixed is not None:
            return fixed
        draw = self.random.random()
        for status, chance in self.chances.items():
            if draw < chance:
                return status
            draw -= chance
        return Status.OK

    def feed(self, *events: Event) -> None:
        """What the driver does in one turn: everything that has happened is handled in one call."""
        self.log += events
        instructions = self.state.handle(*events)
        self.log += instructions
        for instruction in instructions:
            match instruction:
                case Start(jobs=jobs):
                    started = JobsStarted(at=self.time, jobs=jobs)
                    self.log.append(started)
                    assert self.state.handle(started) == []
                    self.under_way += jobs
                case Stop(jobs=jobs):
                    self.stopped |= set(jobs)
                case Finish(exit_status=status):
                    self.exit_status = status

    @property
    def announced(self) -> list[Event]:
        return [entry.event for entry in self.log if isinstance(entry, Announce)]

    @property
    def started(self) -> list[Job]:
        return [job for entry in self.log if isinstance(entry, JobsStarted) for job in entry.jobs]

    def statuses(self, task: str) -> dict[str, str]:
        """Host to final status of a task, over all batches and plays that have a task of that id."""
        return {
            host: str(self.state.status(Job(step.index, host)))
            for step in self.plan.steps
            if step.task.id == task
            for host in step.hosts
        }


def chain(*hosts: Sequence[str]) -> list[T]:
    """Tasks that need one another in order, with these hosts."""
    tasks = [T(hosts[0])]
    return tasks + [T(after, needs=[index]) for index, (_, after) in enumerate(pairwise(hosts))]


_HOSTS = [f"h{number}" for number in range(6)]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan: several plays that need earlier ones or not, any graph, any hosts, any rules."""
    return build(*[draw(_plays(index)) for index in range(draw(st.integers(1, 3)))])


@st.composite
def _plays(draw: st.DrawFn, index: int) -> P:
    return P(
        tasks=[draw(_tasks(position)) for position in range(draw(st.integers(0, 6)))],
        needs=sorted(draw(st.sets(st.integers(0, index - 1)))) if index else [],
        strategy=draw(st.sampled_from(Strategy)),
        any_errors_fatal=draw(st.booleans()),
        batches=draw(st.integers(1, 3)),
    )


@st.composite
def _tasks(draw: st.DrawFn, position: int) -> T:
    return T(
        hosts=sorted(draw(st.sets(st.sampled_from(_HOSTS)))),
        needs=sorted(draw(st.sets(st.integers(0, position - 1), max_size=3))) if position else [],
        rule=draw(st.sampled_from(TriggerRule)),
        run_once=draw(st.booleans()),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any plan, carried out with any failures, interrupts, limits and order of completion."""
    chances = {
        Status.FAILED: draw(st.sampled_from([0.0, 0.1, 0.5])),
        Status.UNREACHABLE: draw(st.sampled_from([0.0, 0.1])),
        Status.SKIPPED: draw(st.sampled_from([0.0, 0.2])),
        Status.CHANGED: 0.2,
    }
    ignored = frozenset((f"t{task}", host) for task in range(6) for host in _HOSTS if draw(st.booleans()))
    interrupts = draw(st.dictionaries(st.integers(0, 20), st.sampled_from(Urgency), max_size=2))
    return World(
        draw(plans()),
        seed=draw(st.integers(0, 1000)),
        forks=draw(st.integers(1, 4)),
        sessions=draw(st.integers(1, 3)),
        together=draw(st.integers(1, 3)),
        chances=chances,
        ignored=ignored if draw(st.booleans()) else frozenset(),
        interrupts=interrupts,
    )
