"""Signals that are heard at whatever moment they come."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def heard(handlers: Mapping[int, Callable[[], None]], *, then: signal.Handlers | None = None) -> Iterator[None]:
    """Call these, on a thread of their own, when their signals come. To be entered by the main thread.

    Afterwards the signals mean ``then``; None: what they meant before.

    Python calls a signal's handler when the main thread is next at work. If it has just begun to wait for a lock, that
    may be never; but a byte for the wake-up descriptor is written at once (``signal.set_wakeup_fd``).
    Where programs are started with fork, one that a signal meets before its exec writes a second byte. On Linux Python
    uses vfork, with all signals blocked.
    """
    ear, mouth = os.pipe()
    os.set_blocking(mouth, False)
    listener = threading.Thread(target=_listen, args=(ear, handlers), name="drumline-signals", daemon=True)
    listener.start()
    descriptor = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    before = {}
    try:
        for number in handlers:
            before[number] = signal.signal(number, _nothing)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if then is None else then)
        signal.set_wakeup_fd(descriptor)
        os.close(mouth)
        listener.join()
        os.close(ear)


def _listen(ear: int, handlers: Mapping[int, Callable[[], None]]) -> None:
    while numbers := os.read(ear, 64):
        for number in numbers:
            if number in handlers:
                handlers[number]()


def _nothing(*_: object) -> None:
    """A signal without a handler of Python's would not be written to the descriptor."""
