"""The socket below paramiko: reads ahead, closes at once, and notices a peer that is gone."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Protocol

#: paramiko asks for a packet's first block, then for the rest; one system call often has both and more.
_AHEAD = 65536
#: Seconds between looks at whether the connection is to end; a close wakes the reader in any case.
_PATIENCE = 1.0
#: Bytes kept of how the other side began: enough to tell what it is.
_FIRST = 300
#: Bytes that a host may say until we are logged in; one that says more is no SSH server, or means harm.
_MOST_BEFORE_LOGIN = 1024 * 1024


class Pipe(Protocol):
    """A socket, or a paramiko channel to the next host on the way."""

    def recv(self, size: int, /) -> bytes: ...
    def send(self, data: bytes, /) -> int: ...
    def settimeout(self, seconds: float | None, /) -> None: ...
    def close(self) -> None: ...


class Link:
    """What paramiko's Transport takes for its socket. One thread reads, others write."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.send = pipe.send  # itself: every packet, and every word of a burst, goes through it
        self._ahead = b""
        self._closed = False  # paramiko's stop_thread looks at it
        self._allowed = _MOST_BEFORE_LOGIN
        self._silences = 0
        self._interval = 0.0
        self._ask: Callable[[], None] = lambda: None
        self._asked = 0
        self._heard = time.monotonic()
        self.first = b""  #: How the other side began.
        self.broke: OSError | None = None  #: What the system said of a broken connection.
        self.ended = False  #: The other side has closed the connection.

    def settle(self) -> None:
        """We are logged in: the host may say as much as it likes."""
        self._allowed = 0

    def keep_alive(self, interval: float, silences: int, ask: Callable[[], None]) -> None:
        """From now on call ``ask`` after each ``interval`` seconds of silence; give up after ``silences`` of them."""
        self._silences = silences
        self._heard = time.monotonic()
        self._ask = ask
        self._interval = interval
        self.settimeout(_PATIENCE)

    def recv(self, size: int) -> bytes:
        if not self._ahead:
            self._ahead = self._receive()
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data

    def _receive(self) -> bytes:
        try:
            data = self._pipe.recv(_AHEAD)
        except TimeoutError:
            if self._interval:
                self._look_after_peer()
            raise
        except OSError as error:
            self.broke = error  # paramiko says of all of them that the connection ended
            # A reset is an end too, without having read all that it was sent.
            self.ended = isinstance(error, ConnectionResetError)
            raise
        self._heard = time.monotonic()
        self._asked = 0
        self.ended = not data
        if self._allowed:
            self._allowed -= len(data)
            if self._allowed <= 0:
                raise EOFError(f"it said more than {_MOST_BEFORE_LOGIN} bytes before the login was complete")
        self.first = self.first or data[:_FIRST]
        return data

    def _look_after_peer(self) -> None:
        silences = (time.monotonic() - self._heard) / self._interval
        if silences > self._silences + 1:
            # Not TimeoutError, after which paramiko would try again.
            raise EOFError(f"it gave no sign of life for {silences * self._interval:.0f} s")
        if silences > self._asked + 1:
            self._asked += 1
            self._ask()

    def settimeout(self, seconds: float | None) -> None:
        # paramiko's own 0.1 seconds would wake fifty idle connections five hundred times a second.
        self._pipe.settimeout(min(_PATIENCE, self._interval / 2) if self._interval else _PATIENCE)

    def close(self) -> None:
        self._closed = True
        if isinstance(self._pipe, socket.socket):
            with contextlib.suppress(OSError):
                self._pipe.shutdown(socket.SHUT_RDWR)
        self._pipe.close()
