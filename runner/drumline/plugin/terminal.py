"""The terminal as the place of one person: who asks there has it alone, for the time of a question.

The live display of a run writes to the same terminal; it waits meanwhile, and goes on as if nothing had been there.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import threading
import time
from collections.abc import Iterator
from typing import Any, TextIO

_PATH = "/dev/tty"
#: Seconds for an answer: as long as OpenSSH's server gives to a login.
_PATIENCE = 120.0
_alone = threading.RLock()


class NoTerminal(Exception):
    """No one can be asked; why, as part of a sentence."""


class Shared:
    """A stream to a terminal that waits while someone is asked there; for everything else it is the stream itself."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As the stream's, in one go."""
        with _alone:
            return self._stream.write(text)

    def flush(self) -> None:
        """As the stream's."""
        with _alone:
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def is_free() -> bool:
    """Whether no one is being asked."""
    if not _alone.acquire(blocking=False):
        return False
    _alone.release()
    return True


def ask_person(lines: list[str], *, hidden: bool) -> str:
    """Put a question at the terminal, and wait for a line. ``hidden``: what is typed isn't shown.

    ``lines`` must be printable; the last one is the question. One question at a time; others wait. What stood there
    before stands there again afterwards. Raises ``NoTerminal``.
    """
    with _alone:
        try:
            terminal = os.open(_PATH, os.O_RDWR | os.O_NOCTTY)
        except OSError:
            raise NoTerminal("there is no terminal to ask at") from None
        try:
            if os.tcgetpgrp(terminal) != os.getpgrp():
                raise NoTerminal("drumline runs in the background of its terminal")
            return _ask(terminal, lines, hidden=hidden)
        except OSError:
            raise NoTerminal("the terminal is gone") from None
        finally:
            os.close(terminal)


def _ask(terminal: int, lines: list[str], *, hidden: bool) -> str:
    width = os.get_terminal_size(terminal).columns or 80
    # No line may be broken: the way back is counted in lines.
    shown = [line[: max(10, width - 30)] for line in lines]
    # What was typed before is dropped; what is typed once the question is there is not.
    with _by_lines(terminal, hidden=hidden):
        _write(terminal, "".join(f"\r\n\x1b[J{line}" for line in shown) + " ")
        answer = _line(terminal)
    typed = 0 if hidden else 1  # the line end that was shown
    _write(terminal, "\r" + "\x1b[A" * (len(shown) - 1 + typed) + "\x1b[J\x1b[A")
    if not answer.endswith(b"\n"):
        raise NoTerminal("no one answered there")
    return answer.rstrip(b"\r\n").decode("utf-8", "surrogateescape")


def _line(terminal: int) -> bytes:
    """What is typed; cut short when the time is up or the terminal is gone."""
    line, deadline = b"", time.monotonic() + _PATIENCE
    while not line.endswith(b"\n"):
        if not select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
            break
        part = os.read(terminal, 1024)
        if not part:
            break
        line += part
    return line


def _write(terminal: int, text: str) -> None:
    data = text.encode("utf-8", "replace")
    while data:
        data = data[os.write(terminal, data) :]


@contextlib.contextmanager
def _by_lines(terminal: int, *, hidden: bool) -> Iterator[None]:
    """Lines as a person types them, shown or not."""
    import termios

    before = termios.tcgetattr(terminal)
    settings = termios.tcgetattr(terminal)
    settings[3] = (settings[3] | termios.ICANON | termios.ECHO) & ~termios.ECHONL
    settings[3] &= ~termios.ECHO if hidden else -1

    def give_back() -> None:
        with contextlib.suppress(termios.error):  # it hung up
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)

    termios.tcsetattr(terminal, termios.TCSAFLUSH, settings)
    # A run that is given up ends without this thread.
    atexit.register(give_back)
    try:
        yield
    finally:
        atexit.unregister(give_back)
        give_back()
