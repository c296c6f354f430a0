"""Values that must never be seen, and the names that mark a value as one."""

from __future__ import annotations

import re
from functools import lru_cache

MASK = "********"
#: Endings of names whose value is secret.
_NAME = r"(?:(?<![^\W_])pass|(?<=_)pwd|pass(?:word|wd|phrase)s?|secrets?|tokens?|(?:api|secret|access)_?keys?)"
_SECRET_NAME = re.compile(rf"{_NAME}\Z", re.IGNORECASE)
#: ``name=value``, ``name: value`` and ``"name": "value"``, as in sh, INI, YAML and JSON. Without quotes, a value
#: ends at a space after ``=``; after a colon at the end of the line, or inside braces at a comma or a brace.
_QUOTED = r"""\"(?:[^"\\]|\\.)*"|'[^']*'"""
#: Except the kind of a reference, ``lookup('secret', 'pass:web/db')``, which isn't secret.
_REFERENCE = r"""(?<!secret["'], ["'])"""
_ASSIGNMENTS = {
    in_braces: rf"""{_REFERENCE}{_NAME}(?:=(?P<given>{_QUOTED}|[^\s"']\S*)|["']?\s*:\s*(?P<set>{_QUOTED}|{plain}))"""
    for in_braces, plain in ((False, r"""[^\s"'].*"""), (True, r"""[^\s"'{\[,}][^,}]*"""))
}


@lru_cache(maxsize=1024)  # the names of a task's arguments are the same for all hosts
def is_secret_name(name: str) -> bool:
    """Whether a variable's name marks its value as secret."""
    return _SECRET_NAME.search(name) is not None


def mask_assignments(text: str, index: int = 0) -> tuple[str, int]:
    """Mask the values of secret-sounding names in a line.

    Returns the line, and the new index of the character at ``index``.
    """
    if "=" not in text and ":" not in text:
        return text, index
    masked, end, moved = "", 0, index
    for found in re.finditer(_ASSIGNMENTS["{" in text], text, re.IGNORECASE):
        start, stop = found.span("given" if found["given"] else "set")
        masked += text[end:start] + MASK
        if index >= stop:
            moved = len(masked) + index - stop
        elif index >= start:
            moved = len(masked) - len(MASK)
        end = stop
    return masked + text[end:], moved


class Secret:
    """A value that can't be shown by accident. ``reveal()`` is the only way to get the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The clear text, to be passed to a library; never keep, log or format it."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))
