"""What Python's compiler and its numbers can't take, reported as a mistake of the template's author."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jinja2 import TemplateSyntaxError

#: What is said of a number that Python won't turn into text (``sys.get_int_max_str_digits``).
TOO_LONG = "It gives a number of more than 4300 digits."

#: More bits than the longest number that is turned into text has.
_MOST_BITS = 14_000


@contextmanager
def within_limits() -> Iterator[None]:
    """Around parsing, compiling and walking a template. Raises ``TemplateSyntaxError``."""
    try:
        yield
    except (RecursionError, MemoryError, SyntaxError):
        raise TemplateSyntaxError("It is nested too deeply, or too long, to be compiled", 1) from None
    except (ValueError, OverflowError) as error:
        raise TemplateSyntaxError(TOO_LONG if is_too_long(error) else str(error), 1) from None


def is_too_long(found: Any) -> bool:
    """Whether this is a number of more digits than are turned into text, or the error that says so."""
    if isinstance(found, int):
        return found.bit_length() > _MOST_BITS
    return isinstance(found, ValueError) and "integer string conversion" in str(found)
