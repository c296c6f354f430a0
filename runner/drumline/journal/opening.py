"""Opens a journal to read it, also one that can't be written, by whomever and for whatever reason."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from drumline.journal.faults import unreadable
from drumline.journal.tables import NAME

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

#: Seconds to wait for another program that holds it locked.
BUSY = 30.0


def open_to_read(directory: Path) -> tuple[sqlite3.Connection | None, TemporaryDirectory[str] | None]:
    """The database, and what has to be cleaned up after it; None where there is no journal. Raises ``UsageError``.

    Where its directory can't be written, SQLite can't share what a run has written last with that run. Then the file
    is read as it is, or a copy of all of it.
    """
    path = directory / NAME
    try:
        if not path.exists():
            return None, None
        try:
            return _connected(path, "mode=ro"), None
        except sqlite3.OperationalError:
            _require_readable(path)
        if not _size(path.with_name(f"{NAME}-wal")):
            return _connected(path, "mode=ro&immutable=1"), None
        import shutil  # few journals have to be copied
        import tempfile

        copy = tempfile.TemporaryDirectory(prefix="drumline-journal-", ignore_cleanup_errors=True)
        for name in (NAME, f"{NAME}-wal"):
            shutil.copyfile(directory / name, Path(copy.name, name))
        return _connected(Path(copy.name, NAME), "mode=rw"), copy
    except (OSError, sqlite3.Error) as error:
        raise unreadable(error, path) from error


def _connected(path: Path, how: str) -> sqlite3.Connection:
    database = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=BUSY)
    try:
        database.execute("SELECT 1 FROM sqlite_master").fetchone()
    except BaseException:
        database.close()
        raise
    database.text_factory = _text
    return database


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _require_readable(path: Path) -> None:
    """Raise ``OSError`` where the file itself can't be read."""
    with path.open("rb") as file:
        file.read(1)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
