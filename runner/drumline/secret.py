"""Values that must never be seen, and the names that say that a value is one."""

from __future__ import annotations

import re

MASK = "********"
#: How names end that say that their value is secret.
_NAME = r"(?:(?<![^\W_])pass|(?<=_)pwd|pass(?:word|wd|phrase)s?|secrets?|tokens?|(?:api|secret|access)_?keys?)"
_SECRET_NAME = re.compile(rf"{_NAME}\Z", re.IGNORECASE)
#: ``name=value``, ``name: value`` and ``"name": "value"``, as sh, INI, YAML and JSON have them. Without quotes a value
#: ends at a space after ``=``; after a colon at the end of the line, or inside braces at a comma or a brace.
_QUOTED = r"""\"(?:[^"\\]|\\.)*"|'[^']*'"""
#: Not so the kind of secret in a reference, ``lookup('secret', 'pass:web/db')``, which is for everyone to see.
_REFERENCE = r"""(?<!secret["'], ["'])"""
_ASSIGNMENTS = {
    in_braces: rf"""{_REFERENCE}{_NAME}(?:=(?P<given>{_QUOTED}|[^\s"']\S*)|["']?\s*:\s*(?P<set>{_QUOTED}|{plain}))"""
    for in_braces, plain in ((False, r"""[^\s"'].*"""), (True, r"""[^\s"'{\[,}][^,}]*"""))
}


def is_secret_name(name: str) -> bool:
    """Whether a variable's name says that its value is secret."""
    return _SECRET_NAME.search(name) is not None


def mask_assignments(text: str, index: int = 0) -> tuple[str, int]:
    """A line that someone wrote, with the values of names that say that they are secret masked.

    Also where the character at ``index`` stands now.
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
    """A value that shows itself to no one by accident. ``reveal()`` is the only way to the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The clear text; to be handed to a library, never kept, logged or formatted."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))
