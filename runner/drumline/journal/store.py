"""The journal's database: one SQLite file per user, in write-ahead mode, read by others while a run writes.

``append`` commits before it returns. What is committed survives the death of drumline at any moment. Against a power
failure of this machine SQLite would have to flush the disk at each commit; ``synchronous="full"`` asks for that, at the
price of some milliseconds for each turn of a run.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drumline.clock import Clock, SystemClock
from drumline.errors import UsageError
from drumline.execution.approvals import Reply
from drumline.journal.codec import Hiding, encode
from drumline.journal.faults import explained, unreadable
from drumline.journal.keys import RunKey, salted_with
from drumline.journal.opening import BUSY
from drumline.journal.processes import Claim, Claimed, identity, is_same
from drumline.journal.reading import Reader
from drumline.journal.tables import COLUMNS, LAYOUT, NAME, layout_of, make_tables, whole_path
from drumline.journal.writer import RunWriter, transaction
from drumline.masking import Secrets
from drumline.model.event import SCHEMA, ApprovalRequested
from drumline.model.plan import Plan
from drumline.plugin.history import InputFile, RunInfo

if TYPE_CHECKING:
    from drumline.journal.reopening import Reopened


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
        hiding = Hiding(Secrets() if secrets is None else secrets, key.close, plan)
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
            "checked": plan.check,
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
        with transaction(self._database) as database:
            columns, places = ", ".join(values), ", ".join("?" * len(values))
            cursor = database.execute(f"INSERT INTO runs ({columns}) VALUES ({places})", tuple(values.values()))
            number = cursor.lastrowid
            assert number is not None
            database.execute("INSERT INTO playbooks VALUES (?, ?)", (number, playbook))
            rows = [(number, _writable(file.path), file.size, salted(file.digest)) for file in files]
            database.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", rows)
        return number

    def reopen(
        self, run: RunInfo, *, secrets: Secrets | None = None, clock: Clock | None = None
    ) -> tuple[RunWriter, Reopened]:
        """Take over a run whose process is gone: what writes it from here on, and how it stood.

        ``secrets`` are as for :meth:`begin`, and get those that the run knew. Raises ``UsageError`` when it has ended
        or goes on, and when not all of it can be read.
        """
        from drumline.journal.reopening import read_back  # few runs are gone on with

        if run.finished is not None:
            raise _ended(run)
        try:
            claim = Claim(self.path.parent, run.id)
        except Claimed as claimed:
            raise _goes_on(run, claimed.process) from None
        try:
            key = RunKey(self.path.parent, run.id)
            secrets = Secrets() if secrets is None else secrets
            reopened = read_back(self, run, key, secrets)
            hiding = Hiding(secrets, key.close, reopened.state.plan)  # as it has grown
            self._take_over(run, clock or SystemClock())
        except BaseException:
            claim.release()
            raise
        self._claims.append(claim)
        number, seq = run.number, reopened.events
        return RunWriter(self._database, self.path, number, run.id, claim, key, hiding, _seq=seq), reopened

    def _take_over(self, run: RunInfo, clock: Clock) -> None:
        """This process is the run's from here on. Raises ``UsageError`` when another one is."""
        values = (os.getpid(), identity(os.getpid()), clock.monotonic(), clock.now(), run.number)
        try:
            with transaction(self._database) as database:
                query = "SELECT pid, process FROM runs WHERE number = ? AND finished IS NULL"
                row = database.execute(query, (run.number,)).fetchone()
                if row is None:
                    raise _ended(run)
                pid, process = row
                if is_same(pid, process, run.started):
                    raise _goes_on(run, pid)
                database.execute(
                    "UPDATE runs SET pid = ?, process = ?, monotonic = ?, clock = ? WHERE number = ?", values
                )
        except sqlite3.Error as error:
            raise UsageError("The journal can't be written", explained(error, self.path)) from error

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
                with transaction(self._database) as database:
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


def _ended(run: RunInfo) -> UsageError:
    return UsageError("The run has ended", f"Run {run.number} is complete: there is nothing to go on with.")


def _goes_on(run: RunInfo, process: object) -> UsageError:
    who = f"Process {process} goes on with run {run.number}" if process else f"Run {run.number} has a process"
    return UsageError("The run goes on", f"{who}: let it end, or stop it.")


def _writable(text: str) -> str:
    """Text as SQLite takes it: Unicode."""
    return text.encode(errors="backslashreplace").decode()


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
