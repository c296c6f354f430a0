"""Who sits on the way between a client and an HTTP server, or where the server should be."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import IO, Any, Self


class Listener:
    """Serves connections on a port of this machine, each on a thread of its own. A context manager."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0  #: How many there have been.
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                one, _ = self._listener.accept()
                self.connections += 1
                self._open.append(one)
                self._threads.append(threading.Thread(target=self._converse, args=(one,)))
                self._threads[-1].start()

    def _converse(self, one: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            self._serve(one)
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


class Intruder(Listener):
    """Passes requests on to a server, and gives its answers back as ``change`` wants them: (request, answer) -> answer.

    Both are whole messages of HTTP with a Content-Length. An answer of None breaks the connection.
    """

    def __init__(self, server: tuple[str, int], change: Callable[[bytes, bytes], bytes | None]) -> None:
        self.change = change
        self._server = server
        super().__init__(self._pass)

    def _pass(self, client: socket.socket) -> None:
        with (
            socket.create_connection(self._server) as server,
            client.makefile("rb") as asked,
            server.makefile("rb") as answered,
        ):
            while True:
                request = read_message(asked)
                server.sendall(request)
                answer = self.change(request, read_message(answered))
                if answer is None:
                    return
                client.sendall(answer)


def read_message(stream: IO[Any]) -> bytes:
    """One message of HTTP; raises ``EOFError`` at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            raise EOFError
        head += line
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    return head + bytes(stream.read(int(fields.get(b"content-length", b"0"))))


def answer(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    """One answer of HTTP with its length."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""])
    return head.encode() + body
