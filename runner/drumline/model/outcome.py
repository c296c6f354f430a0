"""The outcomes of requests and jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Ending(StrEnum):
    """Why a command has ended."""

    EXITED = "exited"
    TIMED_OUT = "timed out"  #: Its time was up; it and its children were ended.
    INTERRUPTED = "interrupted"  #: ``Session.interrupt`` ended it and its children.


class Exit(Struct, frozen=True, kw_only=True, gc=False):
    """What a session's ``run`` returns. The output was passed to the caller's ``emit`` as it came."""

    #: 0 to 255 on POSIX (128 + n for signal n), 0 to 2**32 - 1 on Windows; None if it was ended by drumline.
    code: int | None
    ending: Ending = Ending.EXITED


class Completed(Struct, frozen=True, kw_only=True, gc=False):
    """The answer to a ``Run``: how it ended, and its output."""

    code: int | None
    stdout: bytes = b""
    stderr: bytes = b""
    ending: Ending = Ending.EXITED
    #: Bytes of output beyond the limit, which are not in ``stdout`` and ``stderr`` (the journal has them).
    cut: int = 0
    #: Those of them that the journal doesn't have either, since they exceed what is kept of one command.
    lost: int = 0
    #: The number of this command of the job in the journal, if that keeps some of its output; else 0.
    kept: int = 0

    @property
    def ok(self) -> bool:
        """Whether it ended by itself, with exit code 0."""
        return self.code == 0


class ClockReading(Struct, frozen=True, kw_only=True, gc=False):
    """The answer to a ``ReadClock``: the host's clock is ``offset`` seconds ahead, give or take ``uncertainty``."""

    offset: float
    uncertainty: float
    round_trip: float  #: Seconds, of the best sample.


class Approval(Struct, frozen=True, kw_only=True, gc=False):
    """The answer to an ``Ask``: who decided what, and when (seconds since the epoch)."""

    approved: bool
    by: str  #: ``user@machine``, or ``nobody`` if the time was up.
    at: float
    comment: str = ""


class Result(Struct, frozen=True, kw_only=True, gc=False):
    """What an action returns. ``values`` is what ``register`` keeps besides ``changed``, ``failed`` and ``msg``."""

    changed: bool = False
    failed: bool = False
    skipped: bool = False
    message: str = ""  #: ``msg`` of the registered value; the report's first line.
    #: JSON-able, with Ansible's names: ``rc``, ``stdout``, ``stderr``, ``dest``, ``checksum``, …
    values: Mapping[str, Any] = {}
    #: Variables that the host has from now on (``set_fact``).
    facts: Mapping[str, Any] = {}
    #: What it changed, or would change, in Ansible's shape: one ``before`` and ``after``, with or without
    #: ``before_header`` and ``after_header``, or several of these. Registered as ``diff``; shown with ``--diff``.
    diff: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    #: In a check: why it can't be known what the task would do. Empty where it is known.
    unclear: str = ""


class Status(StrEnum):
    """The status of a job (``docs/semantics.md`` section 2)."""

    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    HOLDING = "holding"  #: It has run, and waits until what it added to the plan has ended.
    OK = "ok"
    CHANGED = "changed"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    ABANDONED = "abandoned"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    RESCUED = "rescued"  #: It failed, and a rescue succeeded.
    UNCLEAR = "unclear"  #: In a check: it can't be known what it would have done.
    UNNEEDED = "unneeded"  #: It was meant for something that didn't happen, such as a rescue without a failure.


FINAL = frozenset(Status) - {Status.PENDING, Status.READY, Status.RUNNING, Status.HOLDING}
