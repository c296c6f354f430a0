r"""Arguments written as text: ``copy: src=a dest=b``, ``command: echo hi chdir=/tmp``.

The rules are Ansible's. Words are separated by white space outside quotes and template blocks; ``name=value`` is an
argument; quotes around a value are removed, and in a quoted value ``\n``, ``\t``, ``\\`` and ``\"`` stand for one
character. For actions that take free text, only words that name an argument are taken out of it; the rest stays as it
is written, white space included. Two things differ:

- A backslash in a value without quotes is a backslash, so ``dest=C:\temp\new`` means what it says.
- A word is taken out of free text only where it is outside quotes in the language of the host too, since Ansible reads
  the quotes of PowerShell as those of ``sh``. Where the two disagree, the text stays whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from msgspec import Struct

from drumline.source.quotes import host_readings, read_quotes, without_blocks

_QUOTED = r"""\"(?:\\.|[^"\\])*\"|'(?:\\.|[^'\\])*'"""
_WORD = re.compile(rf"(?:{_QUOTED}|\\[\"']|\S)+", re.DOTALL)
_ARGUMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=.*", re.DOTALL)
_ESCAPE = r"\\([\\'\"abfnrtv])"
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Words(Struct):
    """The parts of a text: arguments, other words, duplicate names, and the rest of the text."""

    arguments: dict[str, str] = {}
    others: list[str] = []
    repeated: list[str] = []
    #: Words that name an argument, but may be inside a quote that is never closed.
    uncertain: list[str] = []
    rest: str = ""


def split_arguments(text: str, names: Collection[str] | None = None, *, languages: Collection[str] = ()) -> Words:
    """Take ``name=value`` words out of the text: those with one of these names, or all of them for None.

    ``languages`` are the shells' languages in which the host may read the text.
    """
    if names is not None and not any(f"{name}=" in text for name in names):
        return Words(rest=_stripped(text))
    found = Words()
    kept: list[str] = []
    end = 0
    judge = _Judge(text, languages) if names is not None else None
    for word in _WORD.finditer(without_blocks(text)):
        written = text[word.start() : word.end()]
        match = _ARGUMENT.fullmatch(word.group())  # a template in a name counts as plain letters here
        name = written[: match.end(1)] if match else ""
        if match is None or (names is not None and name not in names):
            found.others.append(written)
            continue
        if judge is not None and not judge.certain(word, found):
            continue
        if name in found.arguments:
            found.repeated.append(name)
        found.arguments[name] = unquote(written[match.end(1) + 1 :])
        kept.append(text[end : word.start()])
        end = word.end()
    kept.append(text[end:])
    found.rest = _joined(kept)
    return found


class _Judge:
    """Decides whether a word of free text is an argument."""

    def __init__(self, text: str, languages: Collection[str]) -> None:
        self._text = text
        self._ansible = read_quotes(text, "ansible")
        self._host = host_readings(text, languages)

    def certain(self, word: re.Match[str], found: Words) -> bool:
        """Whether it is outside quotes in every language; noted as uncertain if only an open quote prevents it."""
        if any(quotes.hold(word.start()) or quotes.cut(word.end()) for quotes in self._host):
            return False
        if self._ansible.open is not None and self._ansible.open < word.end():
            found.uncertain.append(self._text[word.start() : word.end()])
            return False
        return True


def _joined(pieces: list[str]) -> str:
    """The text without the removed words and the white space before them."""
    return _stripped("".join([*(piece.rstrip(" \t") for piece in pieces[:-1]), pieces[-1]]))


def _stripped(text: str) -> str:
    """The text without surrounding white space, except a final line end."""
    return text.strip() + ("\n" if text.endswith("\n") and text.strip() else "")


def unquote(value: str) -> str:
    """The value without surrounding quotes, with escapes resolved."""
    if not re.fullmatch(_QUOTED, value, flags=re.DOTALL):
        return value
    return re.sub(_ESCAPE, lambda match: _ESCAPES.get(match[1], match[1]), value[1:-1])
