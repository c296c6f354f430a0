"""A command that waits in the warm PowerShell for the word to start."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from drumline.plugin import ConnectionLost, Emit, Ending, Exit, HostError
from drumline_winrm import frames
from drumline_winrm.faults import ShellGone

if TYPE_CHECKING:
    from drumline_winrm.session import WinrmSession
    from drumline_winrm.warm import WarmPowerShell

#: Seconds between two signs of life. Windows closes a connection after 120 idle ones; shells may be given as few.
_PERIOD = 20.0
#: Seconds for a command that is given up to be gone; after that its shell is ended.
_CANCEL_PATIENCE = 10.0


class WinrmStaged:
    """See :class:`drumline.plugin.Staged`.

    ``release`` only notes that it came, because a request waits for its answer: ``finish`` sends the word, over a
    connection that was kept awake. An interrupt before that is a note as well, and the word is never sent.
    """

    def __init__(self, session: WinrmSession, warm: WarmPowerShell, name: str, timeout: float | None) -> None:
        self.started: float | None = None
        self._session = session
        self._warm = warm
        self._name = name
        self._timeout = timeout
        self._awake = Awake(warm.keep, _PERIOD)
        #: When it was staged, by the host's clock and by the monotonic one here.
        self._there = self._here = 0.0
        self._at: float | None = None
        self._released = 0.0
        self._over = False

    def wait_since(self, there: float) -> None:
        """It waits, and the host's clock shows ``there`` (seconds since the epoch)."""
        self._there, self._here = there, time.monotonic()
        self._awake.start()

    def rest(self, patience: float | None = None) -> bool:
        """Leave the connection alone from now on; whether that could be done within this many seconds."""
        return self._awake.stop(patience)

    def check(self) -> None:
        if self._awake.lost is not None:
            raise self._awake.lost

    def release(self, at: float | None = None) -> None:
        self._at = at
        self._released = time.monotonic()

    def finish(self, emit: Emit) -> Exit:
        self._over = True
        self.rest()
        with self._session.resuming() as wanted:
            if not wanted:
                self._drop()
                return Exit(code=None, ending=Ending.INTERRUPTED)
            return self._start(emit)

    def cancel(self) -> None:
        if self._over:
            return
        self._over = True
        self.rest()
        with self._session.resuming():
            self._drop()

    def _start(self, emit: Emit) -> Exit:
        word = frames.go_line(self._name, self._at)
        note = frames.Note(self._name)
        try:
            answer = self._warm.give(word, note, emit, self._session.ended, self._deadline())
        except ShellGone as gone:
            raise _gone(gone) from None
        finally:
            self.started = note.time
        return self._session.exit_of(answer)

    def _drop(self) -> None:
        """Have it forgotten; whatever is in the way of that, its shell is ended before the next command."""
        note = frames.Note(self._name)
        deadline = time.monotonic() + _CANCEL_PATIENCE
        try:
            answer = self._warm.give(frames.drop_line(self._name), note, _ignore, lambda: False, deadline)
        except (HostError, ShellGone):
            return
        if answer.code is None:
            self._warm.stop()

    def _deadline(self) -> float | None:
        """When its time is up, by the monotonic clock; with ``at`` it counts from that moment."""
        if self._timeout is None:
            return None
        starts = self._released if self._at is None else max(self._released, self._here + self._at - self._there)
        return starts + self._timeout


class Awake:
    """Says something that means nothing every now and then, on a thread of its own, until it is stopped or fails."""

    def __init__(self, say: Callable[[], None], period: float) -> None:
        self.lost: HostError | None = None  #: What was wrong when it failed.
        self._say = say
        self._period = period
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, a period from now."""
        self._thread = threading.Thread(target=self._run, name="drumline winrm staged", daemon=True)
        self._thread.start()

    def stop(self, patience: float | None = None) -> bool:
        """Return when no more output comes, or False after this many seconds; may come twice, or before it began."""
        self._stopped.set()
        if self._thread is None:
            return True
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopped.wait(self._period):
            try:
                self._say()
            except HostError as error:
                self.lost = error
            except ShellGone as gone:
                self.lost = _gone(gone)
            if self.lost is not None:
                return


def _gone(gone: ShellGone) -> ConnectionLost:
    return ConnectionLost("The host ended the shell", f"{gone} The command that waited in it went with it.")


def _ignore(_stream: str, _data: bytes) -> None:
    """What a command says that is given up is no one's."""
