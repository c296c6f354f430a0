"""A terminal for the program to draw on: a real pty, and enough of a terminal to see what is left on it."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from support.program import environment

#: Makes the terminal the program's own, so that a Ctrl-C that is typed there becomes a signal.
_START = (
    "import fcntl, os, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "from drumline.cli import main; main()"
)
_TOKEN = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b\](?:[^\x07\x1b]*)(?:\x07|\x1b\\)|(.)", re.DOTALL)


class Terminal:
    """The program on a terminal; a context manager."""

    def __init__(
        self, directory: Path, *arguments: str, columns: int = 100, env: Mapping[str, str] | None = None
    ) -> None:
        self.columns = columns
        self._written = bytearray()
        self._gone = False  # the terminal was closed
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self._slave = slave
        self.attributes = termios.tcgetattr(slave)
        self._popen = subprocess.Popen(
            [sys.executable, "-c", _START, *arguments],
            cwd=directory,
            env=environment(directory, {"TERM": "xterm-256color", "COLUMNS": "", **(env or {})}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    @property
    def text(self) -> str:
        """Everything that was written so far, escape sequences included."""
        return self._written.decode(errors="replace")

    def end(self, seconds: float = 60.0) -> int:
        """Wait for the end; the exit status."""
        status = self._popen.wait(seconds)
        os.close(self._slave)  # the last one: the reader comes to its end
        self._slave = -1
        self._reader.join(10)
        return status

    def hang_up(self, seconds: float = 30.0) -> int:
        """Close the terminal, as a window is closed or a connection breaks; the program's exit status."""
        self._gone = True
        os.close(self._slave)
        self._slave = -1
        os.close(self._master)
        return self._popen.wait(seconds)

    def attributes_now(self) -> list[Any]:
        return termios.tcgetattr(self._slave)

    def screen(self) -> Screen:
        """What there is to see."""
        return Screen(self.text, self.columns)

    def shows(self, text: str) -> bool:
        """Whether a text is to be seen in some line."""
        return any(text in line for line in self.screen().lines)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._popen.poll() is None:
            self._popen.kill()
            self._popen.wait()
        if self._slave >= 0:
            os.close(self._slave)
        self._reader.join(10)
        if not self._gone:
            os.close(self._master)

    def _read(self) -> None:
        while not self._gone:
            try:
                # While a read waits, the terminal can't be closed.
                if not select.select([self._master], [], [], 0.1)[0]:
                    continue
                data = os.read(self._master, 65536)
            except OSError:
                return  # no one has the other end any more
            if not data:
                return
            self._written += data


class Screen:
    """Draws what a program wrote. Knows the sequences that rich uses; any other one is kept in ``unknown``."""

    def __init__(self, text: str, columns: int) -> None:
        self.cursor_shown = True
        self.drawn_over = 0  # lines that were erased to be drawn anew
        self.unknown: list[str] = []
        self._columns = columns
        self._rows: list[list[str]] = [[]]
        self._row = self._column = 0
        for found in _TOKEN.finditer(text):
            if found[3] is not None:
                self._put(found[3])
            elif found[2] is not None:
                self._obey(found[1], found[2])

    @property
    def lines(self) -> list[str]:
        """The lines without what is empty at their end."""
        return ["".join(row).rstrip() for row in self._rows]

    def _put(self, char: str) -> None:
        if char == "\r":
            self._column = 0
        elif char == "\n":
            self._row += 1
        elif char.isprintable():
            width = cell_len(char)
            if self._column + width > self._columns:
                self._row, self._column = self._row + 1, 0
            self._fill()
            row = self._rows[self._row]
            row[self._column : self._column + width] = [char] + [""] * (width - 1)
            self._column += width
        else:
            self.unknown.append(char)
        self._fill()

    def _fill(self) -> None:
        while len(self._rows) <= self._row:
            self._rows.append([])
        row = self._rows[self._row]
        row += [" "] * (self._column - len(row))

    def _obey(self, parameters: str, letter: str) -> None:
        match letter, parameters:
            case ("A", _):
                self._row -= int(parameters or 1)
            case ("K", "2"):
                self._rows[self._row] = []
                self.drawn_over += 1
            case ("h" | "l", "?25"):
                self.cursor_shown = letter == "h"
            case ("m", _):
                pass
            case _:
                self.unknown.append(f"{parameters}{letter}")
