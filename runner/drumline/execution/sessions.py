"""Warm sessions: one connection per host during a run, whose sessions are lent to one job at a time."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from drumline.errors import AuthenticationFailed, ConnectionLost, HostError, SessionLimit
from drumline.execution.refusals import Refusals
from drumline.model.request import Run
from drumline.model.target import Target
from drumline.plugin.traits import traits_of
from drumline.plugin.transports import Connection, Session, Transport

#: Seconds that a run waits at its end for connections to close.
_CLOSE_TIMEOUT = 5.0
#: How many threads close connections at the end of a run.
_CLOSERS = 50


class SessionPool:
    """Opens connections when they are first needed and keeps them, with their idle sessions, until ``close``."""

    def __init__(self, transports: Mapping[str, Transport], *, limit: int = 4) -> None:
        """``limit`` is the most sessions that one host may have at once; further users wait (promise 4)."""
        #: Opens a session on a connection to a target; a plugin may wrap this.
        self.open_session: Callable[[Target, Connection], Session] = _open_session
        self._transports = transports
        self._limit = limit
        self._hosts: dict[tuple[Any, ...], _Host] = {}
        self._lock = threading.Lock()

    def lend(self, target: Target) -> Loan:
        """A session for the caller alone, within a ``with``.

        Entering it raises the transport's ``HostError`` if the host can't be reached. A session that lost its
        connection is not used again: the next loan connects again. If a host has no room for another session
        (``SessionLimit``), its limit is lowered, and further users wait. A refused login is not repeated right away.
        """
        return Loan(self._host(target))

    @contextmanager
    def set_aside(self, target: Target) -> Iterator[None]:
        """Meanwhile, the caller's session doesn't count toward the host's limit.

        For a command that waits until all hosts are ready, since other commands may have to reach the same host.
        """
        host = self._host(target)
        host.set_aside(1)
        try:
            yield
        finally:
            host.set_aside(-1)

    def others_have_room(self, target: Target) -> bool:
        """After a ``SessionLimit``: whether the host has another session to wait for and use instead."""
        return self._host(target).has_sessions

    def reconnect(self, target: Target) -> None:
        """Drop the connection to a host and open it again; raises its ``HostError``."""
        host = self._host(target)
        host.disconnect()
        host.give_back(host.take())

    def at_end(self, target: Target, run: Run) -> None:
        """Have a command run on a host before its connection is closed at the end."""
        self._host(target).note_last(run)

    def close(self) -> None:
        """Close all connections in parallel, and wait briefly; the pool can't be used after that."""
        with self._lock:
            hosts = deque(host for host in self._hosts.values() if host.connected)
            self._hosts.clear()
        threads = [
            threading.Thread(target=_end_all, args=(hosts,), daemon=True) for _ in range(min(_CLOSERS, len(hosts)))
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + _CLOSE_TIMEOUT
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _host(self, target: Target) -> _Host:
        key = target.key
        host = self._hosts.get(key)
        if host is None:
            with self._lock:
                host = self._hosts.setdefault(key, self._new_host(target))
        return host

    def _new_host(self, target: Target) -> _Host:
        transport = self._transports[target.transport]
        limit = math.inf if traits_of(transport).unlimited else self._limit
        return _Host(partial(transport.connect, target), partial(self.open_session, target), limit)


def _open_session(_target: Target, connection: Connection) -> Session:
    return connection.open_session()


def _end_all(hosts: deque[_Host]) -> None:
    while True:
        try:
            host = hosts.popleft()
        except IndexError:
            return
        host.end()


class Loan:
    """Lends a session of a host. A class, since a generator would cost every request a few microseconds."""

    __slots__ = ("_host", "_lent")

    def __init__(self, host: _Host) -> None:
        self._host = host

    def __enter__(self) -> Session:
        self._lent = self._host.take()
        return self._lent.session

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._host.give_back(self._lent)
        elif isinstance(error, ConnectionLost):
            self._host.lose(self._lent)
        elif isinstance(error, AuthenticationFailed):  # it had to log in again
            self._host.refuse(error)
            self._host.lose(self._lent)
        elif isinstance(error, SessionLimit):
            self._host.shrink()
            self._host.discard(self._lent)
        elif isinstance(error, HostError):
            self._host.give_back(self._lent)
        else:  # the session is in an unknown state
            self._host.discard(self._lent)


class _Lent(Struct, frozen=True):
    """A session and its connection, which may have been replaced since."""

    session: Session
    connection: Connection


class _Host:
    """One host's connection and idle sessions. Only one thread connects; the others wait for the result."""

    def __init__(
        self, connect: Callable[[], Connection], open_session: Callable[[Connection], Session], limit: float
    ) -> None:
        self._connect = connect
        self._open = open_session
        self._most = limit
        self._limit = limit  # lowered if this connection has no room for more
        self._lent = 0  # sessions that are in use
        self._connection: Connection | None = None
        self._idle: list[_Lent] = []
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._waiting = 0  # threads that wait for room; usually none
        self._attempts = 0
        self._error: HostError | None = None
        self._refusals = Refusals()
        self._last: list[Run] = []  # commands that are run before the connection is closed for good

    @property
    def connected(self) -> bool:
        """Whether there is a connection; False while one is being opened."""
        return self._connection is not None

    @property
    def has_sessions(self) -> bool:
        """Whether any session is in use or idle."""
        with self._lock:
            return self._lent + len(self._idle) > 0

    def take(self) -> _Lent:
        """An idle session, else a new one; waits while the limit is reached."""
        seen = self._attempts
        while True:
            lent, connection = self._reserve(seen)
            if lent is not None:
                return lent
            try:
                return self._open_session(connection)
            except SessionLimit:
                self.shrink()
                self._unreserve()
                if not self.has_sessions:
                    raise

    def _reserve(self, seen: int) -> tuple[_Lent | None, Connection]:
        """Reserve room for another user, and an idle session if there is one. Connects if needed."""
        with self._lock:
            while self._lent >= self._limit:
                self._waiting += 1
                try:
                    self._room.wait()
                finally:
                    self._waiting -= 1
            if self._connection is None:
                if self._error is not None and self._attempts != seen:
                    raise self._error  # another thread tried meanwhile; a second try would give the same
                self._connect_anew()
            connection = self._connection
            assert connection is not None
            self._lent += 1
            return (self._idle.pop() if self._idle else None), connection

    def _open_session(self, connection: Connection) -> _Lent:
        try:
            return _Lent(self._open(connection), connection)
        except SessionLimit:
            raise
        except BaseException as error:
            self._unreserve()
            if isinstance(error, AuthenticationFailed):
                self.refuse(error)
            if isinstance(error, ConnectionLost | AuthenticationFailed):
                self.disconnect(connection)
            raise

    def _unreserve(self) -> None:
        with self._lock:
            self._returned()

    def shrink(self) -> None:
        """The host has no room for the session just requested: lower the limit to the current number."""
        with self._lock:
            self._limit = max(1, min(self._limit, self._lent + len(self._idle) - 1))

    def refuse(self, error: AuthenticationFailed) -> None:
        """A session had to log in again, and the host refused."""
        with self._lock:
            self._refusals.note(error)

    def set_aside(self, sessions: int) -> None:
        """Don't count this many sessions as in use; a negative number undoes that, without waiting for room."""
        with self._lock:
            self._lent -= sessions
            self._tell_of_room()

    def _returned(self) -> None:
        self._lent -= 1
        self._tell_of_room()

    def _tell_of_room(self) -> None:
        if self._waiting:
            self._room.notify()

    def _connect_anew(self) -> None:
        self._attempts += 1
        self._error = None
        try:
            self._refusals.check()
            self._connection = self._connect()
        except HostError as error:
            self._error = error
            if isinstance(error, AuthenticationFailed):
                self._refusals.note(error)
            raise
        self._refusals.forget()
        self._limit = self._most

    def give_back(self, lent: _Lent) -> None:
        """The session is idle again."""
        with self._lock:
            self._returned()
            if lent.connection is self._connection:
                self._idle.append(lent)
                return
        lent.session.close()

    def lose(self, lent: _Lent) -> None:
        """The session's connection broke; a connection that was opened since is kept."""
        self.disconnect(lent.connection)
        self.discard(lent)

    def discard(self, lent: _Lent) -> None:
        """The session can't be used again."""
        self._unreserve()
        lent.session.close()

    def note_last(self, run: Run) -> None:
        """Have a command run before the connection is closed for good; once, however often this is said."""
        with self._lock:
            if run not in self._last:
                self._last.append(run)

    def end(self) -> None:
        """Run the last commands, if a session is idle for them, and close the connection."""
        for lent in self._idle[-1:]:
            for run in self._last:
                with suppress(HostError):
                    lent.session.run(replace(run, timeout=_CLOSE_TIMEOUT), lambda *_: None)
        self.disconnect()

    def disconnect(self, only: Connection | None = None) -> None:
        """Close the connection with its idle sessions; if ``only`` is given, only if it is that one."""
        with self._lock:
            connection = self._connection
            if connection is None or (only is not None and connection is not only):
                return
            idle, self._connection, self._idle = self._idle, None, []
        for lent in idle:
            lent.session.close()
        connection.close()
