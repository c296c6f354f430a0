"""Looks a journal over, and saves what can be read of a damaged one into a new one, row by row."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from drumline.errors import UsageError
from drumline.journal.faults import explained
from drumline.journal.reading import Reader
from drumline.journal.tables import COLUMNS, NAME, columns_of, make_tables
from drumline.plugin.history import RunInfo

#: Faults that SQLite names of its own structures; more of them say nothing new.
_MOST_FAULTS = 20
#: Keys that are tried one by one between what was read from the front and from the back.
_MOST_TRIED = 100_000

#: What the first hundred bytes of a journal hold in any case, by where it stands.
_HEADER = {
    0: b"SQLite format 3\0",
    16: b"\x10\x00",
    18: b"\x02\x02\x00\x40\x20\x20",
    44: b"\0\0\0\x04",
    56: b"\0\0\0\x01",
}


class Inspection(Struct, frozen=True, kw_only=True):
    """What came of looking a journal over."""

    runs: int
    events: int
    faults: list[str]  #: What is damaged, in sentences; empty when it is whole.


def verify(directory: Path) -> Inspection:
    """Read everything once. Raises ``UsageError`` where nothing can be read."""
    with closing(Reader(directory)) as reader:
        faults = list(_structure_faults(reader))
        runs, events = reader.runs(), 0
        for run in runs:
            events += _events_of(reader, run, faults)
        faults += [f"{where}: {count} can't be read" for where, count in reader.damage.items()]
        return Inspection(runs=len(runs), events=events, faults=faults)


def _structure_faults(reader: Reader) -> Iterator[str]:
    """What SQLite's own check finds."""
    try:
        for (fault,) in reader.check(_MOST_FAULTS):
            if fault != "ok":
                yield f"the database: {str(fault).splitlines()[0]}"
    except sqlite3.Error as error:
        yield f"the database: {error}"


def _events_of(reader: Reader, run: RunInfo, faults: list[str]) -> int:
    try:
        return sum(1 for _ in reader.events(run))
    except UsageError as error:
        faults.append(f"run {run.number}: {error.summary}")
        return 0


def save(directory: Path, target: Path) -> dict[str, int]:
    """Write all rows that can be read to a new journal; returns how many of each table. Raises ``UsageError``."""
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # an empty file is an empty database
        with _removed_on_failure(target), _copy_of(directory) as source:
            return _copy_all(source, target)
    except FileExistsError:
        raise UsageError("The file is there already", f"{target}: name one that isn't.") from None
    except (OSError, sqlite3.Error) as error:
        raise UsageError("Nothing can be saved", explained(error, target)) from error


@contextmanager
def _removed_on_failure(target: Path) -> Iterator[None]:
    """However it fails, the next attempt finds the way clear."""
    try:
        yield
    except BaseException:
        for ending in ("", "-journal", "-wal", "-shm"):
            with suppress(OSError):
                target.with_name(target.name + ending).unlink()
        raise


def _copy_all(source: sqlite3.Connection, target: Path) -> dict[str, int]:
    with closing(sqlite3.connect(target, isolation_level=None)) as database:
        make_tables(database)
        database.execute("BEGIN")
        found = {table: _copy(source, database, table) for table in COLUMNS}
        database.execute("COMMIT")
    return found


@contextmanager
def _copy_of(directory: Path) -> Iterator[sqlite3.Connection]:
    """A copy that may be changed: a damaged header is written anew, as far as it is the same in all journals."""
    with tempfile.TemporaryDirectory(prefix="drumline-rescue-") as name:
        copy = Path(name, NAME)
        shutil.copyfile(directory / NAME, copy)
        log = directory / f"{NAME}-wal"
        if log.exists():
            shutil.copyfile(log, copy.with_name(log.name))
        with copy.open("r+b") as file:
            for place, data in _HEADER.items():
                file.seek(place)
                file.write(data)
        with closing(sqlite3.connect(copy)) as database:
            database.execute("PRAGMA writable_schema = ON")  # a table's damaged text isn't looked at too closely
            database.text_factory = lambda raw: raw.decode("utf-8", "replace")
            yield database


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> int:
    try:
        present = columns_of(source, table)
    except sqlite3.Error:
        return 0
    columns = [name for name in COLUMNS[table] if name in present]
    if not columns:
        return 0
    insert = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    count = 0
    for row in _rows(source, target, table, columns):
        try:
            count += target.execute(insert, row).rowcount
        except sqlite3.Error:
            continue  # a value that can't be there
    return count


def _rows(
    source: sqlite3.Connection, target: sqlite3.Connection, table: str, columns: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    listed = ", ".join(columns)
    if table in ("events", "registered", "files", "answers"):  # their key begins with the run
        for run in _runs_in(source, target):
            yield from _from_both_ends(
                source, f"SELECT {columns[1]}, {listed} FROM {table} WHERE run = {run}", columns[1]
            )
    else:
        yield from _from_both_ends(source, f"SELECT rowid, {listed} FROM {table} WHERE 1", "rowid")


def _runs_in(source: sqlite3.Connection, target: sqlite3.Connection) -> list[int]:
    """The numbers of all runs that there may be, also of those whose line is lost."""
    known = {number for (number,) in target.execute("SELECT number FROM runs")}
    for query in ("SELECT seq FROM sqlite_sequence WHERE name = 'runs'", "SELECT max(run) FROM events"):
        try:
            known.update(range(1, 1 + min(_MOST_TRIED, int(source.execute(query).fetchone()[0]))))
        except (sqlite3.Error, TypeError, ValueError):
            continue
    return sorted(known)


def _from_both_ends(source: sqlite3.Connection, query: str, key: str) -> Iterator[tuple[Any, ...]]:
    """Rows from the front until a page can't be read, from the back until one can't, then one by one between."""
    low = high = None
    try:
        for value, *row in source.execute(f"{query} ORDER BY {key}"):
            low = value
            yield tuple(row)
        return
    except sqlite3.Error:
        pass
    try:
        for value, *row in source.execute(f"{query} ORDER BY {key} DESC"):
            if isinstance(low, int) and isinstance(value, int) and value <= low:
                return
            high = value
            yield tuple(row)
    except sqlite3.Error:
        pass
    yield from _one_by_one(source, query, key, _between(low, high))


def _between(low: Any, high: Any) -> Iterable[int]:
    first = low + 1 if isinstance(low, int) else 0
    last = high if isinstance(high, int) else first + 1000
    return range(first, min(last, first + _MOST_TRIED))


def _one_by_one(source: sqlite3.Connection, query: str, key: str, values: Iterable[int]) -> Iterator[tuple[Any, ...]]:
    for value in values:
        try:
            row = source.execute(f"{query} AND {key} = ?", (value,)).fetchone()
        except sqlite3.Error:
            continue
        if row is not None:
            yield tuple(row[1:])
