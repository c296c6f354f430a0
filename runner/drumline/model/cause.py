"""Why something happened in a run: the first answer if someone asks."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from drumline.model.plan import Job


class Because(StrEnum):
    """What kind of thing caused an event. The other fields that the cause has are in brackets."""

    RUN = "run"  #: The run began.
    PLAY = "play"  #: A play that it waited for ended (``place``).
    BATCH = "batch"  #: The batch before it ended (``place``).
    BARRIER = "barrier"  #: The barrier of the wave before it passed (``place``).
    AVAILABLE = "available"  #: Enough hosts are available again, or too few are (``job``, if one caused it).
    WAVE = "wave"  #: Its wave was released (``place``).
    NEED = "need"  #: Something that it needs ended (``job``).
    CATCH_UP = "catch_up"  #: Its host was behind, and has caught up to it (``job``).
    FORK = "fork"  #: A host was finished, which freed a fork (``job``).
    SESSION = "session"  #: A session on its host became free (``job``).
    THROTTLE = "throttle"  #: Another job of its task ended (``job``).
    STAGED = "staged"  #: A command was waiting on its host (``job``).
    CLOCK = "clock"  #: A time that was waited for came: an agreed start, a deadline.
    DEADLINE = "deadline"  #: The deadline of a wave passed (``place``).
    QUORUM = "quorum"  #: Enough jobs of a wave had ended (``place``, ``job``).
    END = "end"  #: A job ended (``job``).
    FAILURE = "failure"  #: A job failed (``job``).
    GROWTH = "growth"  #: It was added to the plan (``job``: by this one, and others of its step).
    RESCUE = "rescue"  #: It became known whether a host needs its rescue (``job``: by the end of this job).
    STANDSTILL = "standstill"  #: Plays wait for each other.
    PERSON = "person"  #: Someone interrupted the run, or answered (``by``).


class Cause(NamedTuple):
    """What caused an event."""

    kind: Because
    job: Job | None = None
    #: Indices of a play, a batch in it and a wave in that; only the first ones for a whole play or batch.
    place: tuple[int, ...] = ()
    by: str = ""  #: ``user@machine``, ``Ctrl-C``, the name of a signal.


THE_RUN = Cause(Because.RUN)
