"""What the state asks the driver to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from drumline.model.event import Event
from drumline.model.plan import Job


@dataclass(frozen=True, slots=True)
class Start:
    """Make the intent durable, feed ``JobsStarted`` back, then send these jobs."""

    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """End these running jobs on their hosts; each still reports that it finished."""

    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Announce:
    """Journal and report an event that the state made."""

    event: Event


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing is left to do."""

    exit_status: int


Instruction: TypeAlias = Start | Stop | Announce | Finish
