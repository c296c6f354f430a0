"""What earlier runs of a playbook took, job by job, read in one go and without a lock on the journal."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from drumline.errors import UsageError
from drumline.journal.plans import decode_plan
from drumline.model.event import SCHEMA
from drumline.model.plan import Plan

#: How far back: the newest runs, and no more events than are read in a second or two.
MOST_RUNS = 20
MOST_EVENTS = 400_000

_RUNS = """
SELECT number, plan, (SELECT max(seq) FROM events WHERE run = number) FROM playbooks JOIN runs ON number = run
WHERE path = ? AND schema <= ? AND number < ? ORDER BY number DESC LIMIT ?
"""
# What failed says nothing about how long success takes, unless the failure doesn't matter; nor does what was skipped
# because it was late and stopped.
_ENDINGS = """
SELECT json_extract(body, '$.job[0]'), json_extract(body, '$.job[1]'), json_extract(body, '$.status') AS status,
    json_extract(body, '$.started'), json_extract(body, '$.at'), json_extract(body, '$.began')
FROM events WHERE run = ? AND kind = 'JobFinished'
    AND (status IN ('ok', 'changed') OR json_extract(body, '$.ignored')
        OR status = 'skipped' AND json_extract(body, '$.result.stopped') IS NULL)
"""
_STAGED = """
SELECT json_extract(body, '$.job[0]'), json_extract(body, '$.job[1]'), json_extract(body, '$.at')
FROM events WHERE run = ? AND kind = 'JobStaged'
"""


class PastJob(NamedTuple):
    """One job that a run carried out. Times are seconds since the epoch."""

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
    """``Playbook.path`` as it is in the journal's index: the same file has the same, from whatever folder."""
    return ", ".join(os.path.realpath(part) for part in playbook.split(", "))


def past_runs(folder: Path, playbook: str, *, before: int = sys.maxsize) -> Iterator[PastRun]:
    """Earlier runs of a playbook (``Playbook.path``), newest first; none where there is no journal.

    ``before`` is a run's number. Raises ``UsageError`` when the journal can't be read.
    """
    path = folder / "journal.sqlite3"
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'playbooks'").fetchone():
                yield from _read(database, whole_path(playbook), before)
    except sqlite3.Error as error:
        raise UsageError("The journal can't be read", f"{path}: {error}.") from error


def _read(database: sqlite3.Connection, path: str, before: int) -> Iterator[PastRun]:
    room = MOST_EVENTS
    for number, plan, last in database.execute(_RUNS, (path, SCHEMA, before, MOST_RUNS)).fetchall():
        if last is None:
            continue
        room -= last
        if room < 0 and room + last < MOST_EVENTS:
            return  # the newest is read however long it is
        endings = [PastJob(*row) for row in database.execute(_ENDINGS, (number,))]
        staged = {(step, host): at for step, host, at in database.execute(_STAGED, (number,))}
        yield PastRun(number=number, plan=decode_plan(plan), endings=endings, staged=staged)
