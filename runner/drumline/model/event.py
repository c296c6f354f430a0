"""What happened in a run. Everything that is journalled, reported and replayed is one of these events.

Events marked *input* change a run's state; the state derives the others from them, for reports. Replaying the
inputs of a journal gives the same state and the same other events (promise 1). ``at`` is seconds since the epoch.

Every event names what caused it: in ``cause`` or, if only one thing can cause it, in its ``job`` or
``by``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, TypeAlias

from msgspec import Struct

from drumline.model.cause import THE_RUN, Cause
from drumline.model.outcome import Status
from drumline.model.plan import Growth, Job
from drumline.model.playbook import Late
from drumline.model.value import Seconds

#: Version of the format of events in ``--events`` and in the journal; raised when readers need to change.
SCHEMA = 3


class Urgency(IntEnum):
    """How to interrupt a run."""

    AFTER_WAVE = 1  #: Running jobs finish, and no new ones start.
    NOW = 2  #: Running jobs are stopped on the hosts.


class RunStarted(Struct, frozen=True, kw_only=True, gc=False):
    """Input: the plan is known, and nothing has been sent yet."""

    at: Seconds
    run: str
    by: str = ""  #: Who started it, as ``user@machine``.


class WaveReleased(Struct, frozen=True, kw_only=True, gc=False):
    """A wave's jobs may start; ``jobs`` is how many."""

    at: Seconds
    play: int
    batch: int
    wave: int
    jobs: int
    cause: Cause = THE_RUN


class JobsStarted(Struct, frozen=True, kw_only=True, gc=False):
    """Input: these jobs are about to be sent. Durable before the first of them is sent (promise 2)."""

    at: Seconds
    jobs: tuple[Job, ...]
    causes: tuple[Cause, ...] = ()  #: What each of them waited for last.


class JobFinished(Struct, frozen=True, kw_only=True, gc=False):
    """Input: a job that was started has ended."""

    at: Seconds
    job: Job
    status: Status
    started: Seconds = 0.0
    #: What the job registered, masked, as JSON: ``msg``, ``rc``, ``stdout``, ``stderr``, … (``results`` for a loop).
    result: Mapping[str, Any] = {}
    #: Whether it failed or was unreachable, and the task forgives that.
    ignored: bool = False
    #: Whether it adds to the plan: it stays open until a ``PlanGrown`` names it, and all that was added has ended.
    adds: bool = False
    notified: tuple[str, ...] = ()  #: The handlers that it notified, by the names that its task gives them.
    #: With ``start``: when its command began, by this machine's clock; None if it never did.
    began: Seconds | None = None
    cause: Cause | None = None  #: Why it was stopped; None if it ended by itself.
    gone: tuple[str, ...] = ()  #: The hosts that the inventory, which it has read anew, has no more.
    #: Whether it was only checked: ``CHANGED`` means that it would change something. ``unclear`` of the result says
    #: what can't be known.
    check: bool = False


class JobsAbandoned(Struct, frozen=True, kw_only=True, gc=False):
    """Jobs that ended without running."""

    at: Seconds
    jobs: tuple[Job, ...]
    #: Or ``CANCELLED`` if the run was interrupted; ``FAILED`` or ``SKIPPED`` if they were late at a barrier.
    status: Status = Status.ABANDONED
    reason: str = ""  #: For people, if the cause doesn't say it all.
    cause: Cause = THE_RUN


class BarrierPassed(Struct, frozen=True, kw_only=True, gc=False):
    """A wave has ended as far as its barrier requires.

    ``last`` was last to finish; the others waited for it ``waited`` seconds at most, ``waited_in_all`` in total.
    """

    at: Seconds
    play: int
    batch: int
    wave: int
    last: Job | None = None
    waited: Seconds = 0.0
    waited_in_all: Seconds = 0.0
    open: int = 0  #: Jobs that the barrier didn't wait for (``quorum``, ``late: catch_up``).
    cause: Cause = THE_RUN


class WaveEnded(Struct, frozen=True, kw_only=True, gc=False):
    """All jobs of a released wave have ended: before its barrier passes, or after it if it waited for fewer."""

    at: Seconds
    play: int
    batch: int
    wave: int
    cause: Cause = THE_RUN


class JobsLate(Struct, frozen=True, kw_only=True, gc=False):
    """These jobs of a wave had not ended in time; ``late`` says what happens to them."""

    at: Seconds
    play: int
    batch: int
    wave: int
    jobs: tuple[Job, ...]
    late: Late
    reason: str  #: ``the deadline of 10 m had passed``, ``90% had finished``.
    cause: Cause = THE_RUN


class PlayStopped(Struct, frozen=True, kw_only=True, gc=False):
    """Too much has failed, so nothing more of this play is released."""

    at: Seconds
    play: int
    batch: int
    reason: str  #: One sentence with the numbers, for people.
    cause: Cause = THE_RUN


class TimePassed(Struct, frozen=True, kw_only=True, gc=False):
    """Input: the time came at which the state asked to be woken, or the machine's clock was set."""

    at: Seconds
    #: Seconds by which the machine's clock was set forward since drumline began; other times are not affected.
    ahead: Seconds = 0.0


class JobWaiting(Struct, frozen=True, kw_only=True, gc=False):
    """Input: what a running job waits for from now on."""

    at: Seconds
    job: Job
    reason: str  #: ``for port 5432 of 127.0.0.1``, ``until 02:00:00``.
    until: Seconds | None = None  #: When it gives up, or goes on.


class JobStaged(Struct, frozen=True, kw_only=True, gc=False):
    """Input: a job's command waits on its host for the go signal.

    The host's clock is ``offset`` seconds ahead of this machine's, give or take ``uncertainty``.
    """

    at: Seconds
    job: Job
    offset: Seconds
    uncertainty: Seconds
    round_trip: Seconds


class StartReleased(Struct, frozen=True, kw_only=True, gc=False):
    """Input: the go signal was sent to all of these jobs, which belong to one step.

    They start at ``instant``, in this machine's time, or at once.
    """

    at: Seconds
    jobs: tuple[Job, ...]
    instant: Seconds | None = None
    burst: Seconds = 0.0  #: Seconds from the first to the last go signal.
    cause: Cause = THE_RUN


class StartCalledOff(Struct, frozen=True, kw_only=True, gc=False):
    """A synchronised start was called off: the step starts nowhere."""

    at: Seconds
    step: int
    reason: str  #: Which host and why, for people.
    cause: Cause = THE_RUN


class StartMeasured(Struct, frozen=True, kw_only=True, gc=False):
    """How far apart the commands of a synchronised start began. All in seconds, by this machine's clock.

    ``p50`` and ``p99`` are percentiles of the jobs' delays after the first one.
    """

    at: Seconds
    step: int
    jobs: int
    skew: Seconds  #: First to last.
    p50: Seconds
    p99: Seconds
    uncertainty: Seconds  #: Of the difference between any two.
    worst: Job  #: The last one.
    cause: Cause = THE_RUN


class ApprovalRequested(Struct, frozen=True, kw_only=True, gc=False):
    """Input: a job asks whether the run may go on; ``message`` is shown to people."""

    at: Seconds
    job: Job
    message: str
    until: Seconds | None = None
    default: bool = False  #: The decision if no one answers until then.
    enter: bool = False  #: Whether Enter at the terminal is the answer.
    echo: bool = True  #: Whether what is typed is shown.
    prompt: str = ""  #: What stands before what is typed; empty: how to answer.


class ApprovalGiven(Struct, frozen=True, kw_only=True, gc=False):
    """Input: someone approved or rejected. ``by`` is who, as ``user@machine``, or ``nobody`` if the time was up."""

    at: Seconds
    job: Job
    approved: bool
    by: str
    comment: str = ""


class PlanGrown(Struct, frozen=True, kw_only=True, gc=False):
    """Input: jobs of one step, running or waiting for this, added to the plan. Each stays open until that has ended.

    Or a play opens that is planned only now: then there are no jobs.
    """

    at: Seconds
    jobs: tuple[Job, ...]
    growth: Growth


class FailuresPending(Struct, frozen=True, kw_only=True, gc=False):
    """These failures don't count until it is known whether the rescue of their block succeeds."""

    at: Seconds
    jobs: tuple[Job, ...]
    cause: Cause = THE_RUN


class FailuresSettled(Struct, frozen=True, kw_only=True, gc=False):
    """The outcome of pending failures: they are rescued, or count from now on."""

    at: Seconds
    jobs: tuple[Job, ...]
    rescued: bool
    cause: Cause = THE_RUN


class InterruptRequested(Struct, frozen=True, kw_only=True, gc=False):
    """Input: someone pressed Ctrl-C."""

    at: Seconds
    urgency: Urgency
    by: str = ""  #: ``Ctrl-C``, or the name of a signal.


class RunFinished(Struct, frozen=True, kw_only=True, gc=False):
    """Nothing is left to do. ``counts`` has the number of jobs per final status."""

    at: Seconds
    counts: Mapping[str, int]
    exit_status: int
    cause: Cause = THE_RUN


Event: TypeAlias = (
    RunStarted
    | WaveReleased
    | JobsStarted
    | JobFinished
    | JobsAbandoned
    | JobWaiting
    | JobStaged
    | StartReleased
    | StartCalledOff
    | StartMeasured
    | ApprovalRequested
    | ApprovalGiven
    | JobsLate
    | WaveEnded
    | BarrierPassed
    | PlayStopped
    | TimePassed
    | PlanGrown
    | FailuresPending
    | FailuresSettled
    | InterruptRequested
    | RunFinished
)

#: The events that change a state; the state derives the others from them.
Input: TypeAlias = (
    RunStarted
    | JobsStarted
    | JobFinished
    | JobWaiting
    | JobStaged
    | StartReleased
    | ApprovalRequested
    | ApprovalGiven
    | TimePassed
    | PlanGrown
    | InterruptRequested
)
