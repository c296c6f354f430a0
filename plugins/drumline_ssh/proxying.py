"""ProxyCommand: a program whose input and output are the connection."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

#: Seconds for the program to end after its connection did.
_PATIENCE = 1.0
#: Bytes of what it said last.
_TAIL = 2000


class ProxySocket(socket.socket):
    """Our end of the program's input and output."""

    def __init__(self, command: str) -> None:
        """Run a command in the user's shell, as ``ssh`` does. Raises ``OSError``."""
        ours, theirs = socket.socketpair()
        super().__init__(fileno=ours.detach())
        self._name = _program(command)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - read when the program has ended
        self._process: subprocess.Popen[bytes] | None = None
        self.fault = ""  #: How the program ended, as part of a sentence.
        with theirs:
            self._process = subprocess.Popen(
                [os.environ.get("SHELL") or "/bin/sh", "-c", f"exec {command}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._said,
                start_new_session=True,  # Ctrl-C is for drumline, which ends it in the end
            )

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """As a socket's; at the end it is noted why the program ended."""
        try:
            data = super().recv(size, flags)
        except ConnectionResetError:
            self._note_end()
            raise
        if not data:
            self._note_end()
        return data

    def send(self, data: Buffer, flags: int = 0, /) -> int:
        """As a socket's; likewise."""
        try:
            return super().send(data, flags)
        except (BrokenPipeError, ConnectionResetError):
            self._note_end()
            raise

    def _note_end(self) -> None:
        if self._process is not None and not self.fault:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status, said = self._process.wait(_PATIENCE), self._last_words()
                self.fault = f"'{self._name}' ended with status {status}" + (f" and said '{said}'" if said else "")

    def _last_words(self) -> str:
        with contextlib.suppress(OSError, ValueError):
            self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - _TAIL))
            lines = self._said.read().decode(errors="replace").strip().splitlines()
            return "".join(letter for letter in lines[-1] if letter.isprintable()) if lines else ""
        return ""

    def close(self) -> None:
        """Close the connection; the program ends."""
        super().close()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._said.close()


def _program(command: str) -> str:
    """The command's first word: there may be passwords in the others."""
    with contextlib.suppress(ValueError, IndexError):
        return shlex.split(command)[0]
    return "the command"
