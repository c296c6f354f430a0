"""What becomes of jobs: they get a place, are sent, are stopped, end with or without running.

The parts of a run's state (:mod:`.readiness`, :mod:`.waves`, :mod:`.starts`) share one of these. It holds the ledger,
the places, the time, and what is to be done next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, assert_never

from drumline.engine.dispatch import Dispatch
from drumline.engine.instructions import Announce, Announcement, Instruction, Release, StartJobs, Stop
from drumline.engine.ledger import Ledger
from drumline.engine.transitions import WavePhase
from drumline.model.cause import THE_RUN, Because, Cause
from drumline.model.event import (
    ApprovalGiven,
    ApprovalRequested,
    Input,
    InterruptRequested,
    JobFinished,
    JobsAbandoned,
    JobsStarted,
    JobStaged,
    JobWaiting,
    PlanGrown,
    RunStarted,
    StartReleased,
    TimePassed,
    WaveEnded,
)
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan


class _Ending(NamedTuple):
    """How and why jobs ended without running; those with the same one are announced together."""

    status: Status
    kind: Because
    failure: Job | None
    place: tuple[int, ...]
    reason: str


class Jobs:
    """All jobs of a run.

    ``event`` is the one that is being handled, ``at`` its time, ``out`` what is to be done.
    """

    def __init__(self, plan: Plan, *, forks: int, sessions: int) -> None:
        self.ledger = Ledger(plan)
        self.dispatch = Dispatch(forks=forks, sessions=sessions)
        self.at = 0.0
        self.event: Input | None = None
        self.out: list[Instruction] = []
        self.running: dict[Job, None] = {}
        self.stopping: dict[Job, Status] = {}  # of these, the ones that were told to stop, and what they end as
        self.ended: deque[tuple[Job, Status]] = deque()  # what follows from these was not looked at yet
        self.placeless: set[Job] = set()  # running without a place of their own
        self.sending: dict[Job, Cause] = {}  # named by a Start; JobsStarted has not come yet
        self.without_running: dict[_Ending, tuple[Cause, list[Job]]] = {}  # with the cause of the first

    @property
    def trigger(self) -> Cause:
        """What the event that is being handled is to whatever follows from it."""
        return THE_RUN if self.event is None else _trigger(self.event)

    # Jobs that are run.

    def send(self) -> None:
        """Ask for the start of all ready jobs that get a place."""
        taken = self.dispatch.take()
        if taken:
            self.sending.update(taken)
            self.out.append(StartJobs(tuple(taken), tuple(taken.values())))

    def started(self, jobs: Iterable[Job]) -> None:
        """These jobs, named by a ``Start``, are being sent."""
        for job in jobs:
            self.ledger.move(job, Status.RUNNING)
            del self.sending[job]
            self.running[job] = None

    def finished(self, event: JobFinished, *, holds: bool = False) -> None:
        """A running job has ended; with ``holds`` only its own work has, and it stays open for what it added."""
        job = event.job
        self.ledger.move(job, Status.HOLDING if holds else event.status, ignored=event.ignored)
        del self.running[job]
        if job in self.placeless:
            self.placeless.remove(job)
        else:
            self.dispatch.release(job)
        if self.stopping:
            self.stopping.pop(job, None)
        if not holds:
            self.ended.append((job, event.status))

    def is_idle(self) -> bool:
        """Whether no job is under way, or about to be sent."""
        return not self.running and not self.sending

    def give_place_back(self, job: Job) -> None:
        """A running job needs no place any more: neither ``forks`` nor ``sessions`` count it."""
        if job not in self.placeless:
            self.placeless.add(job)
            self.dispatch.release(job)

    def stop(self, jobs: Iterable[Job], status: Status, reason: str, cause: Cause) -> None:
        """Tell running jobs to stop, unless they were told so before."""
        told = tuple(job for job in jobs if job not in self.stopping)
        if told:
            self.stopping.update(dict.fromkeys(told, status))
            self.out.append(Stop(told, status, reason, cause))

    def stop_all(self) -> None:
        """Tell all running jobs to stop, and those that were told so before once more: now there is a hurry."""
        self.stopping = {job: self.stopping.get(job, Status.CANCELLED) for job in self.running}
        if self.running:
            self.out.append(Stop(tuple(self.running), cause=self.trigger))

    # Jobs that end without running.

    def withdraw(self, steps: frozenset[int], host: str | None = None) -> list[Job]:
        """Take the places of ready jobs back, on one host or on all; they are to be ended next."""
        unsent = [job for job in self.sending if job.step in steps and (host is None or job.host == host)]
        if unsent:
            self._take_back(frozenset(unsent))
        return self.dispatch.drop(steps, host) + unsent

    def _take_back(self, jobs: frozenset[Job]) -> None:
        """What was to be sent after an earlier event of the same call is not sent any more."""
        out = self.out
        self.out = []
        for item in out:
            if not isinstance(item, StartJobs):
                self.out.append(item)
                continue
            left = {job: cause for job, cause in zip(item.jobs, item.causes, strict=True) if job not in jobs}
            if left:
                self.out.append(StartJobs(tuple(left), tuple(left.values())))
        for job in jobs:
            self.dispatch.release(job)
            del self.sending[job]

    def take_release_back(self, step: int) -> None:
        """The word to start is not given any more, if it was to be after an earlier event of the same call."""
        self.out = [item for item in self.out if not (isinstance(item, Release) and item.jobs[0].step == step)]

    def end(self, jobs: Iterable[Job], status: Status, cause: Cause, reason: str = "") -> None:
        """End jobs that are not running; those of handlers that no one has notified are unneeded."""
        failure = cause.job if cause.kind is Because.FAILURE else None
        ending = _Ending(status, cause.kind, failure, cause.place, reason)
        for job in jobs:
            if status is not Status.UNNEEDED and self.ledger.steps[job.step].step.task.handler is not None:
                if self.ledger.is_unneeded(job, status):
                    self.end([job], Status.UNNEEDED, cause)
                    continue
                if not self.ledger.may_be_rescued(job):
                    self.ledger.use_up(job)
            self.ledger.move(job, status)
            if failure is not None and status is Status.ABANDONED:
                self.ledger.steps[job.step].causes[job.host] = failure
            self.ended.append((job, status))
            self.without_running.setdefault(ending, (cause, []))[1].append(job)

    def end_waiting(self, index: int, status: Status, cause: Cause, reason: str = "") -> None:
        """End all of a step's jobs that wait for their needs."""
        state = self.ledger.steps[index]
        if state.step.task.run_once and not state.statuses and state.step.hosts:
            self.ledger.choose_host(index, state.step.hosts[0])
        self.end(self.ledger.pending(index), status, cause, reason)

    def announce_ends(self) -> None:
        """Tell of the jobs that ended without running since the last time."""
        if not self.without_running:
            return
        for ending, (cause, jobs) in self.without_running.items():
            status, reason = ending.status, ending.reason
            self.announce(JobsAbandoned(at=self.at, jobs=tuple(jobs), status=status, reason=reason, cause=cause))
        self.without_running.clear()

    def announce_waves(self) -> None:
        """Tell of the released waves that have no open job any more."""
        for wave in self.ledger.emptied:
            if wave.phase is not WavePhase.ENDED:
                play, batch, number = wave.place
                self.announce(WaveEnded(at=self.at, play=play, batch=batch, wave=number, cause=self.trigger))
        self.ledger.emptied.clear()

    def announce(self, event: Announcement) -> None:
        """Have an event journalled and reported."""
        self.out.append(Announce(event))


def _trigger(event: Input) -> Cause:
    """What an event is to whatever follows from it."""
    match event:
        case JobFinished(job=job):
            return Cause(Because.END, job)
        case JobStaged(job=job):
            return Cause(Because.STAGED, job)
        case TimePassed():
            return Cause(Because.CLOCK)
        case InterruptRequested(by=by) | ApprovalGiven(by=by):
            return Cause(Because.PERSON, by=by)
        case PlanGrown(jobs=jobs):
            return Cause(Because.GROWTH, jobs[0]) if jobs else THE_RUN  # else a play opens, whose cause is known
        case RunStarted() | JobsStarted() | StartReleased() | JobWaiting() | ApprovalRequested():
            return THE_RUN  # nothing follows from it, or the beginning
        case _:
            assert_never(event)
