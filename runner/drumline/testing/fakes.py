"""A transport whose hosts say what a test wants, and a clock that a test turns.

Nothing here replaces a test against a real host: transports prove themselves with the contract suite. Fakes are for
what *uses* sessions, where the interesting answers are hard to get from a real host.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from drumline.errors import HostError
from drumline.model.outcome import Approval, ClockReading, Completed, Exit
from drumline.model.request import Get, Put, Request, Run
from drumline.model.target import Option, Platform, Target
from drumline.plugin.traits import TransportTraits
from drumline.plugin.transports import Emit

#: What comes of a request: the outcome of a ``Run``, None for a ``Put``, the file's bytes for a ``Get``, what an
#: ``Ask`` or a ``ReadClock`` is answered by, or an exception to be raised.
Answer: TypeAlias = Completed | bytes | Approval | ClockReading | Exception | None
#: Decides by the host's name and the request.
Answering: TypeAlias = Callable[[str, Request], Answer]


def in_order(answers: Iterable[Answer]) -> Answering:
    """Each answer once, in this order, whatever is asked; ``AssertionError`` when there are no more."""
    left = iter(answers)
    lock = threading.Lock()

    def answer(host: str, request: Request) -> Answer:
        with lock:
            for given in left:
                return given
        raise AssertionError(f"no answer is left for {request!r} to '{host}'")

    return answer


def all_well(host: str, request: Request) -> Answer:
    """Every command exits 0 and says nothing; every file can be written, and is read as empty."""
    if isinstance(request, Run):
        return Completed(code=0)
    return b"" if isinstance(request, Get) else None


@dataclass(slots=True, kw_only=True)
class FakeSession:
    """Answers as told, and keeps what it was asked in ``requests``."""

    host: str = "host"
    answering: Answering = all_well
    requests: list[Request] = field(default_factory=list)
    staged: list[FakeStaged] = field(default_factory=list)
    #: The host's clock, in seconds since the epoch.
    clock: Callable[[], float] = time.time
    interrupts: int = 0
    closed: bool = False

    def run(self, request: Run, emit: Emit) -> Exit:
        """Says what the answer says, stdout first."""
        completed = self._answer(request)
        assert isinstance(completed, Completed), f"the answer to a Run is a Completed, not {completed!r}"
        return _say(completed, emit)

    def stage(self, request: Run) -> FakeStaged:
        """Holds it back, unless the answer is an exception. What it staged is kept in ``staged``."""
        completed = self._answer(request)
        assert isinstance(completed, Completed), f"the answer to a Run is a Completed, not {completed!r}"
        self.staged.append(FakeStaged(completed=completed, clock=self.clock))
        return self.staged[-1]

    def put(self, request: Put) -> None:
        """Writes nothing; the content is in the request."""
        self._answer(request)

    def get(self, request: Get) -> None:
        """Writes the answer to the request's destination."""
        content = self._answer(request)
        assert isinstance(content, bytes), f"the answer to a Get is bytes, not {content!r}"
        request.destination.write_bytes(content)

    def interrupt(self) -> None:
        """Counted."""
        self.interrupts += 1

    def close(self) -> None:
        """Noted."""
        self.closed = True

    def _answer(self, request: Request) -> Answer:
        assert not self.closed, f"{request!r} came after the session was closed"
        self.requests.append(request)
        answer = self.answering(self.host, request)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass(slots=True, kw_only=True)
class FakeStaged:
    """A command that is held back, and what was done with it."""

    completed: Completed
    clock: Callable[[], float] = time.time
    #: What ``check`` raises.
    lost: HostError | None = None
    released: bool = False
    at: float | None = None
    cancelled: bool = False
    started: float | None = None

    def check(self) -> None:
        """Raises what is in ``lost``."""
        if self.lost is not None:
            raise self.lost

    def release(self, at: float | None = None) -> None:
        """Noted; it starts at once, or right at the instant."""
        self.released, self.at = True, at
        self.started = self.clock() if at is None else at

    def finish(self, emit: Emit) -> Exit:
        """Says what the answer says."""
        return _say(self.completed, emit)

    def cancel(self) -> None:
        """Noted."""
        self.cancelled = True


def _say(completed: Completed, emit: Emit) -> Exit:
    if completed.stdout:
        emit("stdout", completed.stdout)
    if completed.stderr:
        emit("stderr", completed.stderr)
    return Exit(code=completed.code, ending=completed.ending)


@dataclass(slots=True, kw_only=True)
class FakeConnection:
    """Opens fake sessions and keeps them in ``sessions``."""

    target: Target
    answering: Answering = all_well
    sessions: list[FakeSession] = field(default_factory=list)
    closed: bool = False

    def open_session(self) -> FakeSession:
        """A new session for the target's host."""
        assert not self.closed, "a session was asked for after the connection was closed"
        session = FakeSession(host=self.target.host, answering=self.answering)
        self.sessions.append(session)
        return session

    def close(self) -> None:
        """Closes its sessions too."""
        self.closed = True
        for session in self.sessions:
            session.close()


@dataclass(slots=True, kw_only=True)
class FakeTransport:
    """Reaches every host; hosts named in ``unreachable`` raise what stands there."""

    name: str = "fake"
    options: tuple[Option, ...] = ()
    traits: TransportTraits = field(default_factory=lambda: TransportTraits(is_default=True))
    host_platform: Platform = Platform.POSIX
    answering: Answering = all_well
    unreachable: dict[str, Exception] = field(default_factory=dict)
    connections: list[FakeConnection] = field(default_factory=list)

    def platform(self, target: Target) -> Platform:
        """The same for all hosts."""
        return self.host_platform

    def connect(self, target: Target) -> FakeConnection:
        """A new connection, kept in ``connections``."""
        if target.host in self.unreachable:
            raise self.unreachable[target.host]
        connection = FakeConnection(target=target, answering=self.answering)
        self.connections.append(connection)
        return connection

    def requests(self, host: str) -> list[Request]:
        """All that was asked of a host, session by session."""
        sessions = (session for connection in self.connections for session in connection.sessions)
        return [request for session in sessions if session.host == host for request in session.requests]


class FakeClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._start = now
        self._passed = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._start + self._passed

    def wall(self) -> float:
        """The same: it is never set."""
        return self.now()

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._passed

    def advance(self, seconds: float) -> None:
        """Let time pass; it can't go backwards."""
        if seconds < 0:
            raise ValueError(f"time does not go back by {-seconds} s")
        self._passed += seconds
