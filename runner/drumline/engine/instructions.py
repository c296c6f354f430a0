"""What the state asks the driver to do."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from drumline.model.cause import THE_RUN, Cause
from drumline.model.event import (
    BarrierPassed,
    FailuresPending,
    FailuresSettled,
    JobsAbandoned,
    JobsLate,
    PlayStopped,
    RunFinished,
    StartCalledOff,
    StartMeasured,
    WaveEnded,
    WaveReleased,
)
from drumline.model.outcome import Status
from drumline.model.plan import Job

#: What the state makes of the events that it takes in.
Announcement: TypeAlias = (
    WaveReleased
    | JobsAbandoned
    | JobsLate
    | WaveEnded
    | BarrierPassed
    | PlayStopped
    | StartCalledOff
    | StartMeasured
    | FailuresPending
    | FailuresSettled
    | RunFinished
)


class StartJobs(Struct, frozen=True):
    """Make the intent durable, feed ``JobsStarted`` back, then send these jobs."""

    jobs: tuple[Job, ...]
    causes: tuple[Cause, ...]  #: Why each of them starts now and not earlier.


class Stop(Struct, frozen=True):
    """End these running jobs on their hosts; each still reports that it finished, with this status and message."""

    jobs: tuple[Job, ...]
    status: Status = Status.CANCELLED
    reason: str = ""  #: Empty: someone interrupted the run.
    cause: Cause = THE_RUN


class Release(Struct, frozen=True):
    """Give all of these staged jobs, of one step, the go signal, then feed ``StartReleased`` back.

    If one of them is lost before the first word is sent, none is: the lost ones report that they finished.
    """

    jobs: tuple[Job, ...]
    #: By this machine's clock; None: at once. Where the task names no time it may be put off: ``StartReleased`` tells.
    instant: float | None = None
    cause: Cause = THE_RUN


class Grow(Struct, frozen=True):
    """Make what these jobs of one step add to the plan, and feed back a ``PlanGrown``, or several, that name each once.

    All jobs that can have their say now have had it.
    """

    jobs: tuple[Job, ...]
    handlers: tuple[int, ...] = ()  #: Of a flush point: which of those that came with includes were notified.


class PlanPlay(Struct, frozen=True):
    """Plan a play that is to open, with the inventory as it is by now, and feed back a ``PlanGrown`` without jobs."""

    play: int


class Announce(Struct, frozen=True):
    """Journal and report an event that the state made."""

    event: Announcement


class Finish(Struct, frozen=True):
    """Nothing is left to do."""

    exit_status: int


Instruction: TypeAlias = StartJobs | Stop | Release | Grow | PlanPlay | Announce | Finish
