"""Commands that wait on their hosts for the word to start, and the burst that gives it to all of them."""

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
    """What the burst calls for one host, ready made: ``give(at)``."""

    give: Callable[[float | None], None]
    at: float | None  #: By the host's own clock; None: at once.


def stage(session: Session, request: Run, transport: str) -> Staged:
    """Bring a command to its host and let it wait there. Raises ``ActionFailed`` where sessions can't do that."""
    bring: Callable[[Run], Staged] | None = getattr(session, "stage", None)
    if bring is None:
        raise ActionFailed(
            f"The transport '{transport}' can't hold a command back until all hosts are ready, so that 'start' is"
            " not for its hosts."
        )
    return bring(request)


class Held:
    """A staged command until it starts or is given up: its job's thread waits, and the driver's gives the word."""

    def __init__(self, staged: Staged, reading: ClockReading) -> None:
        self.reading = reading
        self.instant: float | None = None  #: When it starts, by this machine's clock; None: at once.
        self._staged = staged
        self._decided = threading.Event()
        self._released = False
        self._error: Exception | None = None

    # Called by the driver.

    def is_lost(self) -> bool:
        """Whether its host or its process is known to be gone; then ``wait`` raises what is wrong."""
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
        """The word to start, at an instant by this machine's clock, or at once."""
        self.instant = instant
        return Word(self._staged.release, None if instant is None else instant + self.reading.offset)

    def go(self) -> None:
        """The word was given."""
        self._released = True
        self._decided.set()

    def give_up(self) -> None:
        """Let it not start; no effect once the word was given. May be called from any thread."""
        self._decided.set()

    # Called by the job's thread.

    def wait(self) -> bool:
        """Wait for what becomes of it; returns whether the word was given."""
        self._decided.wait()
        if self._error is not None:
            raise self._error
        return self._released


def release(held: Sequence[Held], instant: float | None, now: Callable[[], float]) -> float | None:
    """Give all of them the word to start; returns the seconds from the first to the last.

    None when one of them is lost, or when the word would come too late to someone: then no one is given it, and the
    jobs at fault end.
    """
    lost = [one for one in held if one.is_lost()]
    if lost:
        return None
    words = [one.word(instant) for one in held]
    slowest = max(held, key=lambda one: one.reading.round_trip)
    if instant is not None and now() + slowest.reading.round_trip > instant:
        slowest.fail(ActionFailed("The moment to start was so near that the word would have come too late."))
        return None
    seconds = burst(words)
    for one in held:
        one.go()
    return seconds


def burst(words: Sequence[Word]) -> float:
    """Give them all, one right after the other; returns the seconds from the first to the last."""
    collecting = gc.isenabled()
    gc.disable()  # a collection takes longer than all the words together
    try:
        began = time.perf_counter()
        for give, at in words:
            give(at)
        return time.perf_counter() - began
    finally:
        if collecting:
            gc.enable()
