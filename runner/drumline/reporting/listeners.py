"""What listens to a run: the console, and the file of ``--events``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from drumline.errors import UsageError
from drumline.execution.approvals import Source
from drumline.journal.codec import to_line
from drumline.model.event import Event
from drumline.model.plan import Plan
from drumline.reporting.console import ConsoleReport
from drumline.reporting.prompt import terminal_prompt
from drumline.reporting.screens import screen_for, warn

if TYPE_CHECKING:
    from drumline.forecast.remaining import Remaining

Listener = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Reports:
    """What follows a run: call ``listeners`` once its number and id are known. ``sources`` take people's answers."""

    listeners: Callable[[int, str], list[Listener]]
    sources: tuple[Source, ...] = ()


@contextmanager
def listeners_for(
    plan: Plan,
    *,
    events: str | None = None,
    verbose: int = 0,
    warnings: Iterable[str] = (),
    remaining: Callable[[int], Remaining] | None = None,
    state: Path | None = None,
) -> Iterator[Reports]:
    """Makes the listeners of a run when its number is known, and closes them at the end.

    ``remaining`` makes what tells a terminal how much is left of the run with this number. ``state`` is the journal's
    folder, where the command line named it: people who are asked are told.

    With ``events`` "-" the events have stdout, and the console takes stderr. People are asked at the terminal when
    both the console and the standard input are one. Raises ``UsageError`` when the file can't
    be written. A listener whose output breaks later (a full disk, a closed pipe) falls silent; the run goes on, since
    the journal has everything.
    """
    console = sys.stderr if events == "-" else sys.stdout
    warn(sys.stderr, warnings)
    with ExitStack() as stack:
        lines = [stack.enter_context(_events_to(events, plan))] if events else []
        screen, alive = screen_for(console)
        prompt = terminal_prompt(plan, sys.stdin) if alive else None

        def make(number: int, _run: str) -> list[Listener]:
            left = stack.enter_context(remaining(number)) if alive and remaining else None
            report = ConsoleReport(
                plan,
                screen,
                number=number,
                verbose=verbose,
                alive=alive,
                prompt=prompt,
                remaining=left,
                state=state,
            )
            return [_lasting(stack.enter_context(report), "The console"), *lines]

        yield Reports(make, (prompt,) if prompt else ())


@contextmanager
def _events_to(name: str, plan: Plan) -> Iterator[Listener]:
    if name == "-":
        yield _lasting(_writer(sys.stdout, plan), "--events")
        return
    try:
        file = Path(name).open("w", encoding="utf-8")  # noqa: SIM115 - closed below; only opening it is tried
    except OSError as error:
        raise UsageError("The file for --events can't be written", f"{name}: {error.strerror}.") from error
    try:
        yield _lasting(_writer(file, plan), f"--events {name}")
    finally:
        with suppress(OSError):  # told when it was written
            file.close()


def _lasting(listener: Listener, name: str) -> Listener:
    """The listener until its output breaks, then nothing."""
    broken = False

    def listen(event: Event) -> None:
        nonlocal broken
        if broken:
            return
        try:
            listener(event)
        except OSError as error:
            broken = True
            _tell(f"{name} can't be written any more: {error.strerror}. The run goes on; see 'drumline runs show'.")

    return listen


def _tell(text: str) -> None:
    with suppress(OSError):
        warn(sys.stderr, [text])


def _writer(file: TextIO, plan: Plan) -> Listener:
    numbers = iter(range(1, sys.maxsize))

    def write(event: Event) -> None:
        file.write(to_line(event, plan, next(numbers)) + "\n")
        file.flush()

    return write
