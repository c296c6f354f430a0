"""The console: a live line for each open wave at a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from drumline.model.event import BarrierPassed, Event, InterruptRequested, RunFinished, WaveReleased
from drumline.model.plan import Plan
from drumline.model.playbook import Strategy
from drumline.reporting.lines import (
    Line,
    Part,
    count_parts,
    plain,
    play_title,
    running_text,
    verdict,
    wave_number,
    wave_result,
    wave_title,
)
from drumline.reporting.tracker import Tracker, Wave

if TYPE_CHECKING:
    from rich.console import RenderableType

_FRAMES_PER_SECOND = 8


class Screen(Protocol):
    """Where lines go. ``live`` says what stands below them while the run goes on."""

    def show(self, line: Line) -> None: ...

    def open(self, live: Callable[[], Iterable[Line]]) -> None: ...

    def close(self) -> None: ...


class PlainScreen:
    """Lines of text; nothing moves."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def show(self, line: Line) -> None:
        print(plain(line), file=self._file, flush=True)

    def open(self, live: Callable[[], Iterable[Line]]) -> None:
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

        self._live = Live(_Drawn(live), console=self._console, refresh_per_second=_FRAMES_PER_SECOND, transient=True)
        self._live.start()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


class _Drawn:
    """What stands below the lines, asked anew for each frame."""

    def __init__(self, live: Callable[[], Iterable[Line]]) -> None:
        self._live = live

    def __rich__(self) -> RenderableType:
        from rich.console import Group

        lines = [_text(line) for line in self._live()]
        for line in lines:
            line.no_wrap = True
            line.overflow = "ellipsis"
        return Group(*lines)


def _text(line: Line) -> Any:
    from rich.text import Text

    return Text.assemble(*((part.text, part.style) for part in line))


class ConsoleReport:
    """Tells a run on a screen. Use it as a context manager; it listens to events."""

    def __init__(self, plan: Plan, screen: Screen, *, number: int, verbose: int = 0, alive: bool = False) -> None:
        self._tracker = Tracker(plan, verbose=verbose)
        self._screen = screen
        self._number = number
        self._verbose = verbose
        self._alive = alive
        self._shown: tuple[int, int] | None = None  # the play and batch whose title came last

    def __enter__(self) -> ConsoleReport:
        if self._alive:
            self._screen.open(self._live_lines)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._screen.close()

    def __call__(self, event: Event) -> None:
        """Take in one event and show what it changes."""
        ended = self._tracker.handle(event)
        match event:
            case WaveReleased():
                self._released(event)
            case BarrierPassed():
                self._show_result(self._tracker.waves[event.play, event.batch, event.wave])
            case InterruptRequested():
                self._interrupted()
            case RunFinished():
                self._screen.close()
                self._screen.show(verdict(self._tracker, self._number))
        for wave in ended:
            if not self._has_barrier(wave):
                self._show_result(wave)

    def _released(self, event: WaveReleased) -> None:
        wave = self._tracker.waves[event.play, event.batch, event.wave]
        if not self._alive and event.jobs:
            self._show_title(wave)

    def _show_title(self, wave: Wave) -> None:
        plan = self._tracker.plan
        if wave.key[:2] != self._shown:
            self._shown = wave.key[:2]
            self._screen.show(play_title(plan, wave))
        self._screen.show([*wave_title(plan, wave), Part(f" ({_jobs(wave.jobs)})", "dim")])

    def _show_result(self, wave: Wave) -> None:
        if not wave.folds and not self._verbose:
            return  # nothing ran in it: the failures above and the verdict below say why
        if self._alive:
            self._show_title(wave)
        for line in wave_result(self._tracker, wave, verbose=self._verbose):
            self._screen.show(line)
        wave.folds.clear()  # shown; ten thousand hosts' results need not be kept

    def _has_barrier(self, wave: Wave) -> bool:
        return self._tracker.plan.plays[wave.key[0]].play.strategy is Strategy.WAVES

    def _interrupted(self) -> None:
        if self._tracker.interrupts == 1:
            text = "interrupted: the running wave ends, nothing more is released; Ctrl-C again stops what runs"
        elif self._tracker.interrupts == 2:
            text = "interrupted: stopping what runs on the hosts"
        else:
            text = "interrupted: not waiting any longer"
        self._screen.show([Part(text, "bold magenta")])

    def _live_lines(self) -> list[Line]:
        now = time.time()
        with self._tracker.lock:
            return [self._live_line(wave, now) for wave in self._tracker.open_waves()]

    def _live_line(self, wave: Wave, now: float) -> Line:
        """What matters most comes first: a narrow terminal cuts the end off."""
        plan = self._tracker.plan
        counts = [Part("  "), *count_parts(wave.counts)] if wave.counts else []
        running = running_text(self._tracker, wave, now)
        return [
            Part(f"{_spinner(now)} ", "green"),
            Part(f"{wave_number(plan, wave)}  "),
            Part(f"{wave.jobs - wave.open}/{wave.jobs}", "bold"),
            *counts,
            Part(f"  {running}" if running else "", "cyan"),
            Part("  "),
            *wave_title(plan, wave)[1:],
        ]


def screen_for(file: TextIO) -> tuple[Screen, bool]:
    """The screen for a file, and whether it is a terminal."""
    if file.isatty():
        return LiveScreen(file), True
    return PlainScreen(file), False


def warn(file: TextIO, warnings: Iterable[str]) -> None:
    """Say what is wrong without being an error."""
    for warning in warnings:
        print(f"warning: {warning}", file=file)


def _jobs(count: int) -> str:
    return f"{count} job{'s' if count != 1 else ''}"


def _spinner(now: float) -> str:
    frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
    return frames[int(now * _FRAMES_PER_SECOND) % len(frames)]
