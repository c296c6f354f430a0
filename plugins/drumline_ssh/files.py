"""Files to and from a host: over SFTP, or through the shell where the host has no SFTP.

A file is written under another name in the same folder, compared by POSIX ``cksum``, and renamed, so that it is there
whole or not at all.
"""

from __future__ import annotations

import contextlib
import io
import os
import posixpath
import secrets
import shlex
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import paramiko

from drumline.plugin import Exit, Get, Language, Put, Run, Session, Stream, TransferFailed
from drumline_ssh import faults
from drumline_ssh.checksum import Cksum

#: What servers take in one write request at least (draft-ietf-secsh-filexfer-02).
_CHUNK = 32_768
#: Puts the temporary in its place. Arguments: temporary, destination, expected cksum, mode or nothing.
_PLACE = """
put_in_place() {
  if [ -d "$2" ]; then echo "$2 is a folder"; return 1; fi
  sum=$(cksum <"$1") || return 1
  if [ "$sum" != "$3" ]; then echo "it arrived damaged: its cksum is '$sum' instead of '$3'"; return 1; fi
  [ -z "$4" ] || chmod "$4" "$1" || return 1
  mv -f "$1" "$2"
}
{ put_in_place "$@" || { rm -f "$1"; exit 1; }; } 2>&1
"""
#: The same from standard input; nobody else may read it before it has its mode.
_WRITE = """
if [ -n "$4" ]; then umask 077; fi
cat >"$1" || { rm -f "$1"; exit 1; }
"""


class _Said(NamedTuple):
    code: int | None
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        return (self.stderr + self.stdout).decode(errors="replace").strip()


class Files:
    """The files of one session. ``session`` runs what the shell has to do."""

    def __init__(self, session: Session, transport: paramiko.Transport, place: str) -> None:
        self._session = session
        self._transport = transport
        self._place = place
        self._sftp: paramiko.SFTPClient | None = None
        self._has_sftp = True

    def put(self, request: Put) -> None:
        """Write a file on the host."""
        folder = posixpath.dirname(request.destination)
        temporary = _argument(posixpath.join(folder, f".drumline-{secrets.token_hex(8)}"))
        destination = _argument(request.destination)
        mode = "" if request.mode is None else f"{request.mode:o}"
        with _opened(request) as source:
            sftp = self._client()
            if sftp is None:
                said = self._write(source, temporary, destination, mode)
            else:
                expected = self._upload(sftp, source, temporary, request)
                said = self._sh(_PLACE, temporary, destination, expected, mode)
        if said.code != 0:
            raise TransferFailed("The file can't be written", f"{self._place}, {request.destination}: {said.text}.")

    def _upload(self, sftp: paramiko.SFTPClient, source: BinaryIO, temporary: str, request: Put) -> str:
        """Write the content into the temporary; return what ``cksum`` has to say about it."""
        checksum = Cksum()
        try:
            with self._talking("written", request.destination), sftp.open(temporary, "wx") as file:
                if request.mode is not None:
                    file.chmod(0o600)
                file.set_pipelined(True)
                while data := source.read(_CHUNK):
                    checksum.update(data)
                    file.write(data)
        except TransferFailed:
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                sftp.remove(temporary)
            raise
        return checksum.text()

    def _write(self, source: BinaryIO, temporary: str, destination: str, mode: str) -> _Said:
        content = source.read()
        checksum = Cksum()
        checksum.update(content)
        return self._sh(_WRITE + _PLACE, temporary, destination, checksum.text(), mode, stdin=content)

    def get(self, request: Get) -> None:
        """Read a file of the host."""
        temporary = request.destination.with_name(f".drumline-{secrets.token_hex(8)}")
        try:
            with temporary.open("wb") as file:
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

    def _download(self, sftp: paramiko.SFTPClient, source: str, file: BinaryIO) -> None:
        received = 0
        with self._talking("read", source), sftp.open(_argument(source), "rb") as remote:
            size = remote.stat().st_size or 0
            remote.prefetch(size)
            while data := remote.read(_CHUNK):
                received += len(data)
                _keep(file, data)
        if received < size:
            raise TransferFailed("The file can't be read", f"{self._place}, {source}: it ends after {received} bytes.")

    def _read(self, source: str, file: BinaryIO) -> None:
        errors: list[bytes] = []

        def take(stream: Stream, data: bytes) -> None:
            if stream == "stdout":
                file.write(data)
            else:
                errors.append(data)

        ending = self._session.run(Run(language=Language.SH, text=f"cat <{shlex.quote(_argument(source))}"), take)
        if ending.code != 0:
            said = b"".join(errors).decode(errors="replace").strip()
            raise TransferFailed("The file can't be read", f"{self._place}, {source}: {said}.")

    def _client(self) -> paramiko.SFTPClient | None:
        """The SFTP client, opened when it is first needed; None where the host has none or has no channel left."""
        if self._sftp is None and self._has_sftp:
            try:
                self._sftp = paramiko.SFTPClient.from_transport(self._transport)
            except (paramiko.SSHException, EOFError, OSError) as error:
                self._has_sftp = False
                if not self._transport.is_active():
                    raise faults.lost(error, self._place) from None
        return self._sftp

    @contextlib.contextmanager
    def _talking(self, what: str, path: str) -> Iterator[None]:
        """Translate what SFTP raises."""
        try:
            yield
        except (EOFError, paramiko.SSHException, OSError) as error:
            if not self._transport.is_active():
                raise faults.lost(error, self._place) from None
            # OpenSSH says just "Failure" for whatever SFTP version 3 has no word for.
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            hint = " (is it a folder, or is the disk full?)" if said == "Failure" else ""
            raise TransferFailed(f"The file can't be {what}", f"{self._place}, {path}: {said}{hint}.") from None

    def _sh(self, text: str, *arguments: str, stdin: bytes = b"") -> _Said:
        output: dict[Stream, list[bytes]] = {"stdout": [], "stderr": []}
        script = f"set -- {shlex.join(arguments)}\n{text}"
        request = Run(language=Language.SH, text=script, stdin=stdin)
        ending: Exit = self._session.run(request, lambda stream, data: output[stream].append(data))
        return _Said(ending.code, b"".join(output["stdout"]), b"".join(output["stderr"]))

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


def _keep(file: BinaryIO, data: bytes) -> None:
    try:
        file.write(data)
    except OSError as error:
        # Not to be mistaken for what SFTP raises.
        raise TransferFailed("The file can't be kept here", f"{error.strerror}.") from None
