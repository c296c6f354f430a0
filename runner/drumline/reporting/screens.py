"""Where lines go: a terminal with live lines, or a file of plain text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Protocol, TextIO

from drumline.reporting.lines import Line, plain

FRAMES_PER_SECOND = 8


class Screen(Protocol):
    """Where lines go. ``live`` gives the live lines below them."""

    def show(self, line: Line) -> None: ...

    def open(self, live: Callable[[], Iterable[Line]]) -> None: ...

    def redraw(self) -> None: ...

    def close(self) -> None: ...


class PlainScreen:
    """Lines of text, without live lines."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def show(self, line: Line) -> None:
        print(plain(line), file=self._file, flush=True)

    def open(self, live: Callable[[], Iterable[Line]]) -> None:
        pass

    def redraw(self) -> None:
        pass

    def close(self) -> None:
        pass


def screen_for(file: TextIO) -> tuple[Screen, bool]:
    """The screen for a file, and whether it is a terminal that can have live lines."""
    if file.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
        from drumline.reporting.live import LiveScreen  # it brings rich

        return LiveScreen(file), True
    return PlainScreen(file), False


def warn(file: TextIO, warnings: Iterable[str]) -> None:
    """Print warnings."""
    for warning in warnings:
        print(f"warning: {warning}", file=file)
