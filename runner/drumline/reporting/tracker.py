"""What events add up to: waves with their counts, who is running since when, and equal results folded together."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from drumline.model.event import (
    BarrierPassed,
    Event,
    InterruptRequested,
    JobFinished,
    JobsAbandoned,
    JobsStarted,
    RunFinished,
    RunStarted,
    WaveReleased,
)
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan, Step

#: How a job ends that is the cause of what follows from it.
CAUSES = frozenset({Status.FAILED, Status.UNREACHABLE, Status.UNKNOWN})

#: Which play, which of its batches, which wave.
WaveKey = tuple[int, int, int]


@dataclass(slots=True)
class Fold:
    """Hosts on which a step ended alike: the same status and the same text."""

    step: int
    status: Status
    result: Mapping[str, Any]  # of the first of them
    ignored: bool = False
    hosts: list[str] = field(default_factory=list)
    first_start: float = 0.0
    last_end: float = 0.0


@dataclass(slots=True)
class Wave:
    """One released wave."""

    key: WaveKey
    released: float
    jobs: int
    open: int
    counts: Counter[Status] = field(default_factory=Counter)
    folds: dict[tuple[Any, ...], Fold] = field(default_factory=dict)
    #: (step, status, step that is the cause) to the hosts.
    abandoned: dict[tuple[int, Status, int | None], list[str]] = field(default_factory=dict)
    barrier: BarrierPassed | None = None
    ended: float | None = None


class Tracker:
    """Takes events in and keeps what reports show. ``lock`` guards it against a screen that is drawn meanwhile.

    Results are folded when what is shown of them is equal; ``verbose`` is how much that is.
    """

    def __init__(self, plan: Plan, *, verbose: int = 0) -> None:
        self.plan = plan
        self.lock = threading.RLock()
        self.started = 0.0
        self.now = 0.0
        self.finished: RunFinished | None = None
        self.interrupts = 0
        self.waves: dict[WaveKey, Wave] = {}
        self.running: dict[Job, float] = {}
        self.counts: Counter[Status] = Counter()
        self.ignored = 0  # failures that don't matter; they are among the counts
        self._verbose = verbose
        self._ended: list[Wave] = []

    def handle(self, event: Event) -> list[Wave]:
        """Take in one event; returns the waves whose last job it ended."""
        with self.lock:
            self.now = event.at
            self._ended = []
            match event:
                case JobFinished():
                    self._job_finished(event)
                case JobsStarted(jobs=jobs, at=at):
                    self.running.update(dict.fromkeys(jobs, at))
                case JobsAbandoned():
                    self._abandoned(event)
                case WaveReleased():
                    key = (event.play, event.batch, event.wave)
                    self.waves[key] = Wave(key, event.at, event.jobs, event.jobs)
                case BarrierPassed():
                    self.waves[event.play, event.batch, event.wave].barrier = event
                case RunStarted(at=at):
                    self.started = at
                case RunFinished():
                    self.finished = event
                case InterruptRequested():
                    self.interrupts += 1
            return self._ended

    def step(self, job: Job) -> Step:
        """The step of a job."""
        return self.plan.steps[job.step]

    def wave_of(self, job: Job) -> Wave | None:
        """The wave that a job belongs to; None when that wave was never released."""
        step = self.step(job)
        return self.waves.get((step.play, step.batch, step.wave))

    def failures(self) -> list[Fold]:
        """What failed and matters, of all waves whose folds are still there."""
        folds = (fold for wave in self.waves.values() for fold in wave.folds.values())
        return [fold for fold in folds if fold.status in CAUSES and not fold.ignored]

    def open_waves(self) -> Iterator[Wave]:
        """Released waves with jobs that are not over."""
        return (wave for wave in self.waves.values() if wave.open)

    def _job_finished(self, event: JobFinished) -> None:
        job = event.job
        self.running.pop(job, None)
        self.counts[event.status] += 1
        self.ignored += event.ignored
        wave = self.wave_of(job)
        if wave is None:
            return
        fold = self._fold(wave, event)
        fold.hosts.append(job.host)
        fold.last_end = event.at
        wave.counts[event.status] += 1
        self._close(wave, event.at)

    def _fold(self, wave: Wave, event: JobFinished) -> Fold:
        whole = self._verbose > 1 or self.step(event.job).task.action == "debug"
        shown = repr(sorted(event.result.items(), key=_first)) if whole else what_is_shown(event, self._verbose)
        key = (event.job.step, event.status, event.ignored, shown)
        fold = wave.folds.get(key)
        if fold is None:
            fold = Fold(event.job.step, event.status, event.result, event.ignored, [], event.started)
            wave.folds[key] = fold
        return fold

    def _abandoned(self, event: JobsAbandoned) -> None:
        self.counts[event.status] += len(event.jobs)
        cause = event.cause.step if event.cause else None
        for job in event.jobs:
            wave = self.wave_of(job)
            if wave is not None:
                wave.abandoned.setdefault((job.step, event.status, cause), []).append(job.host)
                wave.counts[event.status] += 1
                self._close(wave, event.at)

    def _close(self, wave: Wave, at: float) -> None:
        wave.open -= 1
        if not wave.open:
            wave.ended = at
            self._ended.append(wave)


def what_is_shown(event: JobFinished, verbose: int) -> Any:
    """The part of a result by which equal ones are folded: all that is said of a failure, else ``msg`` and output.

    The command is no part of it: it may differ by the host's name alone.
    """
    result = event.result
    if not verbose and event.status is Status.UNREACHABLE:
        return result.get("kind", result.get("msg"))  # each message names its own host, address or key
    if not verbose and event.status in (Status.OK, Status.CHANGED, Status.SKIPPED) and not event.ignored:
        message = result.get("msg", "")
        return message if isinstance(message, str) else repr(message)
    return repr([result.get(name) for name in ("msg", "rc", "stdout", "stderr", "cut", "results")])


def _first(item: tuple[str, Any]) -> str:
    return item[0]
