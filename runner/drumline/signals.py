"""Signals that are handled whenever they come."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def heard(handlers: Mapping[int, Callable[[], None]], *, then: signal.Handlers | None = None) -> Iterator[None]:
    """Call the handlers, on a separate thread, when their signals come. Must be entered by the main thread.

    Afterwards the signals have the handler ``then``; None restores the previous one.

    Python calls a signal's handler when the main thread next runs. If it just began to wait for a lock, that may
    be never. But a byte is written to the wake-up descriptor at once (``signal.set_wakeup_fd``).
    If programs are started with fork, a child that gets a signal before its exec writes a second byte. On Linux, Python
    uses vfork with all signals blocked.
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
    """Does nothing, but without a Python handler, a signal isn't written to the descriptor."""
