"""Plans for the engine's tests, made by hand or at random, and a simulated world that runs them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeVar

from hypothesis import strategies as st

from drumline.diagnostics import Position
from drumline.engine.instructions import Announce, Finish, Grow, Instruction, Release, StartJobs, Stop
from drumline.engine.state import RunState
from drumline.model.event import (
    Event,
    Input,
    InterruptRequested,
    JobFinished,
    JobsStarted,
    JobStaged,
    PlanGrown,
    RunStarted,
    StartReleased,
    TimePassed,
    Urgency,
)
from drumline.model.outcome import Status
from drumline.model.plan import Batch, Block, Growth, Inside, Job, Keep, Need, Plan, PlannedPlay, Step
from drumline.model.playbook import Amount, Barrier, BlockPart, Late, Play, Playbook, Strategy, Task, TriggerRule
from drumline.model.playbook import Start as Moment

_HERE = Position("playbook.yml")
PLAIN = Barrier()
#: Of each play, at most.
_HANDLERS = 3
_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class T:
    """A task of a test's plan: its hosts and the indices of the tasks of its play that it needs."""

    hosts: Sequence[str]
    needs: Sequence[int] = ()
    rule: TriggerRule = TriggerRule.NONE_FAILED
    run_once: bool = False
    barrier: Barrier | None = None  # of its wave
    start: Moment | None = None
    throttle: int = 0
    inside: tuple[int, BlockPart] | None = None  # a block of its play, by its index
    needs_blocks: Sequence[int] = ()
    handler: int | None = None  # which handler of its play it is
    notify: Sequence[int] = ()  # the handlers of its play that it notifies if it changes something


@dataclass(frozen=True)
class P:
    """A play: its tasks, and the indices of the plays that it needs."""

    tasks: Sequence[T]
    needs: Sequence[int] = ()
    strategy: Strategy = Strategy.WAVES
    any_errors_fatal: bool = False
    batches: int = 1
    barrier: Barrier = PLAIN
    canary: bool = False  # the first batch is one
    max_fail_percentage: float | None = None
    keep: Sequence[Keep] = ()
    force_handlers: bool = False
    blocks: Sequence[tuple[int, BlockPart] | None] = ()  # for each block the part of an earlier one that it stands in


def build(*plays: P) -> Plan:
    """A plan of these plays; with several batches the hosts are dealt out in turn."""
    steps: list[Step] = []
    planned: list[PlannedPlay] = []
    blocks: list[Block] = []
    for index, play in enumerate(plays):
        hosts = tuple(dict.fromkeys(host for task in play.tasks for host in task.hosts))
        batches = [_batch(play, index, number, hosts, steps, blocks) for number in range(play.batches)]
        made = Play(
            id=f"p{index}",
            name=f"play {index}",
            hosts="all",
            position=_HERE,
            strategy=play.strategy,
            max_fail_percentage=play.max_fail_percentage,
            notified={str(number): (number,) for number in range(_HANDLERS)},
            force_handlers=play.force_handlers,
        )
        needs, keep = tuple(play.needs), tuple(play.keep)
        planned.append(PlannedPlay(play=made, hosts=hosts, batches=tuple(batches), needs=needs, keep=keep))
    playbook = Playbook(path="playbook.yml")
    return Plan(playbook=playbook, plays=tuple(planned), steps=tuple(steps), blocks=tuple(blocks))


def _batch(
    play: P, index: int, number: int, all_hosts: tuple[str, ...], steps: list[Step], blocks: list[Block]
) -> Batch:
    hosts = all_hosts[number :: play.batches]
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}  # steps with the same hosts have one tuple, as planned ones do
    first, first_block = len(steps), len(blocks)

    def moved(inside: tuple[int, BlockPart] | None) -> Inside | None:
        return None if inside is None else Inside(first_block + inside[0], inside[1])

    blocks += [Block(index=first_block + at, inside=moved(inside)) for at, inside in enumerate(play.blocks)]
    levels: list[int] = []
    for position, task in enumerate(play.tasks):
        before = [*task.needs, *_before(play, position)]
        levels.append(1 + max((levels[need] for need in before), default=-1))
        roots = [] if task.needs or task.needs_blocks else [Need(play=need) for need in play.needs]
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
                    start=task.start,
                    throttle=task.throttle,
                    handler=task.handler,
                    notify=tuple(map(str, task.notify)),
                ),
                play=index,
                batch=number,
                wave=levels[-1],
                hosts=shared.setdefault(mine, mine),
                needs=(
                    *(Need(step=first + need) for need in task.needs),
                    *(Need(block=first_block + need) for need in task.needs_blocks),
                    *roots,
                ),
                inside=moved(task.inside),
            )
        )
    count = max(levels, default=-1) + 1
    waves = [tuple(first + place for place, level in enumerate(levels) if level == wave) for wave in range(count)]
    own = {level: task.barrier for task, level in zip(play.tasks, levels, strict=True) if task.barrier is not None}
    barriers = tuple(own.get(wave, play.barrier) for wave in range(count))
    return Batch(hosts=hosts, waves=tuple(waves), barriers=barriers, canary=play.canary and number == 0)


def _before(play: P, position: int) -> list[int]:
    """The tasks that come before one: those of earlier parts of its blocks, and of the blocks that it needs."""
    task = play.tasks[position]
    parts = dict.fromkeys(task.needs_blocks, BlockPart.TASKS) | dict(around(play, task.inside))
    return [
        index
        for index, other in enumerate(play.tasks[:position])
        for block, part in around(play, other.inside)
        if block in parts and (block in task.needs_blocks or part < parts[block])
    ]


def around(play: P, inside: tuple[int, BlockPart] | None) -> list[tuple[int, BlockPart]]:
    """The parts of blocks around something, the innermost first."""
    return [] if inside is None else [inside, *around(play, play.blocks[inside[0]])]


@dataclass
class World:
    """Runs a plan in virtual time: which job ends next, and how, is a matter of chance.

    Everything that the state was told and that it said is kept: ``log`` holds events and instructions in order.
    """

    plan: Plan
    seed: int = 0
    forks: int = 50
    sessions: int = 4
    outcomes: dict[tuple[str, str], Status] = field(default_factory=dict)  # (task id, host): how it ends, else ok
    chances: dict[Status, float] = field(default_factory=dict)
    ignored: frozenset[tuple[str, str]] = frozenset()
    stuck: frozenset[tuple[str, str]] = frozenset()  # these end when nothing else is left to happen, or when stopped
    deaf: float = 0.0  # chance that a stopped job ends as if it had not been stopped
    lost: float = 0.0  # chance that a staged job is lost when the go signal is to be sent
    uncertainty: float = 0.002  # of the hosts' clocks, in seconds, at most
    interrupts: dict[int, Urgency] = field(default_factory=dict)  # after so many turns
    growing: float = 0.0  # chance that a running job adds to the plan before anything else happens
    adding: float = 0.0  # chance that a job that ends well says that it adds to the plan
    together: int = 1  # at most so many jobs end in one turn, just before an interrupt too if it is more than 1
    log: list[Event | Instruction] = field(default_factory=list)
    turned: Callable[[list[Event]], None] = lambda _events: None  # called after each turn, with all that happened
    exit_status: int | None = None
    began: dict[Job, float] = field(default_factory=dict)  # when commands of a start really began

    def run(self) -> World:
        self.random = random.Random(self.seed)
        self.first = self.plan  # before it grew
        self.state = RunState(self.plan, forks=self.forks, sessions=self.sessions)
        self.time = 0.0
        self.under_way: list[Job] = []
        self.staged: dict[Job, float] = {}  # with what is wrong about the offset that was measured
        self.measured: dict[Job, float] = {}  # when commands of a start began, as far as can be known
        self.stopped: dict[Job, Status] = {}
        self.feed(RunStarted(at=0.0, run="test"))
        return self.go_on()

    def take_over(self, state: RunState) -> World:
        """The process of the run is gone: another one goes on, and doesn't know what came of the jobs under way."""
        self.state = state
        open_ = (*state.running, *state.awaited)
        lost = [JobFinished(at=self.time, job=job, status=Status.UNKNOWN) for job in open_]
        for gone in (self.under_way, self.staged, self.measured, self.stopped):
            gone.clear()
        self.feed(*lost, TimePassed(at=self.time))
        return self.go_on()

    def go_on(self) -> World:
        turns = 0
        while self.exit_status is None:
            if self.random.random() < self.growing:
                self.grow()
            interrupt = self.interrupts.pop(turns, None)
            turns += interrupt is None
            self.take_turn(interrupt)
        return self

    def take_turn(self, interrupt: Urgency | None) -> None:
        """Let some jobs come further, or time pass, or someone press Ctrl-C."""
        movable = [job for job in self.under_way if self.can_move(job)]
        wake, now = self.state.wake_at, self.time + self.random.random()
        if wake is not None and interrupt is None and (wake <= now or not movable):
            self.time = max(self.time, wake)
            self.feed(TimePassed(at=self.time))
            return
        movable = movable or [job for job in self.under_way if job not in self.staged]
        assert movable or interrupt, "the run is not over, and nothing can happen any more"
        most = min(self.together - 1 if interrupt else self.together, len(movable))
        moved = self.random.sample(movable, self.random.randint(0 if interrupt else 1, most))
        events = [self.move(job) for job in moved]
        if interrupt:
            events.append(InterruptRequested(at=self.time, urgency=interrupt))
        self.feed(*events)

    def grow(self) -> None:
        """Let a running job, and perhaps others of its step, add to the plan."""
        steps = self.plan.steps
        able = [job for job in self.under_way if steps[job.step].task.start is None]
        if not able or len(steps) > 30:
            return
        first = self.random.choice(able)
        others = [job for job in able if job.step == first.step and job != first and self.random.random() < 0.7]
        growth = any_growth(self.plan, (first, *others), self.random)
        self.plan = self.plan.grown(growth)
        self.feed(PlanGrown(at=self.time, jobs=(first, *others), growth=growth))

    def can_move(self, job: Job) -> bool:
        return job in self.stopped or not (job in self.staged or self.key(job) in self.stuck)

    def key(self, job: Job) -> tuple[str, str]:
        return self.plan.steps[job.step].task.id, job.host

    def move(self, job: Job) -> Input:
        self.time += self.random.random()
        status = self.outcome(job)
        waits = self.plan.steps[job.step].task.start is not None and job not in self.began
        if waits and job not in self.stopped and status in (Status.OK, Status.CHANGED):
            return self.stage(job)
        self.under_way.remove(job)
        self.staged.pop(job, None)
        ignored = self.key(job) in self.ignored and status is Status.FAILED
        began = self.measured.get(job)
        names = [str(name) for name in self.plan.steps[job.step].task.notify if status is Status.CHANGED]
        notified = tuple(names)
        able = self.plan.steps[job.step].task.start is None and len(self.plan.steps) < 30
        adds = status is Status.OK and able and self.random.random() < self.adding
        return JobFinished(
            at=self.time, job=job, status=status, ignored=ignored, began=began, adds=adds, notified=notified
        )

    def stage(self, job: Job) -> JobStaged:
        uncertainty = self.random.uniform(0, self.uncertainty)
        self.staged[job] = self.random.uniform(-uncertainty, uncertainty)
        return JobStaged(at=self.time, job=job, offset=0.0, uncertainty=uncertainty, round_trip=0.01)

    def outcome(self, job: Job) -> Status:
        if job in self.stopped and self.random.random() >= self.deaf:
            return self.stopped[job]
        fixed = self.outcomes.get(self.key(job))
        if fixed is not None:
            return fixed
        draw = self.random.random()
        for status, chance in self.chances.items():
            if draw < chance:
                return status
            draw -= chance
        return Status.OK

    def feed(self, *events: Input) -> None:
        """What the driver does in one turn: everything that has happened is handled in one call."""
        if not events:
            return
        self.log += events
        instructions = self.state.handle(*events)
        self.state.validate()
        self.log += instructions
        turn: list[Event] = [*events, *(item.event for item in instructions if isinstance(item, Announce))]
        for instruction in instructions:
            match instruction:
                case StartJobs(jobs=jobs, causes=causes):
                    started = JobsStarted(at=self.time, jobs=jobs, causes=causes)
                    self.log.append(started)
                    assert self.state.handle(started) == []
                    self.state.validate()
                    self.under_way += jobs
                    turn.append(started)
                case Stop(jobs=jobs, status=status):
                    self.stopped |= {job: status for job in jobs if job not in self.stopped}
                case Finish(exit_status=status):
                    self.exit_status = status
        self.turned(turn)
        releases = [instruction for instruction in instructions if isinstance(instruction, Release)]
        happened = [self.release(release) for release in releases]
        for event in sorted(happened, key=lambda event: isinstance(event, JobFinished)):
            self.feed(event)  # what was released is known before what came of it
        added = [event for item in instructions if isinstance(item, Grow) for event in self.add(item.jobs)]
        self.feed(*added)

    def add(self, jobs: tuple[Job, ...]) -> Iterator[Input]:
        """What jobs add that have said so, in groups; some have nothing to add, or end before that."""
        left = list(jobs)
        while left:
            group = [left.pop() for _ in range(self.random.randint(1, len(left)))]
            if self.random.random() < 0.1:
                yield from (JobFinished(at=self.time, job=job, status=Status.FAILED) for job in group)
                continue
            nothing = Growth(steps=(), added_by=group[0].step)
            growth = nothing if self.random.random() < 0.1 else any_growth(self.plan, group, self.random)
            self.plan = self.plan.grown(growth)
            yield PlanGrown(at=self.time, jobs=tuple(group), growth=growth)

    def release(self, release: Release) -> Input:
        """Send the go signal, unless one of the jobs is lost just then."""
        assert all(job in self.staged for job in release.jobs)
        lost = [job for job in release.jobs if self.random.random() < self.lost]
        if lost:
            self.under_way.remove(lost[0])
            del self.staged[lost[0]]
            ignored = self.key(lost[0]) in self.ignored
            return JobFinished(at=self.time, job=lost[0], status=Status.UNREACHABLE, ignored=ignored)
        for job in release.jobs:
            wrong = self.staged.pop(job)
            self.began[job] = self.time if release.instant is None else release.instant + wrong
            self.measured[job] = self.began[job] - wrong
        return StartReleased(at=self.time, jobs=release.jobs, instant=release.instant)

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


def any_growth(plan: Plan, jobs: Sequence[Job], chance: random.Random) -> Growth:
    """One to three steps in one or two waves, some of them in a block with a rescue, some on other hosts."""
    parent = plan.steps[jobs[0].step]
    first, wave = len(plan.steps), len(plan.plays[parent.play].batches[parent.batch].waves)
    block = Block(index=len(plan.blocks), inside=parent.inside) if chance.random() < 0.4 else None
    steps: list[Step] = []
    for number in range(chance.randint(1, 3)):
        inside = parent.inside if block is None else Inside(block.index, BlockPart(min(number, 2)))
        once = chance.random() < 0.2
        hosts = [job.host for job in jobs if chance.random() < 0.8]
        hosts += ["h0"] if chance.random() < 0.1 and "h0" not in hosts else []
        needs = tuple(Need(step=step.index) for step in steps if block is None and chance.random() < 0.5)
        task = Task(id=f"g{first + number}", name="added", action="command", position=_HERE, run_once=once)
        steps.append(
            Step(
                index=first + number,
                task=task,
                play=parent.play,
                batch=parent.batch,
                wave=wave + number,
                hosts=tuple(hosts),
                needs=needs,
                inside=inside,
                added_by=parent.index,
            )
        )
    barriers = tuple(
        chance.choice([PLAIN, Barrier(quorum=Amount(50, percent=True), late=Late.CATCH_UP)]) for _ in steps
    )
    return Growth(steps=tuple(steps), barriers=barriers, blocks=(block,) if block else ())


class Hand:
    """Feeds one state by hand, at given times: for tests of what exactly it says. Jobs are named (task id, host)."""

    def __init__(self, plan: Plan, *, forks: int = 50, sessions: int = 4) -> None:
        self.plan = plan
        self.state = RunState(plan, forks=forks, sessions=sessions)
        self.said: list[Event] = []
        self.stops: dict[tuple[str, str], tuple[str, str]] = {}  # status and reason
        self.releases: list[Release] = []
        self.starts: list[StartJobs] = []
        self.told: list[Stop] = []
        self.grows: list[Grow] = []
        self.feed(RunStarted(at=0.0, run="test"))

    def feed(self, *events: Input) -> None:
        for instruction in self.state.handle(*events):
            match instruction:
                case StartJobs(jobs=jobs, causes=causes):
                    self.starts.append(instruction)
                    self.state.handle(JobsStarted(at=events[-1].at, jobs=jobs, causes=causes))
                case Stop(jobs=jobs, status=status, reason=reason):
                    self.told.append(instruction)
                    self.stops |= {self.key(job): (str(status), reason) for job in jobs}
                case Release():
                    self.releases.append(instruction)
                case Grow():
                    self.grows.append(instruction)
                case Announce(event=event):
                    self.said.append(event)
        self.state.validate()

    def end(self, at: float, task: str, *hosts: str, status: Status = Status.OK, began: float | None = None) -> None:
        """These jobs have ended, in one turn."""
        jobs = [self.job(task, host) for host in hosts]
        names = [str(name) for name in self.plan.steps[jobs[0].step].task.notify if status is Status.CHANGED]
        notified = tuple(names)
        self.feed(*[JobFinished(at=at, job=job, status=status, began=began, notified=notified) for job in jobs])

    def stage(self, at: float, task: str, *hosts: str, uncertainty: float = 0.001, round_trip: float = 0.0) -> None:
        for host in hosts:
            known = {"offset": 0.0, "uncertainty": uncertainty, "round_trip": round_trip}
            self.feed(JobStaged(at=at, job=self.job(task, host), **known))

    def wake(self) -> float:
        """Time passes until the state wants to be woken; returns when that is."""
        at = self.state.wake_at
        assert at is not None
        self.feed(TimePassed(at=at))
        return at

    def pass_time(self, at: float) -> None:
        self.feed(TimePassed(at=at))

    def interrupt(self, at: float, urgency: Urgency = Urgency.AFTER_WAVE) -> None:
        self.feed(InterruptRequested(at=at, urgency=urgency))

    def job(self, task: str, host: str) -> Job:
        """The job of the first batch that has this host."""
        return next(Job(step.index, host) for step in self.plan.steps if step.task.id == task and host in step.hosts)

    def key(self, job: Job) -> tuple[str, str]:
        return self.plan.steps[job.step].task.id, job.host

    def status(self, task: str, *hosts: str) -> str:
        """The statuses of these jobs, in one text."""
        return " ".join(str(self.state.status(self.job(task, host))) for host in hosts)

    def heard(self, kind: type[_Kind]) -> list[_Kind]:
        """What the state said of this kind."""
        return [event for event in self.said if isinstance(event, kind)]


def chain(*hosts: Sequence[str]) -> list[T]:
    """Tasks that need one another in order, with these hosts."""
    tasks = [T(hosts[0])]
    return tasks + [T(after, needs=[index]) for index, (_, after) in enumerate(pairwise(hosts))]


_HOSTS = [f"h{number}" for number in range(6)]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan: several plays that need earlier ones or not, any graph, any hosts, any rules."""
    return build(*[draw(_plays(index)) for index in range(draw(st.integers(1, 3)))])


_AMOUNTS = st.sampled_from([Amount(100, percent=True), Amount(50, percent=True), Amount(2)])
_BARRIERS = st.one_of(
    st.just(PLAIN),
    st.builds(
        Barrier,
        quorum=_AMOUNTS,
        deadline=st.sampled_from([None, 0.5, 2.0]),
        late=st.sampled_from(Late),
    ),
)
_MOMENTS = st.sampled_from([None, None, Moment(), Moment(max_skew=0.003), Moment(at=3.0), Moment(at=90.0)])


@st.composite
def _plays(draw: st.DrawFn, index: int) -> P:
    strategy = draw(st.sampled_from(Strategy))
    keep = Keep(group="some", least=draw(st.integers(0, 5)), hosts=tuple(_HOSTS[1:]))
    tasks = [draw(_tasks(position)) for position in range(draw(st.integers(0, 6)))]
    places, blocks, ends = draw(_some_blocks(len(tasks)))
    ended = [[block for block, end in enumerate(ends) if end <= position] for position in range(len(tasks))]
    needed = [draw(st.sets(st.sampled_from(some), max_size=1)) if some else () for some in ended]
    return P(
        tasks=[
            replace(task, inside=place, needs_blocks=sorted(needs))
            for task, place, needs in zip(tasks, places, needed, strict=True)
        ],
        blocks=blocks,
        needs=sorted(draw(st.sets(st.integers(0, index - 1)))) if index else [],
        strategy=strategy,
        any_errors_fatal=draw(st.booleans()),
        batches=draw(st.integers(1, 3)),
        barrier=draw(_BARRIERS),
        canary=draw(st.booleans()),
        max_fail_percentage=draw(st.sampled_from([None, None, 0.0, 40.0])),
        keep=[keep] if draw(st.booleans()) else [],
        force_handlers=draw(st.booleans()),
    )


_Place = tuple[int, BlockPart] | None


@st.composite
def _some_blocks(draw: st.DrawFn, count: int) -> tuple[list[_Place], list[_Place], list[int]]:
    """Where each of so many tasks stands, and each block, and before which task each block has ended."""
    places: list[_Place] = []
    blocks: list[_Place] = []
    ends: list[int] = []
    here: _Place = None
    for position in range(count):
        while here is not None and draw(st.integers(0, 3)) == 0:
            ends[here[0]] = position
            here = blocks[here[0]]
        if here is not None and here[1] < BlockPart.ALWAYS and draw(st.booleans()):
            here = here[0], BlockPart(draw(st.integers(here[1] + 1, BlockPart.ALWAYS)))
        if draw(st.integers(0, 3)) == 0:
            blocks.append(here)
            ends.append(count)
            here = len(blocks) - 1, BlockPart.TASKS
        places.append(here)
    return places, blocks, ends


@st.composite
def _tasks(draw: st.DrawFn, position: int) -> T:
    handler = draw(st.sampled_from([None, None, None, *range(_HANDLERS)]))
    start = draw(_MOMENTS) if handler is None else None
    return T(
        hosts=sorted(draw(st.sets(st.sampled_from(_HOSTS)))),
        needs=sorted(draw(st.sets(st.integers(0, position - 1), max_size=3))) if position else [],
        rule=draw(st.sampled_from(TriggerRule)),
        run_once=draw(st.booleans()),
        barrier=draw(st.one_of(st.none(), _BARRIERS)),
        start=start,
        throttle=draw(st.sampled_from([0, 0, 1, 2])) if start is None else 0,
        handler=handler,
        notify=sorted(draw(st.sets(st.integers(0, _HANDLERS - 1), max_size=2))),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any plan, run with any failures, delays, interrupts, limits and order of completion."""
    chances = {
        Status.FAILED: draw(st.sampled_from([0.0, 0.1, 0.5])),
        Status.UNREACHABLE: draw(st.sampled_from([0.0, 0.1])),
        Status.SKIPPED: draw(st.sampled_from([0.0, 0.2])),
        Status.CHANGED: 0.2,
    }
    return World(
        draw(plans()),
        seed=draw(st.integers(0, 1000)),
        forks=draw(st.integers(1, 4)),
        sessions=draw(st.integers(1, 3)),
        together=draw(st.integers(1, 3)),
        chances=chances,
        ignored=_some_jobs(draw),
        stuck=_some_jobs(draw),
        deaf=draw(st.sampled_from([0.0, 0.3])),
        growing=draw(st.sampled_from([0.0, 0.3])),
        adding=draw(st.sampled_from([0.0, 0.0, 0.5])),
        lost=draw(st.sampled_from([0.0, 0.1])),
        interrupts=draw(st.dictionaries(st.integers(0, 20), st.sampled_from(Urgency), max_size=2)),
    )


def _some_jobs(draw: st.DrawFn) -> frozenset[tuple[str, str]]:
    """Any set of (task id, host)."""
    if not draw(st.booleans()):
        return frozenset()
    chance = random.Random(draw(st.integers(0, 1000)))
    return frozenset((f"t{task}", host) for task in range(6) for host in _HOSTS if chance.random() < 0.3)
