"""Files that appear whole or not at all: written beside their place, then renamed into it."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from drumline.plugin import Get, Put, TransferFailed, TransferStopped
from drumline.plugin.leftovers import temporary_name

#: Bytes between two looks at whether to go on.
_PIECE = 1 << 20


class Copying:
    """One file on its way. ``interrupt`` may come from any thread."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._end = None if timeout is None else time.monotonic() + timeout
        self._interrupted = threading.Event()

    def interrupt(self) -> None:
        """Give it up; what was written is removed."""
        self._interrupted.set()

    def put(self, request: Put) -> None:
        """Run a ``Put``. Without a mode a new file gets what the umask leaves, and an old one keeps its own."""
        destination = Path(request.destination)
        with _whole(destination, request.mode) as file:
            if isinstance(request.source, bytes):
                self._check()
                file.write(request.source)
            else:
                self._pour(request.source, file)

    def get(self, request: Get) -> None:
        """Run a ``Get``."""
        with _whole(request.destination, None) as file:
            self._pour(Path(request.source), file)

    def _pour(self, source: Path, file: BinaryIO) -> None:
        if not stat.S_ISREG(source.stat().st_mode) and source.exists() and not source.is_dir():
            raise TransferFailed("A file can't be copied on this machine", f"{source} is no file.")
        with source.open("rb") as opened:
            while self._check() and (piece := opened.read(_PIECE)):
                file.write(piece)

    def _check(self) -> bool:
        """True; raises when it is to stop."""
        if self._interrupted.is_set():
            raise TransferStopped("The transfer was interrupted", "What had been written was removed.")
        if self._end is not None and time.monotonic() >= self._end:
            why = f"It wasn't finished within {self._timeout:g} s; what had been written was removed."
            raise TransferStopped("The transfer timed out", why, timed_out=True)
        return True


@contextmanager
def _whole(destination: Path, mode: int | None) -> Iterator[BinaryIO]:
    """A file to write to, which takes the destination's place when all went well."""
    part = destination.parent / temporary_name()
    try:
        with part.open("xb") as file:
            if mode is not None:
                os.chmod(part, 0o600)
            yield file
        _set_mode(part, destination, mode)
        part.replace(destination)
    except OSError as error:
        named = error.filename if error.filename not in (None, str(part)) else destination
        raise TransferFailed("A file can't be copied on this machine", f"{named}: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            part.unlink()


def _set_mode(part: Path, destination: Path, mode: int | None) -> None:
    if mode is None and destination.is_file():
        mode = destination.stat().st_mode & 0o7777
    if mode is not None:
        os.chmod(part, mode)
