"""Content of this machine on its way to a host: kept in memory when it is small, else uploaded to a temporary file.

Where a task runs as another user, ``Put`` (which writes as the login user) could only leave a file that others can
read, so the content goes through the standard input of that user's own commands instead.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct

from drumline.errors import TransferFailed
from drumline.model.request import Language, Put, Request, Run, Sleep
from drumline.model.target import Platform
from drumline.plugin.actions import ActionFailed, Call
from drumline.plugin.kit.asking import output_text, remove, require_exit
from drumline.plugin.kit.diffs import MOST_DIFF

#: Bytes that travel together with the script that uses them, in one round trip.
SMALL = 64 * 1024
#: Bytes that one command of another user is given to append.
_PIECE = 1024 * 1024
#: Bytes that are summed up between two looks at whether the job is to stop.
_BREATH = 8 * 1024 * 1024
#: How a file begins that ansible-vault encrypted, and how large it may be: it is decrypted in memory.
_VAULT = b"$ANSIBLE_VAULT;"
_MOST_ENCRYPTED = 64 * 1024 * 1024


class Content(Struct, frozen=True, kw_only=True):
    """What a file is to hold."""

    source: bytes | Path
    size: int
    checksum: str  #: SHA-1 in hexadecimal, which is what Ansible's results hold.
    written_at: int = 0  #: When the file was last written to before it was read; nanoseconds.

    @classmethod
    def of_bytes(cls, data: bytes) -> Content:
        """Content that was made here."""
        return cls(source=data, size=len(data), checksum=hashlib.sha1(data).hexdigest())

    def md5(self) -> str:
        """MD5 in hexadecimal, which results hold too; empty where this machine refuses it (FIPS)."""
        try:
            digest = hashlib.md5(usedforsecurity=False)
        except ValueError:
            return ""
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()

    @property
    def small(self) -> bytes | None:
        """The content itself when it can travel with a script."""
        return self.source if isinstance(self.source, bytes) and self.size <= SMALL else None

    def shown(self) -> bytes | None:
        """The content for a diff; None where it is too large for one."""
        if self.size > MOST_DIFF:
            return None
        return b"".join(self.pieces())

    def require_unchanged(self) -> None:
        """Raise ``ActionFailed`` when the file was written to since its checksum was taken."""
        if isinstance(self.source, Path):
            with readable(self.source):
                if self.source.stat().st_mtime_ns != self.written_at:
                    raise ActionFailed(f"{self.source} on this machine was written to while it was sent: run again")

    def pieces(self) -> Iterator[bytes]:
        """The content in parts."""
        if isinstance(self.source, bytes):
            yield from (self.source[start : start + _PIECE] for start in range(0, self.size, _PIECE))
            return
        with readable(self.source), self.source.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what goes wrong with a file of this machine into the task's failure."""
    try:
        yield
    except OSError as error:
        raise ActionFailed(f"{path} on this machine can't be read: {error.strerror or error}") from error


def local_content(call: Call, path: Path) -> Generator[Request, Any, Content]:
    """What a file of this machine holds, read into memory only when it is small.

    One that ansible-vault encrypted is decrypted, unless the task's ``decrypt`` (:data:`DECRYPT`) is false.
    """
    with readable(path):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) and not path.samefile(os.devnull):
            raise ActionFailed(f"{path} on this machine is no file: a pipe or a device may never end")
        with path.open("rb") as file:
            beginning = file.read(SMALL + 1)
            if beginning.startswith(_VAULT) and call.arguments.get("decrypt", True):
                return Content.of_bytes(call.decrypted(path, _whole(path, file, beginning)))
            if len(beginning) <= SMALL:
                return Content.of_bytes(beginning)
            checksum = yield from _sum(file, beginning)
    return Content(source=path, size=status.st_size, checksum=checksum, written_at=status.st_mtime_ns)


def read_encrypted(path: Path) -> bytes:
    """What a file holds that ansible-vault encrypted; of any other one nothing.

    Raises ``OSError``, and ``ActionFailed`` where it is too large.
    """
    with path.open("rb") as file:
        beginning = file.read(len(_VAULT))
        return _whole(path, file, beginning) if beginning == _VAULT else b""


def _whole(path: Path, file: BinaryIO, beginning: bytes) -> bytes:
    """All of an encrypted file, whose beginning has been read."""
    content = beginning + file.read(_MOST_ENCRYPTED + 1 - len(beginning))
    if len(content) > _MOST_ENCRYPTED:
        raise ActionFailed(f"{path} is larger than {_MOST_ENCRYPTED // 1024 // 1024} MiB, and encrypted as a whole")
    return content


def _sum(file: BinaryIO, beginning: bytes) -> Generator[Request, Any, str]:
    """The checksum of a file whose beginning has been read. It may take minutes, in which the job can be ended."""
    digest = hashlib.sha1(beginning)
    while piece := file.read(_BREATH):
        digest.update(piece)
        if len(piece) == _BREATH:
            yield Sleep(seconds=0)
    return digest.hexdigest()


def fill(call: Call, content: Content, temporary: str) -> Generator[Request, Any, None]:
    """Bring the content into the host's file ``temporary``, which only its owner can read."""
    try:
        if call.become:
            yield from _append(call, content, temporary)
        else:
            mode = 0o600 if call.platform is Platform.POSIX else None
            yield Put(source=content.source, destination=temporary, mode=mode)
        content.require_unchanged()
    except (ActionFailed, TransferFailed):
        yield from remove(call, temporary)
        raise


def _append(call: Call, content: Content, temporary: str) -> Generator[Request, Any, None]:
    for piece in content.pieces():
        completed = yield Run(language=Language.SH, text=f"cat >>{shlex.quote(temporary)}", stdin=piece)
        require_exit(call, completed)
        if not completed.ok:
            raise ActionFailed(f"{temporary} can't be written: {output_text(completed.stderr).strip()}")
