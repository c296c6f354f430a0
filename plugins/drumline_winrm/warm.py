"""The warm PowerShell of one session: started once in the session's shell, then one Send and one Receive a command.

On the common path a command costs two requests. Both directions are described in ``worker.ps1``.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from drumline.plugin import ConnectionLost, Emit, HostError, Stream
from drumline_winrm import frames
from drumline_winrm.client import WsmanClient
from drumline_winrm.faults import ShellGone, Silent, Untrusted
from drumline_winrm.messages import Received, payload
from drumline_winrm.shell import WinrmShell

#: What the worker says first; ``windows`` or ``other`` and PowerShell's version follow.
_READY = b"drumline ready "
#: seconds for PowerShell to start; a host that is busy installing updates takes a minute
_START_PATIENCE = 120.0
#: bytes that it may say before it is ready, or in the line that ends a request
_LONGEST_WORDS = 65_536


class NoPowerShell(HostError):
    """The host has no PowerShell by that name, or won't let it run."""


class NotInTime(Exception):
    """It was given up before it could be used."""


class _Wordless(NoPowerShell):
    """It ended at once without saying why, as programs do that Windows lacks something for at that moment."""


class WarmResult(Struct, frozen=True, kw_only=True):
    """How a request ended. ``code`` is None when its time was up, or when it was ended from elsewhere."""

    code: int | None
    detail: str = ""
    timed_out: bool = False


class WarmPowerShell:
    """Runs one request after the other. After anything but a regular end it is started anew by itself."""

    def __init__(self, client: WsmanClient, shell: WinrmShell) -> None:
        self._client = client
        self._shell = shell
        self._program = client.settings.shell
        self.command: str | None = None  #: The id of its command in the shell; None while it isn't running.
        self._stale = False  #: Something of the last request may be left in the shell.
        self.libraries: set[str] = set()  #: Ids of the libraries that it keeps.
        self.windows = True  #: False for the PowerShell of another system, which has no ``cmd``.

    def start(self, ended: Callable[[], bool] = lambda: False, deadline: float | None = None) -> None:
        """Start it if it isn't running. Raises ``NoPowerShell`` with what the host says about it.

        ``NotInTime`` says that someone else ended that, or that the (monotonic) deadline came first.
        """
        if self.command is not None:
            return
        if self._stale:
            self.stop()
        try:
            self._start(ended, deadline)
        except (Silent, Untrusted):
            raise
        except (ConnectionLost, _Wordless):
            # Nothing of the caller's has run, so that a second attempt in a new shell does no harm.
            self.stop()
            self._start(ended, deadline)

    def _start(self, ended: Callable[[], bool], deadline: float | None) -> None:
        self.libraries.clear()
        command = self._shell.start(frames.start_line(self._program))
        said = bytearray()
        with contextlib.suppress(ShellGone):  # It ended at once; why stands in its output.
            self._shell.send(command, frames.worker_line())
        patience = time.monotonic() + _START_PATIENCE
        until = patience if deadline is None else min(patience, deadline)
        while not (said.startswith(_READY) and said.endswith(b"\n")):
            received = self._first(command, until)
            said += b"".join(data for _, data in received.output) if received else b""
            over = received is not None and received.done
            if not over and (ended() or time.monotonic() > until != patience):
                self.stop()
                raise NotInTime
            if over or len(said) > _LONGEST_WORDS or time.monotonic() > patience:
                self._shell.terminate(command)
                code = received.exit_code if received else None
                words = _first_words(self._client, self._program, bytes(said), code)
                kind = _Wordless if over and not said else NoPowerShell
                raise kind("PowerShell can't be started", words)
        self.command = command
        self.windows = said.removeprefix(_READY).startswith(b"windows")

    def _first(self, command: str, until: float) -> Received | None:
        try:
            return self._shell.receive(command, until)
        except ShellGone as gone:
            raise ConnectionLost("The host ended the shell", str(gone)) from None

    def stop(self) -> None:
        """End it with everything that it has started, and its shell with them."""
        self.command = None
        self._stale = False
        self._shell.delete()

    def ask(
        self, lines: Iterable[bytes], name: str, emit: Emit, ended: Callable[[], bool], deadline: float | None
    ) -> WarmResult:
        """Send the lines of one request, and hand on what it says until it ends.

        ``name`` is the request's nonce, ``ended`` says whether someone else ends it, ``deadline`` is a monotonic time.
        Raises ``ConnectionLost`` when the answer may be lost; the request may then have been run or not, and
        whatever is left of it is ended before the next one.
        """
        with self._sound():
            self._submit(lines)
            return self._follow(name, emit, ended, deadline)

    def hold(self, line: bytes, note: frames.Note, emit: Emit, ended: Callable[[], bool]) -> WarmResult | None:
        """Have a request made ready; returns None when it waits for its word, and the note says since when.

        Otherwise it ended without waiting, and ``emit`` was given what it said. Raises as ``ask`` does.
        """
        with self._sound():
            self._submit([line])
            answer = self._follow(note.name, _behind(note, emit), ended, None, until=note)
        return answer if note.time is None else None

    def give(
        self, word: bytes, note: frames.Note, emit: Emit, ended: Callable[[], bool], deadline: float | None
    ) -> WarmResult:
        """Give a held request its word; as ``ask``. The note says when it started, if it did."""
        with self._sound():
            self._submit([word])
            return self._follow(note.name, _behind(note, emit), ended, deadline)

    def keep(self) -> None:
        """Say something that means nothing, so that neither the connection nor the shell is idle for too long."""
        self._submit([frames.IDLE_LINE])

    @contextlib.contextmanager
    def _sound(self) -> Iterator[None]:
        """After an exception nothing more is asked of this PowerShell."""
        try:
            yield
        except BaseException as error:
            self.command = None
            self._stale = True
            if isinstance(error, frames.Garbled):
                name = self._client.settings.name
                raise Untrusted("Answer not understood", f"PowerShell on {name} gives {error}.") from None
            raise

    def _submit(self, lines: Iterable[bytes]) -> None:
        """As few Sends as the host's limit allows. The worker knows a request that it has had before by its nonce."""
        if self.command is None:
            raise ShellGone("The PowerShell has ended.")
        waiting = bytearray()
        alone = True
        for line in lines:
            if waiting and len(waiting) + len(line) > payload(self._client.envelope):
                self._shell.send(self.command, bytes(waiting))
                waiting.clear()
                alone = False
            waiting += line
        self._shell.send(self.command, bytes(waiting), harmless_twice=alone)

    def _follow(
        self,
        name: str,
        emit: Emit,
        ended: Callable[[], bool],
        deadline: float | None,
        until: frames.Note | None = None,
    ) -> WarmResult:
        assert self.command is not None
        marks = frames.EndMarks(name)
        for received in self._shell.follow(self.command, ended, deadline):
            for stream, data in received.output:
                marks.feed(stream, data, emit)
            if marks.complete:
                return WarmResult(code=marks.code, detail=marks.detail)
            if until is not None and until.time is not None:
                break
            if received.done:
                return self._ended(marks, emit, received.exit_code)
        return WarmResult(code=None, timed_out=not ended())

    def _ended(self, marks: frames.EndMarks, emit: Emit, code: int | None) -> WarmResult:
        """The command took the PowerShell with it; its exit code is the command's."""
        for stream, data in marks.rest():
            emit(stream, data)
        self.command = None
        self._stale = True
        return WarmResult(code=code)

    def piece_size(self) -> int:
        """How many bytes of a file fill one Send."""
        return payload(self._client.envelope) - frames.PIECE_HEAD


def _behind(note: frames.Note, emit: Emit) -> Emit:
    """Hands on what stands behind a note."""

    def take(stream: Stream, data: bytes) -> None:
        rest = note.pass_on(data) if stream == "stdout" else data
        if rest:
            emit(stream, rest)

    return take


def _first_words(client: WsmanClient, program: str, said: bytes, code: int | None) -> str:
    silent = "it says nothing" if code is None else f"it ended with exit code {code} and said nothing"
    words = " ".join(said.decode(errors="replace").split())[:500] or silent
    return (
        f"'{program}' on {client.settings.name}: {words}. Set drumline_winrm_shell to powershell or pwsh, whichever is "
        "installed there; it must not be limited to ConstrainedLanguage for this user."
    )
