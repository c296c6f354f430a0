"""A terminal with live lines, drawn by rich. No other module imports rich to show a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO, cast

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from drumline.diagnostics import cells
from drumline.plugin.terminal import Shared
from drumline.reporting.lines import Line
from drumline.reporting.screens import FRAMES_PER_SECOND

#: The ``^C`` that a terminal shows for Ctrl-C has to fit on the last live line; on a new line, it would shift them.
_ROOM = 2


class LiveScreen:
    """A terminal."""

    def __init__(self, file: TextIO) -> None:
        self._console = Console(file=cast(TextIO, Shared(file)), highlight=False, soft_wrap=True)
        self._live: Live | None = None

    def show(self, line: Line) -> None:
        if any(part.whole for part in line):
            self._console.print(_text(line))
            return
        for broken in _broken(_text(line), self._console):
            self._console.print(broken)

    def open(self, live: Callable[[], Iterable[Line]]) -> None:
        self._live = Live(_Drawn(live), console=self._console, refresh_per_second=FRAMES_PER_SECOND, transient=True)
        self._live.start()

    def redraw(self) -> None:
        if self._live is not None:
            self._live.refresh()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


#: The prefix of a line, below which wrapped text leaves a blank: a status, a stream of output, an indentation.
_MARGIN = re.compile(r"  [a-z][a-z ]{10} (?=\S)|\s*(?:\S+: )?std(?:out|err) │ |\s*")

#: What isn't broken: a number with its unit, a word. Lines may break between letters of Chinese, Japanese and Korean.
_WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60"
_WORD = re.compile(rf"\s*[\d.]+ (?:ms|[smh])\b\S*\s*|\s*[{_WIDE}]\s*|\s*[^\s{_WIDE}]+\s*$|\s*[^\s{_WIDE}]+")


def _broken(text: Text, console: Console) -> Iterator[Text]:
    """A line wrapped between words; a word longer than a line is left to the terminal.

    Continuation lines start where the line's text did, if that leaves enough room.
    """
    width = console.width
    if text.cell_len <= width:
        yield text
        return
    found = _MARGIN.match(text.plain)
    margin = len(found[0]) if found else 0
    before, rest = text[:margin], text[margin:]
    indent = before.cell_len if before.cell_len <= width // 3 else 2
    for part in _wrapped(rest, width - before.cell_len, width - indent):
        yield before + part
        before = Text(" " * indent)


def _wrapped(text: Text, first: int, width: int) -> Iterator[Text]:
    """The text in parts of at most ``first`` columns, then ``width``; longer words stay whole."""
    room, start, end, used = first, 0, 0, 0
    for word in _WORD.finditer(text.plain):
        size = cells(word[0])
        if used and used + size > room:
            yield text[start:end]
            start, used, room = end + len(word[0]) - len(word[0].lstrip()), 0, width
            size = cells(word[0].lstrip())
        end, used = word.end(), used + size
    yield text[start:]


class _Drawn:
    """The live lines, requested anew for each frame."""

    def __init__(self, live: Callable[[], Iterable[Line]]) -> None:
        self._live = live

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [_text(line) for line in self._live()]
        for line in lines[-options.size.height :]:  # the last ones matter most: the question is there
            line.truncate(max(1, options.max_width - _ROOM), overflow="ellipsis")
            line.no_wrap = True
            yield line


def _text(line: Line) -> Text:
    return Text.assemble(*((part.text, part.style) for part in line))
