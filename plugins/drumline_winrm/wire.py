"""HTTP to one host within bounds: one time limit for a whole request, one size limit for its whole answer.

``requests`` limits the time between two bytes, and nothing limits the bytes: a host that says a word every two
seconds, or never stops, would hold a session for ever and fill the memory. Here both are counted at the socket, where
every byte passes, be it of a status line, a chunk's length, a header or a body, in whichever leg of a log-in.

Answers are taken as they are: what is compressed is refused, since a few bytes may stand for gigabytes, and no redirect
is followed, since a log-in is meant for the host that was named.
"""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from drumline_winrm.messages import ENVELOPE

#: bytes of all that one request is answered with: legs of a log-in, headers, and the largest envelope, sealed
_MOST = 2 * ENVELOPE + 512 * 1024


class RequestLate(TimeoutError):
    """The request's time is up."""


class TooMuch(OSError):
    """The answer is larger than any answer of WinRM."""


class Compressed(OSError):
    """The answer is compressed, which nothing asked for."""


class Abandoned(OSError):
    """The request was given up from elsewhere."""


class Gone(OSError):
    """The connection that a message was sealed for is closed; the message was not sent."""


class RequestBounds:
    """What the request that is under way may still take. One user at a time; ``abandon`` may come from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end = 0.0
        self._bytes = 0
        self._busy = False
        self._settled = False
        self._abandoned = False
        self._sockets: list[socket.socket] = []

    def begin(self, seconds: float) -> None:
        """A request begins, to which everything belongs until ``end``."""
        with self._lock:
            self._end = time.monotonic() + seconds
            self._bytes = _MOST
            self._busy, self._settled, self._abandoned = True, False, False

    def settle(self) -> None:
        """From here to its end the request keeps to the connection there is."""
        self._settled = True

    def end(self) -> None:
        """The request has ended, well or not."""
        with self._lock:
            self._busy = False

    def abandon(self) -> None:
        """End the request that is under way, if there is one, by breaking its connection."""
        with self._lock:
            if not self._busy:
                return
            self._abandoned = True
            for one in self._sockets:
                _break(one)

    def before_connecting(self) -> None:
        """Raise what is against another connection."""
        if self._settled:
            raise Gone("the connection is closed")
        self.left()

    def left(self) -> float:
        """Seconds until the request's time is up; raises ``RequestLate`` then."""
        if self._abandoned:
            raise Abandoned("given up")
        left = self._end - time.monotonic()
        if left <= 0:
            raise RequestLate("the request's time is up")
        return left

    def count(self, size: int) -> None:
        """So many bytes have come."""
        self._bytes -= size
        if self._bytes < 0:
            raise TooMuch(f"the answer has more than {_MOST} bytes")

    def watch(self, one: socket.socket) -> None:
        """A connection was opened for the request."""
        with self._lock:
            self._sockets = [other for other in self._sockets if other.fileno() >= 0] + [one]


def _break(one: socket.socket) -> None:
    with contextlib.suppress(OSError):  # It may be closed already.
        socket.socket.shutdown(one, socket.SHUT_RDWR)  # SSLSocket's own forgets its state, which another thread uses.


class _Bounded:
    """A socket whose reads and writes are counted. All else is the socket's own."""

    def __init__(self, inner: socket.socket, bounds: RequestBounds) -> None:
        self._inner = inner
        self._bounds = bounds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        """The stream that http.client reads answers from."""
        self._inner._io_refs += 1  # type: ignore[attr-defined]  # as socket.makefile does: closing waits for the stream
        return io.BufferedReader(socket.SocketIO(self, "r"))  # type: ignore[arg-type]

    def recv_into(self, *arguments: Any) -> int:
        with self._in_time():
            size = self._inner.recv_into(*arguments)
        self._bounds.count(size)
        return size

    def sendall(self, data: Any) -> None:
        with self._in_time():
            self._inner.sendall(data)

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[None]:
        self._inner.settimeout(self._bounds.left())
        try:
            yield
        except TimeoutError as error:
            raise RequestLate("the request's time is up") from error


class Adapter(HTTPAdapter):
    """The adapter of ``requests`` for one client, over connections that keep within its bounds."""

    def __init__(self, bounds: RequestBounds) -> None:
        self._bounds = bounds
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._bounds)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _pools(self._bounds)
        return manager

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """One leg of a request; the answer's body isn't read yet."""
        request.headers["Accept-Encoding"] = "identity"
        response = super().send(request, *arguments, **options)
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            response.close()
            raise requests.ConnectionError(Compressed(f"Content-Encoding: {encoding[:40]}"))
        return response


def _pools(bounds: RequestBounds) -> dict[str, Any]:
    """Pools by scheme whose connections keep within the bounds."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> Any:
            bounds.before_connecting()
            return _opened(super()._new_conn(), bounds)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> Any:
            bounds.before_connecting()
            return _opened(super()._new_conn(), bounds)

        def connect(self) -> None:
            super().connect()
            if isinstance(self.sock, ssl.SSLSocket):
                self.sock = _opened(self.sock, bounds)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _opened(one: Any, bounds: RequestBounds) -> Any:
    bounds.watch(one)
    return _Bounded(one, bounds)
