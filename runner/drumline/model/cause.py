"""Why something happened in a run: what to name first when someone asks."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from drumline.model.plan import Job


class Because(StrEnum):
    """What kind of thing brought an event about. What else the cause names stands in brackets."""

    RUN = "run"  #: The run began.
    PLAY = "play"  #: A play that it waited for has ended (``place``).
    BATCH = "batch"  #: The batch before it has ended (``place``).
    BARRIER = "barrier"  #: The barrier of the wave before it has passed (``place``).
    AVAILABLE = "available"  #: Enough hosts are available again, or too few are (``job``, where one did it).
    WAVE = "wave"  #: Its wave was released (``place``).
    NEED = "need"  #: What it needs has ended (``job``).
    CATCH_UP = "catch_up"  #: Its host was behind, and has come that far (``job``).
    FORK = "fork"  #: A host was done with, so that another one may be worked on (``job``).
    SESSION = "session"  #: A session on its host became free (``job``).
    THROTTLE = "throttle"  #: One job fewer of its task was running (``job``).
    STAGED = "staged"  #: A command was waiting on its host (``job``).
    CLOCK = "clock"  #: A moment came that was waited for: an agreed start, a deadline.
    DEADLINE = "deadline"  #: The deadline of a wave came (``place``).
    QUORUM = "quorum"  #: Enough jobs of a wave had ended (``place``, ``job``).
    END = "end"  #: A job ended (``job``).
    FAILURE = "failure"  #: A job failed (``job``).
    RESCUE = "rescue"  #: What a rescue needed to know of a host was known (``job``: by the end of this one).
    STANDSTILL = "standstill"  #: Plays wait for each other.
    PERSON = "person"  #: Someone interrupted the run, or answered (``by``).


class Cause(NamedTuple):
    """What brought an event about."""

    kind: Because
    job: Job | None = None
    #: Indices of a play, of one of its batches, of one of its waves; of the first ones only where those are meant.
    place: tuple[int, ...] = ()
    by: str = ""  #: ``user@machine``, ``Ctrl-C``, the name of a signal.


THE_RUN = Cause(Because.RUN)
