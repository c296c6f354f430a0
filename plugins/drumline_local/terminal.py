"""A terminal for programs that read passwords from nothing else; their streams stay what they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

#: Makes the terminal the one of its process, and then becomes the command.
_TAKE = (
    "import fcntl, os, sys, termios; fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0); os.close(int(sys.argv[1]));"
    " os.execv(sys.argv[2], sys.argv[2:])"
)
_CHUNK = 1 << 12
PYTHON = sys.executable


class Terminal:
    """One terminal. ``take`` gets what is shown at it and gives what is to be typed."""

    def __init__(self, take: Callable[[bytes], bytes]) -> None:
        self._take = take
        self._master, self.other_end = os.openpty()

    def command(self, command: Sequence[str]) -> list[str]:
        """The command, at this terminal: for a process that is the first of its session."""
        return [PYTHON, "-IS", "-c", _TAKE, str(self.other_end), *command]

    def fileno(self) -> int:
        """For a selector."""
        return self._master

    def read(self) -> bool:
        """Take what is shown; False if no one is there to show more."""
        self._let_go()
        try:
            answer = self._take(os.read(self._master, _CHUNK))
        except OSError:  # Linux' way to say that no one has it open any more
            return False
        if answer:
            os.write(self._master, answer)
        return True

    def _let_go(self) -> None:
        """The process has its own end by now."""
        if self.other_end >= 0:
            os.close(self.other_end)
            self.other_end = -1

    def close(self) -> None:
        """Hang up: whoever sits at it gets a signal. May be called twice."""
        self._let_go()
        if self._master >= 0:
            with suppress(OSError):
                os.close(self._master)
            self._master = -1
