"""Types that a test is sure of, for what is declared as one of several."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def expect(kind: type[T], value: object) -> T:
    """The value, which must be of this type."""
    assert isinstance(value, kind), f"{value!r} is no {kind.__name__}"
    return value
