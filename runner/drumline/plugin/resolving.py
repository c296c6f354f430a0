"""Names of hosts to addresses, in bounded time."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

from drumline.plugin.background import Background

#: One of what ``socket.getaddrinfo`` finds.
Address = tuple[Any, Any, int, str, Any]


#: Questions to the name servers, each shared by all who ask the same meanwhile.
_under_way: dict[tuple[Any, ...], Background[list[Address]]] = {}
_lock = threading.Lock()


def resolve_name(host: str, port: int, timeout: float, family: int = socket.AF_UNSPEC, flags: int = 0) -> list[Address]:
    """What ``socket.getaddrinfo`` finds for TCP, within ``timeout`` seconds.

    The system's resolver can't be interrupted, and takes up to a minute for name servers that don't answer. So it works
    in a thread, which is left behind when the time has passed. Raises ``socket.gaierror`` for a name that doesn't
    resolve, ``TimeoutError`` when no name server has answered in time.
    """
    with contextlib.suppress(OSError, UnicodeError):
        return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    lookup = _asked(host, port, family, flags)
    if not lookup.wait(timeout):
        raise TimeoutError(f"no name server answered within {timeout:g} s")
    try:
        return lookup.result()
    except UnicodeError as error:  # a label that is empty or too long for DNS
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from None


def _asked(*question: Any) -> Background[list[Address]]:
    def ask() -> list[Address]:
        host, port, family, flags = question
        try:
            return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=flags)
        finally:
            with _lock:
                del _under_way[question]

    with _lock:
        if question not in _under_way:
            _under_way[question] = Background(ask, f"resolve {question[0]}")
        return _under_way[question]
