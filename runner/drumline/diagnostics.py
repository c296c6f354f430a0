"""What is wrong in the files of a run, and where: collected, so that everything is shown at once.

A diagnostic addresses the person who wrote the file. Its summary is a constant sentence that can be searched
for. Its detail says in full sentences what is wrong, why, and how to fix it (see OpenTofu's guide to error messages).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from drumline.secret import mask_assignments

#: Longest source line that is quoted below a diagnostic, in characters.
_EXCERPT_WIDTH = 200
#: How a file begins that ansible-vault encrypted.
_ENCRYPTED = "$ANSIBLE_VAULT;"
#: Columns before the quoted line.
_MARGIN = 4

#: ANSI's numbers of colours, by the kind of a message.
_COLOURS = {"error": "31", "warning": "33"}

#: What is one word, however many spaces are in it.
_PAIRS = (("{{", "}}"), ("{%", "%}"), ("{#", "#}"), ("'", "'"), ('"', '"'), ("[", "]"), ("{", "}"), ("(", ")"))
#: A plain word: up to a space, a bracket, a quote, or what separates keys and items.
_WORD = r"""(?:[^\s,:=\[\]{}()"'|]|[,:](?=\S))+"""


class Look(Struct, frozen=True):
    """How messages are printed. ``width``: the columns to keep within; 0: lines may be as long as they are."""

    colour: bool = False
    width: int = 0

    def bold(self, text: str, colour: str = "") -> str:
        """The text in bold, and in a colour, given by ANSI's number."""
        return f"\x1b[1{';' if colour else ''}{colour}m{text}\x1b[0m" if self.colour else text


PLAIN = Look()


class Position(NamedTuple):
    """A place in a file. ``line`` and ``column`` count from 1; line 0 is all of it, or what isn't a file."""

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


class Diagnostic(Struct, frozen=True, kw_only=True, gc=False):
    """One mistake. ``position`` is None where no file is to blame, such as a mistake in an option.

    ``hides_names``: what can't be read for it may define variables, so that others can't be called undefined.
    """

    summary: str
    detail: str = ""
    position: Position | None = None
    hides_names: bool = False

    def render(self, kind: str = "error", look: Look = PLAIN) -> str:
        """The diagnostic as lines of text: place, kind and summary, the source line with carets, detail."""
        where = f"{look.bold(str(self.position))}: " if self.position else ""
        lines = [f"{where}{headline(kind, self.summary, look)}"]
        if self.position:
            lines += _excerpt(self.position, look)
        return "\n".join([*lines, *indented(self.detail, look)])


def headline(kind: str, summary: str, look: Look) -> str:
    """``error: summary``."""
    return f"{look.bold(f'{kind}:', _COLOURS.get(kind, '31'))} {look.bold(summary)}"


def indented(text: str, look: Look) -> list[str]:
    """The lines of a detail; long ones are broken between words where the width is known."""
    return [f"  {part}" for line in text.splitlines() for part in _wrapped(line, look.width - 2 if look.width else 0)]


def _wrapped(line: str, width: int) -> list[str]:
    if not width or len(line) <= width:
        return [line]
    import textwrap

    margin = line[: len(line) - len(line.lstrip())]
    broken = textwrap.wrap(
        line.strip(),
        max(20, width),
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return broken or [line]


def _excerpt(position: Position, look: Look) -> list[str]:
    """The line of the file, of a long one the part around the place, and carets below the whole word."""
    text = _line(position).rstrip("\r\n").replace("\t", " ")
    text, index = mask_assignments(text, position.column - 1)
    room = min(_EXCERPT_WIDTH, max(20, look.width - _MARGIN)) if look.width else _EXCERPT_WIDTH
    start = index - room // 2 if index >= room else 0
    text = text[start : start + room]
    if not text.strip() or not text.isprintable():
        return []
    index -= start
    word = text[index : index + _word_length(text, index)]
    carets = "^" * max(1, cells(word))
    return [f"    {text}", f"    {' ' * (cells(text[:index]) + max(0, index - len(text)))}{look.bold(carets, '31')}"]


def _word_length(text: str, index: int) -> int:
    """How many characters the word has that begins at ``index``: quoted text, a template, brackets, or a plain word."""
    for opening, closing in _PAIRS:
        if text.startswith(opening, index):
            end = text.find(closing, index + len(opening))
            return end + len(closing) - index if end >= 0 else len(opening)
    found = re.compile(_WORD).match(text, index)
    return len(found[0]) if found else 1


def cells(text: str) -> int:
    """How many columns of a terminal a text takes: wide letters take two, combining marks none."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(0 if category(char) in ("Mn", "Me", "Cf") else 1 + (east_asian_width(char) in "WF") for char in text)


def _line(position: Position) -> str:
    path = Path(position.path)
    try:
        # A pipe can't be read twice: opening it would wait for ever.
        if not path.is_file():
            return ""
        with path.open(encoding="utf-8", errors="replace") as file:
            if file.read(len(_ENCRYPTED)) == _ENCRYPTED:  # its lines are other ones
                return ""
            file.seek(0)
            return next((line for number, line in enumerate(file, 1) if number == position.line), "")
    except (OSError, ValueError):
        return ""


class Diagnostics:
    """Collects mistakes while files are read. Falsy while it is empty."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}

    def add(
        self, summary: str, *, detail: str = "", position: Position | None = None, hides_names: bool = False
    ) -> None:
        """Note one mistake; the same one at the same place is kept once."""
        self.extend([Diagnostic(summary=summary, detail=detail, position=position, hides_names=hides_names)])

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Note the mistakes that another collector found."""
        self._found.update(dict.fromkeys(diagnostics))

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
    close = closest(word, tuple(known))
    return f" Did you mean '{close}'?" if close is not None else ""


@lru_cache(maxsize=64)
def closest(word: str, known: tuple[str, ...], likeness: float = 0.6) -> str | None:
    """The known word that is most like this one, of those that are at least so like it (1: the same)."""
    from difflib import get_close_matches  # only mistakes need it

    return next(iter(get_close_matches(word, known, n=1, cutoff=likeness)), None)
