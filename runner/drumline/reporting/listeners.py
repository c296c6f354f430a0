"""Wires the reporters of a run: the console, the file of ``--events``, and those of plugins."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from drumline.model.plan import Plan
from drumline.plugin.hooks import Hooks
from drumline.reporting.console_reporter import Console
from drumline.reporting.relay import WhenSlow
from drumline.reporting.reporters import COMMAND_LINE, Reports
from drumline.reporting.screens import warn


@contextmanager
def listeners_for(
    plan: Plan,
    *,
    hooks: Hooks | None = None,
    events: str | None = None,
    warnings: Iterable[str] = (),
    when_slow: WhenSlow = WhenSlow.DROP,
    **console: Any,
) -> Iterator[Reports]:
    """Make the listeners of a run once its number is known, and close them at the end.

    ``hooks`` are those of all plugins; ``console`` are options of :class:`Console`.

    If ``events`` is "-", events go to stdout and the console to stderr. Raises ``UsageError`` if the file can't be
    written. A report whose output breaks later (a full disk, a closed pipe) stops, and one that no one reads holds
    nothing up (:mod:`.relay`): the run goes on, since the journal has everything.
    """
    warn(sys.stderr, warnings)
    hooks = hooks or Hooks()
    with ExitStack() as stack:
        shown = command_line_reporters(hooks, stack, events, asks=plan, **console)
        reports = Reports(hooks, when_slow, sources=(shown.prompt,) if shown.prompt else ())
        stack.callback(reports.close)
        yield reports


def command_line_reporters(hooks: Hooks, stack: ExitStack, events: str | None, **console: Any) -> Console:
    """Register the reporters that the command line asks for, the console and ``--events``, while the stack is open."""
    shown = Console("stderr" if events == "-" else "stdout", **console)
    stack.callback(shown.close)
    if events is not None:
        from drumline.reporting.events_file import EventsFile

        stack.enter_context(hooks.registered(f"{COMMAND_LINE} (--events)", EventsFile(events)))
    stack.enter_context(hooks.registered(COMMAND_LINE, shown))
    return shown
