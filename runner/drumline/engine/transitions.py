"""The legal moves of jobs, plays, waves and starts, as tables. Any other move is a fault in drumline and raises.

Jobs::

    pending ──▶ ready ──▶ running ──▶ ok | changed | skipped | failed | unreachable | cancelled | unknown
       │          │          └──▶ holding ──▶ ok | changed          failed | unknown ──▶ rescued
       │          └─────▶ abandoned | skipped | failed | cancelled | unneeded
       └──▶ abandoned | skipped | failed | cancelled | unneeded

``pending`` waits for its needs or its wave; ``ready`` waits for a free place (forks, sessions); ``running`` has been
sent. A pending job is ``abandoned`` when its trigger rule can no longer hold because something failed, ``skipped``
when it can no longer hold although nothing did, and ``cancelled`` when the run is stopped first. What is late at a
barrier ends ``failed`` or ``skipped`` from wherever it is, and what a host leaves behind by ``meta: end_host`` and the
like ``unneeded``. A job that added to the plan is ``holding`` from its own end
to the end of what it added. A rescue's job is ``unneeded`` where nothing failed, and a failure is ``rescued`` when the
rescue of its block has ended well.

Plays, waves, starts::

    waiting ──▶ open ──▶ completed             held ──▶ released ──▶ passed
                 └──▶ stopping ──▶ stopped        └──▶ ended

    held ──▶ gathering ──▶ staged ──▶ releasing ──▶ released       each but the last: ──▶ called off
                 │  ▲         ▲           │
                 │  └─────────┴───────────┘  a job was lost when the go signal was to be sent
                 └───────────────────▶ releasing, where no moment is given
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final, TypeVar

from drumline.errors import DrumlineError
from drumline.model.outcome import FINAL, Status
from drumline.model.plan import Job

#: Those of jobs that do something, or are about to.
UNDER_WAY = frozenset({Status.READY, Status.RUNNING})
_WITHOUT_RUNNING = frozenset({Status.ABANDONED, Status.SKIPPED, Status.FAILED, Status.CANCELLED, Status.UNCLEAR})

LEGAL: Final[dict[Status, frozenset[Status]]] = {
    **{status: frozenset() for status in FINAL},
    Status.PENDING: frozenset({Status.READY, Status.UNNEEDED, *_WITHOUT_RUNNING}),
    Status.READY: frozenset({Status.RUNNING, Status.UNNEEDED, *_WITHOUT_RUNNING}),
    Status.RUNNING: frozenset(
        {
            Status.HOLDING,
            Status.OK,
            Status.CHANGED,
            Status.SKIPPED,
            Status.FAILED,
            Status.UNREACHABLE,
            Status.CANCELLED,
            Status.UNKNOWN,
            Status.UNCLEAR,
        }
    ),
    Status.HOLDING: frozenset({Status.OK, Status.CHANGED, Status.FAILED, Status.UNKNOWN}),
    Status.FAILED: frozenset({Status.RESCUED}),
    Status.UNKNOWN: frozenset({Status.RESCUED}),
}


class PlayPhase(Enum):
    """How far a play is."""

    WAITING = "waiting"  #: For the plays that it needs.
    OPEN = "open"
    STOPPING = "stopping"  #: Too much failed: nothing more starts, and what runs comes to its end.
    COMPLETED = "completed"
    STOPPED = "stopped"


class WavePhase(Enum):
    """How far a wave is. Jobs may be open after its barrier has passed: those of hosts that are behind."""

    HELD = "held"  #: For the barrier of the wave before.
    RELEASED = "released"
    PASSED = "passed"  #: Its barrier is.
    ENDED = "ended"  #: It was never released: all its jobs ended without running.


class Lateness(Enum):
    """When the open jobs of a wave are late."""

    NEVER = "never"
    AT_DEADLINE = "at its deadline"
    AT_QUORUM = "at its quorum"
    DECLARED = "declared"  #: Those that were open then are.


class StartPhase(Enum):
    """How far a synchronised start is."""

    HELD = "held"  #: It is too early to stage.
    GATHERING = "gathering"  #: Until each open job is staged.
    STAGED = "staged"  #: In time for a moment that is still to come.
    RELEASING = "releasing"  #: ``StartReleased`` has not come yet.
    RELEASED = "released"
    CALLED_OFF = "called off"


PLAYS: Final = {
    PlayPhase.WAITING: frozenset({PlayPhase.OPEN}),
    PlayPhase.OPEN: frozenset({PlayPhase.STOPPING, PlayPhase.COMPLETED}),
    PlayPhase.STOPPING: frozenset({PlayPhase.STOPPED}),
    PlayPhase.COMPLETED: frozenset[PlayPhase](),
    PlayPhase.STOPPED: frozenset[PlayPhase](),
}

WAVES: Final = {
    WavePhase.HELD: frozenset({WavePhase.RELEASED, WavePhase.ENDED}),
    WavePhase.RELEASED: frozenset({WavePhase.PASSED}),
    WavePhase.PASSED: frozenset[WavePhase](),
    WavePhase.ENDED: frozenset[WavePhase](),
}

LATENESS: Final = {
    Lateness.NEVER: frozenset({Lateness.AT_DEADLINE, Lateness.AT_QUORUM}),
    Lateness.AT_DEADLINE: frozenset({Lateness.DECLARED}),
    Lateness.AT_QUORUM: frozenset({Lateness.DECLARED}),
    Lateness.DECLARED: frozenset[Lateness](),
}

STARTS: Final = {
    StartPhase.HELD: frozenset({StartPhase.GATHERING, StartPhase.CALLED_OFF}),
    StartPhase.GATHERING: frozenset({StartPhase.STAGED, StartPhase.RELEASING, StartPhase.CALLED_OFF}),
    StartPhase.STAGED: frozenset({StartPhase.RELEASING, StartPhase.CALLED_OFF}),
    StartPhase.RELEASING: frozenset(
        {StartPhase.RELEASED, StartPhase.GATHERING, StartPhase.STAGED, StartPhase.CALLED_OFF}
    ),
    StartPhase.RELEASED: frozenset[StartPhase](),
    StartPhase.CALLED_OFF: frozenset[StartPhase](),
}

_Phase = TypeVar("_Phase", bound=Enum)


class IllegalMove(DrumlineError):
    """Something was to make a move that isn't in its table; of a job the message holds its story so far."""

    def __init__(self, what: str, detail: str) -> None:
        super().__init__(f"{what} made an illegal move; this is a fault in drumline", detail)


def illegal_move(job: Job, current: Status, new: Status, story: Iterable[Status]) -> IllegalMove:
    """A job was to make a move that isn't in the table."""
    moves = " → ".join([*story, f"{new}?"])
    detail = f"Step {job.step} on host {job.host} is {current} and can't become {new}. Its story: {moves}"
    return IllegalMove("A job", detail)


def moved(what: str, moves: Mapping[_Phase, frozenset[_Phase]], current: _Phase, new: _Phase) -> _Phase:
    """The new phase; raises ``IllegalMove`` for what the table doesn't allow. ``what`` says whose phase it is."""
    if new not in moves[current]:
        detail = f"It is {current.value} and can't become {new.value}: {what}."
        raise IllegalMove(type(current).__name__, detail)
    return new
