"""For plugins that read earlier runs, or say where they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from drumline.model.event import Event
from drumline.model.plan import Job, Plan


class RunInfo(Struct, frozen=True, kw_only=True, gc=False):
    """One run, as ``runs list`` shows it. ``finished`` and ``exit_status`` are None while it runs, or if it died."""

    number: int
    id: str
    started: float
    command: str
    playbook: str
    forks: int  #: The limits that the run's state was made with.
    sessions: int
    schema: int
    finished: float | None
    exit_status: int | None
    alive: bool  #: The process that writes it is there.
    #: The present by the run's own clock, which no one sets while it runs, in seconds since the epoch; None: the same.
    now: float | None = None
    check: bool = False  #: Its tasks said what they would change, and changed nothing.


class Kept(Struct):
    """What the journal keeps of one stream of one command, masked, beside what the job's result holds as text."""

    beginning: bytes | None = None  #: What the result holds, where that is no UTF-8; else None.
    rest: bytes = b""  #: What follows it.

    @property
    def whole(self) -> bytes:
        """All of it that is here."""
        return (self.beginning or b"") + self.rest

    def add(self, data: bytes, begins: bool) -> None:
        """Take the next piece."""
        if begins:
            self.beginning = (self.beginning or b"") + data
        else:
            self.rest += data


class InputFile(Struct, frozen=True, gc=False):
    """One file: where it is, how long it was in bytes, and the SHA-256 of its content."""

    path: str
    size: int
    digest: bytes


class History(Protocol):
    """Earlier runs, to be read, and those that go on. What is damaged is left out and counted, never raised."""

    @property
    def title(self) -> str:
        """What messages call it, amid a sentence: ``the journal /home/me/.local/state/drumline/journal.sqlite3``."""
        ...

    @property
    def damage(self) -> Mapping[str, int]:
        """What couldn't be read so far, in words for people, with how often."""
        ...

    def runs(self) -> Sequence[RunInfo]:
        """All runs, newest first."""
        ...

    def find(self, name: str | None) -> RunInfo:
        """A run by number, id or the beginning of its id; None: the newest. Raises ``UsageError``."""
        ...

    def plan(self, run: RunInfo) -> Plan:
        """The plan of a run, every task's name being its title, masked. Raises ``UsageError`` when it is damaged."""
        ...

    def events(self, run: RunInfo) -> Iterator[Event]:
        """Everything that happened in a run, in order, as far as it can be read."""
        ...

    def files(self, run: RunInfo) -> Sequence[InputFile]:
        """The files that the run was made of. Their digests are salted: they can only be compared."""
        ...

    def changed(self, run: RunInfo) -> Sequence[str] | None:
        """The paths of those that are others now, or are gone; None where that isn't known."""
        ...

    def kept(self, run: RunInfo) -> Mapping[Job, int]:
        """How much output of each job there is beside the results, in bytes."""
        ...

    def output(self, run: RunInfo, job: Job, stream: str) -> Mapping[int, Kept]:
        """What a job's result doesn't hold of a stream, by the number of the job's command, in order."""
        ...

    def unfit(self, run: RunInfo) -> None:
        """An event of this run doesn't fit the others: it counts as damage."""
        ...

    def damage_told(self) -> str:
        """What couldn't be read so far, in a sentence; empty when nothing was."""
        ...

    def close(self) -> None:
        """It isn't read any more."""
        ...
