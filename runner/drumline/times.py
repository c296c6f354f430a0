"""Durations and times in words, for people."""

from __future__ import annotations

from datetime import UTC, datetime


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
    """A time for people, in UTC: ``2026-12-01 02:00:00 UTC``."""
    found = datetime.fromtimestamp(at, UTC)
    fraction = f".{found.microsecond:06d}".rstrip("0") if found.microsecond else ""
    return f"{found:%Y-%m-%d %H:%M:%S}{fraction} UTC"
