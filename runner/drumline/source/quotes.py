r"""What is within quotes in a task's text: as Ansible reads it, and in the languages of the hosts.

A backslash before a quote is an escape for Ansible and ``sh``, and an ordinary letter for PowerShell and ``cmd``: so
``"C:\windows\"`` is a whole string in one language and the beginning of a longer one in the other. Comments and here
documents count as quoted, since they contain no words of the command.

The readings are exact for quotes that aren't nested in substitutions (``"$(echo "a")"`` is read as two strings).
"""

from __future__ import annotations

import re
from collections.abc import Collection

from msgspec import Struct

# The expressions are strings that ``re`` compiles on first use, since most runs use none of them.

#: A template's block, from its first letters on. Braces in its string literals don't end it.
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
    "program": _reading(quoted=_ESCAPING, plain=r"\\.", opening='"'),  # as programs on Windows split their command line
}

#: Text without any of these has nothing quoted.
_ANY = re.compile(rf"[{_TYPOGRAPHIC}{_APOSTROPHES}\#]|<<")

#: Languages in which a quote may stay open: programs take it as closed at the end of the line.
_TOLERANT = frozenset({"program", "cmd"})


class Quotes(Struct):
    """One reading of one text."""

    spans: list[tuple[int, int]] = []
    #: The place of a quote that is never closed.
    open: int | None = None

    def hold(self, index: int) -> bool:
        """Whether this character is within quotes."""
        return any(start <= index < end for start, end in self.spans)

    def cut(self, index: int) -> bool:
        """Whether a word that ends before this character would end within quotes."""
        return any(start < index < end for start, end in self.spans)


def without_blocks(text: str) -> str:
    """The text with templates replaced by plain letters, since their values aren't known yet and contain no words."""
    kept: list[str] = []
    end, looked = 0, 0
    unclosed: set[str] = set()  # kinds of blocks that never end after this
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
    """The quoted parts of the text in the language; a quote that is never closed extends to the end."""
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
    """The plausible readings of the text: one that leaves a quote open isn't plausible if another doesn't."""
    found = [read_quotes(text, language) for language in languages]
    return [reading for reading in found if reading.open is None] or found


def never_closed(text: str, languages: Collection[str]) -> int | None:
    """The place of a quote that is left open in all of the text's possible languages, or None."""
    if "{%" in text or _TOLERANT & {*languages}:
        return None
    readings = [read_quotes(text, language).open for language in languages]
    return None if None in readings else min(place for place in readings if place is not None)
