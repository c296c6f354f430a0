"""Work that can't be interrupted, on a thread of its own that is abandoned when no one waits for it any longer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """Starts the work. The thread ends with it, or with the process."""

    def __init__(self, work: Callable[[], T], name: str) -> None:
        self._work = work
        self._done = threading.Event()
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        try:
            self._found = self._work()
        except BaseException as error:  # it is raised on the thread that waits for the result
            self._error = error
        finally:
            self._done.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait at most this many seconds; whether the work has ended."""
        return self._done.wait(seconds)

    def result(self) -> T:
        """What the work returned; raises what it raised. Waits for its end."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._found
