"""Regular expressions of the author's on text of anybody's, with a bound on what they cost.

Python's ``re`` goes back and tries again; for ``(a+)+$`` the tries double with each letter, and nothing else runs
meanwhile. So an expression whose cost is small by a simple estimate is matched here, and every other one by ``re`` in
a process of its own, which is killed when the rendering's time is up (``budget``).
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2.exceptions import FilterArgumentError

from drumline.templating.bounds import ValueTooLarge
from drumline.templating.budget import left
from drumline.templating.regex_worker import OPERATIONS

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

#: Steps that an expression may take here by the estimate: a few milliseconds.
_FEW = 500_000
#: Seconds between two moments at which a rendering that waits for an answer can be ended.
_TICK = 0.05
#: Seconds that the process has beyond the rendering's: then it ends by itself, even if no one is left to end it.
_GRACE = 5.0
#: Processes that are kept for the next expression.
_SPARE = 4
#: What is no quantifier though it has the letters of one: escapes, sets, the openings of groups.
_LITERAL = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?", re.DOTALL)
_IGNORECASE, _MULTILINE = int(re.IGNORECASE), int(re.MULTILINE)
_REPEATED_GROUP = re.compile(r"\)[*+{]")


class Cost(NamedTuple):
    """How many steps a pattern may take on n letters: about ``branches * n ** power``; no power: unknown."""

    power: int | None
    branches: int


def match(operation: str, pattern: str, flags: int, text: str, *more: Any, written: int = 0) -> Any:
    """What the operation of ``regex_worker`` gives. ``written`` is the length of what each match may be replaced by."""
    compiled, cost = _prepared(pattern, flags)
    if _is_cheap(cost, len(text) + 1, written):
        try:
            return OPERATIONS[operation](compiled, text, *more)
        except (re.error, IndexError) as error:
            raise FilterArgumentError(f"'{pattern}': {error}.") from None
    with _worker() as worker:
        fine, answer = worker.ask(operation, pattern, flags, (text, *more))
    if not fine and not answer:
        raise ValueTooLarge()
    if not fine:
        raise FilterArgumentError(f"'{pattern}': {answer}.")
    return answer


def flags(ignorecase: bool, multiline: bool) -> int:
    """The flags of ``re`` for these options of filters and tests."""
    return (_IGNORECASE if ignorecase else 0) | (_MULTILINE if multiline else 0)


@lru_cache(maxsize=512)
def _prepared(pattern: str, flags: int) -> tuple[re.Pattern[str], Cost]:
    try:
        return re.compile(pattern, flags), cost_of(pattern)
    except (re.error, OverflowError) as error:
        raise FilterArgumentError(f"'{pattern}' is not a regular expression: {error}.") from None


def _is_cheap(cost: Cost, size: int, written: int) -> bool:
    if cost.power is None or size > _FEW:
        return False
    return bool(size * max(float(size) ** cost.power * cost.branches, written) <= _FEW)


def cost_of(pattern: str) -> Cost:
    """The estimate: quantifiers multiply by the length of the text, alternatives and options by two."""
    bare = _LITERAL.sub(lambda found: "(" if found[0] == "(?" else "x", pattern)
    if _REPEATED_GROUP.search(bare):
        return Cost(None, 0)
    return Cost(sum(map(bare.count, "*+{")), 1 << min(sum(map(bare.count, "?|")), 64))


class _Worker:
    """One process."""

    def __init__(self) -> None:
        from multiprocessing.connection import Pipe  # most runs match only what is cheap

        self._connection: Connection
        self._connection, theirs = Pipe()
        with theirs:
            program = str(Path(__file__).with_name("regex_worker.py"))
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", program, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )

    def ask(self, operation: str, pattern: str, flags: int, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
        self._connection.send((left() + _GRACE, operation, pattern, flags, arguments))
        while not self._connection.poll(_TICK):
            pass
        answer: tuple[bool, Any] = self._connection.recv()
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._connection.close()


_spare: list[_Worker] = []
_lock = threading.Lock()


@contextmanager
def _worker() -> Iterator[_Worker]:
    """A process that is idle. Whatever goes wrong, or ends the rendering, ends it."""
    with _lock:
        worker = _spare.pop() if _spare else None
    worker = worker or _Worker()
    try:
        yield worker
    except BaseException as error:
        worker.end()
        if isinstance(error, (EOFError, OSError)):
            raise FilterArgumentError("What matches regular expressions came to its end.") from None
        raise
    with _lock:
        keep = len(_spare) < _SPARE
        if keep:
            _spare.append(worker)
    if not keep:
        worker.end()
