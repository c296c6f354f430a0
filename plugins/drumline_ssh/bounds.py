"""What ends a transfer before its end: its time, a host that goes silent, an interrupt."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paramiko

from drumline.plugin import HostError, TransferFailed, TransferStopped

#: Seconds between two looks at the bounds while nothing comes.
TICK = 0.1
#: Bytes of a file that count as a sign of life: with one byte now and then a host would keep a transfer up for ever.
_MOVED = 4096
#: Seconds that a thread may take to notice that it is to stop, before the connection is closed under it.
_GRACE = 8.0
#: Seconds between two looks of the guard.
_LOOK = 0.5


class Patient(threading.Event):
    """For what paramiko waits for without an end: ``check`` raises when it has lasted too long."""

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__()
        self._check = check

    def wait(self, timeout: float | None = None) -> bool:
        """Returns when it is set, whatever the time-out."""
        while not super().wait(TICK):
            self._check()
        return True


class TransferBounds:
    """Of one transfer. ``interrupt`` may be called from any thread."""

    def __init__(self, place: str, timeout: float | None, silence: float) -> None:
        self.interrupted = False
        self._place = place
        self._timeout = timeout
        self._silence = silence  #: Seconds without a sign of life.
        self._moved = 0  # bytes since the last sign of life
        self._heard = time.monotonic()
        self._end = None if timeout is None else self._heard + timeout

    def interrupt(self) -> None:
        """The transfer is to stop."""
        self.interrupted = True

    @property
    def left(self) -> float | None:
        """Seconds; None: no end."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def moved(self, size: int = _MOVED) -> None:
        """The host sent or took this many bytes of the file, or answered."""
        self._moved += size
        if self._moved >= _MOVED:
            self._moved = 0
            self._heard = time.monotonic()

    def check(self) -> None:
        """Raise what ends the transfer."""
        reason = self.reason()
        if reason is not None:
            raise reason

    def time_out(self, seconds: float) -> None:
        """Raise, since a step of the transfer was ended after this many seconds."""
        left = self.left
        if left is not None and left < TICK:  # the shell's clock and this one may differ a little
            self._end = time.monotonic()
        self.check()
        raise TransferFailed(
            "The transfer was given up", f"{self._place}: a step of it took more than {seconds:.0f} s."
        )

    def reason(self) -> HostError | None:
        """What ends the transfer; None while nothing does."""
        now = time.monotonic()
        if self.interrupted:
            return TransferStopped("The transfer was interrupted", f"{self._place}: what had arrived was removed.")
        if self._end is not None and now >= self._end:
            why = f"{self._place}: it wasn't finished within {self._timeout:g} s; what had arrived was removed."
            return TransferStopped("The transfer timed out", why, timed_out=True)
        if now >= self._heard + self._silence:
            return TransferFailed(
                "The host stopped answering in the middle of a transfer",
                f"{self._place} moved less than {_MOVED} bytes within {self._silence:g} s, three times"
                " ansible_timeout. Raise ansible_timeout to allow more time.",
            )
        return None

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """While something else is waited for, silence is no sign of anything."""
        silence, self._silence = self._silence, math.inf
        try:
            yield
        finally:
            self._silence, self._heard = silence, time.monotonic()

    @contextmanager
    def guarding(self, transport: paramiko.Transport) -> Iterator[None]:
        """Close the connection when the transfer is to stop and its thread can't, stuck in writing to it."""
        done = threading.Event()

        def guard() -> None:
            ended: float | None = None
            while not done.wait(_LOOK):
                now = time.monotonic()
                if ended is None and self.reason() is not None:
                    ended = now
                if ended is not None and now >= ended + _GRACE:
                    transport.packetizer.close()
                    transport.close()
                    return

        thread = threading.Thread(target=guard, daemon=True, name="drumline ssh transfer")
        thread.start()
        try:
            yield
        finally:
            done.set()
