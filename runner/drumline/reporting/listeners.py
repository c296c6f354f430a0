"""What listens to a run: the console, and the file of ``--events``."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from msgspec import Struct

from drumline.errors import UsageError
from drumline.execution.approvals import Source
from drumline.journal.codec import to_line
from drumline.model.event import Event
from drumline.model.plan import Plan
from drumline.plugin.runs import RunView
from drumline.reporting.console import ConsoleReport
from drumline.reporting.prompt import terminal_prompt
from drumline.reporting.relay import Relay, Takes, WhenSlow
from drumline.reporting.saying import give_up, say
from drumline.reporting.screens import screen_for, warn

if TYPE_CHECKING:
    from drumline.forecast.remaining import Remaining


class Reports(Struct, frozen=True):
    """What follows a run: call ``listeners`` once its number and id are known. ``sources`` take people's answers."""

    listeners: Callable[[RunView], list[Relay]]
    sources: tuple[Source, ...] = ()
    _relays: list[Relay] = []

    def hurry(self) -> None:
        """Wait for no reader any more; may be called from any thread, and for good."""
        for relay in self._relays:
            relay.hurry()

    def close(self) -> None:
        """Wait for what is still to be shown, within bounds. A stream that is stuck is given up."""
        for relay in self._relays:
            relay.close()
            if relay.stuck and relay.stream:
                give_up(relay.stream)


@contextmanager
def listeners_for(
    plan: Plan,
    *,
    events: str | None = None,
    verbose: int = 0,
    warnings: Iterable[str] = (),
    remaining: Callable[[int], Remaining] | None = None,
    state: Path | None = None,
    when_slow: WhenSlow = WhenSlow.DROP,
    **console_options: Any,
) -> Iterator[Reports]:
    """Makes the listeners of a run when its number is known, and closes them at the end.

    ``remaining`` makes what tells a terminal how much is left of the run with this number. ``state`` is the journal's
    directory, where the command line named it: people who are asked are told. ``console_options`` go to
    :class:`ConsoleReport` as they are.

    With ``events`` "-" the events have stdout, and the console takes stderr. People are asked at the terminal when
    both the console and the standard input are one. Raises ``UsageError`` when the file can't
    be written. A report whose output breaks later (a full disk, a closed pipe) falls silent, and one that no one reads
    holds nothing up (:mod:`.relay`); the run goes on, since the journal has everything.
    """
    console = "stderr" if events == "-" else "stdout"
    warn(sys.stderr, warnings)
    relays: list[Relay] = []
    relay = partial(Relay, say=say, when_slow=when_slow)
    with ExitStack() as stack:
        screen, alive = screen_for(getattr(sys, console))
        prompt = terminal_prompt(plan, sys.stdin) if alive else None
        opened = _events_file(events) if events else None

        def make(run: RunView) -> list[Relay]:
            left = stack.enter_context(remaining(run.number)) if alive and remaining else None
            report = partial(
                ConsoleReport,
                run.plan,
                screen,
                number=run.number,
                verbose=verbose,
                alive=alive,
                prompt=prompt,
                remaining=left,
                state=state,
                **console_options,
            )
            relays.append(relay("The console", report, stream=console))
            if opened:
                name, stream = ("--events", "stdout") if events == "-" else (f"--events {events}", "")
                relays.append(relay(name, partial(_writing, opened, plan), stream=stream, gaps=True))
            return relays

        reports = Reports(make, (prompt,) if prompt else (), relays)
        stack.callback(reports.close)
        yield reports


def _events_file(name: str) -> Callable[[], TextIO]:
    """What opens the file for ``--events``: it is tried at once, but for a pipe that has no reader yet."""
    if name == "-":
        return lambda: sys.stdout
    try:
        if stat.S_ISFIFO(os.stat(name).st_mode):
            return lambda: Path(name).open("w", encoding="utf-8")
    except OSError:
        pass  # it isn't there yet, or can't be looked at: then it can't be opened either
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
        yield _Writer(file, plan)
    finally:
        if file is not sys.stdout:
            with suppress(OSError):  # told when it was written
                file.close()


class _Writer:
    """Writes events as lines of JSON; those that were missed leave a gap in the numbers."""

    def __init__(self, file: TextIO, plan: Plan) -> None:
        self._file = file
        self._plan = plan
        self._number = 0

    def __call__(self, event: Event, missed: int = 0) -> None:
        self._number += 1 + missed
        self._file.write(to_line(event, self._plan, self._number) + "\n")
        self._file.flush()
