"""Why a journal can't be opened, read or written, and what to do about it."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from drumline.errors import UsageError

#: A disk with fewer bytes than this is full: SQLite calls some of what follows from it an I/O error.
_FULL = 1024 * 1024

_NO_SPACE = ("there is no space left on the disk", "Free some space, or name another directory with --state.")
_DAMAGED = (
    "it is damaged",
    "'drumline runs verify --save FILE' copies everything readable to a new journal; then move this one away.",
)
_LOCKED = (
    "another program holds it locked",
    "Is it a backup, or a drumline that was stopped (Ctrl-Z)? Try again when it has ended.",
)
_DENIED = (
    "you may not read or write it, or its disk is mounted read-only",
    "Name another directory with --state, or with DRUMLINE_STATE.",
)
_FOREIGN = (
    "it isn't a drumline journal, or its start is damaged",
    "'drumline runs verify --save FILE' tries to read it anyway. Or name another directory with --state.",
)
_BY_CODE = {
    sqlite3.SQLITE_FULL: _NO_SPACE,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_NOTADB: _FOREIGN,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_READONLY: _DENIED,
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_AUTH: _DENIED,
    sqlite3.SQLITE_CANTOPEN: _DENIED,
}


def explained(error: Exception, path: Path) -> str:
    """The error in full sentences: which file, what is wrong, what to do."""
    what, todo = _reason(error, path)
    said = str(error) if isinstance(error, sqlite3.Error) else getattr(error, "strerror", None) or str(error)
    return f"{path}: {what} ({said}). {todo}"


def _reason(error: Exception, path: Path) -> tuple[str, str]:
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _NO_SPACE
        return "it can't be opened", "Name another directory that can be written with --state, or with DRUMLINE_STATE."
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _is_full(path):
        return _NO_SPACE
    if code == sqlite3.SQLITE_IOERR:
        return "the disk gives an error", "Look at the system's log; name another directory with --state."
    if code == sqlite3.SQLITE_ERROR:
        return "it has other tables than drumline's", _FOREIGN[1]
    return _BY_CODE.get(code, _DAMAGED)


def _is_full(path: Path) -> bool:
    import shutil  # few journals can't be written

    try:
        return shutil.disk_usage(path.parent).free < _FULL
    except OSError:
        return False


def unreadable(error: Exception, path: Path) -> UsageError:
    """The error for a journal that can't be read."""
    return UsageError("The journal can't be read", explained(error, path))
