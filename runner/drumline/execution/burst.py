"""Commands that wait on their hosts for the go signal, and the burst that sends it to all of them."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from drumline.errors import HostError
from drumline.model.outcome import ClockReading
from drumline.model.request import Run
from drumline.plugin.actions import ActionFailed
from drumline.plugin.transports import Session, Staged


class Word(NamedTuple):
    """The prepared call that sends the go signal to one host: ``give(at)``."""

    give: Callable[[float | None], None]
    at: float | None  #: By the host's own clock; None: at once.


def stage(session: Session, request: Run, transport: str) -> Staged:
    """Send a command to its host and let it wait there. Raises ``ActionFailed`` if the sessions can't do that."""
    bring: Callable[[Run], Staged] | None = getattr(session, "stage", None)
    if bring is None:
        raise ActionFailed(
            f"The transport '{transport}' can't hold a command back until all hosts are ready, so 'start' can't be "
            "used for its hosts."
        )
    return bring(request)


class Held:
    """A staged command until it starts or is given up. Its job's thread waits; the driver's sends the go signal."""

    def __init__(self, staged: Staged, reading: ClockReading) -> None:
        self.reading = reading
        self.instant: float | None = None  #: When it starts, by this machine's clock; None: at once.
        self._staged = staged
        self._decided = threading.Event()
        self._released = False
        self._error: Exception | None = None

    # Called by the driver.

    def is_lost(self) -> bool:
        """Whether its host or its process is known to be gone; then ``wait`` raises the error."""
        try:
            self._staged.check()
        except HostError as error:
            self.fail(error)
            return True
        return False

    def fail(self, error: Exception) -> None:
        """Let ``wait`` raise this."""
        self._error = error
        self._decided.set()

    def word(self, instant: float | None) -> Word:
        """The go signal for an instant by this machine's clock, or for at once."""
        self.instant = instant
        return Word(self._staged.release, None if instant is None else instant + self.reading.offset)

    def go(self) -> None:
        """The go signal was sent."""
        self._released = True
        self._decided.set()

    def give_up(self) -> None:
        """Keep it from starting; no effect once the go signal was sent. May be called from any thread."""
        self._decided.set()

    # Called by the job's thread.

    def wait(self) -> bool:
        """Wait until it starts or is given up; returns whether the go signal was sent."""
        self._decided.wait()
        if self._error is not None:
            raise self._error
        return self._released


def release(held: Sequence[Held], instant: float | None, now: Callable[[], float]) -> float | None:
    """Send all of them the go signal; returns the seconds from the first to the last.

    Returns None if a command is lost, or if the signal would reach a host too late: then none is sent, and the jobs at
    fault end.
    """
    lost = [one for one in held if one.is_lost()]
    if lost:
        return None
    words = [one.word(instant) for one in held]
    slowest = max(held, key=lambda one: one.reading.round_trip)
    if instant is not None and now() + slowest.reading.round_trip > instant:
        slowest.fail(ActionFailed("The start was so close that the go signal would have come too late."))
        return None
    seconds = burst(words)
    for one in held:
        one.go()
    return seconds


def burst(words: Sequence[Word]) -> float:
    """Send all go signals, one right after the other; returns the seconds from the first to the last."""
    collecting = gc.isenabled()
    gc.disable()  # a collection takes longer than all the signals together
    try:
        began = time.perf_counter()
        for give, at in words:
            give(at)
        return time.perf_counter() - began
    finally:
        if collecting:
            gc.enable()
