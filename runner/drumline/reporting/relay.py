"""Between a run and its reports: a thread and a bounded queue for each report, so that none can hold up the run.

A report whose reader has stopped reading (a pager, a full pipe, a terminal after Ctrl-S) blocks only its own thread.
Events wait for it in memory, up to ``MOST_HELD``. After that, *drop* leaves out the rest and says so, and *wait*
holds up the run until the reader goes on or a signal interrupts. At the end of a run, a report is waited for as long as
it makes progress within ``PATIENCE`` seconds.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Any

from drumline.diagnostics import counted
from drumline.model.event import Event, JobFinished, JobsStarted, RunFinished

#: The most bytes of events that wait for one report, counting their texts.
MOST_HELD = 64 * 1024 * 1024
#: Seconds without progress after which a report is given up at the end of a run.
PATIENCE = 10.0
#: The same after a signal has asked for the end; another signal ends the wait.
SHORT_PATIENCE = 2.0

#: Seconds for which events gather before a report takes them; waking its thread for each would slow down the run.
_GATHER = 0.02
#: Bytes of an event in addition to its texts, and of each job if it names several.
_LEAST, _PER_JOB = 400, 40


class WhenSlow(StrEnum):
    """What happens to events for which a report has no room."""

    DROP = "drop"
    WAIT = "wait"


class Relay:
    """A listener that passes events to a report's thread. Called only by the driver's thread."""

    def __init__(
        self,
        name: str,
        report: Callable[[], AbstractContextManager[Callable[..., None]]],
        *,
        say: Callable[[str], None],
        stream: str = "",
        when_slow: WhenSlow = WhenSlow.DROP,
        gaps: bool = False,
        most: int = MOST_HELD,
        at_fault: str = "drumline",
    ) -> None:
        """``report`` opens the report on its own thread, and returns what takes events.

        ``gaps``: it can go on after missed events, and learns how many (``Takes``). ``stream``: the stream of ``sys``
        that it writes to. ``say`` shows a message about a slow or broken report. ``at_fault``: whose report it is.
        """
        self.name = name
        self.stream = stream
        self._report = report
        self._say = say
        self._when_slow = when_slow
        self._gaps = gaps
        self._most = most
        self._at_fault = at_fault
        self._events: queue.SimpleQueue[tuple[Event | None, int, int]] = queue.SimpleQueue()
        # Each is written by only one thread, so that neither waits for the other.
        self._given = self._taken = self._missed = 0
        self._gap = 0  # events left out since the last one that was passed on
        self._full = False
        self._ended = False  # its output broke, or it was given up
        self._hurry = threading.Event()  # the run no longer waits for slow readers
        self._hurries = 0
        self._closing = threading.Event()
        # daemon: a reader that never reads must not keep the program from ending.
        self._thread = threading.Thread(target=self._work, name=f"drumline-report-{name}", daemon=True)
        self._thread.start()

    @property
    def missed(self) -> int:
        """How many events it missed."""
        return self._missed

    @property
    def stuck(self) -> bool:
        """Whether it was given up while it still held its output."""
        return self._ended and self._thread.is_alive()

    def __call__(self, event: Event) -> None:
        if self._ended:
            return
        if self._given - self._taken >= self._most or self._full:
            self._make_room()
            if self._full:
                self._missed += 1
                self._gap += 1
                return
        size = _weight(event)
        self._given += size
        self._events.put((event, size, self._gap))
        self._gap = 0

    def hurry(self) -> None:
        """Stop waiting for the reader, because a signal asks for the end. May be called from any thread."""
        self._hurries += 1
        self._hurry.set()

    def close(self) -> None:
        """Wait until everything is reported or it is clear that no one reads; say what was left out."""
        if self._closing.is_set():
            return
        self._events.put(_END)
        self._closing.set()
        self._wait_for_end()
        if self._thread.is_alive():
            self._ended = True
            self._say(f"{self.name} was not read to the end: its reader has stopped reading. {_KEPT}")
        elif self._missed:
            self._say(
                f"{self.name} is incomplete: {counted(self._missed, 'event')} dropped because of a slow reader. {_KEPT}"
            )

    # On the driver's thread.

    def _make_room(self) -> None:
        """If there is no room, wait for it, or leave out events from here on and say so once."""
        if self._full:
            self._full = not self._gaps or self._given - self._taken > self._most // 2
            return
        while self._when_slow is WhenSlow.WAIT and self._given - self._taken >= self._most and not self._ended:
            if self._hurry.wait(_GATHER):
                break
        self._full = self._given - self._taken >= self._most
        if self._full and not self._missed:
            self._say(f"{self.name} is read too slowly: events are left out from here on. The run goes on.")

    def _wait_for_end(self) -> None:
        hurries, seen, since = self._hurries, -1, 0.0
        while self._thread.is_alive() and self._hurries == hurries:
            now = time.monotonic()
            if self._taken != seen:
                seen, since = self._taken, now
            if now - since > self._patience():
                return
            self._thread.join(_GATHER)

    def _patience(self) -> float:
        if self._hurry.is_set():
            return SHORT_PATIENCE
        return PATIENCE if self._when_slow is WhenSlow.DROP else math.inf

    # On the report's thread.

    def _work(self) -> None:
        try:
            with self._report() as listen:
                for event, gap in self._arriving():
                    if gap:
                        listen(event, gap)
                    else:
                        listen(event)
        except OSError as error:
            self._fail(f"can't be written any more: {error.strerror or error}")
        except Exception as error:  # a fault of drumline or of a plugin, which must not stop the run
            self._fail(f"has failed ({type(error).__name__}: {error}), a fault in {self._at_fault}")
        self._ended = True

    def _fail(self, why: str) -> None:
        self._ended = True
        self._say(f"{self.name} {why}. The run goes on; see 'drumline runs show'.")

    def _arriving(self) -> Iterator[tuple[Event, int]]:
        for event, size, gap in iter(self._events.get, _END):
            assert event is not None
            yield event, gap
            self._taken += size
            if isinstance(event, RunFinished) or self._ended:
                return
            if self._events.empty():
                self._closing.wait(_GATHER)


#: The mark behind the last event in the queue.
_END: tuple[None, int, int] = (None, 0, 0)
_KEPT = "The journal has everything: see 'drumline runs show'."


def _weight(event: Event) -> int:
    """Roughly how many bytes an event holds."""
    if isinstance(event, JobFinished):
        return _LEAST + _text_of(event.result.values())
    return _LEAST + (_PER_JOB * len(event.jobs) if isinstance(event, JobsStarted) else 0)


def _text_of(values: Iterable[Any]) -> int:
    """The number of characters of the texts in a result."""
    size = 0
    for value in values:
        if type(value) is str:
            size += len(value)
        elif type(value) is list:
            size += _text_of(value)
        elif type(value) is dict:
            size += _text_of(value.values())
    return size
