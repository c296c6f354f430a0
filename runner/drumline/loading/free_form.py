r"""Arguments written as text: ``copy: src=a dest=b``, ``command: echo hi chdir=/tmp``.

The rules are Ansible's. Words are separated by white space outside quotes and template blocks; ``name=value`` is an
argument; quotes around a value are taken off, and in a quoted value ``\n``, ``\t``, ``\\`` and ``\"`` stand for one
character. For actions that take free text, only words that name an argument are taken out of it; the rest stays as it
is written, white space included. Unlike in Ansible, a backslash in a value without quotes is a backslash, so that
``dest=C:\temp\new`` is what it says.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

_QUOTED = r"""\"(?:\\.|[^"\\])*\"|'(?:\\.|[^'\\])*'"""
_BLOCK = r"\{\{.*?\}\}|\{%.*?%\}|\{\#.*?\#\}"
_WORD = re.compile(rf"(?:{_QUOTED}|{_BLOCK}|\\[\"']|\S)+", re.DOTALL)
_ARGUMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_ENTIRELY_QUOTED = re.compile(_QUOTED, re.DOTALL)
_ESCAPE = re.compile(r"\\([\\'\"abfnrtv])")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(slots=True)
class Words:
    """What a text holds: arguments, words that are none, names that come twice, and what is left of the text."""

    arguments: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    rest: str = ""


def split_arguments(text: str, names: Collection[str] | None = None) -> Words:
    """Take ``name=value`` words out of the text: those with one of these names, or all of them for None."""
    if names is not None and "=" not in text:
        return Words(rest=text.strip())
    found = Words()
    kept: list[str] = []
    end = 0
    for word in _WORD.finditer(text) if names is None or any(f"{name}=" in text for name in names) else ():
        match = _ARGUMENT.fullmatch(word.group())
        if match is None or (names is not None and match[1] not in names):
            found.others.append(word.group())
            continue
        if match[1] in found.arguments:
            found.repeated.append(match[1])
        found.arguments[match[1]] = unquote(match[2])
        kept.append(text[end : word.start()])
        end = word.end()
    kept.append(text[end:])
    found.rest = _joined(kept)
    return found


def _joined(pieces: list[str]) -> str:
    """The text around the words that were taken out, with the white space before each of them gone too."""
    return "".join([*(piece.rstrip(" \t") for piece in pieces[:-1]), pieces[-1]]).strip()


def unquote(value: str) -> str:
    """The value without quotes around it, escapes in them resolved."""
    if not _ENTIRELY_QUOTED.fullmatch(value):
        return value
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), value[1:-1])
