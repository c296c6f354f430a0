"""Time as something that is passed in, so that tests and simulations bring their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

#: A clock that also counts while a laptop sleeps, if the system has one, since that is part of a run's duration.
_STEADY = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """The source of time for everything that needs it."""

    def now(self) -> float:
        """The time in seconds since the epoch, UTC. It never jumps within a process, so differences are durations."""
        ...

    def wall(self) -> float:
        """The same by the machine's clock as it is set now, for things scheduled at a time of day."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards. Only differences are meaningful, also between processes."""
        ...


_monotonic: Callable[[], float] = time.monotonic if _STEADY is None else partial(time.clock_gettime, _STEADY)


#: The steady clock's zero, by the machine's clock when this process began.
_ORIGIN = time.time() - _monotonic()


class SystemClock:
    """This machine's clock.

    ``now`` reads the time of day once per process, and counts on steadily from there: if the clock were set during a
    run, its durations could be hours too long, or negative.
    """

    def now(self) -> float:
        return _ORIGIN + _monotonic()

    def wall(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return _monotonic()
