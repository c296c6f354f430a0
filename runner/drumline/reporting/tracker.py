"""The state of a run from its events: waves with their counts, running and waiting jobs, and folded results."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, assert_never

from msgspec import Struct, field
from msgspec.structs import replace

from drumline.model.cause import Because
from drumline.model.event import (
    ApprovalGiven,
    ApprovalRequested,
    BarrierPassed,
    Event,
    FailuresPending,
    FailuresSettled,
    InterruptRequested,
    JobFinished,
    JobsAbandoned,
    JobsLate,
    JobsStarted,
    JobStaged,
    JobWaiting,
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
from drumline.model.plan import Inside, Job, Plan, Step, places_of
from drumline.model.playbook import BlockPart
from drumline.model.titles import with_titles
from drumline.reporting.diffs import AROUND
from drumline.reporting.folds import Fold, Folding, Likeness, Outcome, outcome_of

#: Statuses of jobs that cause others to be abandoned.
CAUSES = frozenset({Status.FAILED, Status.UNREACHABLE, Status.UNKNOWN})

#: Play, batch in the play, wave in the batch.
WaveKey = tuple[int, int, int]


class NeverRan(Struct, frozen=True):
    """How jobs of a step ended without running: their status, and the step or the reason that caused it."""

    step: int
    status: Status
    cause: int | None
    reason: str


class Starting(Struct):
    """A synchronised start, of one step."""

    step: int
    left: set[str]  #: Hosts whose jobs haven't ended; with ``run_once``, once it is known which host that is.
    staged: set[str] = set()
    released: StartReleased | None = None
    called_off: StartCalledOff | None = None
    told: bool = False  #: Whether a report has shown that it was called off.
    measured: StartMeasured | None = None


class Question(Struct):
    """What people were asked, and what they answered."""

    asked: ApprovalRequested
    given: ApprovalGiven | None = None
    over: bool = False  #: Whether its job has ended.


class Wave(Struct):
    """One released wave."""

    key: WaveKey
    released: float
    jobs: int
    counts: Counter[Outcome] = field(default_factory=Counter)
    folds: dict[Likeness, Fold] = {}
    abandoned: dict[NeverRan, list[str]] = {}
    late: list[JobsLate] = []
    barrier: BarrierPassed | None = None
    ended: float | None = None

    @property
    def finished(self) -> int:
        """How many of its jobs have ended."""
        return self.counts.total()


class Tracker:
    """Handles events and keeps what reports show. ``lock`` guards it against a screen that is drawn concurrently.

    Results are folded if what is shown of them, which depends on ``verbose``, is equal. If ``address``, which gives the
    address of a host, is set, results that differ only by the hosts' names and addresses are folded, too.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        verbose: int = 0,
        address: Callable[[str], Any] | None = None,
        diff_context: int = AROUND,
    ) -> None:
        self.plan = plan
        self.diff_context = diff_context  #: How many lines around a change a diff shows.
        self.folding = Folding(plan, verbose, address)
        self.lock = threading.RLock()
        self.started = 0.0
        self.now = 0.0
        self.finished: RunFinished | None = None
        self.interrupts = 0
        self.waves: dict[WaveKey, Wave] = {}
        self.running: dict[Job, float] = {}
        self.waiting: dict[Job, JobWaiting] = {}
        self.questions: list[Question] = []
        self.starts: dict[int, Starting] = {}  # by step
        self.stops: list[PlayStopped] = []
        self.counts: Counter[Outcome] = Counter()
        self.hosts: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)  # how the jobs of each host ended
        self.causes: dict[tuple[int, Status], list[str]] = {}  # failures that matter: by step and status, their hosts
        #: By step, hosts on which it was abandoned or cancelled before it began.
        self.never_ran: dict[int, dict[str, None]] = {}
        self.pending: dict[Job, Status] = {}  # failures that wait for a rescue, and how the jobs ended
        self.adding: set[Job] = set()  # jobs that said at their end that they add to the plan
        self.ignored = 0  # failures that don't matter; they are among the counts

    def handle(self, event: Event) -> None:
        """Handle one event."""
        with self.lock:
            self.now = event.at
            match event:
                case JobFinished():
                    self._job_finished(event)
                case JobsStarted(jobs=jobs, at=at):
                    self.running.update(dict.fromkeys(jobs, at))
                case JobsAbandoned():
                    self._abandoned(event)
                case WaveReleased():
                    key = (event.play, event.batch, event.wave)
                    self.waves[key] = Wave(key, event.at, event.jobs)
                case WaveEnded():
                    self.waves[event.play, event.batch, event.wave].ended = event.at
                case BarrierPassed():
                    self.waves[event.play, event.batch, event.wave].barrier = event
                case JobsLate():
                    self.waves[event.play, event.batch, event.wave].late.append(event)
                case PlayStopped():
                    self.stops.append(event)
                case JobWaiting(job=job):
                    self.waiting[job] = event
                case ApprovalRequested() | ApprovalGiven():
                    self._asked(event)
                case PlanGrown():
                    self.plan = self.plan.grown(with_titles(event, str).growth)
                    self.folding.grow(self.plan)
                case FailuresPending(jobs=jobs):
                    self._pend(jobs)
                case FailuresSettled():
                    self._settle(event)
                case JobStaged() | StartReleased() | StartCalledOff() | StartMeasured():
                    self._starting(event)
                case RunStarted(at=at):
                    self.started = at
                case RunFinished():
                    self.finished = event
                case InterruptRequested():
                    self.interrupts += 1
                case TimePassed():
                    pass
                case _:
                    assert_never(event)

    def step(self, job: Job) -> Step:
        """The step of a job."""
        return self.plan.steps[job.step]

    def key_of(self, job: Job) -> WaveKey:
        """The key of a job's wave."""
        step = self.step(job)
        return step.play, step.batch, step.wave

    def wave_of(self, job: Job) -> Wave | None:
        """The wave of a job; None if it was never released."""
        return self.waves.get(self.key_of(job))

    def failures(self) -> list[Fold]:
        """Failures that matter, from all waves whose folds are still kept."""
        folds = (fold for wave in self.waves.values() for fold in wave.folds.values())
        failed = (fold for fold in folds if fold.status in CAUSES and not fold.ignored)
        return list(filter(None, map(self._that_matters, failed)))

    def _that_matters(self, fold: Fold) -> Fold | None:
        """The fold without the hosts on which a rescue has made up for it, or still may."""
        matter = set(self.causes.get((fold.step, fold.status), ()))
        hosts = [host for host in fold.hosts if host in matter]
        return fold if len(hosts) == len(fold.hosts) else replace(fold, hosts=hosts) if hosts else None

    def failed_without_running(self) -> list[tuple[NeverRan, list[str]]]:
        """Jobs that failed before they were sent (late at a barrier), by step and reason, with their hosts."""
        endings = (item for wave in self.waves.values() for item in wave.abandoned.items())
        return [(ending, hosts) for ending, hosts in endings if ending.status in CAUSES]

    def open_questions(self) -> list[Question]:
        """Unanswered questions, in the order in which they were asked."""
        return [question for question in self.questions if question.given is None and not question.over]

    def open_waves(self) -> Iterator[Wave]:
        """Released waves with unfinished jobs."""
        return (wave for wave in self.waves.values() if wave.ended is None)

    def _job_finished(self, event: JobFinished) -> None:
        job = event.job
        self.running.pop(job, None)
        self.waiting.pop(job, None)
        if job in self.adding and event.status not in CAUSES:
            return  # it is counted already: nothing came of what it was to add
        if event.adds:
            self.adding.add(job)
        self._leave(job)
        outcome = outcome_of(event.status, event.check)
        self.counts[outcome] += 1
        self.hosts[job.host][outcome] += 1
        if event.ignored:
            self.ignored += 1
        elif event.status in CAUSES:
            self.causes.setdefault((job.step, event.status), []).append(job.host)
        wave = self.wave_of(job)
        if wave is None:
            return
        fold = self._fold(wave, event)
        fold.hosts.append(job.host)
        fold.first_start = min(fold.first_start, event.started)
        fold.last_end = event.at
        wave.counts[outcome] += 1

    def _pend(self, jobs: tuple[Job, ...]) -> None:
        """These failures don't matter yet."""
        for job in jobs:
            for status in CAUSES:
                hosts = self.causes.get((job.step, status), [])
                if job.host in hosts:
                    self.pending[job] = status
                    hosts.remove(job.host)
                    if not hosts:
                        del self.causes[job.step, status]

    def _settle(self, event: FailuresSettled) -> None:
        for job in event.jobs:
            status = self.pending.pop(job, None)
            if status is None:
                continue
            if event.rescued:
                wave = self.wave_of(job)
                for counts in (self.counts, self.hosts[job.host], *([wave.counts] if wave else [])):
                    counts[status] -= 1
                    counts[Status.RESCUED] += 1
                self._forgive(job)
            else:
                self.causes.setdefault((job.step, status), []).append(job.host)

    def _forgive(self, rescued: Job) -> None:
        """What was abandoned in the block since that job failed is no longer left to run."""
        block = next((place.block for place in self._around(rescued.step) if place.part is BlockPart.TASKS), None)
        for step, hosts in [*self.never_ran.items()]:
            if rescued.host in hosts and any(place.block == block for place in self._around(step)):
                del hosts[rescued.host]
                if not hosts:
                    del self.never_ran[step]

    def _around(self, step: int) -> Sequence[Inside]:
        return places_of(self.plan, self.plan.steps[step].inside)

    def _asked(self, event: ApprovalRequested | ApprovalGiven) -> None:
        if isinstance(event, ApprovalRequested):
            self.questions.append(Question(event))
            return
        for question in self.open_questions():
            if question.asked.job == event.job:
                question.given = event

    def _starting(self, event: JobStaged | StartReleased | StartCalledOff | StartMeasured) -> None:
        match event:
            case JobStaged(job=job):
                start = self._start_of(job.step)
                start.left.add(job.host)
                start.staged.add(job.host)
            case StartReleased(jobs=jobs):
                self._start_of(jobs[0].step).released = event
            case StartCalledOff(step=step):
                self._start_of(step).called_off = event
            case StartMeasured(step=step):
                self._start_of(step).measured = event
            case _:
                assert_never(event)

    def _start_of(self, step: int) -> Starting:
        found = self.starts.get(step)
        if found is None:
            planned = self.plan.steps[step]
            found = self.starts[step] = Starting(step, set() if planned.task.run_once else set(planned.hosts))
        return found

    def _leave(self, job: Job) -> None:
        """Forget what an ended job waited for and asked."""
        if self.plan.steps[job.step].task.start is not None or job.step in self.starts:
            self._start_of(job.step).left.discard(job.host)
        for question in self.questions:
            if question.asked.job == job:
                question.over = True

    def _fold(self, wave: Wave, event: JobFinished) -> Fold:
        step = event.job.step
        text = self.folding.text(step, event.status, event.result, event.ignored)
        key = (step, event.status, event.ignored, event.check, text)
        fold = wave.folds.get(key)
        if fold is None:
            fold = wave.folds[key] = Fold(
                step, event.status, event.result, event.ignored, event.check, [], event.started
            )
        return fold

    def _abandoned(self, event: JobsAbandoned) -> None:
        if event.status is Status.UNNEEDED:
            self._unneeded(event)
            return
        self.counts[event.status] += len(event.jobs)
        failed = event.cause.job if event.cause.kind is Because.FAILURE else None
        cause = failed.step if failed is not None else None
        for job in event.jobs:
            self._leave(job)
            self._note_unstarted(job, event.status)
            wave = self.wave_of(job)
            if wave is not None:
                ending = NeverRan(job.step, event.status, cause, event.reason)
                wave.abandoned.setdefault(ending, []).append(job.host)
                wave.counts[event.status] += 1

    def _unneeded(self, event: JobsAbandoned) -> None:
        """What these jobs were there for didn't happen: no report knows of them."""
        for job in event.jobs:
            self._leave(job)
            wave = self.wave_of(job)
            if wave is not None:
                wave.jobs -= 1

    def _note_unstarted(self, job: Job, status: Status) -> None:
        self.hosts[job.host][status] += 1
        if status in CAUSES:
            self.causes.setdefault((job.step, status), []).append(job.host)
        elif status in (Status.ABANDONED, Status.CANCELLED):
            self.never_ran.setdefault(job.step, {})[job.host] = None
