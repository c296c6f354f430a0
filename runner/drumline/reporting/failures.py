"""Failures, shown when they happen: the first of a kind in full, similar ones a moment later in one line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from msgspec import Struct

from drumline.model.event import JobFinished
from drumline.model.hostnames import fold_hosts
from drumline.reporting.folds import Fold, Likeness
from drumline.reporting.lines import MARKS, Line, Part, fold_lines, mark, task_name
from drumline.reporting.tracker import CAUSES, Tracker, Wave, WaveKey

#: Seconds for which failures similar to one that was shown are gathered.
_PATIENCE = 1.0

#: How many kinds of failures of a task are shown in full, unless outputs are shown anyway; of others, the last lines.
_MOST_KINDS = 5


class _Repeated(Struct):
    """Failures of one task that differ only by the hosts' names, if at all."""

    step: int
    first: str  #: The host whose failure was shown in full.
    more: list[str] = []  #: Hosts with the same failure that haven't been shown yet.


class FailureReports:
    """Shows failures of running waves. ``show`` takes a wave and the lines about it."""

    def __init__(
        self, tracker: Tracker, show: Callable[[Wave, Iterable[Line]], None], lock: threading.RLock, *, verbose: int
    ) -> None:
        """``lock`` is held while something is shown, also by the timer."""
        self._tracker = tracker
        self._show = show
        self._lock = lock
        self._verbose = verbose
        self._kinds: dict[WaveKey, dict[Likeness, _Repeated]] = {}
        self._timer: threading.Timer | None = None

    def add(self, event: JobFinished) -> None:
        """Show the event if it is a failure that matters."""
        if event.status not in CAUSES or event.ignored:
            return
        wave = self._tracker.wave_of(event.job)
        if wave is None:
            return
        step, host = event.job
        fold = Fold(step, event.status, event.result, False, event.check, [host], event.started, event.at)
        kinds = self._kinds.setdefault(wave.key, {})
        likeness = self._tracker.folding.likeness(fold)
        if likeness in kinds:
            kinds[likeness].more.append(host)
            self._tell_soon()
            return
        brief = not self._verbose and sum(kind.step == step for kind in kinds.values()) >= _MOST_KINDS
        kinds[likeness] = _Repeated(step, host)
        plan = self._tracker.plan
        origin = plan.plays[plan.steps[step].play].play.origin
        self._show(wave, fold_lines(plan.steps[step], fold, verbose=self._verbose, brief=brief, origin=origin))

    def told(self, wave: Wave) -> frozenset[tuple[int, str]]:
        """The steps and hosts of a wave that were shown in full. What was gathered is shown with the wave's result."""
        return frozenset((kind.step, kind.first) for kind in self._kinds.pop(wave.key, {}).values())

    def close(self) -> None:
        """Show nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tell_soon(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(_PATIENCE, self._tell_gathered)
            self._timer.daemon = True
            self._timer.start()

    def _tell_gathered(self) -> None:
        # The output may be closed by now; whoever writes the next line reports that.
        with self._lock, suppress(OSError, ValueError):
            self._timer = None
            for key, kinds in self._kinds.items():
                lines = [line for likeness, kind in kinds.items() for line in self._more_lines(likeness, kind)]
                if lines:
                    self._show(self._tracker.waves[key], lines)

    def _more_lines(self, likeness: Likeness, kind: _Repeated) -> Iterator[Line]:
        if not kind.more:
            return
        hosts, kind.more = self._tracker.folding.ordered(kind.more), []
        word, style = MARKS[likeness[1]]
        name = task_name(self._tracker.plan.steps[kind.step])
        yield [
            mark(word, style),
            Part(f"{name}: "),
            Part(fold_hosts(hosts), "bold"),
            Part(f"  same as {kind.first}", "dim"),
        ]
