"""Text shells and the commands in them, apart from the protocol: who owns them, how long they live, what they say."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from drumline_lab.wsman import faults
from drumline_lab.wsman.process import Running, Stream
from drumline_lab.wsman.settings import Settings

#: bytes of output that a command may have unfetched before it is made to wait
_MOST_UNFETCHED = 1 << 20
#: seconds for processes to end when a server stops
_END_PATIENCE = 3.0
#: bytes of a budget that an element of XML around a chunk takes
_ELEMENT = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedOutput:
    """What one Receive brings."""

    chunks: tuple[tuple[Stream, bytes], ...]
    done: bool
    exit_code: int | None = None


class Command:
    """One command line under way: the sink of its process, and the source of its Receives."""

    def __init__(self, command_id: str) -> None:
        self.id = command_id
        self.running: Running | None = None
        self._changed = threading.Condition()
        self._chunks: deque[tuple[Stream, bytes]] = deque()
        self._unfetched = 0
        self._ended = False
        self._exit_code: int | None = None
        self._dropped = False

    def start(self, start: Callable[[], Running]) -> None:
        """Start what runs it, unless its shell was deleted meanwhile."""
        with self._changed:
            if self._dropped:
                raise faults.unknown_shell()
            try:
                self.running = start()
            except OSError:
                raise faults.program_not_found() from None

    def emit(self, stream: Stream, data: bytes) -> None:
        """Keep output, and hold the process back while much of it waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._unfetched < _MOST_UNFETCHED or self._dropped)
            if not self._dropped:
                self._chunks.append((stream, data))
                self._unfetched += len(data)
                self._changed.notify_all()

    def finish(self, exit_code: int | None) -> None:
        with self._changed:
            self._ended = True
            self._exit_code = exit_code
            self._changed.notify_all()

    def receive(self, *, timeout: float, coalesce: float, budget: int, connected: Callable[[], bool]) -> ReceivedOutput:
        """The next output, at most ``budget`` bytes of it, waiting up to ``timeout`` seconds for any.

        Raises the faults of a time-out and of a command that was ended meanwhile. ``connected`` says whether the
        client still listens: output that no one would hear is kept for the Receive of the next connection.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._chunks or self._ended or self._dropped, timeout):
                raise faults.timed_out()
            self._changed.wait_for(lambda: self._ended or self._dropped or self._unfetched >= budget, coalesce)
            if self._dropped or not connected():
                raise faults.aborted()
            chunks = tuple(self._take(budget))
            done = self._ended and not self._chunks
            self._changed.notify_all()
            return ReceivedOutput(chunks=chunks, done=done, exit_code=self._exit_code if done else None)

    def write(self, data: bytes, end: bool, timeout: float) -> None:
        """Feed standard input; raises the faults of a closed pipe and of a process that does not read."""
        assert self.running is not None
        try:
            self.running.write(data, end, timeout)
        except BrokenPipeError:
            raise faults.pipe_ended() from None
        except TimeoutError:
            raise faults.timed_out() from None

    def interrupt(self) -> None:
        """Ctrl-C; succeeds also when the command has ended."""
        if self.running is not None and not self._ended:
            self.running.interrupt()

    def drop(self) -> None:
        """End it with all that it has started, and forget its output."""
        with self._changed:
            self._dropped = True
            self._chunks.clear()
            self._changed.notify_all()
        if self.running is not None and not self._ended:
            self.running.kill()

    def join(self, until: float) -> None:
        """Wait until what was dropped has ended, or the (monotonic) time comes: a child may hold its output open."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self.running is None, max(0.0, until - time.monotonic()))

    def _take(self, budget: int) -> Iterator[tuple[Stream, bytes]]:
        """Chunks within the budget, neighbours of one stream joined."""
        while self._chunks and budget > _ELEMENT:
            stream, parts = self._chunks[0][0], []
            budget -= _ELEMENT
            while self._chunks and self._chunks[0][0] == stream and budget > 0:
                _, data = self._chunks.popleft()
                if len(data) > budget:
                    self._chunks.appendleft((stream, data[budget:]))
                    data = data[:budget]
                budget -= len(data)
                parts.append(data)
            self._unfetched -= sum(map(len, parts))
            yield stream, b"".join(parts)


@dataclass(slots=True, kw_only=True)
class ServedShell:
    """One shell. ``operations`` counts every command it ever had: Windows gives them back only with the shell."""

    id: str
    owner: str
    client: str
    environment: dict[str, str]
    directory: str | None
    idle: float  #: seconds
    lifetime: float  #: seconds
    created: float
    used: float
    uses: int = 0  #: Requests under way.
    operations: int = 0
    commands: dict[str, Command] = field(default_factory=dict)

    def expired(self, now: float) -> bool:
        """Whether its time is up: nothing was asked of it for too long, or it is too old."""
        idle = self.uses == 0 and now - self.used > self.idle
        return idle or now - self.created > self.lifetime

    def command(self, command_id: str | None) -> Command:
        """The command of this id; case does not count."""
        if not command_id:
            raise faults.no_command_id()
        command = self.commands.get(command_id.upper())
        if command is None:
            raise faults.unknown_command()
        return command


class Shells:
    """All shells of one server, with the quotas of their owners."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings  #: May be exchanged at any time.
        self._lock = threading.Lock()
        self._shells: dict[str, ServedShell] = {}

    def create(
        self,
        *,
        owner: str,
        client: str,
        shell_id: str | None = None,
        environment: dict[str, str] | None = None,
        directory: str | None = None,
        idle: float | None = None,
        lifetime: float | None = None,
    ) -> ServedShell:
        """A new shell, or the fault of a full quota."""
        self.sweep()
        now = time.monotonic()
        shell = ServedShell(
            id=(shell_id or str(uuid.uuid4())).upper(),
            owner=owner,
            client=client,
            environment=environment or {},
            directory=directory,
            idle=self.settings.shell_idle if idle is None else idle,
            lifetime=float("inf") if lifetime is None else lifetime,
            created=now,
            used=now,
        )
        with self._lock:
            if len(self._of(owner)) >= self.settings.max_shells:
                raise faults.too_many_shells(self.settings.max_shells)
            self._shells[shell.id] = shell
        return shell

    def find(self, shell_id: str) -> ServedShell:
        """The shell of this id, or the fault of an unknown one."""
        self.sweep()
        with self._lock:
            shell = self._shells.get(shell_id.upper())
            if shell is None:
                raise faults.unknown_shell()
            shell.used = time.monotonic()
            return shell

    @contextlib.contextmanager
    def using(self, shell_id: str) -> Iterator[ServedShell]:
        """The shell of this id, which can't grow too idle meanwhile."""
        shell = self.find(shell_id)
        with self._lock:
            shell.uses += 1
        try:
            yield shell
        finally:
            with self._lock:
                shell.uses -= 1
                shell.used = time.monotonic()

    def add(self, shell: ServedShell, command: Command) -> None:
        """Enter a command, or raise the fault of a full quota."""
        limit = self.settings.max_operations
        with self._lock:
            if sum(other.operations for other in self._of(shell.owner)) >= limit:
                raise faults.too_many_operations(limit, old=self.settings.old_quota_fault)
            if shell.id not in self._shells:
                raise faults.unknown_shell()
            shell.operations += 1
            shell.commands[command.id] = command

    def delete(self, shell_id: str) -> None:
        """End a shell and everything in it."""
        with self._lock:
            shell = self._shells.pop(shell_id.upper(), None)
        if shell is None:
            raise faults.unknown_shell()
        _end(shell)

    def sweep(self) -> None:
        """End the shells whose time is up."""
        now = time.monotonic()
        with self._lock:
            gone = [shell for shell in self._shells.values() if shell.expired(now)]
            for shell in gone:
                del self._shells[shell.id]
        for shell in gone:
            _end(shell)

    def ids(self) -> tuple[str, ...]:
        """The shells there are, oldest first."""
        with self._lock:
            return tuple(self._shells)

    def close(self) -> None:
        """End all of them, and return when their processes have ended."""
        with self._lock:
            commands = [command for shell in self._shells.values() for command in shell.commands.values()]
        for shell_id in self.ids():
            self.delete(shell_id)
        until = time.monotonic() + _END_PATIENCE
        for command in commands:
            command.join(until)

    def _of(self, owner: str) -> list[ServedShell]:
        return [shell for shell in self._shells.values() if shell.owner.lower() == owner.lower()]


def _end(shell: ServedShell) -> None:
    for command in list(shell.commands.values()):
        command.drop()
