"""Time as something that is passed in, so that tests and simulations bring their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

#: Counts while a laptop sleeps, where the system has such a clock: that is part of how long a run took.
_STEADY = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """What the parts that need time are given."""

    def now(self) -> float:
        """When it is: seconds since the epoch, UTC. Within a process it never jumps: differences are durations."""
        ...

    def wall(self) -> float:
        """The same by the machine's clock as it is set at this moment: for what people have put at a time of day."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards; only differences mean anything, also between processes."""
        ...


_monotonic: Callable[[], float] = time.monotonic if _STEADY is None else partial(time.clock_gettime, _STEADY)


#: When the steady clock stood at nothing, by the machine's clock as it was when this process began.
_ORIGIN = time.time() - _monotonic()


class SystemClock:
    """This machine's clock.

    ``now`` reads the time of day once for the process, and counts on steadily from there: the clock may be
    set while a run goes on, and then its durations would be hours too long, or negative.
    """

    def now(self) -> float:
        return _ORIGIN + _monotonic()

    def wall(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return _monotonic()
