"""Runs a plan with its reports: the console, ``--events`` and the reporters of plugins."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from drumline.cli.again import again
from drumline.cli.options import called_as
from drumline.model.event import Event

if TYPE_CHECKING:
    from drumline.app import Prepared
    from drumline.forecast.remaining import Remaining


def run_reported(
    prepared: Prepared,
    *,
    verbose: int,
    state: Path | None,
    recap: bool,
    outputs: int = 0,
    events: str | None = None,
    remaining: Callable[[int], Remaining] | None = None,
    watch: Callable[[Event], None] | None = None,
) -> int:
    """Run a plan to its end; returns the exit status.

    The console shows at least the ``verbose`` level ``outputs``. ``events`` names the file for events. ``remaining``
    makes the estimate of what is left, given the run's number. ``watch`` is called with each event.
    """
    from drumline.app.carrying_out import carry_out
    from drumline.reporting.listeners import listeners_for
    from drumline.reporting.relay import WhenSlow

    with listeners_for(
        prepared.plan,
        hooks=prepared.registry.hooks,
        verbose=max(verbose, outputs),
        events=events,
        warnings=prepared.registry.faults,
        remaining=remaining,
        state=state,
        when_slow=WhenSlow(prepared.settings.slow_reports),
        recap=recap,
        diff_context=prepared.settings.diff_context,
        custom_stats=prepared.settings.show_custom_stats,
        go_on=again(),
        address=prepared.address,
    ) as reports:
        return carry_out(
            prepared,
            reports.listeners if watch is None else lambda run: [*reports.listeners(run), watch],
            command=called_as(sys.argv[1:]),
            verbosity=verbose,
            sources=reports.sources,
            readers=reports,
        )
