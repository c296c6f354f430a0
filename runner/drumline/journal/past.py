"""What earlier runs of a playbook took, job by job, read in one go and without a lock on the journal."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from drumline.journal.faults import unreadable
from drumline.journal.opening import open_to_read
from drumline.journal.plans import DamagedPlan, decode_plan
from drumline.journal.tables import NAME
from drumline.model.event import SCHEMA
from drumline.model.plan import Plan

#: How far back: the newest runs, and no more events than are read in a second or two.
MOST_RUNS = 20
MOST_EVENTS = 400_000

_RUNS = """
SELECT number, plan, (SELECT max(seq) FROM events WHERE run = number) FROM playbooks JOIN runs ON number = run
WHERE path = ? AND schema <= ? AND number < ? ORDER BY number DESC LIMIT ?
"""
#: A damaged one is nothing.
_BODY = "CASE WHEN json_valid(body) THEN body END AS body"
# What failed says nothing about how long success takes, unless the failure doesn't matter; nor does what was skipped
# because it was late and stopped.
_ENDINGS = f"""
SELECT json_extract(body, '$.job[0]'), json_extract(body, '$.job[1]'), json_extract(body, '$.status') AS status,
    json_extract(body, '$.started'), json_extract(body, '$.at'), json_extract(body, '$.began')
FROM (SELECT {_BODY} FROM events WHERE run = ? AND kind = 'JobFinished')
WHERE status IN ('ok', 'changed') OR json_extract(body, '$.ignored')
    OR status = 'skipped' AND json_extract(body, '$.result.stopped') IS NULL
"""
_STAGED = f"""
SELECT json_extract(body, '$.job[0]'), json_extract(body, '$.job[1]'), json_extract(body, '$.at')
FROM (SELECT {_BODY} FROM events WHERE run = ? AND kind = 'JobStaged')
"""


class PastJob(NamedTuple):
    """One job that a run run. Times are seconds since the epoch."""

    step: int
    host: str
    status: str
    started: float
    ended: float
    began: float | None  #: With ``start``: when its command began.


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One earlier run: its plan, and the jobs that neither failed nor were stopped."""

    number: int
    plan: Plan
    endings: list[PastJob]
    staged: dict[tuple[int, str], float]  #: With ``start``: when the command was waiting on its host, by step and host.


def whole_path(playbook: str) -> str:
    """``Playbook.path`` as it is in the journal's index: the same file has the same, from whatever directory."""
    return ", ".join(os.path.realpath(part) for part in playbook.split(", "))


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
        with suppress(DamagedPlan):  # of a damaged journal what is whole counts
            yield _past_run(database, number, decode_plan(plan))


def _past_run(database: sqlite3.Connection, number: int, plan: Plan) -> PastRun:
    endings = [PastJob(*row) for row in database.execute(_ENDINGS, (number,)) if _is_whole(row, plan)]
    staged = {
        (step, host): at
        for step, host, at in database.execute(_STAGED, (number,))
        if _is_whole((step, host, "", at, at, None), plan)
    }
    return PastRun(number=number, plan=plan, endings=endings, staged=staged)


def _is_whole(row: tuple[Any, ...], plan: Plan) -> bool:
    step, host, status, *times = row
    known = type(step) is int and 0 <= step < len(plan.steps) and type(host) is str and type(status) is str
    return known and all(type(at) in (int, float) for at in times[:2]) and type(times[2]) in (int, float, type(None))
