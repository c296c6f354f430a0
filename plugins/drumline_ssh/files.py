"""Files to and from a host: over SFTP, or through the shell where the host has no SFTP.

A file is written under another name in the same directory, compared by POSIX ``cksum``, and renamed, so that it is
there whole or not at all.
"""

from __future__ import annotations

import contextlib
import io
import os
import posixpath
import shlex
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import paramiko

from drumline.plugin import (
    ConnectionLost,
    Ending,
    Get,
    HostError,
    Language,
    Put,
    Run,
    TransferFailed,
)
from drumline.plugin.leftovers import temporary_name
from drumline_ssh import faults
from drumline_ssh.bounds import TransferBounds
from drumline_ssh.checksum import Cksum
from drumline_ssh.sftp import BoundedSftp, open_client

if TYPE_CHECKING:
    from drumline_ssh.session import SshSession

#: Bytes that go through the shell at once.
_PIECE = 4 * 1024 * 1024
#: Seconds for SFTP to begin. A host that hasn't answered by then is treated as one without it.
_OPENING = 10.0
#: Seconds without a sign of life after which a transfer is given up, at least.
_SILENCE = 30.0
#: Bytes a second that the host's shell handles at least.
_SLOWEST = 10_000
#: Seconds for removing what a transfer has left.
_TIDY_PATIENCE = 5.0
#: Puts the temporary in its place. Arguments: temporary, destination, expected cksum, mode or nothing.
_PLACE = """
put_in_place() {
  if [ -d "$2" ]; then echo "$2 is a directory"; return 1; fi
  sum=$(cksum <"$1") || return 1
  if [ "$sum" != "$3" ]; then echo "it arrived damaged: its cksum is '$sum' instead of '$3'"; return 1; fi
  [ -z "$4" ] || chmod "$4" "$1" || return 1
  mv -f "$1" "$2"
}
{ put_in_place "$@" || { rm -f "$1"; exit 1; }; } 2>&1
"""
#: Through the shell, piece by piece. Argument: the temporary.
_BEGIN = 'cat >"$1"'
_BEGIN_PRIVATE = 'umask 077; cat >"$1"'
_APPEND = 'cat >>"$1"'
_WRITE_MORE = '{ : >>"$1" && dd if=/dev/zero bs=65536 count=1 >>"$1"; } 2>&1 | grep -v -e records -e copied'
#: Argument: the file.
_COUNT = 'wc -c <"$1"'
_TAKE = 'cat <"$1"'


class _Said(NamedTuple):
    code: int | None
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        return (self.stderr + self.stdout).decode(errors="replace").strip()


class Files:
    """The files of one session. ``session`` runs what the shell has to do."""

    def __init__(self, session: SshSession, transport: paramiko.Transport, place: str, timeout: float) -> None:
        self._session = session
        self._transport = transport
        self._place = place
        self._timeout = timeout
        self._sftp: BoundedSftp | None = None
        self._has_sftp = True
        self._bounds: TransferBounds | None = None  #: Of the transfer that is under way.

    def interrupt(self) -> None:
        """End what is under way; from any thread."""
        bounds = self._bounds
        if bounds is not None:
            bounds.interrupt()

    def put(self, request: Put) -> None:
        """Write a file on the host."""
        directory = posixpath.dirname(request.destination)
        temporary = _argument(posixpath.join(directory, temporary_name()))
        destination = _argument(request.destination)
        mode = "" if request.mode is None else f"{request.mode:o}"
        with self._bounded(request.timeout), _opened(request) as source:
            try:
                sftp = self._client()
                if sftp is None:
                    expected = self._write(source, temporary, private=bool(mode))
                else:
                    expected = self._upload(sftp, source, temporary, request)
                size = int(expected.partition(" ")[2])
                said = self._sh(_PLACE, temporary, destination, expected, mode, size=size)
            except HostError as error:
                self._tidy(temporary, error)
                raise
        if said.code != 0:
            raise TransferFailed("The file can't be written", f"{self._place}, {request.destination}: {said.text}.")

    def _upload(self, sftp: BoundedSftp, source: BinaryIO, temporary: str, request: Put) -> str:
        """Write the content into the temporary; return what ``cksum`` has to say about it."""
        checksum = Cksum()
        with self._talking("written", request.destination, partial(self._why_not, temporary)):
            sftp.upload(_Here(source, request), temporary, checksum.update, private=request.mode is not None)
        return checksum.text()

    def _write(self, source: BinaryIO, temporary: str, *, private: bool) -> str:
        """The same through the shell, piece by piece."""
        checksum = Cksum()
        script = _BEGIN_PRIVATE if private else _BEGIN
        piece = source.read(_PIECE)
        while True:
            checksum.update(piece)
            said = self._sh(script, temporary, stdin=piece, size=len(piece))
            if said.code != 0:
                raise TransferFailed("The file can't be written", f"{self._place}, {temporary}: {said.text}.")
            script, piece = _APPEND, source.read(_PIECE)
            if not piece:
                return checksum.text()

    def _why_not(self, temporary: str) -> str:
        """The host's own words for what SFTP has none for, from writing a little more."""
        with contextlib.suppress(HostError):
            return self._sh(_WRITE_MORE, temporary).text
        return ""

    def _tidy(self, temporary: str, error: HostError) -> None:
        """Remove what was written. Raises nothing; where it fails, a later run removes it."""
        if isinstance(error, ConnectionLost) or not self._transport.is_active():
            return
        if self._bounds is not None and self._bounds.reason() is not None:
            self.close()  # the rest of what was sent is given up, and answers that came too late
        with contextlib.suppress(HostError):
            self._session.run_beside(f"rm -f -- {shlex.quote(temporary)}", _TIDY_PATIENCE)

    def get(self, request: Get) -> None:
        """Read a file of the host."""
        temporary = request.destination.with_name(temporary_name())
        try:
            with self._bounded(request.timeout), temporary.open("wb") as file:
                sftp = self._client()
                if sftp is None:
                    self._read(request.source, file)
                else:
                    self._download(sftp, request.source, file)
            os.replace(temporary, request.destination)
        except OSError as error:
            raise TransferFailed("The file can't be kept here", f"{request.destination}: {error.strerror}.") from None
        finally:
            temporary.unlink(missing_ok=True)

    def _download(self, sftp: BoundedSftp, source: str, file: BinaryIO) -> None:
        with self._talking("read", source):
            sftp.download(_argument(source), partial(_keep, file), partial(self._fits, file, source))

    def _read(self, source: str, file: BinaryIO) -> None:
        """The same through the shell, no more than the host says that there is."""
        path = _argument(source)
        said = self._sh(_COUNT, path)
        if said.code != 0 or not said.stdout.strip().isdigit():
            raise TransferFailed("The file can't be read", f"{self._place}, {source}: {said.text}.")
        size = int(said.stdout)
        self._fits(file, source, size)
        left = size

        def take(data: bytes) -> None:
            nonlocal left
            _keep(file, data[:left])
            if len(data) > left:
                self._session.end_command()  # there seems to be no end of it
            left = max(0, left - len(data))

        said = self._sh(_TAKE, path, size=size, take=take)
        if said.code != 0 or left:
            why = said.text or f"it ends after {size - left} of {size} bytes"
            raise TransferFailed("The file can't be read", f"{self._place}, {source}: {why}.")

    def _fits(self, file: BinaryIO, source: str, size: int) -> None:
        """Raise when a host promises more than this machine has room for."""
        status = os.statvfs(file.fileno())
        free = status.f_bavail * status.f_frsize
        if size > free:
            raise TransferFailed(
                "The file can't be kept here",
                f"{self._place} says that {source} has {size} bytes; this machine has {free} bytes free for it.",
            )

    def _client(self) -> BoundedSftp | None:
        """The SFTP client, opened when it is first needed; None where the host has none or has no channel left."""
        assert self._bounds
        if self._sftp is None and self._has_sftp:
            left = self._bounds.left
            patience = _OPENING if left is None else min(_OPENING, left / 2)
            bounds = TransferBounds(self._place, patience, patience)
            try:
                with bounds.guarding(self._transport):
                    self._sftp = open_client(self._transport, bounds, patience)
            except Exception as error:  # text of a login script may stand for any answer
                self._has_sftp = False
                if not self._transport.is_active():
                    raise faults.lost(error, self._place) from None
        if self._sftp is not None:
            self._sftp.use(self._bounds)
        return self._sftp

    @contextlib.contextmanager
    def _bounded(self, timeout: float | None) -> Iterator[None]:
        """For the time of one transfer."""
        bounds = self._bounds = TransferBounds(self._place, timeout, max(_SILENCE, 3 * self._timeout))
        try:
            with bounds.guarding(self._transport):
                yield
        finally:
            self._bounds = None

    @contextlib.contextmanager
    def _talking(self, what: str, path: str, ask_why: Callable[[], str] = lambda: "") -> Iterator[None]:
        """Translate what SFTP raises, also for answers that make no sense."""
        try:
            yield
        except HostError:
            if not self._transport.is_active():
                raise faults.lost(self._transport.get_exception(), self._place) from None
            raise
        except Exception as error:  # paramiko lets through whatever its parsers raise of an answer
            if not self._transport.is_active():
                raise faults.lost(error, self._place) from None
            if not isinstance(error, OSError):
                self.close()  # who knows what its next answer would belong to
            said = str(getattr(error, "strerror", None) or error) or type(error).__name__
            # OpenSSH says just "Failure" for whatever SFTP version 3 has no word for.
            said = (ask_why() if said == "Failure" else "") or said
            hint = " (is it a directory, or is the disk full?)" if said == "Failure" else ""
            raise TransferFailed(f"The file can't be {what}", f"{self._place}, {path}: {said}{hint}.") from None

    def _sh(
        self, text: str, *arguments: str, stdin: bytes = b"", size: int = 0, take: Callable[[bytes], None] | None = None
    ) -> _Said:
        """What a script says that handles this many bytes, within the bounds; ``take`` is given its stdout."""
        assert self._bounds
        self._bounds.check()
        errors: list[bytes] = []
        output: list[bytes] = []
        takers = {"stdout": take or output.append, "stderr": errors.append}
        patience = _SILENCE + size / _SLOWEST
        left = self._bounds.left
        timeout = patience if left is None else min(left, patience)
        script = f"set -- {shlex.join(arguments)}\n{text}"
        request = Run(language=Language.SH, text=script, stdin=stdin, timeout=timeout)
        with self._bounds.elsewhere():
            ended = self._session.run(request, lambda stream, data: takers[stream](data))
        if ended.ending is Ending.INTERRUPTED:
            self._bounds.check()
        if ended.ending is Ending.TIMED_OUT:
            self._bounds.time_out(timeout)
        return _Said(ended.code, b"".join(output), b"".join(errors))

    def close(self) -> None:
        """Raises nothing."""
        if self._sftp is not None:
            with contextlib.suppress(Exception):
                self._sftp.close()
            self._sftp = None


def _argument(path: str) -> str:
    """A path that no program takes for an option."""
    return f"./{path}" if path.startswith("-") else path


@contextlib.contextmanager
def _opened(request: Put) -> Iterator[BinaryIO]:
    if isinstance(request.source, bytes):
        yield io.BytesIO(request.source)
        return
    try:
        source = request.source.open("rb")
    except OSError as error:
        raise TransferFailed("The file can't be read here", f"{request.source}: {error.strerror}.") from None
    with source:
        yield source


class _Here:
    """A file of this machine, whose errors aren't to be mistaken for what SFTP raises."""

    def __init__(self, source: BinaryIO, request: Put) -> None:
        self._source = source
        self._request = request

    def read(self, size: int) -> bytes:
        try:
            return self._source.read(size)
        except OSError as error:
            raise TransferFailed(
                "The file can't be read here", f"{self._request.source!r}: {error.strerror}."
            ) from None


def _keep(file: BinaryIO, data: bytes) -> None:
    try:
        file.write(data)
    except OSError as error:
        # Not to be mistaken for what SFTP raises.
        raise TransferFailed("The file can't be kept here", f"{file.name}: {error.strerror}.") from None
