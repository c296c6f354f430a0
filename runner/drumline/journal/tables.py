"""The tables of the journal, and what an older drumline's lack."""

from __future__ import annotations

import os
import sqlite3

NAME = "journal.sqlite3"

#: Number of the tables' shape (``PRAGMA user_version``); raised when an older drumline couldn't write them any more.
LAYOUT = 2

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, schema INTEGER NOT NULL,
    started REAL NOT NULL, pid INTEGER NOT NULL, command TEXT NOT NULL, plan BLOB NOT NULL,
    forks INTEGER NOT NULL, sessions INTEGER NOT NULL, finished REAL, exit_status INTEGER,
    process TEXT, monotonic REAL, playbook TEXT, clock REAL, checked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS events (
    run INTEGER NOT NULL REFERENCES runs (number), seq INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (run, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outputs (
    run INTEGER NOT NULL REFERENCES runs (number), step INTEGER NOT NULL, host TEXT NOT NULL, stream TEXT NOT NULL,
    data BLOB NOT NULL, command INTEGER NOT NULL DEFAULT 0, beginning INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS outputs_of_job ON outputs (run, step, host);
CREATE TABLE IF NOT EXISTS playbooks (run INTEGER PRIMARY KEY REFERENCES runs (number), path TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS runs_of_playbook ON playbooks (path);
CREATE TABLE IF NOT EXISTS registered (
    run INTEGER NOT NULL REFERENCES runs (number), seq INTEGER NOT NULL, data BLOB, secret INTEGER NOT NULL,
    PRIMARY KEY (run, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    run INTEGER NOT NULL REFERENCES runs (number), path TEXT NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL,
    PRIMARY KEY (run, path)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    run INTEGER NOT NULL REFERENCES runs (number), step INTEGER NOT NULL, host TEXT NOT NULL, asked REAL NOT NULL,
    approved INTEGER NOT NULL, who TEXT NOT NULL, comment TEXT NOT NULL,
    PRIMARY KEY (run, step, host, asked)) WITHOUT ROWID;
"""

#: Columns that came later, with their types.
_LATER = {
    "runs": {
        "process": "TEXT",
        "monotonic": "REAL",
        "playbook": "TEXT",
        "clock": "REAL",
        "checked": "INTEGER NOT NULL DEFAULT 0",
    },
    "outputs": {"command": "INTEGER NOT NULL DEFAULT 0", "beginning": "INTEGER NOT NULL DEFAULT 0"},
}

#: Every table with its columns, in the order in which rows are copied; the first ones are its key, in order.
COLUMNS: dict[str, tuple[str, ...]] = {
    "runs": (
        *("number", "id", "schema", "started", "pid", "command", "plan"),
        *("forks", "sessions", "finished", "exit_status", "process", "monotonic", "playbook", "clock", "checked"),
    ),
    "events": ("run", "seq", "kind", "body"),
    "outputs": ("run", "step", "host", "stream", "data", "command", "beginning"),
    "playbooks": ("run", "path"),
    "registered": ("run", "seq", "data", "secret"),
    "files": ("run", "path", "size", "digest"),
    "answers": ("run", "step", "host", "asked", "approved", "who", "comment"),
}


def whole_path(playbook: str) -> str:
    """``Playbook.path`` as it is in the journal's index: the same file has the same, from whatever directory."""
    return ", ".join(os.path.realpath(part) for part in playbook.split(", "))


def make_tables(database: sqlite3.Connection) -> None:
    """Make what is missing. Raises ``sqlite3.Error``."""
    database.executescript(_TABLES)
    for table, later in _LATER.items():
        present = columns_of(database, table)
        for name, kind in later.items():
            if name not in present:
                database.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
    # Other tables of the name lack some columns.
    database.execute(f"SELECT started, {', '.join(COLUMNS['runs'])} FROM runs LIMIT 0")
    if layout_of(database) < LAYOUT:
        database.execute(f"PRAGMA user_version = {LAYOUT}")


def layout_of(database: sqlite3.Connection) -> int:
    """The layout that the tables have; 0 is the first one, or none at all."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def columns_of(database: sqlite3.Connection, table: str) -> set[str]:
    """The names of a table's columns; none where it isn't there."""
    return {str(row[1]) for row in database.execute(f"PRAGMA table_info({table})")}
