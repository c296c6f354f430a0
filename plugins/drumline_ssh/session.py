"""A session: commands one after the other in one warm shell, and files over SFTP or through the shell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import paramiko

from drumline.plugin import ConnectionLost, Emit, Ending, Exit, Get, HostError, Put, QuotaExceeded, Run
from drumline.plugin.posix import shell_script
from drumline_ssh import wire
from drumline_ssh.dialing import hang_up
from drumline_ssh.ending import ending_script
from drumline_ssh.files import Files
from drumline_ssh.shell import Shell, Woken

#: Longest input, in bytes, that goes through the warm shell, growing fourfold there; more gets a channel of its own.
_SMALL_INPUT = 16_384
#: Seconds for ending a command on the host, and then for its shell to say so.
_ENDING_PATIENCE = 30.0


class SshSession:
    """One user at a time; ``interrupt`` may come from any thread."""

    def __init__(
        self, transport: paramiko.Transport, place: str, timeout: float, beside: Callable[[], list[paramiko.Transport]]
    ) -> None:
        self._transport = transport
        self._place = place
        self._timeout = timeout
        #: A connection to the same host beside this one, for when this one takes no more channels.
        self._beside = beside
        self._shell: Shell | None = None
        self._shell_pid = 0
        self._files = Files(self, transport, place)
        self._lock = threading.Lock()
        self._busy = False
        self._running: Shell | None = None  #: Where the command that runs can be woken.
        self._interrupted = False

    def run(self, request: Run, emit: Emit) -> Exit:
        """See :class:`drumline.plugin.Session`."""
        script = shell_script(request)
        deadline = None if request.timeout is None else time.monotonic() + request.timeout
        with self._lock:
            self._busy, self._interrupted = True, False
        try:
            if len(request.stdin) > _SMALL_INPUT:
                return self._run_once(script, request, emit, deadline)
            word = wire.nonce()
            shell = self._send(script, request.stdin, word)
            return self._follow(shell, self._shell_pid, word, request, emit, deadline)
        except ConnectionLost:
            self._drop_shell()
            raise
        finally:
            with self._lock:
                self._busy, self._running = False, None

    def _send(self, script: str, stdin: bytes, word: str) -> Shell:
        """Give the command to the warm shell, which is started first if need be."""
        if self._shell is not None:
            self._shell.send(wire.command(script, word, stdin))
            return self._shell
        shell = self._open_shell(wire.START)
        started = wire.nonce()
        try:
            shell.send(wire.command(script, word, stdin, started=started))
            self._shell_pid = shell.start(started)
        except BaseException:
            shell.close()
            raise
        self._shell = shell
        return shell

    def _run_once(self, script: str, request: Run, emit: Emit, deadline: float | None) -> Exit:
        """Run a command in a shell of its own, with the rest of the channel's input for its own."""
        shell = self._open_instead(wire.START_ONCE)
        started, word = wire.nonce(), wire.nonce()
        try:
            shell.send(wire.command_once(script, started, word))
            shell.send_in_background(request.stdin)
            outcome = self._follow(shell, shell.start(started), word, request, emit, deadline)
            if self._shell is None:
                shell.finish(end_input=False)
            return outcome
        finally:
            shell.close()

    def _open_instead(self, program: str) -> Shell:
        """A shell beside the warm one, or in its place where the host allows no more."""
        try:
            return self._open_shell(program)
        except QuotaExceeded:
            if self._shell is None:
                raise
        warm, self._shell = self._shell, None
        warm.finish(end_input=True)
        return self._open_shell(program)

    def _open_shell(self, program: str) -> Shell:
        try:
            return Shell(self._transport, program, self._place, self._timeout)
        except QuotaExceeded:
            # sshd counts a channel that has just been closed until it has handled all that came with the closing.
            return Shell(self._transport, program, self._place, self._timeout)

    def _follow(
        self, shell: Shell, shell_pid: int, word: str, request: Run, emit: Emit, deadline: float | None
    ) -> Exit:
        """Hand over what a command says until it is over, or its time is."""
        with self._lock:
            self._running = shell
            if self._interrupted:
                shell.wake()
        try:
            status = int(shell.collect(word, emit, deadline))
            # ksh gives 256 + n for signal n.
            return Exit(code=status if status < 256 else 128 + (status & 127))
        except Woken:
            ending = Ending.INTERRUPTED if self._interrupted else Ending.TIMED_OUT
            self._end(shell, shell_pid, word, request, emit)
            return Exit(code=None, ending=ending)

    def _end(self, shell: Shell, shell_pid: int, word: str, request: Run, emit: Emit) -> None:
        """End a command and its children, and read what it still said."""
        user = request.become.user if request.become else None
        survived = self._run_beside(ending_script(shell_pid, user))
        patience = time.monotonic() + _ENDING_PATIENCE
        while True:
            try:
                shell.collect(word, emit, patience)
                break
            except Woken:
                if time.monotonic() < patience:  # interrupted once more
                    continue
                survived = True
                break
        if survived:
            self._drop_shell()
            raise HostError(
                "The command can't be ended",
                f"{self._place}: its time was up or it was interrupted, but processes of it outlive SIGKILL, or belong"
                " to a user whom this login may not end.",
            )

    def _run_beside(self, script: str) -> bool:
        """Run a script in a shell of its own; whether it failed."""
        try:
            way, shell = [], self._open_shell(wire.START)
        except QuotaExceeded:
            way = self._beside()
            shell = Shell(way[-1], wire.START, self._place, self._timeout)
        started, word = wire.nonce(), wire.nonce()
        try:
            shell.send(wire.command(script, word, started=started))
            shell.start(started)
            return int(shell.collect(word, lambda *_: None, time.monotonic() + _ENDING_PATIENCE)) != 0
        except Woken:
            return True
        finally:
            shell.close()
            hang_up(way)

    def put(self, request: Put) -> None:
        """See :class:`drumline.plugin.Session`."""
        self._files.put(request)

    def get(self, request: Get) -> None:
        """See :class:`drumline.plugin.Session`."""
        self._files.get(request)

    def interrupt(self) -> None:
        """See :class:`drumline.plugin.Session`."""
        with self._lock:
            self._interrupted = self._busy
            if self._running is not None:
                self._running.wake()

    def _drop_shell(self) -> None:
        if self._shell is not None:
            self._shell.close()
            self._shell = None

    def close(self) -> None:
        """See :class:`drumline.plugin.Session`."""
        self._files.close()
        self._drop_shell()
