"""A session: commands one after the other in one warm shell, and files over SFTP or through the shell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import NamedTuple

import paramiko

from drumline.plugin import ConnectionLost, Emit, Ending, Exit, Get, HostError, Put, QuotaExceeded, Run, Staged
from drumline.plugin.marks import nonce
from drumline.plugin.posix import shell_script
from drumline.plugin.staging import Remarks, staged_script
from drumline_ssh import wire
from drumline_ssh.dialing import hang_up
from drumline_ssh.ending import ending_script
from drumline_ssh.files import Files
from drumline_ssh.shell import SshShell, Woken
from drumline_ssh.staging import SshStaged

#: Longest input, in bytes, that goes through the warm shell, growing fourfold there; more gets a channel of its own.
_SMALL_INPUT = 16_384
#: Seconds for ending a command on the host, and then for its shell to say so.
_ENDING_PATIENCE = 30.0


class RunningCommand(NamedTuple):
    """A command under way."""

    shell: SshShell
    shell_pid: int  #: Of the process that it is a child of.
    word: str  #: In the marks at its end.
    user: str | None  #: Whom it became.


class SshSession:
    """One user at a time; ``interrupt`` may come from any thread."""

    def __init__(
        self, transport: paramiko.Transport, place: str, timeout: float, beside: Callable[[], list[paramiko.Transport]]
    ) -> None:
        self.place = place
        self.interrupted = False  #: Since the last command was begun.
        self._transport = transport
        self._timeout = timeout
        #: A connection to the same host beside this one, for when this one takes no more channels.
        self._beside = beside
        self._shell: SshShell | None = None
        self._shell_pid = 0
        self._files = Files(self, transport, place, timeout)
        self._lock = threading.Lock()
        self._busy = False
        self._running: SshShell | None = None  #: Where the command that runs can be woken.

    def run(self, request: Run, emit: Emit) -> Exit:
        """See :class:`drumline.plugin.Session`."""
        script = shell_script(request)
        deadline = None if request.timeout is None else time.monotonic() + request.timeout
        with ExitStack() as use:
            use.enter_context(self._in_use())
            if len(request.stdin) > _SMALL_INPUT:
                command = self._begin_once(use, script, request, request.stdin, deadline)
            else:
                command = self._begin(
                    request, lambda word, started: wire.command(script, word, request.stdin, started), deadline
                )
            return self.follow(command, emit, deadline)

    def stage(self, request: Run) -> Staged:
        """See :class:`drumline.plugin.StagingSession`."""
        remarks = Remarks(nonce())
        script = staged_script(request, remarks.word)
        fed = request.become is not None
        with ExitStack() as use:
            use.enter_context(self._in_use())
            if len(request.stdin) > _SMALL_INPUT:
                command = self._begin_once(use, script, request)
                later = request.stdin
            else:
                stdin = request.stdin
                command = self._begin(request, lambda word, started: wire.staged(script, word, stdin, started, fed=fed))
                later = b""
            staged = SshStaged(self, command, request.timeout, later, remarks)
            staged.wait_until_ready()
            staged.use = use.pop_all()
        return staged

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        """For the time of one command."""
        with self._lock:
            self._busy, self.interrupted = True, False
        try:
            yield
        except ConnectionLost:
            self._drop_shell()
            raise
        finally:
            with self._lock:
                self._busy, self._running = False, None

    def _begin(
        self, request: Run, text: Callable[[str, str | None], bytes], deadline: float | None = None
    ) -> RunningCommand:
        """Give a command to the warm shell, which is started first if need be."""
        word, user = nonce(), request.become.user if request.become else None
        if self._shell is not None:
            self._shell.send(text(word, None))
            return RunningCommand(self._shell, self._shell_pid, word, user)
        shell = self._open_shell(wire.START)
        started = nonce()
        try:
            shell.send(text(word, started))
            self._shell_pid = self._start(shell, started, deadline)
        except BaseException:
            shell.close()
            raise
        self._shell = shell
        return RunningCommand(shell, self._shell_pid, word, user)

    def _start(self, shell: SshShell, started: str, deadline: float | None) -> int:
        """The shell's process id, when it has answered. An interrupt ends the waiting."""
        with self._waking(shell):
            return shell.start(started, deadline)

    def _begin_once(
        self, use: ExitStack, script: str, request: Run, stdin: bytes | None = None, deadline: float | None = None
    ) -> RunningCommand:
        """Run a command in a shell of its own, with the rest of the channel's input for its own."""
        shell = self._open_instead(wire.START_ONCE)
        use.callback(self._close_once, shell)
        started, word = nonce(), nonce()
        shell.send(wire.command_once(script, started, word))
        user = request.become.user if request.become else None
        command = RunningCommand(shell, self._start(shell, started, deadline), word, user)
        # Not before the shell has answered: what a login lets it read in place of the command would be run.
        if stdin is not None:
            shell.send_in_background(stdin)
        return command

    def _close_once(self, shell: SshShell) -> None:
        if self._shell is None:
            shell.finish(end_input=False)
        shell.close()

    def _open_instead(self, program: str) -> SshShell:
        """A shell beside the warm one, or in its place where the host allows no more."""
        try:
            return self._open_shell(program)
        except QuotaExceeded:
            if self._shell is None:
                raise
        warm, self._shell = self._shell, None
        warm.finish(end_input=True)
        return self._open_shell(program)

    def _open_shell(self, program: str) -> SshShell:
        try:
            return SshShell(self._transport, program, self.place, self._timeout)
        except QuotaExceeded:
            # sshd counts a channel that has just been closed until it has handled all that came with the closing.
            return SshShell(self._transport, program, self.place, self._timeout)

    def watching(self, command: RunningCommand) -> AbstractContextManager[None]:
        """While the caller waits for it: an interrupt wakes the caller, also one that came before."""
        return self._waking(command.shell)

    @contextmanager
    def _waking(self, shell: SshShell) -> Iterator[None]:
        with self._lock:
            self._running = shell
            if self.interrupted:
                shell.wake()
        try:
            yield
        finally:
            with self._lock:
                self._running = None

    def follow(self, command: RunningCommand, emit: Emit, deadline: float | None) -> Exit:
        """Hand over what a command says until it has ended, or its time is."""
        with self.watching(command):
            try:
                return wire.exit_of(command.shell.collect(command.word, emit, deadline))
            except Woken:
                return self.end(command, emit)

    def end(self, command: RunningCommand, emit: Emit) -> Exit:
        """End a command and its children, since its time is up or it was interrupted; read what it still said."""
        ending = Ending.INTERRUPTED if self.interrupted else Ending.TIMED_OUT
        survived = self.run_beside(ending_script(command.shell_pid, command.user))
        patience = time.monotonic() + _ENDING_PATIENCE
        while True:
            try:
                command.shell.collect(command.word, emit, patience)
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
                f"{self.place}: its time was up or it was interrupted, but processes of it outlive SIGKILL, or belong"
                " to a user whom this login may not end.",
            )
        return Exit(code=None, ending=ending)

    def run_beside(self, script: str, patience: float = _ENDING_PATIENCE) -> bool:
        """Run a script in a shell of its own, which nothing interrupts; whether it failed."""
        deadline = time.monotonic() + patience
        try:
            way, shell = [], self._open_shell(wire.START)
        except QuotaExceeded:
            way = self._beside()
            shell = SshShell(way[-1], wire.START, self.place, self._timeout)
        started, word = nonce(), nonce()
        try:
            shell.send(wire.command(script, word, started=started))
            shell.start(started, deadline)
            return wire.exit_of(shell.collect(word, lambda *_: None, deadline)).code != 0
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
        self.end_command()
        self._files.interrupt()

    def end_command(self) -> None:
        """End the command that runs, but not a transfer that it may be part of."""
        with self._lock:
            self.interrupted = self._busy
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
