"""A TCP proxy that is a bad network: it delays, swallows or cuts what passes."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable
from typing import Self


class Proxy:
    """Passes the connections to ``port`` of this machine on to a server. A context manager.

    What goes ``there`` and what comes ``back`` is that many seconds on its way; both may be changed at any time.
    """

    def __init__(self, address: str, port: int, *, there: float = 0.0, back: float = 0.0) -> None:
        self.there = there
        self.back = back
        self.swallows = threading.Event()  #: Once set, nothing passes any more, and no one is told.
        self.stalls = threading.Event()  #: Once set, nothing is even taken any more.
        self._server = (address, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def cut(self) -> None:
        """End all connections that are open."""
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it, and return when nothing of it is left."""
        self.stalls.clear()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        self.cut()
        for thread in self._threads:
            thread.join()
        for end in self._sockets:
            end.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets.append(end)
            self._pass(client, server, "there")
            self._pass(server, client, "back")

    def _pass(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        on_the_way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self._start(self._take, source, way, on_the_way)
        self._start(self._hand_over, sink, on_the_way)

    def _take(self, source: socket.socket, way: str, on_the_way: queue.SimpleQueue[tuple[float, bytes]]) -> None:
        data = b"-"
        while data:
            while self.stalls.is_set():
                time.sleep(0.05)
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            on_the_way.put((time.monotonic() + getattr(self, way), data))

    def _hand_over(self, sink: socket.socket, on_the_way: queue.SimpleQueue[tuple[float, bytes]]) -> None:
        data = b"-"
        while data:
            due, data = on_the_way.get()
            time.sleep(max(0.0, due - time.monotonic()))
            with contextlib.suppress(OSError):
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                elif not self.swallows.is_set():
                    sink.sendall(data)
