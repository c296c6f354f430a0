"""``drumline run``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drumline.cli.options import (
    check_options,
    events_option,
    forks_option,
    playbook_options,
    prepared_with,
    recap_option,
    slow_reports_option,
    state_option,
    verbose_option,
    with_passwords,
)
from drumline.cli.reported import run_reported

if TYPE_CHECKING:
    from drumline.app import Prepared
    from drumline.forecast.remaining import Remaining


@click.command("run")
@playbook_options
@check_options
@forks_option
@events_option
@slow_reports_option
@recap_option
@state_option
@verbose_option
def command(playbooks: tuple[Path, ...], verbose: int, events: str | None, recap: bool, **given: Any) -> None:
    """Run playbooks on a fleet, wave by wave.

    Exit status: 0 success, 2 a job failed, 4 a host was unreachable, 5 the command line or the files
    are wrong and nothing was sent, 130 interrupted, 1 a fault in drumline.

    Ctrl-C lets the running wave finish; pressed again, it stops what is running on the hosts.
    """
    prepared = prepared_with(playbooks, given, sends=True, check=given["check"], diff=given["diff"])
    prepared = with_passwords(prepared)
    status = run_reported(
        prepared,
        verbose=verbose,
        state=given["state"],
        recap=recap,
        events=events,
        remaining=partial(_remaining, prepared),
    )
    raise SystemExit(status)


def _remaining(prepared: Prepared, run: int) -> Remaining:
    from drumline.estimates import remaining_of  # imported late: only a terminal asks for it

    return remaining_of(prepared, run)
