"""Time as something that is passed in, so that tests and simulations bring their own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the parts that need time are given."""

    def now(self) -> float:
        """Wall clock: seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards; only differences mean anything."""
        ...


class SystemClock:
    """This machine's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


def in_words(seconds: float) -> str:
    """A duration that a person wrote, for people: ``100 ms``, ``90 s``, ``10 m``, ``1 h 30 m``, ``2 d``."""
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    if seconds < 120 and seconds != 60:
        return f"{seconds:g} s"
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        count, seconds = divmod(seconds, size)
        parts.append(f"{count:.0f} {unit}" if count else "")
    parts.append(f"{seconds:g} s" if seconds else "")
    return " ".join(part for part in parts if part)


def moment(at: float) -> str:
    """A point in time for people, in UTC: ``2026-12-01 02:00:00 UTC``."""
    found = datetime.fromtimestamp(at, UTC)
    fraction = f".{found.microsecond:06d}".rstrip("0") if found.microsecond else ""
    return f"{found:%Y-%m-%d %H:%M:%S}{fraction} UTC"
