"""One WinRS shell on a host, and the commands in it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping

from drumline.plugin import ConnectionLost, HostError
from drumline_winrm import messages
from drumline_winrm.client import WsmanClient
from drumline_winrm.faults import Broken, NothingYet, OperationsFull, ServiceLate, ShellGone, TooLarge
from drumline_winrm.messages import Received

#: The least time that a host is given for a request, in seconds; Windows takes no less.
_SHORTEST = 0.5
#: Seconds between two questions for output to a host that answers "nothing yet" at once.
_PAUSE = 0.25
#: Seconds for which a host may answer that its own part for shells did not answer it.
_LATE_PATIENCE = 60.0


class WinrmShell:
    """Opened at its first command; after ``delete`` the next command opens another."""

    def __init__(
        self, client: WsmanClient, environment: Mapping[str, str] | None = None, directory: str | None = None
    ) -> None:
        self._client = client
        self._environment = environment or {}
        self._directory = directory
        self._limit = client.settings.operation_timeout
        self._commands = 0
        self._late_since: float | None = None
        self.id: str | None = None

    def open(self) -> None:
        """Ask the host for the shell now; raises the ``HostError`` of whatever is in the way."""
        if self.id is None:
            # Acting twice leaves a shell behind, which the host removes when it has been idle for long enough.
            message = messages.create(self._environment, self._directory, self._limit)
            try:
                self.id = self._client.ask(message, messages.shell_id, harmless_twice=True)
            except (ShellGone, NothingYet, TooLarge) as error:
                raise _told(error, self._client.settings.name) from None
            self._commands = 0

    def start(self, line: str) -> str:
        """Start a command line and return its id. Renews the shell when it is gone or its quota is used up.

        Raises ``Broken`` when the host did not say in time whether it did.
        """
        if self._commands >= self._client.settings.max_operations:
            self.delete()
        for last in (False, True):
            self.open()
            assert self.id is not None
            try:
                command = self._client.ask(messages.command(self.id, line, self._limit), messages.command_id)
            except (ShellGone, OperationsFull) as error:
                self.delete()
                if not last:
                    continue
                raise _told(error, self._client.settings.name) from None
            except NothingYet as nothing:
                said = f"{nothing} Whether it has started what it was asked to can't be known."
                raise Broken("Host too busy", said) from None
            except TooLarge as error:
                raise _told(error, self._client.settings.name) from None
            self._commands += 1
            return command
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
                self._client.ask(message, messages.sent, harmless_twice=harmless_twice and alone)
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
        began = time.monotonic()
        wait = self._limit if until is None else min(self._limit, max(_SHORTEST, until - began))
        message = messages.receive(self._known(), command, wait)
        try:
            received = self._client.ask(message, messages.received, wait=wait)
        except NothingYet as nothing:
            self._count(nothing)
            received = None
        else:
            self._late_since = None
        if received is None or not (received.output or received.done):
            # A host that has nothing to say waits before it says so. One that doesn't isn't asked without a pause.
            time.sleep(max(0.0, min(_PAUSE, began + wait - time.monotonic())))
        return received

    def _count(self, nothing: NothingYet) -> None:
        """Bear with a host that can't tell whether there is output, for a while."""
        if not isinstance(nothing, ServiceLate):
            self._late_since = None
            return
        now = time.monotonic()
        self._late_since = self._late_since or now
        if now - self._late_since > _LATE_PATIENCE:
            raise Broken(
                "Host too busy",
                f"{nothing} It has answered so for {_LATE_PATIENCE:g} seconds, whenever it was asked for output (code "
                "1460). Run less at a time on it, or look at what keeps it busy.",
            )

    def follow(self, command: str, ended: Callable[[], bool], deadline: float | None) -> Iterator[Received]:
        """All that the command says until it is done, someone else ends it, or the (monotonic) time comes.

        Raises ``ConnectionLost`` when the shell goes and no one meant it to.
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
            message = messages.terminate(self._known(), command, self._limit)
            self._client.ask(message, messages.signalled, harmless_twice=True)

    def delete(self) -> None:
        """End the shell and everything in it, as far as the host can be reached; raises nothing.

        A host that gave no answer just now isn't asked: it ends shells by itself that are idle for long enough.
        """
        if self.id is None:
            return
        shell, self.id = self.id, None
        if self._client.silent:
            return
        with contextlib.suppress(HostError, ShellGone, NothingYet, TooLarge):
            self._client.ask(messages.delete(shell, self._limit), messages.deleted, harmless_twice=True)

    def _known(self) -> str:
        if self.id is None:
            raise ShellGone("The shell was deleted.")
        return self.id


def _told(error: Exception, host: str) -> HostError:
    """What nothing more can be done about, for the person who waits."""
    if isinstance(error, HostError):
        return error
    if isinstance(error, NothingYet):
        return HostError("Host too busy", f"{error} {host} did not open a shell in time. Try again later.")
    if isinstance(error, TooLarge):
        return HostError("Request too large", f"{host} does not accept a command that long, or that many variables.")
    return HostError("The host ends every shell at once", str(error))
