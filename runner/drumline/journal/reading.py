"""Reads the journal: runs, their plans, events and outputs. What is damaged is left out and counted, never raised.

``Reader.damage`` says what couldn't be read so far, in sentences for people.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drumline.clock import SystemClock
from drumline.errors import UsageError
from drumline.journal import registered
from drumline.journal.codec import Damaged, decode_event
from drumline.journal.faults import unreadable
from drumline.journal.keys import as_salted
from drumline.journal.opening import open_to_read
from drumline.journal.places import check_event, grown, read_plan
from drumline.journal.processes import is_claimed, is_same
from drumline.journal.tables import COLUMNS, NAME, columns_of
from drumline.masking import Secrets
from drumline.model.event import SCHEMA, ApprovalGiven, ApprovalRequested, Event, JobFinished, PlanGrown
from drumline.model.plan import Job, Plan
from drumline.model.titles import titled, with_titles
from drumline.plugin.history import InputFile, Kept, RunInfo
from drumline.plugin.runs import JobReport
from drumline.source.inputs import is_as_before

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

#: Seconds since the epoch beyond which no calendar goes.
_LATEST = 1e11
#: Columns of a run beside its plan, which may be large.
_OF_RUN = tuple(name for name in COLUMNS["runs"] if name != "plan")

_EVENTS = "SELECT seq, kind, body FROM events WHERE run = ?"
_EVERYTHING = """
SELECT seq, kind, body, secret IS NOT NULL, data, secret FROM events LEFT JOIN registered USING (run, seq) WHERE run = ?
"""
#: A question is open until it is decided, or until its job has finished: it may have been stopped.
_QUESTIONS = f"""{_EVENTS} AND kind IN ('ApprovalRequested', 'ApprovalGiven', 'JobFinished')
AND seq >= (SELECT min(seq) FROM events WHERE run = ? AND kind = 'ApprovalRequested')"""


class Reader:
    """All runs of a user, to be read. ``directory`` need not be there. Raises ``UsageError`` when it can't be read."""

    def __init__(self, directory: Path, database: sqlite3.Connection | None = None) -> None:
        """``database`` is the opened one, of who also writes it."""
        self.path = directory / NAME
        self.title = f"the journal {self.path}"
        self.damage: Counter[str] = Counter()  #: What couldn't be read, with how often.
        self._copy: TemporaryDirectory[str] | None = None
        self._connection = database
        if database is None:
            self._connection, self._copy = open_to_read(directory)
        self._plans: dict[int, Plan] = {}
        self._grown: dict[int, Plan] = {}

    @property
    def _database(self) -> sqlite3.Connection:
        assert self._connection is not None
        return self._connection

    def runs(self) -> list[RunInfo]:
        """All runs, newest first."""
        if self._connection is None:
            return []
        present = self._columns("runs")
        if not present:
            return []
        names = [name if name in present else "NULL" for name in _OF_RUN]
        found = []
        for row in self._rows(f"SELECT {', '.join(names)} FROM runs", ("number",), (), "runs", newest=True):
            try:
                found.append(_info(dict(zip(_OF_RUN, row, strict=True)), self.path.parent))
            except (TypeError, ValueError):
                self.damage["the line of a run"] += 1
        return sorted(found, key=lambda run: run.number, reverse=True)

    def _columns(self, table: str) -> set[str]:
        try:
            return columns_of(self._database, table)
        except sqlite3.Error as error:
            raise unreadable(error, self.path) from error

    def find(self, name: str | None) -> RunInfo:
        """A run by number, id or the beginning of its id; None: the newest. Raises ``UsageError``."""
        runs = self.runs()
        if name is None:
            found = runs[:1]
        else:
            numbered = [run for run in runs if str(run.number) == name]
            found = numbered or [run for run in runs if run.id.startswith(name)]
        if len(found) == 1:
            _require_schema(found[0])
            return found[0]
        if not runs:
            detail = f"The journal {self.path} is empty."
            raise UsageError("There are no runs yet", f"{detail} {self.damage_told()}".strip())
        problem = "There is no such run" if not found else "Several runs match"
        raise UsageError(problem, f"'{name}': 'drumline runs list' shows numbers and ids.")

    def plan(self, run: RunInfo) -> Plan:
        """The plan of a run, with titles for names; what is secret in it is masked. Raises ``UsageError``."""
        if run.number not in self._plans:
            self._plans[run.number] = titled(self.whole_plan(run), str)
        return self._plans[run.number]

    def whole_plan(self, run: RunInfo, open_: Callable[[bytes], bytes] | None = None) -> Plan:
        """The plan as it was journalled, with its secrets where ``open_`` decrypts them. Raises ``UsageError``."""
        _require_schema(run)
        try:
            [data] = self._database.execute("SELECT plan FROM runs WHERE number = ?", (run.number,)).fetchone()
            return read_plan(data, open_)
        except (sqlite3.Error, Damaged, TypeError) as error:
            raise UsageError(
                "The plan of this run can't be read",
                f"Run {run.number} in {self.path} is damaged ({error}): what its events mean isn't known without its "
                "plan. 'drumline runs verify' says what else is.",
            ) from error

    def events(self, run: RunInfo) -> Iterator[Event]:
        """Everything that happened in a run, in order, as far as it can be read."""
        return self._events(run, _EVENTS, (run.number,))

    def _events(self, run: RunInfo, query: str, values: Sequence[Any]) -> Iterator[Event]:
        plan = self.grown_plan(run)
        where = f"events of run {run.number}"
        for _, kind, body in self._rows(query, ("seq",), values, where):
            try:
                event = decode_event(kind, body)
                check_event(event, plan)
            except Damaged:
                self.damage[where] += 1
                continue
            yield with_titles(event, str) if isinstance(event, PlanGrown) else event

    def grown_plan(self, run: RunInfo) -> Plan:
        """The plan with all that was added to it while the run went on, as far as it can be read."""
        plan = self.plan(run)
        if run.number not in self._grown:
            for _, kind, body in self._rows(f"{_EVENTS} AND kind = 'PlanGrown'", ("seq",), (run.number,), ""):
                with suppress(Damaged):
                    event = decode_event(kind, body)
                    assert isinstance(event, PlanGrown)
                    plan = grown(plan, with_titles(event, str))
            self._grown[run.number] = plan
        return self._grown[run.number]

    def everything(
        self, run: RunInfo, secrets: Secrets, open_: Callable[[bytes], bytes]
    ) -> Iterator[Event | JobReport]:
        """The same with all that jobs have left to others, in clear: as the report of the job in place of its event.

        What became known as secret meanwhile is added to ``secrets``. Nothing may be missing; whether the plan has all
        that events are about is not looked at. Raises ``Damaged`` and ``sqlite3.Error``, and what ``open_`` raises.
        """
        query = f"{_EVERYTHING} ORDER BY seq"
        for number, row in enumerate(self._database.execute(query, (run.number,))):
            seq, kind, body, leaves, data, secret = row
            if seq != number:
                raise Damaged(f"event {number} is missing")
            event = decode_event(kind, body, open_)
            if not isinstance(event, JobFinished):
                yield event
            else:
                yield registered.read(event, data, secret, secrets, open_) if leaves else JobReport(event=event)

    def files(self, run: RunInfo) -> list[InputFile]:
        """The files that the run was made of. Their digests are salted: they can only be compared."""
        if not self._columns("files"):
            return []
        query = "SELECT path, size, digest FROM files WHERE run = ?"
        return [InputFile(*row) for row in self._rows(query, ("path",), (run.number,), f"files of run {run.number}")]

    def changed(self, run: RunInfo) -> list[str] | None:
        """The paths of those that are others now, or are gone; None where that can't be known: the salt is missing."""
        files = self.files(run)
        try:
            salted = as_salted(self.path.parent) if files else bytes
        except OSError:
            return None
        return [file.path for file in files if not is_as_before(file, salted)]

    def output(self, run: RunInfo, job: Job, stream: str) -> Mapping[int, Kept]:
        """What a job's result doesn't hold of a stream, by the number of the job's command, in order."""
        command, beginning = ("command", "beginning") if self._knows_commands() else ("0", "0")
        condition = "run = ? AND step = ? AND host = ? AND stream = ?"
        query = f"SELECT rowid, {command}, {beginning}, data FROM outputs WHERE {condition}"
        found: dict[int, Kept] = {}
        where = f"output of run {run.number}"
        for _, number, begins, data in self._rows(query, ("rowid",), (run.number, *job, stream), where):
            found.setdefault(number, Kept()).add(data if isinstance(data, bytes) else str(data).encode(), begins)
        return found

    def _knows_commands(self) -> bool:
        return "command" in columns_of(self._database, "outputs")

    def questions(self, run: RunInfo) -> list[ApprovalRequested]:
        """What a run asks people and has no answer to yet, in the order in which it was asked."""
        found: dict[Job, ApprovalRequested] = {}
        for event in self._events(run, _QUESTIONS, (run.number, run.number)):
            if isinstance(event, ApprovalRequested):
                found[event.job] = event
            elif isinstance(event, (ApprovalGiven, JobFinished)):
                found.pop(event.job, None)
        return list(found.values())

    def decision(self, run: RunInfo, question: ApprovalRequested) -> ApprovalGiven | None:
        """What was decided on a question, by whomever; None as long as the run hasn't taken an answer."""
        for event in self._events(run, f"{_EVENTS} AND kind = 'ApprovalGiven'", (run.number,)):
            if isinstance(event, ApprovalGiven) and event.job == question.job and event.at >= question.at:
                return event
        return None

    def _rows(
        self, query: str, key: tuple[str], values: Sequence[Any], where: str, *, newest: bool = False
    ) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, of which the key is the first column; past a damaged page it goes on from the end."""
        last = None
        try:
            for row in self._database.execute(f"{query} ORDER BY {key[0]}", values):
                last = row[0]
                yield row
            return
        except sqlite3.Error as error:
            broke = error
        rest: list[tuple[Any, ...]] = []
        try:
            for row in self._database.execute(f"{query} ORDER BY {key[0]} DESC", values):
                if last is not None and row[0] <= last:
                    break
                rest.append(row)
        except (sqlite3.Error, TypeError):
            pass  # this is where it broke from the other side
        if where:
            self.damage[f"{where} ({broke})"] += 1
        yield from reversed(rest)

    def weights(self) -> dict[int, int]:
        """About how many bytes each run takes up."""
        sizes: Counter[int] = Counter()
        for query in (
            "SELECT number, length(plan) FROM runs",
            "SELECT run, sum(length(body) + 40) FROM events GROUP BY run",
            "SELECT run, sum(length(data) + 40) FROM outputs GROUP BY run",
            "SELECT run, sum(ifnull(length(data), 0) + 40) FROM registered GROUP BY run",
        ):
            with suppress(sqlite3.Error):  # what is damaged weighs nothing
                for number, size in self._database.execute(query):
                    sizes[number] += size or 0
        return sizes

    def kept(self, run: RunInfo) -> dict[Job, int]:
        """How much output of each job the journal has beside the results, in bytes."""
        query = "SELECT step, host, sum(length(data)) FROM outputs WHERE run = ? GROUP BY step, host"
        with suppress(sqlite3.Error):
            return {Job(step, host): size for step, host, size in self._database.execute(query, (run.number,))}
        return {}

    def check(self, most: int) -> list[tuple[str]]:
        """What SQLite finds wrong with its own structures. Raises ``sqlite3.Error``."""
        if self._connection is None:
            return []
        return self._database.execute(f"PRAGMA integrity_check({most})").fetchall()

    def unfit(self, run: RunInfo) -> None:
        """An event of this run doesn't fit the others."""
        self.damage[f"events of run {run.number}"] += 1

    def damage_told(self) -> str:
        """What couldn't be read so far, in a sentence; empty when nothing was."""
        if not self.damage:
            return ""
        parts = "; ".join(
            f"{where}" + (f" ({count} of them)" if count > 1 else "") for where, count in self.damage.items()
        )
        return f"The journal is damaged, and this can't be read: {parts}. See 'drumline runs verify'."

    def close(self) -> None:
        """Close the database."""
        if self._connection is not None:
            self._connection.close()
        if self._copy is not None:
            self._copy.cleanup()


def _require_schema(run: RunInfo) -> None:
    """Raise ``UsageError`` for a run that another version wrote in a way that this one doesn't know."""
    if run.schema != SCHEMA:
        raise UsageError(
            f"{'A newer' if run.schema > SCHEMA else 'An older'} drumline wrote this run",
            f"Run {run.number} has schema {run.schema}, and this version reads schema {SCHEMA}: read it with the "
            "version that wrote it.",
        )


def _info(row: Mapping[str, Any], directory: Path) -> RunInfo:
    """Raises ``TypeError`` or ``ValueError`` for what a damaged row holds."""
    number, started, finished = int(row["number"]), _moment(row["started"]), row["finished"]
    finished = None if finished is None else _moment(finished)
    status = row["exit_status"]
    alive = finished is None and (
        is_same(int(row["pid"]), row["process"], started) or is_claimed(directory, str(row["id"]))
    )
    monotonic, now = row["monotonic"], None
    if monotonic is not None and alive:
        began = started if row["clock"] is None else _moment(row["clock"])
        now = began + max(0.0, SystemClock().monotonic() - _moment(monotonic))
    return RunInfo(
        number=number,
        id=str(row["id"]),
        started=started,
        command=str(row["command"]),
        playbook=str(row["playbook"] or ""),
        forks=int(row["forks"]),
        sessions=int(row["sessions"]),
        schema=int(row["schema"]),
        finished=finished,
        exit_status=None if status is None else int(status),
        alive=alive,
        now=now,
        check=bool(row["checked"]),
    )


def _moment(value: Any) -> float:
    """Seconds, of which a calendar can be made."""
    found = float(value)
    if not abs(found) < _LATEST:
        raise ValueError(value)
    return found
