"""Values that must never be seen, and the mask that keeps them out of journals, reports and messages."""

from __future__ import annotations

import base64
import json
import re
import threading
from functools import lru_cache
from typing import Any

MASK = "********"
#: Shorter values are not masked inside other text: replacing every "a" or "42" would destroy the report.
_SHORTEST = 3
#: The same for their encoded forms, of which the neighbours take the first and last letters.
_SHORTEST_ENCODED = 5
#: The same for single lines of a value that has several.
_SHORTEST_LINE = 8
_URL_SAFE = str.maketrans("+/", "-_")
#: How names end that say that their value is secret.
_NAME = r"(?:(?<![^\W_])pass|pass(?:word|wd|phrase)|secret|token|api_?key)"
_SECRET_NAME = re.compile(rf"{_NAME}\Z", re.IGNORECASE)
#: ``name=value``, ``name: value`` and ``"name": "value"``, as sh, INI, YAML and JSON have them. Without quotes a value
#: ends at a space after ``=``; after a colon at the end of the line, or inside braces at a comma or a brace.
_QUOTED = r"""\"(?:[^"\\]|\\.)*"|'[^']*'"""
_ASSIGNMENTS = {
    in_braces: re.compile(
        rf"""{_NAME}(?:=(?P<given>{_QUOTED}|[^\s"']\S*)|["']?\s*:\s*(?P<set>{_QUOTED}|{plain}))""", re.IGNORECASE
    )
    for in_braces, plain in ((False, r"""[^\s"'].*"""), (True, r"""[^\s"'{\[,}][^,}]*"""))
}


def is_secret_name(name: str) -> bool:
    """Whether a variable's name says that its value is secret."""
    return _SECRET_NAME.search(name) is not None


def mask_assignments(text: str, index: int = 0) -> tuple[str, int]:
    """A line that somebody wrote, with the values of names that say that they are secret masked.

    Also where the character at ``index`` stands now.
    """
    masked, end, moved = "", 0, index
    for found in _ASSIGNMENTS["{" in text].finditer(text):
        start, stop = found.span("given" if found["given"] else "set")
        masked += text[end:start] + MASK
        if index >= stop:
            moved = len(masked) + index - stop
        elif index >= start:
            moved = len(masked) - len(MASK)
        end = stop
    return masked + text[end:], moved


class Secret:
    """A value that shows itself to nobody by accident. ``reveal()`` is the only way to the text."""

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


class Secrets:
    """The values registered as secret in one run; masks them in text and in nested data.

    A value is masked in clear, as it stands in quotes of sh, PowerShell and JSON, in base64 (of its UTF-8 and its
    UTF-16-LE bytes, at each of the three alignments that an encoding of a longer text can give it), and in UTF-16
    written with NUL characters between the letters. Of a value of several lines each line is masked too.
    """

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add(self, value: str | Secret) -> None:
        """Register a value; text that is too short to mask safely is ignored. May be called from any thread."""
        text = (value.reveal() if isinstance(value, Secret) else value).strip("\r\n")
        if len(text) >= _SHORTEST and text not in self._values:
            with self._lock:
                self._values.add(text)
                self._pattern = None  # made when it is needed: there may be thousands to add

    def __bool__(self) -> bool:
        """Whether there is anything to mask."""
        return bool(self._values)

    def mask(self, text: str) -> str:
        """The text with every registered value, in whatever form, replaced by asterisks."""
        if not self._values:
            return text
        return (self._pattern or self._made_pattern()).sub(MASK, text)

    def _made_pattern(self) -> re.Pattern[str]:
        with self._lock:
            forms = {form for known in self._values for form in _forms(known)}
            pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))
            self._pattern = pattern
            return pattern

    def mask_all(self, value: Any) -> Any:
        """The same for the strings inside dicts, lists and tuples; a ``Secret`` becomes asterisks."""
        if isinstance(value, Secret):
            return MASK
        return self._walk(value)

    def _walk(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self.mask_all(key): self.mask_all(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.mask_all(item) for item in value]
        return value


@lru_cache(maxsize=1024)
def _forms(text: str) -> frozenset[str]:
    """Every way in which the text is recognised; the base64 forms lose what depends on their neighbours."""
    forms = {text, "\0".join(text), *_quoted(text)}
    forms.update(line.strip() for line in text.splitlines() if len(line.strip()) >= _SHORTEST_LINE)
    for raw in (text.encode(), text.encode("utf-16-le")):
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + raw).decode()
            start = (shift * 8 + 5) // 6
            stop = (shift + len(raw)) * 8 // 6
            if stop - start >= _SHORTEST_ENCODED:
                forms |= {encoded[start:stop], encoded[start:stop].translate(_URL_SAFE)}
    return frozenset(forms)


def _quoted(text: str) -> set[str]:
    """The text inside the quotes of JSON (both ways), sh and PowerShell."""
    as_json = {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return as_json | {text.replace("'", "'\"'\"'"), text.replace("'", "''")}
