"""A session: one protocol, one shell, one warm PowerShell in it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from msgspec.structs import replace

from drumline.plugin import (
    CommandRefused,
    ConnectionLost,
    Emit,
    Ending,
    Exit,
    Get,
    HostError,
    Language,
    OptionInvalid,
    Put,
    Run,
)
from drumline_winrm import frames
from drumline_winrm.client import WsmanClient
from drumline_winrm.faults import NothingYet, ShellGone, TooLarge
from drumline_winrm.lines import NativeLines
from drumline_winrm.options import WinrmSettings
from drumline_winrm.shell import WinrmShell
from drumline_winrm.staging import WinrmStaged
from drumline_winrm.transfers import Transfers
from drumline_winrm.warm import NoPowerShell, NotInTime, WarmPowerShell, WarmResult

_T = TypeVar("_T")

#: Windows' limit for a command line, in characters.
_LONGEST_LINE = 32_000
#: seconds that closing waits for a command to be ended
_CLOSE_PATIENCE = 3.0
#: seconds for a transfer to notice an interrupt; then its request is broken off
_GIVE_UP_PATIENCE = 3.0


class WinrmSession:
    """See :class:`drumline.plugin.Session`.

    A command that is ended takes the shell with it, and the PowerShell in it: that is the one way in which Windows
    surely ends a whole tree of processes. The next command starts both anew, which costs a second or two.
    """

    def __init__(self, settings: WinrmSettings) -> None:
        self._settings = settings
        self._client = WsmanClient(settings)
        self._shell = WinrmShell(self._client)
        self._warm = WarmPowerShell(self._client, self._shell)
        self._native = NativeLines(self._client, self._shell)
        self._no_powershell: NoPowerShell | None = None
        self._transfers = Transfers(self._client, self._warm, self._start, self.ended)
        #: Guards the four below: who interrupts must find either nothing or the command that is meant.
        self._lock = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._interrupted = False
        self._putting = False  #: What runs is a file on its way up.
        self._held: WinrmStaged | None = None  #: What waits for its word, while no one works with the protocol.

    def open(self) -> None:
        """Log in and open the shell, or raise the ``HostError`` that says what is in the way."""
        self._shell.open()

    def run(self, request: Run, emit: Emit) -> Exit:
        self._refuse(request)
        with self._working():
            return self.exit_of(self._answer(self._plain(request), emit))

    def stage(self, request: Run) -> WinrmStaged:
        """See :class:`drumline.plugin.StagingSession`.

        ``CommandRefused`` says that the command could not be started, or that there is no PowerShell to wait with it.
        """
        self._refuse(request)
        note = frames.Note(frames.nonce())
        staged = WinrmStaged(self, self._warm, note.name, request.timeout)
        with self._working():
            self._hold(self._plain(request), note)
            if note.time is not None:
                staged.wait_since(note.time)
            self._held = staged
        return staged

    def put(self, request: Put) -> None:
        with self._working(transfer=True):
            self._transfers.put(request)

    def get(self, request: Get) -> None:
        with self._working():
            self._transfers.get(request)

    def interrupt(self) -> None:
        with self._lock:
            idle = self._idle.is_set()
            if self._interrupted or (idle and self._held is None):
                return
            self._interrupted = True
            if not idle and not self._putting:
                self._end_from_outside()
        if not idle and not self._idle.wait(_GIVE_UP_PATIENCE):
            with self._lock:
                if self._putting and self._interrupted:
                    self._client.abandon()

    def close(self) -> None:
        self.interrupt()
        held = self._held
        # Whoever still runs something lets go of the protocol first, unless the host doesn't answer any more.
        if (held is None or held.rest(_CLOSE_PATIENCE)) and self._idle.wait(_CLOSE_PATIENCE):
            self._warm.stop()
        self._client.close()

    @contextlib.contextmanager
    def _working(self, *, transfer: bool = False) -> Iterator[None]:
        """``transfer``: what runs looks by itself whether it was interrupted, between two requests."""
        with self._lock:
            self._idle.clear()
            self._interrupted = False
            self._putting = transfer
        try:
            yield
        finally:
            with self._lock:
                self._putting = False
                self._idle.set()

    # For what is staged

    @contextlib.contextmanager
    def resuming(self) -> Iterator[bool]:
        """Go on with what was staged; gives whether it is still wanted, which it isn't after an interrupt."""
        with self._lock:
            self._held = None
            self._idle.clear()
            wanted = not self._interrupted
        try:
            yield wanted
        finally:
            with self._lock:
                self._idle.set()

    def ended(self) -> bool:
        """Whether someone has interrupted what runs."""
        return self._interrupted

    def exit_of(self, answer: WarmResult) -> Exit:
        """What ``run`` returns for an answer. Raises ``ConnectionLost`` for one that no one knows the meaning of."""
        if self._interrupted and answer.code is None:
            self._warm.stop()
            return Exit(code=None, ending=Ending.INTERRUPTED)
        if answer.timed_out:
            self._warm.stop()
            return Exit(code=None, ending=Ending.TIMED_OUT)
        if answer.code is None:
            raise ConnectionLost(
                "The host gave no exit code",
                f"The command on {self._settings.name} has ended, but the host can't tell how it ended.",
            )
        return Exit(code=answer.code)

    def _end_from_outside(self) -> None:
        """End what runs by a connection of its own, since the session's is waiting for its output."""
        found = [(self._shell.id, self._warm.command), (self._native.shell_id, self._native.command)]
        client = WsmanClient(self._settings)
        shell = WinrmShell(client)
        # If the host can't be reached this way, there is nothing to wait for.
        try:
            for shell.id, command in found:
                if shell.id is not None and command is not None:
                    shell.terminate(command)
        except (HostError, NothingYet, TooLarge):
            self._client.abandon()
        finally:
            client.close()

    def _refuse(self, request: Run) -> None:
        if request.become is not None:
            raise OptionInvalid(
                "Windows hosts can't run tasks as another user yet",
                f"WinRM runs commands as the user that logs in: log in to {self._settings.name} as "
                f"'{request.become.user}' instead, with 'ansible_user' and 'ansible_password'.",
            )
        if request.language is Language.SH:
            raise OptionInvalid("This host speaks PowerShell", "A shell script can't run on it; use PowerShell or cmd.")

    def _answer(self, request: Run, emit: Emit) -> WarmResult:
        deadline = _deadline(request)
        try:
            if not self._is_for_powershell(request, deadline):
                return self._native.run(request, emit, self.ended, deadline)
            name = frames.nonce()

            def ask() -> WarmResult:
                answer = self._warm.ask([self._line(name, request)], name, emit, self.ended, deadline)
                if answer.code is not None:
                    self._warm.libraries.add(frames.library_id(request.library))
                return answer

            return self._twice(ask, deadline)
        except NotInTime:
            return WarmResult(code=None, timed_out=not self._interrupted)

    def _hold(self, request: Run, note: frames.Note) -> None:
        """Return when the command waits, which the note says then, or was interrupted."""
        said = bytearray()

        def hold() -> WarmResult | None:
            line = self._line(note.name, request, held=True)
            return self._warm.hold(line, note, lambda _stream, data: said.extend(data), self.ended)

        answer: WarmResult | None = WarmResult(code=None)
        with contextlib.suppress(NotInTime):
            if not self._is_for_powershell(request):
                raise CommandRefused(
                    "A command line can't be held back there",
                    f"{self._settings.name} has no Windows PowerShell '{self._settings.shell}' to wait with it.",
                )
            answer = self._twice(hold)
        if answer is None:
            self._warm.libraries.add(frames.library_id(request.library))
        elif self.exit_of(answer).code is not None:
            words = " ".join(said.decode(errors="replace").split()) or f"it ends at once, with {answer.code}"
            raise CommandRefused("The command can't be started", f"{self._settings.name} says: {words}")

    def _is_for_powershell(self, request: Run, deadline: float | None = None) -> bool:
        """Whether the warm PowerShell runs it, which is running then; else it is a line for the shell itself."""
        script = request.language is Language.POWERSHELL
        try:
            self._start(deadline)
        except NoPowerShell:
            if script:
                raise
            return False
        return script or self._warm.windows

    def _line(self, name: str, request: Run, *, held: bool = False) -> bytes:
        return frames.request_line(
            name,
            request.language.value,
            request.text,
            directory=request.directory,
            environment=request.environment,
            stdin=request.stdin,
            library=request.library,
            kept=self._warm.libraries,
            held=held,
        )

    def _twice(self, ask: Callable[[], _T], deadline: float | None = None) -> _T | WarmResult:
        """Ask the warm PowerShell; once more when it turns out to have gone while nothing ran."""
        try:
            return ask()
        except ShellGone:
            if self._interrupted:
                return WarmResult(code=None)
        self._start(deadline)
        try:
            return ask()
        except ShellGone as gone:
            raise ConnectionLost("The host ended the shell", f"{gone} It does so with every new one.") from None

    def _start(self, deadline: float | None = None) -> None:
        if self._no_powershell is not None:
            raise self._no_powershell
        try:
            self._warm.start(self.ended, deadline)
        except NoPowerShell as error:
            self._no_powershell = error
            raise

    def _plain(self, request: Run) -> Run:
        """The same without an ``executable``: a line that starts that program, unless it is the usual one."""
        program = (request.executable or "").lower().removesuffix(".exe")
        if not program or request.language is Language.EXEC or program in self._usual(request.language):
            return replace(request, executable=None)
        if request.language is Language.POWERSHELL:
            line = frames.script_line(str(request.executable))
            stdin = frames.script_input(request.script, request.stdin)
            return replace(request, language=Language.EXEC, text=line, stdin=stdin, library="", executable=None)
        line = f'"{request.executable}" /d /s /c "{request.text}"'
        if len(line) > _LONGEST_LINE:
            raise OptionInvalid(
                "The line is too long", f"A command line of Windows has {_LONGEST_LINE} characters at most."
            )
        return replace(request, language=Language.EXEC, text=line, executable=None)

    def _usual(self, language: Language) -> tuple[str, ...]:
        return ("cmd",) if language is Language.CMD else (self._settings.shell.lower().removesuffix(".exe"),)


def _deadline(request: Run) -> float | None:
    return None if request.timeout is None else time.monotonic() + request.timeout
