"""SFTP as a client that believes a host only so much: paramiko's, with bounds on what it waits for and takes in.

Each request waits no longer than its transfer may last; a host that answers more often than it was asked, or promises
more than there is, is given up. Requests of one file are under way side by side, and their answers come in any order.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

import paramiko
from paramiko.sftp import CMD_DATA, CMD_READ, CMD_STATUS, CMD_WRITE, SFTPError, int64

from drumline_ssh.bounds import TICK, Patient, TransferBounds

#: Bytes of one request: what servers take at least (draft-ietf-secsh-filexfer-02).
CHUNK = 32_768
#: Requests of one file that are under way at once.
_AT_ONCE = 64
#: Bytes that are read of a file that says it has none, such as those of /proc.
_UNSIZED = 64 * 1024 * 1024


class Readable(Protocol):
    """Part of a file object."""

    def read(self, size: int, /) -> bytes: ...


class _Line:
    """Stands in for the channel towards paramiko's client, whose own time-out would begin anew with each byte."""

    def __init__(self, channel: paramiko.Channel, bounds: TransferBounds) -> None:
        self.bounds = bounds
        self._channel = channel
        channel.settimeout(TICK)

    def recv(self, size: int) -> bytes:
        data: bytes = self._patiently(lambda: self._channel.recv(size))
        self.bounds.moved(len(data))
        return data

    def send(self, data: bytes) -> int:
        sent: int = self._patiently(lambda: self._channel.send(data))
        self.bounds.moved(sent)
        return sent

    def _patiently(self, do: Callable[[], Any]) -> Any:
        while True:
            self.bounds.check()
            try:
                return do()
            except TimeoutError:
                continue

    def get_name(self) -> str:
        return self._channel.get_name()

    def close(self) -> None:
        self._channel.close()


class BoundedSftp(paramiko.SFTPClient):
    """Used by one thread; ``use`` tells it of each transfer's bounds."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        self._answers = 0
        super().__init__(line)  # type: ignore[arg-type]

    def use(self, bounds: TransferBounds) -> None:
        """From now on these bounds hold."""
        self._line.bounds = bounds

    def _read_packet(self) -> tuple[int, bytes]:
        kind, data = super()._read_packet()  # type: ignore[misc]
        self._answers += 1
        if self._answers > self.request_number:
            raise SFTPError("it answers more often than it was asked")
        if kind != CMD_DATA:
            self._line.bounds.moved()
        return kind, data

    def upload(self, source: Readable, destination: str, take: Callable[[bytes], None], *, private: bool) -> None:
        """Write a new file; ``take`` is called with what is written. ``private``: no one else may read it."""
        with self.open(os.fsencode(destination), "wx") as opened:
            file: Any = opened
            if private:
                file.chmod(0o600)
            flow, offset = _Flow(self), 0
            while data := source.read(CHUNK):
                take(data)
                flow.ask(CMD_WRITE, file.handle, offset, data)
                offset += len(data)
            flow.finish()

    def download(self, source: str, take: Callable[[bytes], None], fits: Callable[[int], None]) -> None:
        """Read a file, as far as it has promised; ``fits`` gets the promised size, and raises if it is too large."""
        with self.open(os.fsencode(source), "rb") as opened:
            file: Any = opened
            size = file.stat().st_size or 0
            fits(size)
            if size:
                _PendingReads(self, file.handle, size, take).all()
            else:
                _read_unsized(file, take)


class _Flow:
    """Writes that are under way; each is checked."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._open = 0
        self._error: Exception | None = None

    def ask(self, kind: int, handle: bytes, offset: int, data: bytes) -> None:
        while self._open >= _AT_ONCE:
            self._settle()
        self._open += 1
        self._client._async_request(self, kind, handle, int64(offset), data)

    def finish(self) -> None:
        while self._open:
            self._settle()

    def _settle(self) -> None:
        self._client._read_response()
        if self._error is not None:
            raise self._error

    def _async_response(self, kind: int, message: Any, _number: int) -> None:
        """What paramiko hands an answer over to."""
        self._open -= 1
        try:
            if kind != CMD_STATUS:
                raise SFTPError("it answers a write with something else")
            self._client._convert_status(message)
        except Exception as error:  # raised again for whoever waits for the end of the file
            self._error = error


class _PendingReads:
    """Reads that are under way, and what came of them ahead of its turn."""

    def __init__(self, client: Any, handle: bytes, size: int, take: Callable[[bytes], None]) -> None:
        self._client = client
        self._handle = handle
        self._size = size
        self._take = take
        self._asked: dict[int, tuple[int, int]] = {}  # number to offset and length
        self._early: dict[int, bytes] = {}  # offset to data

    def all(self) -> None:
        asked = taken = 0
        while taken < self._size:
            while asked < self._size and len(self._asked) + len(self._early) < _AT_ONCE:
                length = min(CHUNK, self._size - asked)
                self._ask(asked, length)
                asked += length
            self._client._read_response()
            while (data := self._early.pop(taken, None)) is not None:
                self._take(data)
                taken += len(data)

    def _ask(self, offset: int, length: int) -> None:
        number = self._client._async_request(self, CMD_READ, self._handle, int64(offset), length)
        self._asked[number] = (offset, length)

    def _async_response(self, kind: int, message: Any, number: int) -> None:
        """What paramiko hands an answer over to."""
        offset, length = self._asked.pop(number)
        if kind == CMD_STATUS:
            self._client._convert_status(message)
        if kind != CMD_DATA:
            raise SFTPError("it answers a read with something else")
        data = message.get_string()
        if not 0 < len(data) <= length:
            raise SFTPError("it answers a read with another length")
        self._early[offset] = data
        if len(data) < length:
            self._ask(offset + len(data), length - len(data))


def _read_unsized(file: paramiko.SFTPFile, take: Callable[[bytes], None]) -> None:
    received = 0
    while data := file.read(CHUNK):
        received += len(data)
        if received > _UNSIZED:
            raise SFTPError(f"it says that it is empty, and gives more than {_UNSIZED} bytes")
        take(data)


def open_client(transport: paramiko.Transport, bounds: TransferBounds, timeout: float) -> BoundedSftp:
    """Start SFTP on a channel of its own; raises what ends the bounds, and what paramiko raises."""
    channel = transport.open_session(timeout=timeout)
    try:
        channel.event = Patient(bounds.check)
        channel.invoke_subsystem("sftp")
        return BoundedSftp(_Line(channel, bounds))
    except BaseException:
        channel.close()
        raise
