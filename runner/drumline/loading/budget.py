"""How long a rendering may take, and what ends one that takes longer.

A template runs as Python code on the thread of its job. A rendering that may take long is *watched*: its thread is
listed here while it lasts, and a watcher looks at the list a few times a second. Where the time is up, or the job has
been stopped, the watcher raises :class:`Overrun` in that thread (``PyThreadState_SetAsyncExc``), so that loops end
wherever they are.

An exception raised so arrives between two steps of Python code. No single step may therefore take long: what one call
of C code could do without an end is foreseen in ``bounds``, and regular expressions have ``regular``.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

#: Seconds that a rendering may take where nothing else is said.
DEFAULT = 20.0

#: Rounds of loops in one rendering: what they put out is kept until its end.
MOST_ROUNDS = 4_000_000

#: Seconds between two looks at what is under way; how late a rendering may be ended.
_TICK = 0.05
#: Seconds after which a thread that goes on all the same is told again: some code took the exception for its own.
_AGAIN = 1.0
#: Looks at an empty list after which the watcher sleeps until there is something again.
_IDLE = 40

T = TypeVar("T")


class Overrun(BaseException):
    """Raised in the midst of a rendering that has to end. No ``except Exception`` of a library may take it."""


class TookTooLong(Exception):
    """What becomes of it where the rendering began. ``stopped``: its job was stopped; else its time was up."""

    def __init__(self, message: str, *, stopped: bool = False, timed_out: bool = False) -> None:
        super().__init__(message)
        self.stopped = stopped
        #: It was the time-out of the task that was up.
        self.timed_out = timed_out


@dataclass(slots=True)
class Allowance:
    """What limits the renderings of one job, on the job's own thread, beside the time that each of them has."""

    #: Seconds that the task's ``timeout`` allows.
    timeout: float | None = None
    #: When the time of the try under way is up (``time.monotonic``).
    deadline: float | None = None
    #: Whether the job has been stopped.
    stopped: Callable[[], bool] = lambda: False


class _Window:
    """One rendering under way."""

    __slots__ = ("allowance", "closed", "deadline", "reason", "rounds", "stopped", "thread", "timed_out", "told")

    def __init__(self, thread: int, seconds: float, allowance: Allowance | None) -> None:
        now = time.monotonic()
        self.thread = thread
        self.allowance = allowance
        self.closed = self.stopped = self.timed_out = False
        self.told: float | None = None  # when the exception was raised
        self.rounds = 0
        self.deadline = now + seconds
        self.reason = f"The template took longer than {seconds:g} s, which is what 'template_timeout' allows."
        if allowance is not None and allowance.timeout is not None:
            self._shorten(now, allowance.timeout, allowance.deadline)

    def _shorten(self, now: float, timeout: float, deadline: float | None) -> None:
        # A judgement of what the task gave has its second also where the task has used up its time.
        until = now + timeout if deadline is None else max(deadline, now + min(timeout, 1.0))
        if until < self.deadline:
            self.deadline = until
            self.timed_out = True
            self.reason = f"The time-out of {timeout:g} s was up while a template was rendered."

    def count(self, rounds: int) -> None:
        """So many rounds of loops more."""
        self.rounds += rounds
        if self.rounds > MOST_ROUNDS:
            raise TookTooLong(f"The template's loops take more than {MOST_ROUNDS:,} rounds in total.")

    def is_due(self, now: float) -> bool:
        """Whether the rendering has to end; once it is told, that holds again after a while."""
        if self.told is not None:
            return now - self.told >= _AGAIN
        if self.allowance is not None and self.allowance.stopped():
            self.stopped, self.reason = True, "The job was stopped while a template was rendered."
            return True
        return now >= self.deadline


_open: dict[int, _Window] = {}  # by thread
_lock = threading.Lock()  # held while an exception is raised, and while a window is closed
_there = threading.Event()  # set while the watcher looks at the list
_local = threading.local()


@contextmanager
def allowed(allowance: Allowance) -> Iterator[None]:
    """Limit the renderings of this thread so."""
    before = getattr(_local, "allowance", None)
    _local.allowance = allowance
    try:
        yield
    finally:
        _local.allowance = before


def within(seconds: float, work: Callable[[], T]) -> T:
    """Do the work on this thread in the given time; raises ``TookTooLong``. Part of other such work: no effect."""
    thread = threading.get_ident()
    if thread in _open:
        return work()
    window = _open[thread] = _Window(thread, seconds, getattr(_local, "allowance", None))
    if not _there.is_set():
        _watch()
    try:
        try:
            return work()
        finally:
            _close(window)
    except Overrun as overrun:
        _close(window)  # the exception may have come amid the first attempt
        error = TookTooLong(window.reason, stopped=window.stopped, timed_out=window.timed_out)
        raise error.with_traceback(overrun.__traceback__) from None


def left() -> float:
    """Seconds that the rendering under way on this thread has left."""
    window = _open.get(threading.get_ident())
    return max(0.0, window.deadline - time.monotonic()) if window else DEFAULT


def counted(items: T) -> T:
    """What a loop is to go through, its rounds counted for the rendering under way on this thread."""
    window = _open.get(threading.get_ident())
    if window is None:
        return items
    if hasattr(items, "__len__"):
        window.count(len(items))
        return items
    return cast(T, _one_by_one(window, items)) if isinstance(items, Iterable) else items


def _one_by_one(window: _Window, items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        window.count(1)
        yield item


def _close(window: _Window) -> None:
    with _lock:
        window.closed = True
        _open.pop(window.thread, None)
    if window.told is not None:
        _raise_in(window.thread, None)  # one that hasn't arrived yet must not arrive later


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error) if error else None)


def _watch() -> None:
    with _lock:
        if not _there.is_set():
            _there.set()
            threading.Thread(target=_look_after, name="drumline-templates", daemon=True).start()


def _look_after() -> None:
    idle = 0
    while idle < _IDLE:
        time.sleep(_TICK)
        idle = 0 if _open else idle + 1
        now = time.monotonic()
        for window in list(_open.values()):
            if window.is_due(now):
                _end(window, now)
    with _lock:
        _there.clear()
    if _open:  # it was opened at this moment, by a thread that saw the watcher at work
        _watch()


def _end(window: _Window, now: float) -> None:
    with _lock:
        if not window.closed:
            window.told = now
            _raise_in(window.thread, Overrun)
