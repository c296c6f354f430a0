"""Durations and times, as people write them: ``1h30m``, ``2026-12-01T02:00:00+01:00``."""

from __future__ import annotations

import re
from datetime import UTC, datetime

#: Seconds in each unit, the largest first.
_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_DURATION = "".join(rf"(?:({_NUMBER})\s*{unit}(?![a-z])\s*)?" for unit in _UNITS)
_SPACE_BEFORE_ZONE = r"\s+(?=(?:[+-]\d\d(?::?\d\d)?|[Zz])\Z)"


def duration(value: object) -> float:
    """The seconds of a text such as ``100ms``, ``90s`` or ``1h30m``; ``ValueError`` suggests what may be meant."""
    text = str(value).strip()
    match = re.fullmatch(_DURATION, text)
    if match is not None and text:
        parts = zip(match.groups(), _UNITS.values(), strict=True)
        return sum(float(number) * seconds for number, seconds in parts if number)
    if re.fullmatch(_NUMBER, text):
        raise ValueError(f"A duration has a unit: write {text}m for minutes, {text}s for seconds, or {text}ms.")
    raise ValueError("A duration is written as 100ms, 90s, 10m, 1h30m or 2d.")


def instant(value: object) -> float:
    """Seconds since the epoch of an ISO 8601 time with a zone; ``ValueError`` says what is missing."""
    try:
        moment = datetime.fromisoformat(re.sub(_SPACE_BEFORE_ZONE, "", str(value).strip()))
    except ValueError:
        raise ValueError("A time has a date and a zone: write it as 2026-12-01T02:00:00+01:00.") from None
    if moment.tzinfo is None:
        raise ValueError(f"This time has no zone. If you mean this machine's zone, write {_with_zone(moment)}.")
    try:
        return moment.astimezone(UTC).timestamp()
    except OverflowError:
        raise ValueError("In UTC its year isn't one from 1 to 9999.") from None


def _with_zone(moment: datetime) -> str:
    try:
        return moment.astimezone().isoformat()
    except (OverflowError, OSError, ValueError):  # outside the range of the platform's zones, such as year 1
        return f"{moment.isoformat()}Z"
