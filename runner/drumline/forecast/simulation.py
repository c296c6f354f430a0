"""A run in virtual time: the engine's own state, driven by a world in which jobs take as long as estimated.

No thread, no network, no waiting. Beside what jobs take, time passes in drumline itself (:mod:`.costs`): it handles
one thing after the other, and what happens meanwhile comes late by that.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, assert_never

from drumline.engine.instructions import Announce, Announcement, Finish, Grow, PlanPlay, Release, StartJobs, Stop
from drumline.engine.state import RunState
from drumline.forecast.costs import STAGING, STOPPING, TURN, WORD
from drumline.forecast.draws import Drawn
from drumline.model.cause import Because, Cause
from drumline.model.event import (
    BarrierPassed,
    FailuresPending,
    FailuresSettled,
    Input,
    JobFinished,
    JobsAbandoned,
    JobsLate,
    JobsStarted,
    JobStaged,
    PlanGrown,
    PlayStopped,
    RunFinished,
    RunStarted,
    StartCalledOff,
    StartMeasured,
    StartReleased,
    TimePassed,
    WaveEnded,
    WaveReleased,
)
from drumline.model.outcome import Status
from drumline.model.plan import Growth, Job, Plan, Step
from drumline.model.playbook import Strategy
from drumline.plugin.traits import Costs

#: Which play, which of its batches, which wave.
WaveKey = tuple[int, int, int]
#: Of hosts whose costs aren't given.
_USUAL = Costs()


class Draws(Protocol):
    """Says what jobs take (:class:`drumline.forecast.draws.Round`)."""

    def step(self, step: Step) -> Drawn: ...


@dataclass(slots=True, eq=False)
class PathLink:
    """A job on its way through the run, and whose end let it begin: the raw material of the critical path."""

    job: Job | None  #: None: the beginning of the run, or with a cause the clock (a deadline, an agreed moment).
    started: float
    cause: PathLink | None = None
    why: Because = Because.RUN  #: What the engine says that it began for.
    ended: float = 0.0
    staged: bool = False  #: It is the part until its command was waiting on its host.


@dataclass(slots=True)
class Span:
    """A wave's time, in seconds from the run's beginning."""

    released: float
    ended: float
    why: Because  #: What it was released for.


@dataclass(slots=True, kw_only=True)
class Simulated:
    """One simulated run. Seconds count from its beginning."""

    seconds: float = 0.0
    exit_status: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    waves: dict[WaveKey, Span] = field(default_factory=dict)
    last: PathLink | None = None  #: What the run ended with.
    stops: list[str] = field(default_factory=list)  #: Why plays were stopped, and starts called off.
    late: int = 0  #: Jobs that were late at a barrier.
    ran: set[int] = field(default_factory=set)  #: The steps of which a job ran.


class Simulation:
    """Runs a plan in virtual time, once."""

    def __init__(
        self,
        plan: Plan,
        draws: Draws,
        *,
        forks: int,
        sessions: int,
        costs: Mapping[str, Costs] | None = None,
        begin: float = 0.0,
    ) -> None:
        """``begin`` is when the run begins, in seconds since the epoch: it counts where a task starts at a moment."""
        self._plan = plan
        self._draws = draws
        self._costs = costs or {}
        self._begin = begin
        self._free = begin  # when drumline has done what it has to do so far
        self._state = RunState(plan, forks=forks, sessions=sessions)
        self._due: list[tuple[float, int, Input]] = []
        self._number = 0
        self._steps: dict[int, Drawn] = {}
        self._links: dict[Job, PathLink] = {}
        self._stopped: dict[Job, Status] = {}
        self._connected: set[str] = set()
        self._over = False
        self._released: PathLink | None = None  # what let the newest wave be released
        self._found = Simulated()

    def run(self) -> Simulated:
        """The run from beginning to end."""
        self._feed(RunStarted(at=self._begin, run="simulation"))
        while not self._over:
            self._feed(self._next())
        return self._found

    def _next(self) -> Input:
        wake = self._state.wake_at
        if wake is not None and (not self._due or wake < self._due[0][0]):
            return TimePassed(at=wake)
        assert self._due, "the run is not over, and nothing is under way"
        return heapq.heappop(self._due)[2]

    def _feed(self, event: Input) -> None:
        """What the driver does with one event. Drumline is busy for a while after the first of several."""
        link = self._link_of(event)
        if link is None:
            return
        self._free = max(self._free, event.at + TURN)
        for instruction in self._state.handle(event):
            match instruction:
                case Announce(event=announced):
                    self._note(announced, link)
                case StartJobs(jobs=jobs, causes=causes):
                    self._start(jobs, causes, link)
                case Release(jobs=jobs, instant=instant, cause=cause):
                    self._release(jobs, instant, cause.kind, link)
                case Stop(jobs=jobs, status=status):
                    self._stop(jobs, status)
                case PlanPlay(play=number):
                    growth = Growth(steps=(), opened=number, planned=self._plan.plays[number])
                    self._push(PlanGrown(at=self._free, jobs=(), growth=growth))
                case Grow():
                    pass  # no job of a simulation adds anything: what is known of it stands in the plan
                case Finish(exit_status=status):
                    self._found.exit_status = status
                    self._found.last = link
                    self._over = True
                case _:
                    assert_never(instruction)

    def _link_of(self, event: Input) -> PathLink | None:
        """Whose doing it is; None when it doesn't happen any more, since its job was stopped before."""
        if isinstance(event, JobFinished):
            job = event.job
            if job in self._stopped and self._stopped[job] is not event.status:
                return None
            link = self._links.pop(job, None)
            if link is not None:
                link.ended = event.at
            return link
        if isinstance(event, JobStaged):
            if event.job in self._stopped:
                return None
            waiting = self._links[event.job]
            return PathLink(event.job, waiting.started, waiting.cause, waiting.why, ended=event.at, staged=True)
        return PathLink(None, event.at, self._released, ended=event.at)

    def _wave_of(self, job: Job) -> WaveKey:
        step = self._plan.steps[job.step]
        return step.play, step.batch, step.wave

    def _note(self, event: Announcement, link: PathLink) -> None:
        """Keep what the state announces, as far as it is asked for later."""
        found = self._found
        match event:
            case WaveReleased(play=play, batch=batch, wave=wave, at=at, cause=cause):
                found.waves[play, batch, wave] = Span(at - self._begin, at - self._begin, cause.kind)
                self._released = link
            case BarrierPassed(play=play, batch=batch, wave=wave, at=at):
                found.waves[play, batch, wave].ended = at - self._begin
            case WaveEnded(play=play, batch=batch, wave=wave, at=at):
                if self._plan.plays[play].play.strategy is Strategy.FREE:  # which has no barriers
                    found.waves[play, batch, wave].ended = at - self._begin
            case PlayStopped(reason=reason) | StartCalledOff(reason=reason):
                found.stops.append(reason)
            case JobsLate(jobs=jobs):
                found.late += len(jobs)
            case RunFinished(at=at, counts=counts):
                found.seconds = at - self._begin
                found.counts = counts
            case JobsAbandoned() | StartMeasured() | FailuresPending() | FailuresSettled():
                pass
            case _:
                assert_never(event)

    # Jobs.

    def _start(self, jobs: tuple[Job, ...], causes: tuple[Cause, ...], link: PathLink) -> None:
        followed = self._state.handle(JobsStarted(at=self._free, jobs=jobs))
        assert not followed
        for job, cause in zip(jobs, causes, strict=True):
            drawn = self._steps.get(job.step)
            if drawn is None:
                drawn = self._steps[job.step] = self._draws.step(self._plan.steps[job.step])
            self._found.ran.add(job.step)
            cost = self._costs.get(job.host, _USUAL)
            self._free += cost.job
            at = self._free
            if job.host not in self._connected:
                self._connected.add(job.host)
                self._free += cost.connection
                at = self._free + (0.0 if drawn.connects else cost.connecting)
            begun = self._links[job] = PathLink(job, self._free, link, cause.kind)
            if self._plan.steps[job.step].task.start is None or drawn.took[job.host] < 0:
                self._end(job, begun, at + abs(drawn.took[job.host]))
            else:
                self._stage(job, at + drawn.staging.get(job.host, STAGING))

    def _end(self, job: Job, link: PathLink, at: float, began: float | None = None) -> None:
        drawn = self._steps[job.step]
        status = Status.OK
        if drawn.took[job.host] < 0:
            status = Status.SKIPPED
        elif job.host in drawn.fails:
            status = Status.FAILED
        ignored = status is Status.FAILED and self._plan.steps[job.step].task.ignore_errors is True
        notified = drawn.notified.get(job.host, ()) if status is Status.OK else ()
        self._push(
            JobFinished(
                at=at, job=job, status=status, started=link.started, ignored=ignored, began=began, notified=notified
            )
        )

    def _stage(self, job: Job, at: float) -> None:
        self._push(JobStaged(at=at, job=job, offset=0.0, uncertainty=0.0, round_trip=0.001))

    def _release(self, jobs: tuple[Job, ...], instant: float | None, why: Because, cause: PathLink) -> None:
        """The staged jobs begin; from here on each is in the run because of the one that was staged last."""
        at = self._free
        self._free += len(jobs) * WORD
        began = max(at, instant) if instant is not None else at
        released = StartReleased(at=self._free, jobs=jobs, instant=instant, burst=len(jobs) * WORD)
        assert not self._state.handle(released)
        for job in jobs:
            link = self._links[job] = PathLink(job, began, cause, why)
            self._end(job, link, began + self._steps[job.step].took[job.host], began)

    def _stop(self, jobs: tuple[Job, ...], status: Status) -> None:
        for job in jobs:
            if job not in self._links or job in self._stopped:
                continue
            self._stopped[job] = status
            at = self._free + STOPPING
            self._push(JobFinished(at=at, job=job, status=status, started=self._links[job].started))

    def _push(self, event: Input) -> None:
        self._number += 1  # of two at the same moment the first comes first
        heapq.heappush(self._due, (event.at, self._number, event))
