"""Arguments of the program ``ssh`` (``ansible_ssh_common_args``) as settings, as far as they can be honoured."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from drumline.plugin import OptionInvalid

#: Keywords of ssh_config that drumline honours, in lower case.
HONOURED = frozenset(
    (
        *("hostname", "port", "user", "hostkeyalias", "proxyjump", "connecttimeout", "compression"),
        *("identityfile", "identitiesonly", "identityagent"),
        *("stricthostkeychecking", "userknownhostsfile", "globalknownhostsfile", "hashknownhosts"),
        *("serveraliveinterval",),
    )
)
#: What a warm connection without a terminal has no use for, or does by itself.
_NEEDLESS = frozenset(
    (
        *("controlmaster", "controlpath", "controlpersist", "tcpkeepalive", "serveralivecountmax"),
        *("batchmode", "numberofpasswordprompts", "preferredauthentications", "addkeystoagent"),
        *("passwordauthentication", "pubkeyauthentication", "kbdinteractiveauthentication"),
        *("gssapiauthentication", "gssapidelegatecredentials", "forwardx11", "forwardx11trusted"),
        *("checkhostip", "updatehostkeys", "visualhostkey", "loglevel", "requesttty", "escapechar", "sendenv"),
    )
)
_FLAGS = {"-J": "proxyjump", "-i": "identityfile", "-p": "port", "-l": "user"}
_NEEDLESS_FLAGS = frozenset("46CTqvnaxk")
_SETTING = re.compile(r"\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*\Z", re.DOTALL)


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
        for keyword, value in _read(word, words):
            found.setdefault(keyword, []).append(value)
    return found


def _read(word: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    flag, attached = word[:2], word[2:]
    if flag == "-o":
        yield from _setting(attached or _next(word, rest))
    elif flag == "-F":
        yield "config", attached or _next(word, rest)
    elif flag in _FLAGS:
        yield _FLAGS[flag], attached or _next(word, rest)
    elif not (word.startswith("-") and len(word) > 1 and set(word[1:]) <= _NEEDLESS_FLAGS):
        raise _refusal(word)


def _setting(text: str) -> Iterator[tuple[str, str]]:
    match = _SETTING.match(text)
    keyword = match[1].lower() if match else ""
    if match and keyword in HONOURED:
        yield keyword, match[2].strip('"')
    elif keyword not in _NEEDLESS:
        raise _refusal(f"-o {text}")


def _next(word: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise OptionInvalid("An ssh argument lacks its value", f"Nothing follows {word}.")
    return value


def _refusal(argument: str) -> OptionInvalid:
    return OptionInvalid(
        "An ssh argument can't be honoured",
        f"drumline speaks SSH itself and has no equivalent of '{argument}'. It honours -J, -i, -p, -l, -F and"
        f" -o with {', '.join(sorted(HONOURED))}.",
    )
