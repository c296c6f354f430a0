"""``drumline run``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from drumline.cli.again import again
from drumline.cli.options import (
    called_as,
    forks_option,
    inventory_options,
    playbook_path,
    prepared_with,
    recap_option,
    scope_options,
    slow_reports_option,
    state_option,
    tag_options,
    verbose_option,
)


@click.command("run")
@click.argument("playbooks", nargs=-1, required=True, type=playbook_path, metavar="PLAYBOOK...")
@inventory_options
@scope_options
@tag_options
@forks_option
@click.option(
    "--events", type=click.Path(dir_okay=False), metavar="FILE", help="Write every event as a JSON line; '-': stdout."
)
@slow_reports_option
@recap_option
@state_option
@verbose_option
def command(playbooks: tuple[Path, ...], verbose: int, events: str | None, recap: bool, **given: Any) -> None:
    """Carry playbooks out on a fleet, wave by wave.

    Exit status: 0 everything well, 2 some job failed, 4 some host was unreachable, 5 the command line or the files
    are wrong and nothing was sent, 130 interrupted, 1 a fault in drumline.

    Ctrl-C lets the running wave end; a second one stops what runs on the hosts.
    """
    from drumline.app import carry_out, remaining_of
    from drumline.reporting.listeners import listeners_for
    from drumline.reporting.relay import WhenSlow

    prepared = prepared_with(playbooks, given)
    with listeners_for(
        prepared.plan,
        events=events,
        verbose=verbose,
        warnings=prepared.registry.faults,
        remaining=lambda number: remaining_of(prepared, number),
        state=given["state"],
        when_slow=WhenSlow(prepared.settings.slow_reports),
        recap=recap,
        go_on=again(),
        address=prepared.address,
        mask=prepared.secrets.mask,
    ) as reports:
        status = carry_out(
            prepared,
            reports.listeners,
            command=called_as(sys.argv[1:]),
            verbosity=verbose,
            sources=reports.sources,
            readers=reports,
        )
    raise SystemExit(status)
