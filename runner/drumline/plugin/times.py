"""Types of arguments that have to do with time; how they may be written is read before anything is sent."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from msgspec import Struct


class Duration(float):
    """Seconds, 0 or more; a person may write them with units as well: ``90s``, ``10m``, ``1h30m``."""

    __slots__ = ()


class Moment(Struct, frozen=True):
    """A point in time. A person writes ``02:00``, of this machine's day, or ``2026-12-01T02:00:00+01:00``."""

    #: Seconds since the epoch, or the time that this machine's clock shows every day.
    when: float | time

    def after(self, now: float) -> float:
        """Seconds since the epoch: of a time of day the next one from ``now`` on; a date stays, even if it is past."""
        if isinstance(self.when, float):
            return self.when
        today = datetime.combine(datetime.fromtimestamp(now).date(), self.when)
        at = today.timestamp()
        return at if at >= now else (today + timedelta(days=1)).timestamp()
