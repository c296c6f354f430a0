"""Files of ``drumline vault``: replaced as a whole, and edited where no one else can read them."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from drumline.errors import UsageError
from drumline.source.replacing import replace_file


def replace_content(path: Path, data: bytes) -> None:
    """Replace a file's content, or keep the old if that fails."""
    try:
        replace_file(path, data)
    except OSError as error:
        raise UsageError("A file can't be written", f"{path}: {error.strerror}.") from None


def edited(name: str, clear: bytes) -> bytes:
    """The text as a person edited it, in a private file with the same suffix as ``name``."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with _private_directory() as directory:
        path = directory / name
        path.write_bytes(clear)
        try:
            status = subprocess.call([*shlex.split(editor), str(path)])
        except (OSError, ValueError) as error:
            detail = f"{editor}: {getattr(error, 'strerror', None) or error}. EDITOR names another one."
            raise UsageError("The editor can't be started", detail) from None
        if status:
            raise UsageError("The editor failed", f"{editor} ended with exit status {status}; the file is as it was.")
        try:
            return path.read_bytes()
        except OSError as error:
            detail = f"{editor} left none: {error.strerror}. The file is as it was."
            raise UsageError("The edited text can't be read", detail) from None


@contextmanager
def _private_directory() -> Iterator[Path]:
    """A directory that only this user can enter; it is removed afterwards, even if a signal ends the program."""
    directory = Path(tempfile.mkdtemp(prefix="drumline-vault-"))

    before = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield directory
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for file in directory.rglob("*"):
            with suppress(OSError):
                _overwrite(file)
        shutil.rmtree(directory, ignore_errors=True)


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _overwrite(file: Path) -> None:
    if file.is_file() and not file.is_symlink():
        with file.open("r+b") as content:
            content.write(bytes(file.stat().st_size))
