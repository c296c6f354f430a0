"""Patterns of OpenSSH (``ssh_config(5)``, PATTERNS): ``*`` and ``?``, lists, and ``!`` for what is left out."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    pieces = (".*" if letter == "*" else "." if letter == "?" else re.escape(letter) for letter in pattern)
    # Stars in a row mean one star, and would cost time to match.
    return re.compile(re.sub(r"(\.\*)+", ".*", "".join(pieces)) + r"\Z", re.DOTALL)


def matches(text: str, pattern: str) -> bool:
    """Whether one pattern holds; case counts."""
    return _compiled(pattern).match(text) is not None


def matches_list(text: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns holds and none with ``!`` does."""
    found = False
    for pattern in patterns:
        if matches(text, pattern.removeprefix("!")):
            if pattern.startswith("!"):
                return False
            found = True
    return found
