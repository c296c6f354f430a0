"""Regular expressions of the author's on text of anybody's, with a bound on what they cost.

Python's ``re`` goes back and tries again; for ``(a+)+$`` the tries double with each letter, and nothing else runs
meanwhile. So an expression whose cost is small by a simple estimate is matched here, and every other one by ``re`` in
a process of its own, which is killed when the time is up. Templates use ``templating.regular``, actions ``plugin.kit``.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from drumline.regex_worker import OPERATIONS

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

#: Steps that an expression may take here by the estimate: a few milliseconds.
_FEW = 500_000
#: Seconds between two moments at which one that waits for an answer can be ended.
_TICK = 0.05
#: Seconds that the process has beyond the given ones: then it ends by itself, even if no one is left to end it.
_GRACE = 5.0
#: Processes that are kept for the next expression.
_SPARE = 4
#: What is no quantifier though it has the letters of one: escapes, sets, the openings of groups.
_LITERAL = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?", re.DOTALL)
_ENDED = "What matches regular expressions came to its end."
_REPEATED_GROUP = re.compile(r"\)[*+{]")


class Cost(NamedTuple):
    """How many steps a pattern may take on n letters: about ``branches * n ** power``; no power: unknown."""

    power: int | None
    branches: int


class RegexInvalid(ValueError):
    """It isn't a regular expression, or names a group that it doesn't have; the message says so in one sentence."""


class RegexTooLarge(Exception):
    """What comes of it is larger than the process may hold."""


class AskedMatch:
    """One operation of ``regex_worker``: ``answer`` has what it gives, once ``ready`` is true.

    Use it as a context manager, so that a process that is still at work ends with the one that waits for it.
    """

    def __init__(self, operation: str, pattern: str, flags: int, arguments: tuple[Any, ...], seconds: float) -> None:
        self._question = (seconds + _GRACE, operation, pattern, flags, arguments)
        self._pattern = pattern
        self._worker: _Worker | None = None

    def __enter__(self) -> AskedMatch:
        with _lock:
            self._worker = _spare.pop() if _spare else None
        self._worker = self._worker or _Worker()
        try:
            self._worker.send(self._question)
        except OSError:
            self._worker.end()
            raise RegexInvalid(_ENDED) from None
        return self

    def __exit__(self, *_: object) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:  # it hasn't answered
            worker.end()

    def ready(self) -> bool:
        """Wait a moment for the answer; whether it is there."""
        assert self._worker is not None
        return self._worker.ready()

    def answer(self) -> Any:
        """The answer; raises ``RegexInvalid`` and ``RegexTooLarge``."""
        worker = self._worker
        assert worker is not None
        try:
            fine, answer = worker.receive()
        except (EOFError, OSError):
            raise RegexInvalid(_ENDED) from None
        self._worker = None
        _keep(worker)
        if not fine and not answer:
            raise RegexTooLarge
        if not fine:
            raise RegexInvalid(f"'{self._pattern}': {answer}.")
        return answer


def begin(
    operation: str, pattern: str, flags: int, text: Any, *more: Any, size: int, written: int = 0, seconds: float
) -> tuple[Any, AskedMatch | None]:
    """What the operation gives, where that is cheap; else one that is asked for it, which has this many seconds.

    ``size`` is the length of all text, ``written`` that of what each match may be replaced by. Raises ``RegexInvalid``.
    """
    compiled, cost = _prepared(pattern, flags)
    if not _is_cheap(cost, size + 1, written):
        return None, AskedMatch(operation, pattern, flags, (text, *more), seconds)
    try:
        return OPERATIONS[operation](compiled, text, *more), None
    except (re.error, IndexError) as error:
        raise RegexInvalid(f"'{pattern}': {error}.") from None


def match(operation: str, pattern: str, flags: int, text: str, *more: Any, written: int = 0, seconds: float) -> Any:
    """What the operation gives, waited for on this thread, which may be interrupted meanwhile."""
    found, asked = begin(operation, pattern, flags, text, *more, size=len(text), written=written, seconds=seconds)
    if asked is None:
        return found
    with asked:
        while not asked.ready():
            pass
        return asked.answer()


def cheap(pattern: str, size: int) -> re.Pattern[str] | None:
    """The expression, if it may be matched with any text of at most this length; raises ``RegexInvalid``."""
    expression, cost = _prepared(pattern, 0)
    return expression if _is_cheap(cost, size + 1, 0) else None


def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """The expression; raises ``RegexInvalid``. It must not be matched with text of any length."""
    return _prepared(pattern, flags)[0]


@lru_cache(maxsize=512)
def _prepared(pattern: str, flags: int) -> tuple[re.Pattern[str], Cost]:
    try:
        return re.compile(pattern, flags), cost_of(pattern)
    except (re.error, OverflowError) as error:
        raise RegexInvalid(f"'{pattern}' is not a regular expression: {error}.") from None


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

    def send(self, question: Any) -> None:
        self._connection.send(question)

    def ready(self) -> bool:
        return self._connection.poll(_TICK)

    def receive(self) -> tuple[bool, Any]:
        answer: tuple[bool, Any] = self._connection.recv()
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._connection.close()


_spare: list[_Worker] = []
_lock = threading.Lock()


def _keep(worker: _Worker) -> None:
    """It has answered, and is kept for the next question, or ended where there are enough."""
    with _lock:
        keep = len(_spare) < _SPARE
        if keep:
            _spare.append(worker)
    if not keep:
        worker.end()
