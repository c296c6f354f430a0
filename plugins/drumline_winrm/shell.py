"""One WinRS shell on a host, and the commands in it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping

from drumline.plugin import ConnectionLost, HostError
from drumline_winrm import messages
from drumline_winrm.client import Client
from drumline_winrm.faults import Broken, NothingYet, OperationsFull, ShellGone, TooLarge
from drumline_winrm.messages import Received

#: The least time that a host is given for a request, in seconds; Windows takes no less.
_SHORTEST = 0.5


class Shell:
    """Opened at its first command; after ``delete`` the next command opens another."""

    def __init__(
        self, client: Client, environment: Mapping[str, str] | None = None, directory: str | None = None
    ) -> None:
        self._client = client
        self._environment = environment or {}
        self._directory = directory
        self._limit = client.settings.operation_timeout
        self._commands = 0
        self.id: str | None = None

    def open(self) -> None:
        """Ask the host for the shell now; raises the ``HostError`` of whatever is in the way."""
        if self.id is None:
            # Acting twice leaves a shell behind, which the host removes when it has been idle for long enough.
            message = messages.create(self._environment, self._directory, self._limit)
            try:
                answer = self._client.ask(message, harmless_twice=True)
            except (ShellGone, NothingYet, TooLarge) as error:
                raise _told(error, self._client.settings.name) from None
            self.id = messages.shell_id(answer)
            self._commands = 0

    def start(self, line: str) -> str:
        """Start a command line and return its id. Renews the shell when it is gone or its quota is used up."""
        if self._commands >= self._client.settings.max_operations:
            self.delete()
        for last in (False, True):
            self.open()
            assert self.id is not None
            try:
                answer = self._client.ask(messages.command(self.id, line, self._limit))
            except (ShellGone, OperationsFull) as error:
                self.delete()
                if not last:
                    continue
                raise _told(error, self._client.settings.name) from None
            except (NothingYet, TooLarge) as error:
                raise _told(error, self._client.settings.name) from None
            self._commands += 1
            return messages.command_id(answer)
        raise AssertionError  # The second attempt returns or raises.

    def send(self, command: str, data: bytes, *, end: bool = False, harmless_twice: bool = False) -> None:
        """Write to a command's standard input, in as many requests as the host's limit makes it.

        ``harmless_twice``: the reader knows data that it has had before, if it came in one request.
        """
        start = 0
        while start < len(data) or (end and start == len(data) == 0):
            piece = data[start : start + messages.payload(self._client.envelope)]
            last = start + len(piece) >= len(data)
            alone = start == 0 and last
            message = messages.send(self._known(), command, piece, self._limit, end=end and last)
            try:
                self._client.ask(message, harmless_twice=harmless_twice and alone)
            except TooLarge:
                if self._client.envelope < len(piece):
                    continue
                raise HostError("Request too large", "The host takes no requests of even 150 KiB.") from None
            except NothingYet as nothing:
                raise Broken("Host too busy", f"{nothing} Its command did not take the input in time.") from None
            if last:
                return
            start += len(piece)

    def receive(self, command: str, until: float | None = None) -> Received | None:
        """What the command says next; None when that is nothing for a while, or until the (monotonic) time."""
        wait = self._limit if until is None else min(self._limit, max(_SHORTEST, until - time.monotonic()))
        try:
            return messages.received(self._client.ask(messages.receive(self._known(), command, wait)))
        except NothingYet:
            return None

    def follow(self, command: str, ended: Callable[[], bool], deadline: float | None) -> Iterator[Received]:
        """All that the command says until it is done, somebody else ends it, or the (monotonic) time comes.

        Raises ``ConnectionLost`` when the shell goes and nobody meant it to.
        """
        while True:
            try:
                received = self.receive(command, deadline)
            except ShellGone as gone:
                if ended():
                    return
                raise ConnectionLost("The host ended the shell", f"{gone} What ran in it was ended too.") from None
            if received:
                yield received
            over = deadline is not None and time.monotonic() >= deadline
            if (received and received.done) or ended() or over:
                return

    def terminate(self, command: str) -> None:
        """End a command with all that it has started. It may be over already."""
        with contextlib.suppress(ShellGone):
            self._client.ask(messages.terminate(self._known(), command, self._limit), harmless_twice=True)

    def delete(self) -> None:
        """End the shell and everything in it, as far as the host can be reached; raises nothing."""
        if self.id is None:
            return
        shell, self.id = self.id, None
        with contextlib.suppress(HostError, ShellGone, NothingYet):
            self._client.ask(messages.delete(shell, self._limit), harmless_twice=True)

    def _known(self) -> str:
        if self.id is None:
            raise ShellGone("The shell was deleted.")
        return self.id


def _told(error: Exception, host: str) -> HostError:
    """What nothing more can be done about, for the person who waits."""
    if isinstance(error, HostError):
        return error
    if isinstance(error, NothingYet):
        return HostError("Host too busy", f"{host} did not start what it was asked to in time. Try again later.")
    if isinstance(error, TooLarge):
        return HostError("Request too large", f"{host} does not take so long a command, or so many variables.")
    return HostError("The host ends every shell at once", str(error))
