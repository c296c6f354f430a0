"""The key of a run: what is secret in the journal is encrypted with it, and it lies in a file of its own beside it.

Whoever copies the journal therefore has no secret, and a run whose key is destroyed has none any more either.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_DIRECTORY = "keys"
_SALT = "salt"


def salted_with(directory: Path) -> Callable[[bytes], bytes]:
    """Makes of a content's digest one by which no one who has the journal alone can try contents out.

    A file may hold a password and little else. Raises ``OSError``.
    """
    path = directory / _SALT
    if not path.exists():
        draft = path.with_name(f"{_SALT}-{os.urandom(6).hex()}")
        try:
            _write_privately(draft, os.urandom(32))
            with suppress(FileExistsError):  # another process was quicker: its salt holds for this one too
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    return as_salted(directory)


def as_salted(directory: Path) -> Callable[[bytes], bytes]:
    """The same with the salt that is there. Raises ``OSError``."""
    salt = (directory / _SALT).read_bytes()
    return lambda digest: hashlib.blake2b(digest, key=salt, digest_size=32).digest()


def _write_privately(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


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
        """Make everything unreadable that was encrypted with it. No effect without a key."""
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
        _write_privately(self._path, key)
        return Fernet(key)

    @cached_property
    def _read(self) -> Fernet:
        from cryptography.fernet import Fernet

        try:
            return Fernet(self._path.read_bytes())
        except OSError as error:
            raise LookupError(f"{self._path}: {error.strerror}") from None
