"""The file of ``--events``: every event as a line of JSON."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TextIO

from drumline.errors import UsageError
from drumline.journal.lines import to_line
from drumline.model.event import Event, PlanGrown
from drumline.model.plan import Plan
from drumline.plugin.runs import Reporter, RunView, Takes
from drumline.plugin.spec import hookimpl


class EventsFile:
    """Reports runs to a file, or to standard output for ``-``. Raises ``UsageError`` if it can't be written."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._opened = _opened(name)

    @hookimpl
    def drumline_reporters(self, run: RunView) -> Iterable[Reporter]:
        report = partial(_writing, self._opened, run.plan)
        if self._name == "-":
            return [Reporter(name="--events", open=report, stream="stdout", gaps=True)]
        return [Reporter(name=f"--events {self._name}", open=report, gaps=True)]


def _opened(name: str) -> Callable[[], TextIO]:
    """A function that opens the file for ``--events``. It is opened now as a test, except a pipe without a reader."""
    if name == "-":
        return lambda: sys.stdout
    try:
        if stat.S_ISFIFO(os.stat(name).st_mode):
            return lambda: Path(name).open("w", encoding="utf-8")
    except OSError:
        pass  # it doesn't exist yet, or can't be opened either
    try:
        file = Path(name).open("w", encoding="utf-8")  # noqa: SIM115 - closed by its report
    except (OSError, ValueError) as error:
        raise UsageError(
            "The file for --events can't be written", f"{name}: {getattr(error, 'strerror', None) or error}."
        ) from error
    return lambda: file


@contextmanager
def _writing(opened: Callable[[], TextIO], plan: Plan) -> Iterator[Takes]:
    file = opened()
    try:
        yield _EventLines(file, plan)
    finally:
        if file is not sys.stdout:
            with suppress(OSError):  # reported when writing failed
                file.close()


class _EventLines:
    """Writes events as lines of JSON. Missed events leave a gap in the numbers."""

    def __init__(self, file: TextIO, plan: Plan) -> None:
        self._file = file
        self._plan = plan
        self._number = 0

    def __call__(self, event: Event, missed: int = 0) -> None:
        self._number += 1 + missed
        if isinstance(event, PlanGrown):
            self._plan = self._plan.grown(event.growth)
        self._file.write(to_line(event, self._plan, self._number) + "\n")
        self._file.flush()
