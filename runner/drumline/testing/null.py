"""A transport that does nothing, to measure what everything else costs. It keeps nothing, so it never grows."""

from __future__ import annotations

import time

from drumline.model.outcome import Exit
from drumline.model.request import Get, Put, Run
from drumline.model.target import Option, Platform, Target
from drumline.plugin.traits import Costs, TransportTraits
from drumline.plugin.transports import Emit

_EXIT = Exit(code=0)


class NullTransport:
    """Every host is there, every command exits 0 at once, every file transfer is well."""

    name = "null"
    options: tuple[Option, ...] = ()
    traits = TransportTraits(costs=Costs(job=0.00007, connection=0.0, connecting=0.0))

    def platform(self, target: Target) -> Platform:
        """POSIX."""
        return Platform.POSIX

    def connect(self, target: Target) -> NullConnection:
        """Never fails."""
        return NullConnection()


class NullConnection:
    """Opens sessions that do nothing."""

    __slots__ = ()

    def open_session(self) -> NullSession:
        """A session that does nothing."""
        return NullSession()

    def close(self) -> None:
        """Nothing to give back."""


class NullSession:
    """Does nothing, well."""

    __slots__ = ()

    def run(self, request: Run, emit: Emit) -> Exit:
        """Exits 0 and says nothing."""
        return _EXIT

    def stage(self, request: Run) -> NullStaged:
        """Holds nothing back, well."""
        return NullStaged()

    def put(self, request: Put) -> None:
        """Writes nothing."""

    def get(self, request: Get) -> None:
        """Leaves an empty file on this machine."""
        request.destination.write_bytes(b"")

    def interrupt(self) -> None:
        """Nothing ever runs."""

    def close(self) -> None:
        """Nothing to give back."""


class NullStaged:
    """Starts right when it should, and ends."""

    __slots__ = ("started",)

    def __init__(self) -> None:
        self.started: float | None = None

    def check(self) -> None:
        """It is there."""

    def release(self, at: float | None = None) -> None:
        """Starts nothing."""
        self.started = time.time() if at is None else at

    def finish(self, emit: Emit) -> Exit:
        """Exits 0 and says nothing."""
        return _EXIT

    def cancel(self) -> None:
        """Nothing ever waits."""
