"""Log-ins that a host has refused: not repeated quickly, and not often, since accounts are locked after a few."""

from __future__ import annotations

import time

from drumline.errors import AuthenticationFailed

#: Log-ins that a host may refuse until none is tried any more in this run. Domains usually allow five.
_MOST = 3
#: Seconds from one of them to the next.
_PAUSE = 30.0


class Refusals:
    """What one host said to one way to log in. Its user sees to it that one thread at a time calls it."""

    def __init__(self) -> None:
        self._last: AuthenticationFailed | None = None
        self._count = 0
        self._next = 0.0

    def check(self) -> None:
        """Raise what the host said last, unless it may be asked again."""
        if self._last is not None and (self._count >= _MOST or time.monotonic() < self._next):
            raise self._last

    def note(self, error: AuthenticationFailed) -> None:
        """The host has refused a log-in."""
        if error is not self._last:
            self._last = error
            self._count += 1
            self._next = time.monotonic() + _PAUSE

    def forget(self) -> None:
        """The host has accepted one."""
        self._last, self._count = None, 0
