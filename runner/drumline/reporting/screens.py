"""Where lines go: a terminal, on which some of them move, or a file of plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from drumline.reporting.lines import Line, plain

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

FRAMES_PER_SECOND = 8

#: What a terminal shows of Ctrl-C, ``^C``, has to fit behind the last live line: on a line of its own it moves them.
_ROOM = 2


class Screen(Protocol):
    """Where lines go. ``live`` says what stands below them while the run goes on."""

    def show(self, line: Line) -> None: ...

    def open(self, live: Callable[[], Iterable[Line]]) -> None: ...

    def redraw(self) -> None: ...

    def close(self) -> None: ...


class PlainScreen:
    """Lines of text; nothing moves."""

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


class LiveScreen:
    """A terminal, drawn by rich."""

    def __init__(self, file: TextIO) -> None:
        from rich.console import Console

        self._console = Console(file=file, highlight=False, soft_wrap=True)
        self._live: Any = None

    def show(self, line: Line) -> None:
        self._console.print(_text(line))

    def open(self, live: Callable[[], Iterable[Line]]) -> None:
        from rich.live import Live

        self._live = Live(_Drawn(live), console=self._console, refresh_per_second=FRAMES_PER_SECOND, transient=True)
        self._live.start()

    def redraw(self) -> None:
        if self._live is not None:
            self._live.refresh()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


class _Drawn:
    """What stands below the lines, asked anew for each frame."""

    def __init__(self, live: Callable[[], Iterable[Line]]) -> None:
        self._live = live

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [_text(line) for line in self._live()]
        for line in lines[-options.size.height :]:  # the last ones matter most: what is asked is there
            line.truncate(max(1, options.max_width - _ROOM), overflow="ellipsis")
            line.no_wrap = True
            yield line


def _text(line: Line) -> Any:
    from rich.text import Text

    return Text.assemble(*((part.text, part.style) for part in line))


def screen_for(file: TextIO) -> tuple[Screen, bool]:
    """The screen for a file, and whether it is a terminal."""
    if file.isatty():
        return LiveScreen(file), True
    return PlainScreen(file), False


def warn(file: TextIO, warnings: Iterable[str]) -> None:
    """Say what is wrong without being an error."""
    for warning in warnings:
        print(f"warning: {warning}", file=file)
