"""Filters over times that are written out, such as ``1h 30m``.

Names, arguments and results are those that community.general documents for its filters of the same names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from jinja2.exceptions import FilterArgumentError

#: Milliseconds of each unit, and the names that it goes by.
_UNITS = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 7 * 86_400_000,
    "mo": 30 * 86_400_000,
    "y": 365 * 86_400_000,
}
_NAMES = {
    "ms": ("ms", "msec", "msecs", "millisecond", "milliseconds"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "week", "weeks"),
    "mo": ("mo", "month", "months"),
    "y": ("y", "year", "years"),
}
_UNIT_OF = {name: unit for unit, names in _NAMES.items() for name in names}
_PART = re.compile(r"([0-9]+)\s?([a-z]+)\Z", re.IGNORECASE)


def to_time_unit(human_time: Any, unit: str = "ms", year: Any = None, month: Any = None) -> float:
    """A time such as ``1h 30m`` in a unit. ``year`` and ``month`` say how long these are."""
    wanted = _UNIT_OF.get(unit)
    if wanted is None:
        raise FilterArgumentError(f"There is no unit of time '{unit}'; there are {', '.join(_UNITS)}.")
    if human_time == 0:
        return 0
    sizes = dict(_UNITS)
    sizes["y"] = _milliseconds(year, _UNITS) if year else _UNITS["y"]
    sizes["mo"] = _milliseconds(month, _UNITS) if month else _UNITS["mo"]
    return round(_milliseconds(human_time, sizes) / sizes[wanted], 12)


def _milliseconds(text: Any, sizes: Mapping[str, int]) -> int:
    total = 0
    for part in str(text).split():
        found = _PART.match(part)
        unit = _UNIT_OF.get(found[2]) or _UNIT_OF.get(found[2].rstrip("s")) if found else None
        if found is None or unit is None:
            raise FilterArgumentError(f"'{part}' is no time; write a whole number and a unit, such as 30m.")
        total += int(found[1]) * sizes[unit]
    return total


def _in_unit(unit: str) -> Callable[..., float]:
    def convert(human_time: Any, year: Any = None, month: Any = None) -> float:
        return to_time_unit(human_time, unit, year, month)

    convert.__doc__ = f"A time in {unit}."
    return convert


to_milliseconds, to_seconds, to_minutes, to_hours = map(_in_unit, ("ms", "s", "m", "h"))
to_days, to_weeks, to_months, to_years = map(_in_unit, ("d", "w", "mo", "y"))
