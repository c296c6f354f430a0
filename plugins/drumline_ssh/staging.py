"""A command that waits on its host for the go signal."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from drumline.plugin import CommandRefused, ConnectionLost, Emit, Ending, Exit, HostError, Stream
from drumline.plugin.staging import CANCEL_PATIENCE, NEVER, READY_PATIENCE, Remarks, release_word
from drumline_ssh import wire
from drumline_ssh.shell import Woken

if TYPE_CHECKING:
    from drumline_ssh.session import SshSession
    from drumline_ssh.shells import RunningCommand


class _Ready(Exception):
    """The command waits for its word."""


class _Over(Exception):
    """It has ended instead."""


class SshStaged:
    """See :class:`drumline.plugin.Staged`. ``use`` is left when it has ended."""

    # A burst goes through hundreds of these, which no one has touched since they were staged: less memory to fetch.
    __slots__ = (
        "_at",
        "_command",
        "_dead",
        "_exit",
        "_give",
        "_lost",
        "_ready_at",
        "_released_at",
        "_remarks",
        "_session",
        "_stdin",
        "_timeout",
        "use",
    )

    def __init__(
        self, session: SshSession, command: RunningCommand, timeout: float | None, stdin: bytes, remarks: Remarks
    ) -> None:
        self.use = ExitStack()
        self._session = session
        self._command = command
        self._give = command.shell.give
        self._timeout = timeout
        self._stdin = stdin  #: What is sent after the word.
        self._remarks = remarks
        self._exit: Exit | None = None  # when it had ended before the word came
        self._dead = False  # it was killed, but not all that belongs to it
        self._lost: HostError | None = None  # what was reported once
        self._ready_at = 0.0
        self._released_at = 0.0
        self._at: float | None = None

    @property
    def started(self) -> float | None:
        """See :class:`drumline.plugin.Staged`."""
        return self._remarks.began

    def wait_until_ready(self) -> None:
        """Return when it waits, or was interrupted; raise when it can't be staged."""
        command = self._command
        try:
            with self._session.watching(command):
                status = command.shell.collect(command.word, self._take, time.monotonic() + READY_PATIENCE)
        except _Ready:
            self._ready_at = time.monotonic()
        except _Over:
            self._give_up()
        except Woken:
            self._exit = self._session.end(command, self._remarks.take)
        else:
            self._exit = wire.exit_of(status)
        if self._exit is None or self._exit.ending is Ending.INTERRUPTED:
            return
        if self._exit.ending is Ending.TIMED_OUT:
            raise self._refused(f"it was not ready to start after {READY_PATIENCE:g} s")
        raise self._refused(f"it ended with exit code {self._exit.code} before it was to start")

    def check(self) -> None:
        """See :class:`drumline.plugin.Staged`."""
        command = self._command
        try:
            if self._exit is None:
                self._exit = wire.exit_of(command.shell.collect(command.word, self._remarks.take, deadline=0.0))
        except Woken:  # it has not said its last word
            self._dead = self._remarks.over
        except ConnectionLost as lost:
            self._lost = lost
            raise
        if self._dead or (self._exit is not None and self._exit.ending is Ending.EXITED):
            raise self._refused("it has ended, or was killed, while it waited for the go signal")

    def release(self, at: float | None = None) -> None:
        """See :class:`drumline.plugin.Staged`."""
        if self._exit is None and not self._session.interrupted:
            self._at = at
            self._give(release_word(at))
            self._released_at = time.monotonic()

    def finish(self, emit: Emit) -> Exit:
        """See :class:`drumline.plugin.Staged`."""
        with self.use:
            self._remarks.pass_on(emit)
            try:
                if self._exit is None:
                    self._exit = self._follow()
            except HostError as lost:
                self._lost = lost
                raise
            finally:
                self._remarks.flush()
            return self._exit

    def cancel(self) -> None:
        """See :class:`drumline.plugin.Staged`."""
        with suppress(HostError), self.use:
            if self._exit is None:
                self._give_up()

    def _take(self, stream: Stream, data: bytes) -> None:
        self._remarks.take(stream, data)
        if self._remarks.over:
            raise _Over
        if self._remarks.ready is not None:
            raise _Ready

    def _follow(self) -> Exit:
        if self._lost is not None:
            raise self._lost
        if self._stdin and self._released_at:
            self._command.shell.send_in_background(self._stdin)
        return self._session.follow(self._command, self._remarks.take, self._deadline())

    def _deadline(self) -> float | None:
        if self._timeout is None:
            return None
        start = self._released_at
        if self._at is not None and self._remarks.ready is not None:
            start = max(start, self._ready_at + self._at - self._remarks.ready)
        return start + self._timeout

    def _give_up(self) -> None:
        if self._lost is not None:
            raise self._lost
        command = self._command
        if not self._dead:
            command.shell.send_on(NEVER)
            with suppress(Woken):
                status = command.shell.collect(command.word, self._remarks.take, time.monotonic() + CANCEL_PATIENCE)
                self._exit = wire.exit_of(status)
                return
        self._exit = self._session.end(command, self._remarks.take)

    def _refused(self, what: str) -> CommandRefused:
        detail = f"{self._session.place}: {what}."
        return CommandRefused("The command can't be staged", detail, said=self._remarks.said)
