"""Names of hosts to addresses, in bounded time."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

#: One of what ``socket.getaddrinfo`` finds.
Address = tuple[Any, Any, int, str, Any]


class _Lookup:
    """One question to the name servers, shared by all who ask the same meanwhile."""

    def __init__(self, *question: Any) -> None:
        self.done = threading.Event()
        self.found: list[Address] | OSError | UnicodeError = []
        self._question = question

    def run(self) -> None:
        host, port, family, flags = self._question
        try:
            self.found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=flags)
        except (OSError, UnicodeError) as error:
            self.found = error
        finally:
            with _lock:
                _under_way.pop(self._question, None)
            self.done.set()


_lock = threading.Lock()
_under_way: dict[tuple[Any, ...], _Lookup] = {}


def resolve_name(host: str, port: int, timeout: float, family: int = socket.AF_UNSPEC, flags: int = 0) -> list[Address]:
    """What ``socket.getaddrinfo`` finds for TCP, within ``timeout`` seconds.

    The system's resolver can't be interrupted, and takes up to a minute for name servers that don't answer. So it works
    in a thread, which is left behind when the time has passed. Raises ``socket.gaierror`` for a name that doesn't
    resolve, ``TimeoutError`` when no name server has answered in time.
    """
    with contextlib.suppress(OSError, UnicodeError):
        return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    lookup = _start(host, port, family, flags)
    if not lookup.done.wait(timeout):
        raise TimeoutError(f"no name server answered within {timeout:g} s")
    if isinstance(lookup.found, UnicodeError):  # a label that is empty or too long for DNS
        raise socket.gaierror(socket.EAI_NONAME, str(lookup.found))
    if isinstance(lookup.found, OSError):
        raise lookup.found
    return lookup.found


def _start(*question: Any) -> _Lookup:
    with _lock:
        lookup = _under_way.get(question)
        if lookup is None:
            lookup = _under_way[question] = _Lookup(*question)
            threading.Thread(target=lookup.run, name=f"resolve {question[0]}", daemon=True).start()
        return lookup
