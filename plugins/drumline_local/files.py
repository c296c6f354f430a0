"""Files that appear whole or not at all: written beside their place, then renamed into it."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from drumline.plugin import Put, TransferFailed


def copy_in(request: Put) -> None:
    """Carry out a ``Put``. Without a mode a new file gets what the umask leaves, and an old one keeps its own."""
    destination = Path(request.destination)
    with _whole(destination, request.mode) as file:
        if isinstance(request.source, bytes):
            file.write(request.source)
        else:
            _pour(request.source, file)


def copy_out(source: Path, destination: Path) -> None:
    """Carry out a ``Get``."""
    with _whole(destination, None) as file:
        _pour(source, file)


def _pour(source: Path, file: BinaryIO) -> None:
    with source.open("rb") as opened:
        shutil.copyfileobj(opened, file, 1 << 20)


@contextmanager
def _whole(destination: Path, mode: int | None) -> Iterator[BinaryIO]:
    """A file to write to, which takes the destination's place when all went well."""
    part = destination.parent / f".drumline-{secrets.token_hex(8)}"
    try:
        with part.open("xb") as file:
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
