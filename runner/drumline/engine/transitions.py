"""The legal moves of a job, as one table. Any other move is a fault in drumline and raises.

::

    pending ──▶ ready ──▶ running ──▶ ok | changed | skipped | failed | unreachable | cancelled | unknown
       │          └─────▶ abandoned | skipped | failed | cancelled
       └──▶ abandoned | skipped | failed | cancelled

``pending`` waits for its needs or its wave; ``ready`` waits for a free place (forks, sessions); ``running`` has been
sent. A pending job is ``abandoned`` when its trigger rule can no longer hold because something failed, ``skipped``
when it can no longer hold although nothing did, and ``cancelled`` when the run is stopped first. What is late at a
barrier ends ``failed`` or ``skipped`` from wherever it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from drumline.errors import DrumlineError
from drumline.model.outcome import Status
from drumline.model.plan import Job

_WITHOUT_RUNNING = frozenset({Status.ABANDONED, Status.SKIPPED, Status.FAILED, Status.CANCELLED})

LEGAL: Final[dict[Status, frozenset[Status]]] = {
    Status.PENDING: frozenset({Status.READY, *_WITHOUT_RUNNING}),
    Status.READY: frozenset({Status.RUNNING, *_WITHOUT_RUNNING}),
    Status.RUNNING: frozenset(
        {
            Status.OK,
            Status.CHANGED,
            Status.SKIPPED,
            Status.FAILED,
            Status.UNREACHABLE,
            Status.CANCELLED,
            Status.UNKNOWN,
        }
    ),
    **{status: frozenset() for status in Status if status not in (Status.PENDING, Status.READY, Status.RUNNING)},
}


class IllegalMove(DrumlineError):
    """A job was to make a move that isn't in the table; the message holds its story so far."""

    def __init__(self, job: Job, current: Status, new: Status, story: Iterable[Status]) -> None:
        moves = " → ".join([*story, f"{new}?"])
        super().__init__(
            "A job made an illegal move; this is a fault in drumline",
            f"Step {job.step} on host {job.host} is {current} and can't become {new}. Its story: {moves}",
        )
