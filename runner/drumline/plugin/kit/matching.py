"""Python's regular expressions in actions: on text of hosts, in bounded time, and so that the job can be ended."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from drumline import regexes
from drumline.model.request import Request, Sleep
from drumline.plugin.actions import ActionFailed, Call, Written

#: Seconds that one expression may take.
_PATIENCE = 20.0


def match_regex(
    call: Call, operation: str, pattern: str, text: str | Sequence[str], *more: Any, flags: int = 0
) -> Generator[Request, Any, Any]:
    """What an operation of ``drumline.regex_worker`` gives for the text; use it with ``yield from``.

    ``test`` (text, ``search``, ``match`` or ``fullmatch``), ``span`` (text, group), ``expanded`` (text, replacement),
    ``subn`` (text, replacement, count), ``containing`` (texts). Ends the action where the expression is invalid.
    """
    size = len(text) if isinstance(text, str) else sum(map(len, text))
    written = sum(len(value) for value in more if isinstance(value, str))
    seconds = _PATIENCE if call.timeout is None else min(_PATIENCE, call.timeout)
    try:
        found, asked = regexes.begin(
            operation, pattern, flags, text, *more, size=size, written=written, seconds=seconds
        )
        if asked is None:
            return found
        with asked:
            while not asked.ready():
                yield Sleep(seconds=0)  # the job may have been stopped
            return asked.answer()
    except regexes.RegexTooLarge:
        raise ActionFailed(f"'{pattern}': what comes of it is too large") from None
    except regexes.RegexInvalid as error:
        raise ActionFailed(str(error)) from None


def as_bytes(text: str) -> str:
    """Text, or a pattern for it, each byte of its UTF-8 a letter: some modules of Ansible's match bytes."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def of_bytes(text: str) -> str:
    """The text again; what isn't UTF-8 is replaced."""
    return text.encode("latin-1").decode("utf-8", "replace")


#: For patterns that were made ``as_bytes``.
BYTES = int(re.ASCII)


def check_regexes(written: Written, *names: str) -> Iterator[tuple[str, str]]:
    """Arguments that aren't regular expressions, for an action's ``check``."""
    for name in names:
        pattern = written.arguments.get(name)
        if isinstance(pattern, str):
            try:
                regexes.compiled(pattern)
            except regexes.RegexInvalid as error:
                yield name, str(error)
