"""What earlier runs of a playbook took, job by job, read in one go and without a lock on the journal."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from msgspec import Struct

from drumline.journal.codec import Damaged, decode
from drumline.journal.faults import unreadable
from drumline.journal.opening import open_to_read
from drumline.journal.places import grown, read_plan
from drumline.journal.tables import NAME, whole_path
from drumline.model.event import SCHEMA, PlanGrown
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan
from drumline.model.value import Seconds

#: How far back: the newest runs, and no more events than are read in a second or two.
MOST_RUNS = 20
MOST_EVENTS = 400_000

_RUNS = """
SELECT number, plan, (SELECT max(seq) FROM events WHERE run = number) FROM playbooks JOIN runs ON number = run
WHERE path = ? AND schema = ? AND number < ? ORDER BY number DESC LIMIT ?
"""
_EVENTS = "SELECT body FROM events WHERE run = ? AND kind = ? ORDER BY seq"


class _Stopped(Struct, frozen=True):
    stopped: bool = False


class _PastEnd(Struct, frozen=True):
    """What counts of a ``JobFinished``."""

    at: Seconds
    job: Job
    status: Status
    started: Seconds = 0.0
    result: _Stopped = _Stopped()
    notified: tuple[str, ...] = ()
    ignored: bool = False
    began: Seconds | None = None
    check: bool = False

    @property
    def counts(self) -> bool:
        """How long success takes isn't said by what failed, unless it is ignored, was stopped, or was only checked."""
        if self.check:
            return False
        succeeded = self.status in (Status.OK, Status.CHANGED) or self.ignored
        return succeeded or (self.status is Status.SKIPPED and not self.result.stopped)


class _Staging(Struct, frozen=True):
    """What counts of a ``JobStaged``."""

    at: Seconds
    job: Job


_Shape = TypeVar("_Shape", _PastEnd, _Staging)


class PastJob(NamedTuple):
    """One job that a run run. Times are seconds since the epoch."""

    step: int
    host: str
    status: str
    started: float
    ended: float
    began: float | None  #: With ``start``: when its command began.
    notified: tuple[str, ...] = ()  #: The handlers that it notified, by the names that its task gave them.


class PastRun(Struct, frozen=True, kw_only=True):
    """One earlier run: its plan, and the jobs that neither failed nor were stopped."""

    number: int
    plan: Plan
    endings: list[PastJob]
    staged: dict[tuple[int, str], float]  #: With ``start``: when the command was waiting on its host, by step and host.


def past_runs(directory: Path, playbook: str, *, before: int = sys.maxsize) -> Iterator[PastRun]:
    """Earlier runs of a playbook (``Playbook.path``), newest first; none where there is no journal.

    ``before`` is a run's number. Raises ``UsageError`` when the journal can't be read.
    """
    database, copy = open_to_read(directory)
    if database is None:
        return
    path = directory / NAME
    try:
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'playbooks'").fetchone():
            yield from _read(database, whole_path(playbook), before)
    except sqlite3.Error as error:
        raise unreadable(error, path) from error
    finally:
        database.close()
        if copy is not None:
            copy.cleanup()


def _read(database: sqlite3.Connection, path: str, before: int) -> Iterator[PastRun]:
    room = MOST_EVENTS
    for number, plan, last in database.execute(_RUNS, (path, SCHEMA, before, MOST_RUNS)).fetchall():
        if not isinstance(last, int):
            continue
        room -= last
        if room < 0 and room + last < MOST_EVENTS:
            return  # the newest is read however long it is
        with suppress(Damaged):  # of a damaged journal what is whole counts
            yield _past_run(database, number, _grown(database, number, read_plan(plan)))


def _grown(database: sqlite3.Connection, number: int, plan: Plan) -> Plan:
    for (body,) in database.execute(_EVENTS, (number, "PlanGrown")):
        with suppress(Damaged):
            plan = grown(plan, decode(PlanGrown, body))
    return plan


def _past_run(database: sqlite3.Connection, number: int, plan: Plan) -> PastRun:
    endings = [
        PastJob(*end.job, end.status, end.started, end.at, end.began, end.notified)
        for end in _events(database, number, "JobFinished", _PastEnd, plan)
        if end.counts
    ]
    staged = {
        (stage.job.step, stage.job.host): stage.at for stage in _events(database, number, "JobStaged", _Staging, plan)
    }
    return PastRun(number=number, plan=plan, endings=endings, staged=staged)


def _events(database: sqlite3.Connection, number: int, kind: str, shape: type[_Shape], plan: Plan) -> Iterator[_Shape]:
    """The events of a kind, as far as they are whole and the plan has their jobs."""
    for (body,) in database.execute(_EVENTS, (number, kind)):
        with suppress(Damaged):
            found = decode(shape, body)
            if 0 <= found.job.step < len(plan.steps):
                yield found
