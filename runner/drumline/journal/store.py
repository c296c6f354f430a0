"""The journal's database: one SQLite file per user, in write-ahead mode, read by others while a run writes.

``append`` commits before it returns. What is committed survives the death of drumline at any moment. Against a power
failure of this machine SQLite would have to flush the disk at each commit; ``synchronous="full"`` asks for that, at the
price of some milliseconds for each turn of a run.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from drumline.errors import DrumlineError, UsageError
from drumline.execution.approvals import Reply
from drumline.journal.codec import decode, encode
from drumline.journal.past import whole_path
from drumline.journal.plans import decode_plan, encode_plan
from drumline.model.event import SCHEMA, ApprovalGiven, ApprovalRequested, Event, RunFinished
from drumline.model.plan import Job, Plan

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, schema INTEGER NOT NULL,
    started REAL NOT NULL, pid INTEGER NOT NULL, command TEXT NOT NULL, plan TEXT NOT NULL,
    forks INTEGER NOT NULL, sessions INTEGER NOT NULL, finished REAL, exit_status INTEGER);
CREATE TABLE IF NOT EXISTS events (
    run INTEGER NOT NULL REFERENCES runs (number), seq INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (run, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outputs (
    run INTEGER NOT NULL REFERENCES runs (number), step INTEGER NOT NULL, host TEXT NOT NULL, stream TEXT NOT NULL,
    data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS outputs_of_job ON outputs (run, step, host);
CREATE TABLE IF NOT EXISTS playbooks (run INTEGER PRIMARY KEY REFERENCES runs (number), path TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS runs_of_playbook ON playbooks (path);
CREATE TABLE IF NOT EXISTS answers (
    run INTEGER NOT NULL REFERENCES runs (number), step INTEGER NOT NULL, host TEXT NOT NULL, asked REAL NOT NULL,
    approved INTEGER NOT NULL, who TEXT NOT NULL, comment TEXT NOT NULL,
    PRIMARY KEY (run, step, host, asked)) WITHOUT ROWID;
"""

_RUNS = """
SELECT number, id, started, command, json_extract(plan, '$.path'), finished, exit_status, pid, forks, sessions, schema
FROM runs
"""
#: A question is open until it is decided, or until its job is over: it may have been stopped.
_OPEN_QUESTIONS = """
SELECT question.body FROM events AS question WHERE run = ? AND kind = 'ApprovalRequested' AND NOT EXISTS (
    SELECT 1 FROM events AS later WHERE later.run = question.run AND later.seq > question.seq
    AND later.kind IN ('ApprovalGiven', 'JobFinished')
    AND json_extract(later.body, '$.job') = json_extract(question.body, '$.job'))
ORDER BY seq
"""
_DECISIONS = """
SELECT body FROM events WHERE run = ? AND kind = 'ApprovalGiven'
AND json_extract(body, '$.job[0]') = ? AND json_extract(body, '$.job[1]') = ? AND json_extract(body, '$.at') >= ?
ORDER BY seq
"""

#: Seconds to wait for another run that is writing.
_BUSY = 30.0


class JournalFailed(DrumlineError):
    """The journal can't be written any more, so nothing more may be sent to any host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
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


class Journal:
    """All runs of a user. ``folder`` is made when it is missing. Raises ``UsageError`` when it can't be used."""

    def __init__(self, folder: Path, *, synchronous: str = "normal") -> None:
        self.path = folder / "journal.sqlite3"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._database = sqlite3.connect(
                self.path, timeout=_BUSY, isolation_level=None, check_same_thread=False, cached_statements=64
            )
            self.path.chmod(0o600)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute(f"PRAGMA synchronous = {synchronous}")
            self._database.executescript(_TABLES)
            self._database.execute(f"{_RUNS} LIMIT 0")  # other tables of the same name lack columns
        except (OSError, sqlite3.Error) as error:
            raise UsageError(
                "The journal can't be opened",
                f"{self.path}: {error}. Nothing was sent to any host. Name another folder that can be written with "
                "--state, or with DRUMLINE_STATE.",
            ) from error

    def begin(self, plan: Plan, *, command: str, forks: int = 50, sessions: int = 4) -> RunWriter:
        """Enter a new run; ``command`` is how it was called, for people. Raises ``UsageError`` when it can't."""
        run = uuid.uuid4().hex[:12]
        values = (run, SCHEMA, time.time(), os.getpid(), command, encode_plan(plan), forks, sessions)
        try:
            cursor = self._database.execute(
                "INSERT INTO runs (id, schema, started, pid, command, plan, forks, sessions)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            path = whole_path(plan.playbook.path)
            self._database.execute("INSERT INTO playbooks VALUES (?, ?)", (cursor.lastrowid, path))
        except sqlite3.Error as error:
            raise UsageError(
                "The journal can't be written", f"{self.path}: {error}. Nothing was sent to any host."
            ) from error
        assert cursor.lastrowid is not None
        return RunWriter(self._database, self.path, cursor.lastrowid, run)

    def runs(self) -> list[RunInfo]:
        """All runs, newest first."""
        return [_info(row) for row in self._database.execute(f"{_RUNS} ORDER BY number DESC")]

    def find(self, name: str | None) -> RunInfo:
        """A run by number, id or the beginning of its id; None: the newest. Raises ``UsageError``."""
        runs = self.runs()
        if name is None:
            found = runs[:1]
        else:
            numbered = [run for run in runs if str(run.number) == name]
            found = numbered or [run for run in runs if run.id.startswith(name)]
        if len(found) == 1 and found[0].schema > SCHEMA:
            raise UsageError("A newer drumline wrote this run", "Read it with that version, or a later one.")
        if len(found) == 1:
            return found[0]
        if not runs:
            raise UsageError("There are no runs yet", f"The journal {self.path} is empty.")
        problem = "There is no such run" if not found else "Several runs are meant"
        raise UsageError(problem, f"'{name}': see 'drumline runs list' for numbers and ids.")

    def plan(self, run: RunInfo) -> Plan:
        """The plan of a run."""
        [text] = self._database.execute("SELECT plan FROM runs WHERE number = ?", (run.number,)).fetchone()
        return decode_plan(text)

    def events(self, run: RunInfo) -> Iterator[Event]:
        """Everything that happened in a run, in order."""
        rows = self._database.execute("SELECT kind, body FROM events WHERE run = ? ORDER BY seq", (run.number,))
        return (decode(kind, body) for kind, body in rows)

    def output(self, run: RunInfo, job: Job) -> Mapping[str, bytes]:
        """What a job's result had no room for, by stream."""
        rows = self._database.execute(
            "SELECT stream, data FROM outputs WHERE run = ? AND step = ? AND host = ? ORDER BY rowid",
            (run.number, job.step, job.host),
        )
        pieces: defaultdict[str, list[bytes]] = defaultdict(list)
        for stream, data in rows:
            pieces[stream].append(data)
        return {stream: b"".join(found) for stream, found in pieces.items()}

    def questions(self, run: RunInfo) -> list[ApprovalRequested]:
        """What a run asks people and nobody has answered, in the order in which it was asked."""
        rows = self._database.execute(_OPEN_QUESTIONS, (run.number,))
        return [cast(ApprovalRequested, decode("ApprovalRequested", body)) for (body,) in rows]

    def answer(self, run: RunInfo, question: ApprovalRequested, answer: Reply) -> bool:
        """Leave an answer for the run to take; False when somebody has left one before. Raises ``UsageError``."""
        values = (run.number, *question.job, question.at, answer.approved, answer.by, answer.comment)
        try:
            self._database.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        except sqlite3.IntegrityError:
            return False
        except sqlite3.Error as error:
            raise UsageError("The journal can't be written", f"{self.path}: {error}. The run was not told.") from error
        return True

    def decision(self, run: RunInfo, question: ApprovalRequested) -> ApprovalGiven | None:
        """What was decided on a question, by whomever; None as long as the run hasn't taken an answer."""
        row = self._database.execute(_DECISIONS, (run.number, *question.job, question.at)).fetchone()
        return None if row is None else cast(ApprovalGiven, decode("ApprovalGiven", row[0]))

    def close(self) -> None:
        """Close the database."""
        self._database.close()


@dataclass(slots=True)
class RunWriter:
    """Writes one run. ``append`` belongs to the driver's thread; ``keep_output`` may be called from any."""

    _database: sqlite3.Connection
    _path: Path
    number: int
    id: str
    _seq: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def append(self, events: Sequence[Event]) -> None:
        """Make the events durable, all in one transaction. Raises ``JournalFailed``."""
        rows = [(self.number, seq, type(event).__name__, encode(event)) for seq, event in enumerate(events, self._seq)]
        with self._transaction() as database:
            database.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
            for event in events:
                if isinstance(event, RunFinished):
                    database.execute(
                        "UPDATE runs SET finished = ?, exit_status = ? WHERE number = ?",
                        (event.at, event.exit_status, self.number),
                    )
        self._seq += len(events)

    def keep_output(self, job: Job, stream: str, data: bytes) -> None:
        """Keep output for which a job's result has no room. Raises ``JournalFailed``."""
        with self._transaction() as database:
            database.execute("INSERT INTO outputs VALUES (?, ?, ?, ?, ?)", (self.number, *job, stream, data))

    def look(self, question: ApprovalRequested) -> Reply | None:
        """The answer that another process has left (:meth:`Journal.answer`). Raises ``JournalFailed``."""
        with self._lock:
            try:
                row = self._database.execute(
                    "SELECT approved, who, comment FROM answers WHERE run = ? AND step = ? AND host = ? AND asked = ?",
                    (self.number, *question.job, question.at),
                ).fetchone()
            except sqlite3.Error as error:
                raise self._failed(error) from error
        return None if row is None else Reply(approved=bool(row[0]), by=row[1], comment=row[2])

    def withdraw(self, question: ApprovalRequested) -> None:
        """Nothing: what the question was and what came of it stays in the journal."""

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield self._database
                self._database.execute("COMMIT")
            except BaseException as error:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                if not isinstance(error, sqlite3.Error):
                    raise
                raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> JournalFailed:
        return JournalFailed(
            "The journal can't be written any more",
            f"{self._path}: {error}. Nothing more is sent; what was running on hosts was told to stop. "
            "Make room, then start the run again.",
        )


def _info(row: tuple[Any, ...]) -> RunInfo:
    number, run, started, command, playbook, finished, status, pid, forks, sessions, schema = row
    return RunInfo(
        number=number,
        id=run,
        started=started,
        command=command,
        playbook=playbook,
        forks=forks,
        sessions=sessions,
        schema=schema,
        finished=finished,
        exit_status=status,
        alive=finished is None and _is_alive(pid),
    )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
