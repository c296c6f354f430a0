"""The shells of a session: one is kept warm for each user that commands run as, others last for one command."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import NamedTuple

import paramiko

from drumline.plugin import Become, QuotaExceeded
from drumline.plugin.becoming import Dialogue, NeedsTerminal
from drumline.plugin.marks import nonce
from drumline_ssh import wire
from drumline_ssh.dialing import hang_up
from drumline_ssh.shell import SshShell, Woken
from drumline_ssh.terminal import give_terminal

#: Makes what is written to a shell: of a nonce that is in the marks at the command's end, and one that is in the
#: shell's first answer if it has given none yet.
Text = Callable[[str, str | None], bytes]


class RunningCommand(NamedTuple):
    """A command under way."""

    shell: SshShell  #: The process that it is a child of.
    word: str  #: In the marks at its end.
    become: Become | None  #: Whom it runs as.


class SshShells:
    """Used by one thread; ``interrupt`` may come from any."""

    def __init__(
        self,
        transport: paramiko.Transport,
        place: str,
        timeout: float,
        beside: Callable[[], list[paramiko.Transport]],
    ) -> None:
        self._transport = transport
        self._place = place
        self._timeout = timeout
        #: A connection to the same host beside this one, for when this one takes no more channels.
        self._beside = beside
        self._warm: dict[Become | None, SshShell] = {}
        self._lock = threading.Lock()
        self._busy = False
        self._waiting: SshShell | None = None  #: Where whoever waits can be woken.
        self.interrupted = False  #: Since the last command was begun.

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """For the time of one command."""
        with self._lock:
            self._busy, self.interrupted = True, False
        try:
            yield
        finally:
            with self._lock:
                self._busy, self._waiting = False, None

    def interrupt(self) -> None:
        """Wake whoever waits for what is in use, now or when the waiting begins."""
        with self._lock:
            self.interrupted = self._busy
            if self._waiting is not None:
                self._waiting.wake()

    @contextmanager
    def waking(self, shell: SshShell) -> Iterator[None]:
        """While the caller waits for a shell: an interrupt wakes the caller, also one that came before."""
        with self._lock:
            self._waiting = shell
            if self.interrupted:
                shell.wake()
        try:
            yield
        finally:
            with self._lock:
                self._waiting = None

    def begin(self, become: Become | None, text: Text, deadline: float | None = None) -> RunningCommand:
        """Give a command to the warm shell of a user, which is started first if need be."""
        word = nonce()
        shell = self._warm.get(become)
        if shell is not None:
            shell.send(text(word, None))
            return RunningCommand(shell, word, become)
        shell = self._open(wire.START, become, deadline)
        started = nonce()
        try:
            shell.send(text(word, started))
            self._wait_for(shell, started, deadline)
        except BaseException:
            shell.close()
            raise
        self._warm[become] = shell
        return RunningCommand(shell, word, become)

    def begin_once(
        self,
        use: ExitStack,
        become: Become | None,
        script: str,
        stdin: bytes | None = None,
        deadline: float | None = None,
    ) -> RunningCommand:
        """Run a command in a shell of its own, with the rest of the channel's input for its own."""
        shell = self._open(wire.START_ONCE, become, deadline)
        use.callback(self._close_once, shell)
        started, word = nonce(), nonce()
        shell.send(wire.command_once(script, started, word))
        self._wait_for(shell, started, deadline)
        # Not before the shell has answered: what a login lets it read in place of the command would be run.
        if stdin is not None:
            shell.send_in_background(stdin)
        return RunningCommand(shell, word, become)

    def run_beside(self, script: str, patience: float, become: Become | None = None) -> bool:
        """Run a script in a shell of its own, which nothing interrupts; whether it failed."""
        deadline = time.monotonic() + patience
        with ExitStack() as use:
            try:
                shell = self._channel(wire.START)
            except QuotaExceeded:
                way = self._beside()
                use.callback(hang_up, way)
                shell = SshShell(way[-1], wire.START, self._place, self._timeout)
            started, word = nonce(), nonce()
            try:
                if become is not None:
                    shell = self._as_user(shell, become, wire.START, deadline, _never_woken)
                use.callback(shell.close)
                shell.send(wire.command(script, word, started=started))
                shell.start(started, deadline)
                return wire.exit_of(shell.collect(word, lambda *_: None, deadline)).code != 0
            except Woken:
                return True

    def _wait_for(self, shell: SshShell, started: str, deadline: float | None) -> None:
        """Return when a shell has answered. An interrupt ends the waiting."""
        with self.waking(shell):
            shell.start(started, deadline)

    def _open(self, program: str, become: Become | None, deadline: float | None) -> SshShell:
        """A shell beside the warm ones, or in their place where the host allows no more."""
        try:
            return self._open_beside(program, become, deadline)
        except QuotaExceeded:
            if not self._warm:
                raise
        warm, self._warm = self._warm, {}
        for shell in warm.values():
            shell.finish(end_input=True)
        return self._open_beside(program, become, deadline)

    def _open_beside(self, program: str, become: Become | None, deadline: float | None) -> SshShell:
        if become is None:
            return self._channel(program)
        return self._as_user(self._channel(wire.START), become, program, deadline, self.waking)

    def _as_user(
        self,
        shell: SshShell,
        become: Become,
        program: str,
        deadline: float | None,
        waking: Callable[[SshShell], AbstractContextManager[None]],
    ) -> SshShell:
        """Make a new shell another user's. Where that takes a terminal, it is replaced by one that has one."""
        terminal = Dialogue(become, self._place).wants_terminal
        try:
            while True:
                try:
                    with waking(shell):
                        if terminal:
                            give_terminal(shell, self._place)
                        shell.become(Dialogue(become, self._place, then=program, terminal=terminal), deadline)
                    return shell
                except NeedsTerminal:
                    shell.close()
                    shell, terminal = self._channel(wire.START), True
        except BaseException:
            shell.close()
            raise

    def _channel(self, program: str) -> SshShell:
        try:
            return SshShell(self._transport, program, self._place, self._timeout)
        except QuotaExceeded:
            # sshd counts a channel that has just been closed until it has handled all that came with the closing.
            return SshShell(self._transport, program, self._place, self._timeout)

    def _close_once(self, shell: SshShell) -> None:
        if not self._warm:
            shell.finish(end_input=False)
        shell.close()

    def close(self) -> None:
        """Close the warm ones; others take their place."""
        warm, self._warm = self._warm, {}
        for shell in warm.values():
            shell.close()


@contextmanager
def _never_woken(_shell: SshShell) -> Iterator[None]:
    yield
