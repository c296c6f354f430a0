"""What is wrong in the files of a run, and where: collected, so that all of it is shown at once.

A diagnostic is addressed to the person who wrote the file. Its summary is a constant sentence that can be searched
for; its detail says in full sentences what is wrong, why, and how to mend it (OpenTofu's guide to error messages).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from drumline.secret import mask_assignments

#: Longest source line that is quoted below a diagnostic, in characters.
_EXCERPT_WIDTH = 200


class Position(NamedTuple):
    """A place in a file. ``line`` and ``column`` count from 1."""

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One mistake. ``position`` is None where no file is to blame, such as a mistake in an option."""

    summary: str
    detail: str = ""
    position: Position | None = None

    def render(self, kind: str = "error") -> str:
        """The diagnostic as lines of text: place, kind and summary, the source line with a caret, detail."""
        where = f"{self.position}: " if self.position else ""
        lines = [f"{where}{kind}: {self.summary}"]
        if self.position:
            lines += _excerpt(self.position)
        lines += [f"  {line}" for line in self.detail.splitlines()]
        return "\n".join(lines)


def _excerpt(position: Position) -> list[str]:
    text = _line(position).rstrip("\r\n").replace("\t", " ")
    text, index = mask_assignments(text, position.column - 1)
    start = index - _EXCERPT_WIDTH // 2 if index >= _EXCERPT_WIDTH else 0
    text = text[start : start + _EXCERPT_WIDTH]
    if not text.strip() or not text.isprintable():
        return []
    return [f"    {text}", "    " + " " * (index - start) + "^"]


def _line(position: Position) -> str:
    path = Path(position.path)
    try:
        # A pipe can't be read twice: opening it would wait for ever.
        if not path.is_file():
            return ""
        with path.open(encoding="utf-8", errors="replace") as file:
            return next((line for number, line in enumerate(file, 1) if number == position.line), "")
    except (OSError, ValueError):
        return ""


class Diagnostics:
    """Collects mistakes while files are read. Falsy while there are none."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}

    def add(self, summary: str, *, detail: str = "", position: Position | None = None) -> None:
        """Note one mistake; the same one at the same place is kept once."""
        self._found[Diagnostic(summary=summary, detail=detail, position=position)] = None

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Note the mistakes that another collector found."""
        for diagnostic in diagnostics:
            self.add(diagnostic.summary, detail=diagnostic.detail, position=diagnostic.position)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def counted(number: int, noun: str) -> str:
    """``1 host``, ``2 hosts``, ``2 batches``."""
    plural = "es" if noun.endswith("ch") else "s"
    return f"{number} {noun}{plural if number != 1 else ''}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``" Did you mean 'x'?"`` with a leading space, or ``""`` when nothing known looks like the word."""
    close = _closest(word, tuple(known))
    return f" Did you mean '{close[0]}'?" if close else ""


@lru_cache(maxsize=64)
def _closest(word: str, known: tuple[str, ...]) -> list[str]:
    return difflib.get_close_matches(word, known, n=1, cutoff=0.6)
