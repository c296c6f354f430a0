"""What a plugin that reaches hosts provides: a transport, its connections, and their sessions.

A transport in short::

    class Telnet:
        name = "telnet"
        options = (Option(name="host"), Option(name="port", type=int, default=23))

        def platform(self, target): return Platform.POSIX
        def connect(self, target): return TelnetConnection(target["host"], target["port"])

A connection opens sessions; a session runs one request at a time, and is kept open between them. All errors
that have to do with the host are :class:`drumline.plugin.HostError` or one of its subclasses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

from drumline.model.outcome import Exit
from drumline.model.request import Get, Put, Run
from drumline.model.target import Option, Platform, RemoteShell, Target

#: Which of a command's two outputs.
Stream: TypeAlias = Literal["stdout", "stderr"]
#: Takes output as it comes, in the order in which the host sent it; called on the thread that called ``run``.
Emit: TypeAlias = Callable[[Stream, bytes], None]


class Session(Protocol):
    """One open, warm way to run things on a host. One user at a time; ``interrupt`` may come from any thread."""

    def run(self, request: Run, emit: Emit) -> Exit:
        """Run the command and return when it and its output have ended.

        A child that the command leaves behind is not waited for: output that it holds open is read for a short grace,
        well under a second, and then given up. What such a child says later is lost or comes with a later command.

        When ``request.timeout`` is up the command and all its children are ended on the host, and the ending says
        so. After a ``ConnectionLost`` the session is of no more use; after every other ending it is ready again.
        ``request.become`` is honoured on POSIX hosts and refused with ``HostError`` on others.
        """
        ...

    def put(self, request: Put) -> None:
        """Write a file; raises ``TransferFailed`` with the host's own words when the host won't have it.

        When ``request.timeout`` is up or the session is interrupted it raises ``TransferStopped``. What had arrived by
        then is removed; it has a name by :func:`drumline.plugin.leftovers.temporary_name`, so that a later run finds
        what a lost connection has left.
        """
        ...

    def get(self, request: Get) -> None:
        """Read a file; raises ``TransferFailed`` when it isn't there or can't be read, else as ``put`` does."""
        ...

    def interrupt(self) -> None:
        """End what runs now, with its children; ``run`` then returns ``INTERRUPTED``, ``put`` and ``get`` raise.

        Nothing running: no effect.
        """
        ...

    def close(self) -> None:
        """Give everything back, also after errors and twice; raises nothing."""
        ...


class Staged(Protocol):
    """A command that waits on its host, its process already started, for the go signal.

    ``check`` and ``release`` are called for many hosts, one right after the other, on any thread; they must not wait
    for the host. The others are called on the thread that staged. A session has one staged command at a time, and
    ``Session.interrupt`` ends that one too.
    """

    def check(self) -> None:
        """Raise the ``HostError`` when the host, or the waiting process, is known to be gone."""
        ...

    def release(self, at: float | None = None) -> None:
        """Let it start: at once, or when the host's own clock shows ``at`` (seconds since the epoch). Raises nothing.

        A transport whose requests wait for answers does the sending in ``finish``.
        """
        ...

    def finish(self, emit: Emit) -> Exit:
        """After ``release``: as ``Session.run``. The request's time-out counts from the release, or from ``at``."""
        ...

    def cancel(self) -> None:
        """Give it up without having started it; the session is ready again. Raises nothing."""
        ...

    @property
    def started(self) -> float | None:
        """What the host's clock showed right before the command started; known after ``finish``, None if it isn't."""
        ...


class StagingSession(Session, Protocol):
    """A session that can also hold a command back (``start`` of a task). Transports need not offer it."""

    def stage(self, request: Run) -> Staged:
        """Bring a command to its host and return when its process waits there.

        Raises as ``Session.run`` does; then nothing of it is left on the host.
        """
        ...


class Connection(Protocol):
    """One connection to one host, for as long as a run lasts. Its methods may be called from several threads."""

    def open_session(self) -> Session:
        """A session beside those that are already open."""
        ...

    def close(self) -> None:
        """Close it and what is left of its sessions; raises nothing."""
        ...


class ShellTransport(Protocol):
    """A transport whose hosts other programs can reach, too. Transports need not offer it."""

    def remote_shell(self, target: Target) -> RemoteShell:
        """How another program of this machine does, with all that the target's variables say."""
        ...


class Transport(Protocol):
    """How a kind of host is reached. One instance serves all hosts; it must keep no state of theirs.

    What drumline has to know of it beside that it may say in an attribute ``traits``, a :class:`TransportTraits`.
    """

    @property
    def name(self) -> str:
        """What ``ansible_connection`` says: lower case, no spaces."""
        ...

    @property
    def options(self) -> tuple[Option, ...]:
        """The connection variables that it reads."""
        ...

    def platform(self, target: Target) -> Platform:
        """What the host understands, known without connecting."""
        ...

    def connect(self, target: Target) -> Connection:
        """Open a connection, or raise the ``HostError`` that says what is wrong and what to do."""
        ...
