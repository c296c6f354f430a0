"""When a scheduled run starts: ``03:00``, ``mon-fri 03:00``, ``day 1 03:00``, ``2026-12-01 03:00``, every ``15m``."""

from __future__ import annotations

import re
from datetime import date, datetime, time

from msgspec import Struct

from drumline.errors import UsageError
from drumline.source.moments import duration

#: Monday is the first, as for ``datetime.weekday``.
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60
_FORMS = "Write 03:00, 'mon-fri 03:00', 'mon,thu 03:00', 'day 1 03:00' (of each month) or '2026-12-01 03:00' (once)."


class Times(Struct, frozen=True, kw_only=True):
    """The times at which runs start, by the clock of the machine that starts them."""

    text: str  #: As a person wrote it.
    at: time = time()
    every: int = 0  #: Minutes from one run to the next, counted from midnight; 0: once a day at most.
    weekdays: tuple[int, ...] = ()  #: Only on these.
    day: int = 0  #: Only on this day of each month.
    once: date | None = None  #: Only on this day.


def times_at(text: str, now: datetime) -> Times:
    """What ``--at`` says. Raises ``UsageError``."""
    *days, clock = text.lower().split() or [""]
    try:
        at = datetime.strptime(clock, "%H:%M").time()
        match days:
            case []:
                return Times(text=text, at=at)
            case ["day", number] if number.isdecimal() and 1 <= int(number) <= 31:
                return Times(text=text, at=at, day=int(number))
            case [named] if re.fullmatch(r"[a-z,-]+", named):
                return Times(text=text, at=at, weekdays=_weekdays(named))
            case [named]:
                return _once(Times(text=text, at=at, once=date.fromisoformat(named)), now)
    except ValueError:
        pass
    raise UsageError("--at isn't a time", f"'{text}' can't be read. {_FORMS}")


def times_every(text: str) -> Times:
    """What ``--every`` says. Raises ``UsageError``."""
    try:
        minutes = duration(text) / 60
    except ValueError as error:
        raise UsageError("--every isn't a duration", f"'{text}' can't be read. {error}") from None
    fits = [size for size in range(1, _DAY + 1) if 60 % size == 0 or (size % 60 == 0 and _DAY % size == 0)]
    if minutes not in fits:
        near = sorted(sorted(fits, key=lambda size: abs(size - minutes))[:2])
        detail = "Runs are counted from midnight, so that a number of them has to fill an hour or a day exactly. Write "
        raise UsageError("--every doesn't divide an hour or a day", f"{detail}{' or '.join(map(in_units, near))}.")
    return Times(text=f"every {text}", every=int(minutes))


def in_units(minutes: int) -> str:
    """``15m``, ``2h``, ``1d``."""
    if minutes == _DAY:
        return "1d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def _once(times: Times, now: datetime) -> Times:
    assert times.once is not None
    if datetime.combine(times.once, times.at) <= now:
        raise UsageError("--at is in the past", f"It is {now:%Y-%m-%d %H:%M}, and '{times.text}' won't come again.")
    return times


def _weekdays(text: str) -> tuple[int, ...]:
    """The days of ``mon-fri``, ``sat,sun``, ``fri-mon``, ``monday``. Raises ``ValueError``."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        begin = _weekday(first)
        end = _weekday(last) if dash else begin
        found.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return tuple(sorted(found))


def _weekday(text: str) -> int:
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return full.index(text) if text in full else WEEKDAYS.index(text)
