"""Lines of OpenSSH's client settings (``ssh_config(5)``): a keyword, and its arguments split as OpenSSH splits them.

Written here because paramiko's reader takes a comment at the end of a line, a quote in it and bytes that aren't UTF-8
for mistakes, and knows few of the conditions of ``Match``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from drumline_ssh.cache import content_of

_BLANK = " \t\r\n\f"
#: A keyword, then blanks and at most one ``=``.
_KEYWORD = re.compile(r'[ \t]*(?:"([^"]*)"|([^ \t\r\n="]+))[ \t]*=?[ \t]*')


class ConfigLine(NamedTuple):
    """One setting. ``words`` is what OpenSSH makes of ``rest``; ``fault`` says why a line can't be used."""

    place: str  #: File and line, as messages give it.
    keyword: str  #: In lower case.
    rest: str  #: All that follows the keyword, comments included.
    words: tuple[str, ...] = ()
    fault: str = ""


def read_lines(path: Path) -> list[ConfigLine]:
    """The settings of a file, without empty lines and comments. Raises ``OSError``.

    Bytes that aren't UTF-8 stay what they are: file names and passwords may be of any encoding.
    """
    text = content_of(path).decode("utf-8", "surrogateescape")
    found = (parse_line(line, f"{path}:{number}") for number, line in enumerate(text.split("\n"), 1))
    return [line for line in found if line is not None]


def parse_line(text: str, place: str) -> ConfigLine | None:
    match = _KEYWORD.match(text.rstrip(_BLANK))
    keyword = (match[1] if match[1] is not None else match[2]).lower() if match else ""
    if not match or not keyword or keyword.startswith("#"):
        return None
    rest = text.rstrip(_BLANK)[match.end() :]
    if not rest:
        return ConfigLine(place, keyword, rest, fault=f"nothing follows '{match[0].strip()}'")
    try:
        return ConfigLine(place, keyword, rest, split_words(rest))
    except ValueError as error:
        return ConfigLine(place, keyword, rest, fault=str(error))


def split_words(text: str) -> tuple[str, ...]:
    """Words, as OpenSSH splits them: both kinds of quotes, few escapes, ``#`` before a word ends the line.

    Raises ``ValueError`` for a quote that isn't closed.
    """
    words: list[str] = []
    position = 0
    while position < len(text):
        if text[position] in " \t":
            position += 1
        elif text[position] == "#":
            break
        else:
            word, position = _word(text, position)
            words.append(word)
    return tuple(words)


def _word(text: str, position: int) -> tuple[str, int]:
    quote, letters = "", []
    while position < len(text):
        letter, following = text[position], text[position + 1 : position + 2]
        if letter == "\\" and following and (following in "'\"\\" or (not quote and following == " ")):
            letters.append(following)
            position += 1
        elif letter in " \t" and not quote:
            break
        elif letter in "'\"" and not quote:
            quote = letter
        elif letter == quote:
            quote = ""
        else:
            letters.append(letter)
        position += 1
    if quote:
        raise ValueError(f"the quote {quote} is never closed")
    return "".join(letters), position
