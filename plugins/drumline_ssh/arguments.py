"""Arguments of the program ``ssh`` (``ansible_ssh_common_args``) as settings, as far as they can be honoured."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from drumline.plugin import OptionInvalid
from drumline_ssh.configlines import ConfigLine, parse_line
from drumline_ssh.keywords import ADDING, ALIASES, READERS

#: Keywords that drumline honours as arguments too, in lower case.
HONOURED = frozenset(READERS) - {"tag", "knownhostscommand", "pkcs11provider", "bindinterface"}
#: What a warm connection without a terminal has no use for, or does by itself.
_NEEDLESS = frozenset(
    (
        *("controlmaster", "controlpath", "controlpersist", "tcpkeepalive", "addkeystoagent"),
        *("gssapiauthentication", "gssapidelegatecredentials", "forwardx11", "forwardx11trusted"),
        *("checkhostip", "updatehostkeys", "visualhostkey", "loglevel", "requesttty", "escapechar", "sendenv"),
    )
)
_FLAGS = {"-J": "proxyjump", "-i": "identityfile", "-p": "port", "-l": "user", "-b": "bindaddress"}
_FAMILIES = {"-4": "inet", "-6": "inet6"}
_NEEDLESS_FLAGS = frozenset("CTqvnaxk")


def parse_arguments(text: str) -> dict[str, list[str]]:
    """Keyword in lower case to its values, in the order of the text; ``config`` is the file of ``-F``.

    Raises ``OptionInvalid`` that names an argument which can't be honoured.
    """
    found: dict[str, list[str]] = {}
    try:
        words = iter(shlex.split(text))
    except ValueError as error:
        raise OptionInvalid("The ssh arguments can't be split into words", f"{error}: {text}") from None
    for word in words:
        for keyword, values in _read(word, words):
            if keyword in ADDING:
                found.setdefault(keyword, []).extend(values)
            else:
                found.setdefault(keyword, values)
    return found


def _read(word: str, rest: Iterator[str]) -> Iterator[tuple[str, list[str]]]:
    flag, attached = word[:2], word[2:]
    if flag == "-o":
        yield from _setting(attached or _next(word, rest))
    elif flag == "-F":
        yield "config", [attached or _next(word, rest)]
    elif flag in _FLAGS:
        value = attached or _next(word, rest)
        yield from _values(ConfigLine(f"{flag} {value}", _FLAGS[flag], value, (value,)))
    elif word in _FAMILIES:
        yield "addressfamily", [_FAMILIES[word]]
    elif not (word.startswith("-") and len(word) > 1 and set(word[1:]) <= _NEEDLESS_FLAGS):
        raise _refusal(word)


def _setting(text: str) -> Iterator[tuple[str, list[str]]]:
    line = parse_line(text, f"-o {text}")
    keyword = ALIASES.get(line.keyword, line.keyword) if line else ""
    if line and keyword in HONOURED:
        yield from _values(line._replace(keyword=keyword))
    elif keyword not in _NEEDLESS:
        raise _refusal(f"-o {text}")


def _values(line: ConfigLine) -> Iterator[tuple[str, list[str]]]:
    try:
        if line.fault:
            raise ValueError(line.fault)
        yield line.keyword, READERS[line.keyword](line)
    except ValueError as error:
        raise OptionInvalid("An ssh argument can't be used", f"'{line.place}': {error}.") from None


def _next(word: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise OptionInvalid("An ssh argument lacks its value", f"Nothing follows {word}.")
    return value


def _refusal(argument: str) -> OptionInvalid:
    return OptionInvalid(
        "An ssh argument can't be honoured",
        f"drumline speaks SSH itself and has no equivalent of '{argument}'. It honours -J, -i, -p, -l, -b, -F, -4, -6"
        f" and -o with {', '.join(sorted(HONOURED))}.",
    )
