"""Writes one run into the journal, while it goes on."""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct, field

from drumline.errors import DrumlineError
from drumline.execution.approvals import Reply
from drumline.journal import registered
from drumline.journal.codec import Hiding, encode_event
from drumline.journal.faults import explained
from drumline.journal.keys import RunKey
from drumline.journal.processes import Claim
from drumline.journal.tables import COLUMNS
from drumline.model.event import ApprovalRequested, Event, JobFinished, RunFinished
from drumline.model.plan import Job
from drumline.plugin.runs import JobReport

_KEEP_OUTPUT = f"INSERT INTO outputs ({', '.join(COLUMNS['outputs'])}) VALUES (?, ?, ?, ?, ?, ?, ?)"


class JournalFailed(DrumlineError):
    """The journal can't be written any more, so nothing more may be sent to any host."""


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing, whatever is raised."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


class RunWriter(Struct, eq=False):
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
    _secrets: int = 0  # how many of those that are known have been written
    _known: int = 0  # how many there are that need no word: who goes on has been told them too
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._known = len(self._hiding.secrets)

    def append(self, events: Sequence[Event], reports: Sequence[JobReport] = ()) -> None:
        """Make the events durable, and what the jobs of these reports have left, all in one transaction.

        The events of the reports are among the events. Raises ``JournalFailed``.
        """
        try:
            rows, left = list(self._rows(events)), []  # before others have to wait for the database
            if reports or len(self._hiding.secrets) > self._known:
                left = list(self._left(events, reports))
        except OSError as error:  # the key can't be written
            raise self._failed(error) from error
        with self._transaction() as database:
            database.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
            if left:
                database.executemany("INSERT INTO registered VALUES (?, ?, ?, ?)", left)
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

    def _rows(self, events: Sequence[Event]) -> Iterator[tuple[int, int, str, bytes]]:
        for seq, event in enumerate(events, self._seq):
            yield self.number, seq, type(event).__name__, encode_event(event, self._hiding)

    def _left(
        self, events: Sequence[Event], reports: Sequence[JobReport]
    ) -> Iterator[tuple[int, int, bytes | None, bool]]:
        numbers = {id(event): seq for seq, event in enumerate(events, self._seq)}
        for report in reports or _last_end(events):
            secrets = self._news() if report.secret or len(self._hiding.secrets) > self._known else []
            yield self.number, numbers[id(report.event)], *registered.written(report, secrets, self._key.close)

    def _news(self) -> list[str]:
        """The secrets that are written next: texts that are there already may hold them."""
        secrets = self._hiding.secrets.after(self._secrets)
        self._secrets += len(secrets)
        self._known = self._secrets
        return secrets

    def keep_output(self, job: Job, command: int, stream: str, data: bytes, beginning: bool = False) -> bool:
        """Keep output that a result has no room for; False if the journal has none either. Raises ``JournalFailed``.

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
                with transaction(self._database) as database:
                    yield database
            except (sqlite3.Error, OSError) as error:
                raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error | OSError) -> JournalFailed:
        return JournalFailed(
            "The journal can't be written any more",
            f"{explained(error, self._path)} Nothing more is sent; what was running on hosts was stopped. Then "
            "start the run again.",
        )


def _last_end(events: Sequence[Event]) -> list[JobReport]:
    """What takes secrets along that became known in jobs which leave nothing else: the report of the last of them."""
    ends = [event for event in events if isinstance(event, JobFinished)]
    return [JobReport(event=event) for event in ends[-1:]]
