"""What listens to a run: the console, and the file of ``--events``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from drumline.errors import UsageError
from drumline.journal.codec import to_line
from drumline.model.event import SCHEMA, Event
from drumline.model.plan import Plan
from drumline.reporting.console import ConsoleReport, screen_for, warn

Listener = Callable[[Event], None]


@contextmanager
def listeners_for(
    plan: Plan, *, events: str | None = None, verbose: int = 0, warnings: Iterable[str] = ()
) -> Iterator[Callable[[int, str], list[Listener]]]:
    """Makes the listeners of a run when its number is known, and closes them at the end.

    With ``events`` "-" the events have stdout, and the console takes stderr. Raises ``UsageError`` when the file can't
    be written.
    """
    console = sys.stderr if events == "-" else sys.stdout
    warn(sys.stderr, warnings)
    with ExitStack() as stack:
        lines = [stack.enter_context(_events_to(events, plan))] if events else []

        def make(number: int, _run: str) -> list[Listener]:
            screen, alive = screen_for(console)
            report = ConsoleReport(plan, screen, number=number, verbose=verbose, alive=alive)
            return [stack.enter_context(report), *lines]

        yield make


@contextmanager
def _events_to(name: str, plan: Plan) -> Iterator[Listener]:
    if name == "-":
        yield _writer(sys.stdout, plan)
        return
    try:
        file = Path(name).open("w", encoding="utf-8")  # noqa: SIM115 - closed below; only opening it is tried
    except OSError as error:
        raise UsageError("The file for --events can't be written", f"{name}: {error.strerror}.") from error
    with file:
        yield _writer(file, plan)


def _writer(file: TextIO, plan: Plan) -> Listener:
    numbers = iter(range(1, sys.maxsize))

    def write(event: Event) -> None:
        file.write(to_line(event, plan, next(numbers), SCHEMA) + "\n")
        file.flush()

    return write
