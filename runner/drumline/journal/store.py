"""The journal's database: one SQLite file per user, in write-ahead mode, read by others while a run writes.

``append`` commits before it returns. What is committed survives the death of drumline at any moment. Against a power
failure of this machine SQLite would have to flush the disk at each commit; ``synchronous="full"`` asks for that, at the
price of some milliseconds for each turn of a run.
"""

from __future__ import annotations

import math
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drumline.clock import Clock, SystemClock
from drumline.errors import DrumlineError, UsageError
from drumline.execution.approvals import Reply
from drumline.journal.codec import Hiding, encode, encode_event
from drumline.journal.faults import explained, unreadable
from drumline.journal.keys import RunKey, salted_with
from drumline.journal.opening import BUSY
from drumline.journal.past import whole_path
from drumline.journal.processes import Claim, identity
from drumline.journal.reading import Reader
from drumline.journal.tables import COLUMNS, LAYOUT, NAME, layout_of, make_tables
from drumline.masking import Secrets
from drumline.model.event import SCHEMA, ApprovalRequested, Event, RunFinished
from drumline.model.plan import Job, Plan
from drumline.plugin.history import InputFile, RunInfo

__all__ = ["Journal", "JournalFailed", "RunWriter"]

_KEEP_OUTPUT = f"INSERT INTO outputs ({', '.join(COLUMNS['outputs'])}) VALUES (?, ?, ?, ?, ?, ?, ?)"


class JournalFailed(DrumlineError):
    """The journal can't be written any more, so nothing more may be sent to any host."""


class Journal(Reader):
    """All runs of a user, to be written. ``directory`` is made when it is missing. Raises ``UsageError``."""

    def __init__(self, directory: Path, *, synchronous: str = "normal") -> None:
        path = directory / NAME
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            database = sqlite3.connect(
                path, timeout=BUSY, isolation_level=None, check_same_thread=False, cached_statements=64
            )
        except (OSError, sqlite3.Error) as error:
            raise _unopened(error, path) from error
        try:
            path.chmod(path.stat().st_mode & 0o700)  # only its owner may look into it
            _prepare(database, path, synchronous)
        except (OSError, sqlite3.Error) as error:
            database.close()
            raise _unopened(error, path) from error
        except UsageError:
            database.close()
            raise
        super().__init__(directory, database)
        self._claims: list[Claim] = []

    def begin(
        self,
        plan: Plan,
        *,
        command: str,
        forks: int = 50,
        sessions: int = 4,
        clock: Clock | None = None,
        secrets: Secrets | None = None,
        files: Iterable[InputFile] = (),
    ) -> RunWriter:
        """Enter a new run; ``command`` is how it was called, for people. Raises ``UsageError`` when it can't.

        What is secret in the plan, by its name, by ``no_log`` or by ``secrets``, is encrypted with the run's key.
        ``files`` are those that the plan was made of.
        """
        run, clock = os.urandom(6).hex(), clock or SystemClock()
        key = RunKey(self.path.parent, run)
        hiding = Hiding(secrets or Secrets(), key.close, plan)
        claim = Claim(self.path.parent, run)
        self._claims.append(claim)
        values = {
            "id": run,
            "schema": SCHEMA,
            "started": clock.now(),
            "pid": os.getpid(),
            "command": _writable(command),
            "plan": b"",
            "forks": forks,
            "sessions": sessions,
            "process": identity(os.getpid()),
            "monotonic": clock.monotonic(),
            "playbook": _writable(plan.playbook.path),
        }
        try:
            values["plan"] = encode(plan, hiding)
            number = self._enter(values, _writable(whole_path(plan.playbook.path)), files)
        except (sqlite3.Error, OSError) as error:
            raise UsageError(
                "The journal can't be written", f"{explained(error, self.path)} Nothing was sent to any host."
            ) from error
        return RunWriter(self._database, self.path, number, run, claim, key, hiding)

    def _enter(self, values: Mapping[str, Any], playbook: str, files: Iterable[InputFile]) -> int:
        """Enter a run, all in one transaction; returns its number."""
        salted = salted_with(self.path.parent)
        with _transaction(self._database) as database:
            columns, places = ", ".join(values), ", ".join("?" * len(values))
            cursor = database.execute(f"INSERT INTO runs ({columns}) VALUES ({places})", tuple(values.values()))
            number = cursor.lastrowid
            assert number is not None
            database.execute("INSERT INTO playbooks VALUES (?, ?)", (number, playbook))
            rows = [(number, _writable(file.path), file.size, salted(file.digest)) for file in files]
            database.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", rows)
        return number

    def changed(self, run: RunInfo, files: Iterable[InputFile]) -> list[str]:
        """Which of the files that a run was made of are others now, are gone, or weren't among them."""
        salted = salted_with(self.path.parent)
        then = {file.path: file.digest for file in self.files(run)}
        now = {_writable(file.path): salted(file.digest) for file in files}
        return [path for path in dict.fromkeys([*then, *now]) if then.get(path) != now.get(path)]

    def size(self) -> int:
        """Bytes that are in use; what is free in the file is used again. Raises ``UsageError``."""
        try:
            [pages], [free], [size] = (
                self._database.execute(f"PRAGMA {name}").fetchone()
                for name in ("page_count", "freelist_count", "page_size")
            )
        except sqlite3.Error as error:
            raise unreadable(error, self.path) from error
        return int((pages - free) * size)

    def remove(self, numbers: Sequence[int]) -> None:
        """Forget these runs, and destroy their keys. Raises ``UsageError``."""
        try:
            for number in numbers:  # one transaction each: another run may be writing
                for (run,) in self._database.execute("SELECT id FROM runs WHERE number = ?", (number,)).fetchall():
                    RunKey(self.path.parent, str(run)).destroy()
                with _transaction(self._database) as database:
                    for table, columns in COLUMNS.items():
                        database.execute(f"DELETE FROM {table} WHERE {columns[0]} = ?", (number,))
        except (sqlite3.Error, OSError) as error:
            raise UsageError("The journal can't be written", explained(error, self.path)) from error

    def shrink(self) -> None:
        """Give what is free back to the disk. No run may be writing: it would have to wait. Raises ``UsageError``."""
        try:
            self._database.execute("VACUUM")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise UsageError("The journal can't be made smaller", explained(error, self.path)) from error

    def close(self) -> None:
        """Close the database; nothing is written any more."""
        super().close()
        for claim in self._claims:
            claim.release()

    def answer(self, run: RunInfo, question: ApprovalRequested, answer: Reply) -> bool:
        """Leave an answer for the run to take; False when someone has left one before. Raises ``UsageError``."""
        values = (run.number, *question.job, question.at, answer.approved, answer.by, answer.comment)
        try:
            self._database.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        except sqlite3.IntegrityError:
            return False
        except sqlite3.Error as error:
            raise UsageError(
                "The journal can't be written", f"{explained(error, self.path)} The run was not informed."
            ) from error
        return True


def _writable(text: str) -> str:
    """Text as SQLite takes it: Unicode."""
    return text.encode(errors="backslashreplace").decode()


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing, whatever is raised."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _prepare(database: sqlite3.Connection, path: Path, synchronous: str) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(f"PRAGMA synchronous = {synchronous}")
    if layout_of(database) > LAYOUT:
        raise UsageError(
            "A newer drumline made this journal",
            f"{path}: use that version, or a later one; or name another directory with --state.",
        )
    make_tables(database)


def _unopened(error: Exception, path: Path) -> UsageError:
    return UsageError("The journal can't be opened", f"{explained(error, path)} Nothing was sent to any host.")


@dataclass(slots=True)
class RunWriter:
    """Writes one run. ``append`` belongs to the driver's thread; ``keep_output`` may be called from any."""

    _database: sqlite3.Connection
    _path: Path
    number: int
    id: str
    _claim: Claim
    _key: RunKey
    _hiding: Hiding
    room: float = math.inf  #: Bytes of output that the journal still takes in from this run.
    _seq: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def append(self, events: Sequence[Event]) -> None:
        """Make the events durable, all in one transaction. Raises ``JournalFailed``."""
        rows = [
            (self.number, seq, type(event).__name__, encode_event(event, self._hiding))
            for seq, event in enumerate(events, self._seq)
        ]
        with self._transaction() as database:
            database.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
            for event in events:
                if isinstance(event, RunFinished):
                    database.execute(
                        "UPDATE runs SET finished = ?, exit_status = ? WHERE number = ?",
                        (event.at, event.exit_status, self.number),
                    )
        self._seq += len(events)
        if events and isinstance(last := events[-1], RunFinished):
            self._claim.release()
            if last.exit_status == 0:
                with suppress(OSError):  # the run has ended well all the same; upkeep tries again
                    self._key.destroy()

    def keep_output(self, job: Job, command: int, stream: str, data: bytes, beginning: bool = False) -> bool:
        """Keep output for which a job's result has no room; False when there is none here. Raises ``JournalFailed``.

        ``command`` numbers the job's commands; ``beginning``: it is what the result has, which is no UTF-8 text.
        """
        with self._transaction() as database:
            if len(data) > self.room:
                return False
            self.room -= len(data)
            database.execute(_KEEP_OUTPUT, (self.number, *job, stream, data, command, beginning))
        return True

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
                with _transaction(self._database) as database:
                    yield database
            except sqlite3.Error as error:
                raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> JournalFailed:
        return JournalFailed(
            "The journal can't be written any more",
            f"{explained(error, self._path)} Nothing more is sent; what was running on hosts was stopped. Then "
            "start the run again.",
        )
