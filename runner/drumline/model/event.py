"""What happened in a run. Everything that is journalled, reported and replayed is one of these.

Events marked *input* change a run's state; the others are what the state makes of them, for reports. Replaying the
inputs of a journal gives the same state and the same other events (promise 1). ``at`` is seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

from drumline.model.outcome import Status
from drumline.model.plan import Job

#: Number of the shape of events in ``--events`` and in the journal; raised when a reader would have to know.
SCHEMA = 1


class Urgency(IntEnum):
    """How a run is to be interrupted."""

    AFTER_WAVE = 1  #: What is running ends by itself, nothing new starts.
    NOW = 2  #: What is running is stopped on the hosts.


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """Input: the plan is known, nothing was sent yet."""

    at: float
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveReleased:
    """A wave's jobs may start; ``jobs`` is how many."""

    at: float
    play: int
    batch: int
    wave: int
    jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsStarted:
    """Input: these jobs are about to be sent. Durable before the first of them is (promise 2)."""

    at: float
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinished:
    """Input: a job that was started is over."""

    at: float
    job: Job
    status: Status
    started: float = 0.0
    #: What the job registered, masked, as JSON: ``msg``, ``rc``, ``stdout``, ``stderr``, … (``results`` for a loop).
    result: Mapping[str, Any] = field(default_factory=dict)
    #: It failed or was unreachable, and the task says that this does not matter.
    ignored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsAbandoned:
    """Jobs that can no longer run, because of what happened to ``cause`` (None: the run was interrupted)."""

    at: float
    jobs: tuple[Job, ...]
    status: Status = Status.ABANDONED  #: Or ``CANCELLED``, when the run was interrupted or stopped.
    cause: Job | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierPassed:
    """A wave is over. ``last`` came last, and the others waited for it ``waited`` seconds at most."""

    at: float
    play: int
    batch: int
    wave: int
    last: Job | None = None
    waited: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptRequested:
    """Input: somebody pressed Ctrl-C."""

    at: float
    urgency: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """Nothing is left to do. ``counts`` has the number of jobs per final status."""

    at: float
    counts: Mapping[str, int]
    exit_status: int


Event: TypeAlias = (
    RunStarted
    | WaveReleased
    | JobsStarted
    | JobFinished
    | JobsAbandoned
    | BarrierPassed
    | InterruptRequested
    | RunFinished
)
