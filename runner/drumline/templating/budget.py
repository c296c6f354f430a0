"""How long a rendering may take, and what ends one that takes longer.

A template runs as Python code on the thread of its job. A rendering that may take long is *watched*: its thread is
listed here while it lasts, and a watcher looks at the list a few times a second. Where the time is up, or the job has
been stopped, the watcher raises :class:`Overrun` in that thread (``PyThreadState_SetAsyncExc``), so that loops end
wherever they are.

An exception raised so arrives between two steps of Python code. No single step may therefore take long: what one call
of C code could do without an end is foreseen in ``bounds``, and regular expressions have ``regular``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, cast

from msgspec import Struct

#: Seconds that a rendering may take where nothing else is said.
DEFAULT = 20.0

#: Rounds of loops in one rendering: what they put out is kept until its end.
MOST_ROUNDS = 4_000_000

#: Seconds between two looks at what is under way; how late a rendering may be ended.
_TICK = 0.05
#: Seconds after which the exception is raised again in a thread that goes on: some code may have caught it.
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


class Allowance(Struct):
    """What limits the renderings of one job, on the job's own thread, beside the time that each of them has."""

    #: Seconds that the task's ``timeout`` allows.
    timeout: float | None = None
    #: When the time of the try under way is up (``time.monotonic``).
    deadline: float | None = None
    #: Whether the job has been stopped.
    stopped: Callable[[], bool] = lambda: False


class _Window:
    """One rendering under way."""

    __slots__ = (
        "allowance",
        "began",
        "closed",
        "reason",
        "rounds",
        "seconds",
        "stopped",
        "thread",
        "timed_out",
        "told",
        "waited",
    )

    def __init__(self, thread: int, seconds: float, allowance: Allowance | None) -> None:
        # Made for most templates: what only a late one needs is not worked out here.
        self.thread = thread
        self.seconds = seconds
        self.allowance = allowance
        self.began = time.monotonic()
        self.waited = 0.0  # of its time, for what doesn't count
        self.rounds = 0
        self.closed = False
        self.told: float | None = None  # when the exception was raised

    def error(self) -> TookTooLong:
        """Why it was ended."""
        return TookTooLong(self.reason, stopped=self.stopped, timed_out=self.timed_out)

    def left(self, now: float) -> float:
        """Seconds until its time is up, be it its own or that of the job's try."""
        left = self.began + self.waited + self.seconds - now
        allowance = self.allowance
        if allowance is None or allowance.timeout is None:
            return left
        until = self.began + allowance.timeout
        if allowance.deadline is not None:
            # A judgement of what the task gave has its second also where the task has used up its time.
            until = max(allowance.deadline, self.began + min(allowance.timeout, 1.0))
        return min(left, until - now)

    def count(self, rounds: int) -> None:
        """Add rounds of loops."""
        self.rounds += rounds
        if self.rounds > MOST_ROUNDS:
            raise TookTooLong(f"The template's loops take more than {MOST_ROUNDS:,} rounds in total.")

    def is_due(self, now: float) -> bool:
        """Whether the rendering has to end; after the exception was raised, again only after a while."""
        if self.told is not None:
            return now - self.told >= _AGAIN
        self.stopped = self.allowance is not None and self.allowance.stopped()
        if not self.stopped and self.left(now) > 0:
            return False
        self.timed_out = not self.stopped and now < self.began + self.waited + self.seconds
        self.reason = f"The template took longer than {self.seconds:g} s, which is what 'template_timeout' allows."
        if self.stopped:
            self.reason = "The job was stopped while a template was rendered."
        elif self.timed_out and self.allowance is not None:
            self.reason = f"The time-out of {self.allowance.timeout:g} s was up while a template was rendered."
        return True


_open: dict[int, _Window] = {}  # by thread
_lock = threading.Lock()  # held while an exception is raised or taken back
_watching = threading.Event()  # set while the watcher looks at the list
_local = threading.local()


def allow(allowance: Allowance | None) -> None:
    """Limit the renderings of this thread from here on; None: no more."""
    _local.allowance = allowance


def within(seconds: float, work: Callable[[], T]) -> T:
    """Do the work on this thread in the given time; raises ``TookTooLong``. Part of other such work: no effect."""
    thread = threading.get_ident()
    if thread in _open:
        return work()
    window = _open[thread] = _Window(thread, seconds, getattr(_local, "allowance", None))
    if not _watching.is_set():
        _watch()
    try:
        try:
            return work()
        finally:
            _close(window)
    except Overrun as overrun:
        _close(window)  # the exception may have come amid the first attempt
        raise window.error().with_traceback(overrun.__traceback__) from None


def left() -> float:
    """Seconds that the rendering under way on this thread has left."""
    window = _open.get(threading.get_ident())
    return max(0.0, window.left(time.monotonic())) if window else DEFAULT


def wait_uncounted(wait: Callable[[float], bool]) -> None:
    """Call ``wait``, with seconds, until it gives true. The time isn't that of the rendering under way on this thread.

    It counts for the job all the same, and the rendering can be ended meanwhile.
    """
    window = _open.get(threading.get_ident())
    ended = False
    while not ended:
        began = time.monotonic()
        ended = wait(_TICK)
        if window is not None:
            window.waited += time.monotonic() - began


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
    # The watcher says that it will raise before it looks whether the window is closed. So either it sees that it is, or
    # this sees what it says; then what it has raised and hasn't arrived yet is taken back.
    window.closed = True
    _open.pop(window.thread, None)
    if window.told is not None:
        with _lock:
            _raise_in(window.thread, None)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    import ctypes  # few renderings are ended

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error) if error else None)


def _watch() -> None:
    with _lock:
        if not _watching.is_set():
            _watching.set()
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
        _watching.clear()
    if _open:  # it was opened at this moment, by a thread that saw the watcher at work
        _watch()


def _end(window: _Window, now: float) -> None:
    with _lock:
        window.told = now
        if not window.closed:
            _raise_in(window.thread, Overrun)
