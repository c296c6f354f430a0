"""The key of a run: what is secret in the journal is encrypted with it, and it lies in a file of its own beside it.

Whoever copies the journal therefore has no secret, and a run whose key is destroyed has none any more either.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_DIRECTORY = "keys"


def keys_in(directory: Path) -> Iterator[RunKey]:
    """All keys that there are; ``directory`` is the journal's."""
    with suppress(FileNotFoundError):
        for path in (directory / _DIRECTORY).iterdir():
            yield RunKey(directory, path.name)


class RunKey:
    """One run's key. It is made when something is encrypted first: most runs have no secrets, and need none."""

    def __init__(self, directory: Path, run: str) -> None:
        """``directory`` is the journal's, ``run`` the run's id."""
        self.run = run
        self._path = directory / _DIRECTORY / (run if run.isalnum() else "-")

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return time.time() - self._path.stat().st_mtime

    def close(self, data: bytes) -> bytes:
        """Encrypt. Raises ``OSError`` where the key can't be written."""
        return self._made.encrypt(data)

    def open(self, token: bytes) -> bytes:
        """Decrypt. Raises ``LookupError`` when the key is gone, ``ValueError`` for what it didn't encrypt."""
        from cryptography.fernet import InvalidToken

        try:
            return self._read.decrypt(token)
        except InvalidToken:
            raise ValueError("this was not encrypted with the run's key, or is damaged") from None

    def destroy(self) -> None:
        """Make everything unreadable that was encrypted with it. Nothing happens when there is none."""
        with suppress(FileNotFoundError):
            with self._path.open("r+b") as file:  # what has the name only after this write has its bytes nowhere
                file.write(bytes(os.fstat(file.fileno()).st_size))
                os.fsync(file.fileno())
            self._path.unlink()

    @cached_property
    def _made(self) -> Fernet:
        from cryptography.fernet import Fernet

        with suppress(LookupError):
            return self._read
        self._path.parent.mkdir(exist_ok=True, mode=0o700)
        key = Fernet.generate_key()
        with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())  # without it what it encrypted would be lost
        return Fernet(key)

    @cached_property
    def _read(self) -> Fernet:
        from cryptography.fernet import Fernet

        try:
            return Fernet(self._path.read_bytes())
        except OSError as error:
            raise LookupError(f"{self._path}: {error.strerror}") from None
