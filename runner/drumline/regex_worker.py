"""Regular expressions in a process of their own, which can be killed (see ``regexes``).

Imports nothing of drumline: it is started as a program, and has to be there at once.
"""

from __future__ import annotations

import pickle
import re
import resource
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

#: Bytes of memory that the process may have.
_MEMORY = 2 << 30
#: Bytes of an answer; text that is longer would be refused anyway.
_LONGEST = 64 << 20
#: What is said of an answer that is too large.
_TOO_LARGE = pickle.dumps((False, ""))


def test(pattern: re.Pattern[str], text: str, where: str) -> bool:
    """Whether it matches; ``where`` is ``search``, ``match`` or ``fullmatch``."""
    return getattr(pattern, where)(text) is not None


def groups(pattern: re.Pattern[str], text: str, wanted: list[str | int]) -> tuple[str | None, ...] | None:
    """What matches first, and these groups of it."""
    match = pattern.search(text)
    return (match.group(), *map(match.group, wanted)) if match else None


def findall(pattern: re.Pattern[str], text: str) -> list[Any]:
    """All matches, or their groups."""
    return pattern.findall(text)


def subn(pattern: re.Pattern[str], text: str, replacement: str, count: int) -> tuple[str, int]:
    """The text with what matches replaced, and how often."""
    return pattern.subn(replacement, text, count)


def containing(pattern: re.Pattern[str], texts: list[str]) -> list[int]:
    """The places of those texts in which it matches somewhere."""
    return [place for place, text in enumerate(texts) if pattern.search(text)]


def expanded(pattern: re.Pattern[str], text: str, replacement: str) -> str | None:
    """The replacement with the groups of the first match in it."""
    match = pattern.search(text)
    return None if match is None else match.expand(replacement)


def span(pattern: re.Pattern[str], text: str, group: str | int) -> tuple[int, int] | None:
    """Where a group of the first match is."""
    match = pattern.search(text)
    return None if match is None else match.span(group)


OPERATIONS = {function.__name__: function for function in (test, groups, findall, subn, containing, expanded, span)}


def serve(connection: Connection) -> None:
    """Answer ``(seconds, operation, pattern, flags, arguments)`` with ``(fine, what it gives or what went wrong)``."""
    while True:
        try:
            seconds, *question = connection.recv()
        except EOFError:
            return
        # The kernel ends the process when it is late, also where the one that asked is no longer there.
        signal.setitimer(signal.ITIMER_REAL, seconds)
        answer = _answer(*question)
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.send_bytes(answer)


def _answer(operation: str, pattern: str, flags: int, arguments: tuple[Any, ...]) -> bytes:
    try:
        found = pickle.dumps((True, OPERATIONS[operation](re.compile(pattern, flags), *arguments)))
    except (re.error, IndexError) as error:
        return pickle.dumps((False, str(error)))
    except (MemoryError, OverflowError):
        return _TOO_LARGE
    return found if len(found) <= _LONGEST else _TOO_LARGE


if __name__ == "__main__":
    from multiprocessing.connection import Connection  # not where the operations are run without a process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    serve(Connection(int(sys.argv[1])))
