"""A session: commands one after the other in warm shells, and files over SFTP or through the shell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import paramiko
from msgspec.structs import replace

from drumline.plugin import (
    Become,
    CommandRefused,
    ConnectionLost,
    Emit,
    Ending,
    Exit,
    Get,
    HostError,
    Put,
    Run,
    Staged,
)
from drumline.plugin.marks import nonce
from drumline.plugin.posix import shell_script
from drumline.plugin.staging import Remarks, staged_script
from drumline_ssh import wire
from drumline_ssh.ending import ending_script
from drumline_ssh.files import Files
from drumline_ssh.settings import SshSettings
from drumline_ssh.shell import Woken
from drumline_ssh.shells import RunningCommand, SshShells
from drumline_ssh.staging import SshStaged

#: Longest input, in bytes, that goes through the warm shell, growing fourfold there; more gets a channel of its own.
_SMALL_INPUT = 16_384
#: Seconds for ending a command on the host, and then for its shell to say so.
_ENDING_PATIENCE = 30.0


class SshSession:
    """One user at a time; ``interrupt`` may come from any thread."""

    def __init__(
        self,
        transport: paramiko.Transport,
        settings: SshSettings,
        beside: Callable[[], list[paramiko.Transport]],
    ) -> None:
        self.place = place = settings.place
        self._user = settings.user
        timeout = settings.timeout
        self._shells = SshShells(transport, place, timeout, beside)
        self._files = Files(self, transport, place, timeout)

    @property
    def interrupted(self) -> bool:
        """Whether ``interrupt`` was called since the last command was begun."""
        return self._shells.interrupted

    def run(self, request: Run, emit: Emit) -> Exit:
        """See :class:`drumline.plugin.Session`."""
        # The shell that reads it is the other user's already.
        script, become = shell_script(replace(request, become=None)), self._become(request)
        deadline = None if request.timeout is None else time.monotonic() + request.timeout
        with ExitStack() as use:
            use.enter_context(self._in_use())
            try:
                if len(request.stdin) > _SMALL_INPUT:
                    command = self._shells.begin_once(use, become, script, request.stdin, deadline)
                else:
                    command = self._shells.begin(
                        become, lambda word, started: wire.command(script, word, request.stdin, started), deadline
                    )
            except Woken:  # before there was a shell
                return Exit(code=None, ending=self._reason)
            return self.follow(command, emit, deadline)

    def stage(self, request: Run) -> Staged:
        """See :class:`drumline.plugin.StagingSession`."""
        remarks = Remarks(nonce())
        script, become = staged_script(replace(request, become=None), remarks.word), self._become(request)
        with ExitStack() as use:
            use.enter_context(self._in_use())
            try:
                if len(request.stdin) > _SMALL_INPUT:
                    command = self._shells.begin_once(use, become, script)
                    later = request.stdin
                else:
                    stdin = request.stdin
                    command = self._shells.begin(
                        become, lambda word, started: wire.staged(script, word, stdin, started)
                    )
                    later = b""
            except Woken:
                raise CommandRefused("The command can't be staged", f"{self.place}: it was interrupted.") from None
            staged = SshStaged(self, command, request.timeout, later, remarks)
            staged.wait_until_ready()
            staged.use = use.pop_all()
        return staged

    def _become(self, request: Run) -> Become | None:
        """Whom the command has to become: as in Ansible, no one becomes the user who has logged in."""
        become = request.become
        return None if become is None or become.user == self._user else become

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        """For the time of one command."""
        try:
            with self._shells.in_use():
                yield
        except ConnectionLost:
            self._shells.close()
            raise

    def watching(self, command: RunningCommand) -> AbstractContextManager[None]:
        """While the caller waits for it: an interrupt wakes the caller, also one that came before."""
        return self._shells.waking(command.shell)

    def follow(self, command: RunningCommand, emit: Emit, deadline: float | None) -> Exit:
        """Hand over what a command says until it has ended, or its time is."""
        with self.watching(command):
            try:
                return wire.exit_of(command.shell.collect(command.word, emit, deadline))
            except Woken:
                return self.end(command, emit)

    @property
    def _reason(self) -> Ending:
        return Ending.INTERRUPTED if self.interrupted else Ending.TIMED_OUT

    def end(self, command: RunningCommand, emit: Emit) -> Exit:
        """End a command and its children, since its time is up or it was interrupted; read what it still said."""
        ending = self._reason
        survived = self.run_beside(ending_script(command.shell.pid), command=command)
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
            self._shells.close()
            raise HostError(
                "The command can't be ended",
                f"{self.place}: its time was up or it was interrupted, but processes of it outlive SIGKILL, or belong"
                " to a user whom this one may not end.",
            )
        return Exit(code=None, ending=ending)

    def run_beside(
        self, script: str, patience: float = _ENDING_PATIENCE, command: RunningCommand | None = None
    ) -> bool:
        """Run a script in a shell of its own, as the user of ``command``; nothing interrupts it. Whether it failed."""
        return self._shells.run_beside(script, patience, command.become if command else None)

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
        self._shells.interrupt()

    def close(self) -> None:
        """See :class:`drumline.plugin.Session`."""
        self._files.close()
        self._shells.close()
