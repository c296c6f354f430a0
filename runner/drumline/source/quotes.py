r"""What stands within quotes: of Ansible's own reading of a task's text, and of the languages that hosts read it in.

A backslash before a quote is an escape for Ansible and ``sh``, and an ordinary letter for PowerShell and ``cmd``: so
``"C:\windows\"`` is a whole string in one language and the beginning of a longer one in the other. Comments and here
documents count as quoted: what stands in them is no word of the command.

The readings are exact for quotes that aren't nested in substitutions (``"$(echo "a")"`` is read as two strings).
"""

from __future__ import annotations

import re
from collections.abc import Collection

from msgspec import Struct

# The expressions are texts, which ``re`` compiles where they are first met: most runs meet none of them.

#: A template's block, from its first letters on. Braces in its own texts don't end it.
_BLOCKS = {
    "{{": r"""\{\{(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^"'}]|\}(?!\}))*\}\}""",
    "{%": r"\{%.*?%\}",
    "{#": r"\{\#.*?\#\}",
}
_BLOCK_START = re.compile(r"\{[{%\#]")

_ESCAPING = r'"(?:\\.|[^"\\])*"'
_HASH = r"(?:(?<=\s)|(?<![\s\S]))\#[^\n]*"
_HERE_DOCUMENT = (
    r"(?<!<)<<-?[ \t]*\\?(?P<q>[\"']?)(?P<end>\w+)(?P=q)[^\n]*\n(?:[^\n]*\n)*?[ \t]*(?P=end)(?=\s*(?:\n|\Z))"
)
_HERE_STRING = r"""@"[ \t]*\n.*?\n"@|@'[ \t]*\n.*?\n'@"""
_TYPOGRAPHIC = '"\u201c\u201d\u201e'
_APOSTROPHES = "'\u2018\u2019\u201a\u201b"


def _reading(*, quoted: str, plain: str, opening: str) -> str:
    return f"(?P<plain>{plain})|(?P<quoted>{quoted})|(?P<open>[{opening}])"


#: How each language reads quotes, by name.
_READINGS = {
    "ansible": _reading(
        quoted=rf"{_ESCAPING}|'(?:\\.|[^'\\])*'",
        plain=r"\\[\"']",
        opening="\"'",
    ),
    "sh": _reading(
        quoted=rf"{_HERE_DOCUMENT}|{_HASH}|{_ESCAPING}|'(?:[^'])*'",
        plain=r"\\.",
        opening="\"'",
    ),
    "words": _reading(quoted=rf"{_ESCAPING}|'(?:[^'])*'", plain=r"\\.", opening="\"'"),
    "powershell": _reading(
        quoted=(
            rf"{_HERE_STRING}|<\#.*?\#>|{_HASH}"
            rf"|[{_TYPOGRAPHIC}](?:`.|[{_TYPOGRAPHIC}]{{2}}|[^{_TYPOGRAPHIC}`])*[{_TYPOGRAPHIC}]"
            rf"|[{_APOSTROPHES}](?:[{_APOSTROPHES}]{{2}}|[^{_APOSTROPHES}])*[{_APOSTROPHES}]"
        ),
        plain="`.",
        opening=_TYPOGRAPHIC + _APOSTROPHES,
    ),
    "cmd": _reading(quoted=r'"(?:[^"])*"', plain=r"\^.", opening='"'),
    "program": _reading(quoted=_ESCAPING, plain=r"\\.", opening='"'),  # as programs on Windows take their line apart
}

#: Text without any of these holds nothing quoted.
_ANY = re.compile(rf"[{_TYPOGRAPHIC}{_APOSTROPHES}\#]|<<")

#: Readings in which a quote may stay open: programs take that as closed at the end of the line.
_TOLERANT = frozenset({"program", "cmd"})


class Quotes(Struct):
    """One reading of one text."""

    spans: list[tuple[int, int]] = []
    #: Where a quote begins that is never closed.
    open: int | None = None

    def hold(self, index: int) -> bool:
        """Whether this character is within quotes."""
        return any(start <= index < end for start, end in self.spans)

    def cut(self, index: int) -> bool:
        """Whether a word that ends before this character would end within quotes."""
        return any(start < index < end for start, end in self.spans)


def without_blocks(text: str) -> str:
    """The text with a plain letter for each of those of templates, whose texts aren't known yet and hold no words."""
    kept: list[str] = []
    end, looked = 0, 0
    unclosed: set[str] = set()  # kinds of which no block after this ends
    while found := _BLOCK_START.search(text, looked):
        looked = found.end()
        if found[0] in unclosed:
            continue
        block = re.compile(_BLOCKS[found[0]], re.DOTALL).match(text, found.start())
        if block is None:
            unclosed.add(found[0])
            continue
        kept += [text[end : found.start()], "_" * len(block[0])]
        end = looked = block.end()
    return "".join([*kept, text[end:]])


def read_quotes(text: str, language: str) -> Quotes:
    """What of the text is quoted in the language; a quote that is never closed reaches to the end."""
    found = Quotes()
    if not _ANY.search(text):
        return found
    for match in re.finditer(_READINGS[language], without_blocks(text), re.DOTALL):
        if match["open"]:
            found.open = match.start()
            found.spans.append((match.start(), len(text)))
            break
        if match["quoted"]:
            found.spans.append(match.span())
    return found


def host_readings(text: str, languages: Collection[str]) -> list[Quotes]:
    """The readings of the text that are possible: one that leaves a quote open isn't, where another doesn't."""
    found = [read_quotes(text, language) for language in languages]
    return [reading for reading in found if reading.open is None] or found


def never_closed(text: str, languages: Collection[str]) -> int | None:
    """Where a quote begins that is closed in none of the languages that the text may be in; None where all is well."""
    if "{%" in text or _TOLERANT & {*languages}:
        return None
    readings = [read_quotes(text, language).open for language in languages]
    return None if None in readings else min(place for place in readings if place is not None)
