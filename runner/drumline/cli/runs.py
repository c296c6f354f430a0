"""``drumline runs``: what the journal knows."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from drumline.cli.groups import Group
from drumline.cli.options import completes, settings_with, state_option, verbose_option
from drumline.reporting.lines import Line

_format = click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="Default: text."
)


@click.group("runs", cls=Group)
def command() -> None:
    """List earlier runs and show what they did."""


@command.command("list")
@_format
@state_option
def list_(format_: str, state: Path | None) -> None:
    """List all runs, newest first."""
    from drumline.journal.store import Journal
    from drumline.reporting.history import list_lines

    runs = Journal(settings_with(state=state).state).runs()
    if format_ == "json":
        click.echo(json.dumps([asdict(run) for run in runs], indent=2))
    elif runs:
        _show(list_lines(runs))
    else:
        click.echo("No runs yet.")


@command.command("show", short_help="Show one run: failures first, then its waves.")
@click.argument("run", required=False, shell_complete=completes("runs"))
@_format
@state_option
@verbose_option
def show(run: str | None, format_: str, state: Path | None, verbose: int) -> None:
    """Show a run: failures first, then its waves, jobs, times and (with -v) outputs.

    RUN is a number or id of 'drumline runs list'; default: the newest.
    """
    from drumline.journal.store import Journal
    from drumline.reporting.history import show_data, show_lines

    journal = Journal(settings_with(state=state).state)
    found = journal.find(run)
    plan = journal.plan(found)
    if format_ == "json":
        click.echo(json.dumps(show_data(found, plan, journal.events(found)), indent=2, default=str))
    else:
        _show(show_lines(found, plan, journal.events(found), verbose=verbose, state=state))


@command.command("output", short_help="Print all that a job said, uncut.")
@click.argument("task", shell_complete=completes("tasks of a run"))
@click.argument("host", shell_complete=completes("hosts of a run"))
@click.option(
    "--run",
    metavar="RUN",
    shell_complete=completes("runs"),
    help="A number or id of 'drumline runs list'. Default: the newest.",
)
@click.option("--stderr", is_flag=True, help="Its standard error instead of its standard output.")
@state_option
def output(task: str, host: str, run: str | None, stderr: bool, state: Path | None) -> None:
    """Print all that a job said, also what reports had no room for. TASK is the task's id."""
    from drumline.journal.store import Journal
    from drumline.reporting.history import output_of

    journal = Journal(settings_with(state=state).state)
    found = journal.find(run)
    sys.stdout.flush()
    sys.stdout.buffer.write(output_of(journal, found, task, host, "stderr" if stderr else "stdout"))
    sys.stdout.buffer.flush()


def _show(lines: Iterable[Line]) -> None:
    from drumline.reporting.screens import screen_for

    screen, _ = screen_for(sys.stdout)
    for line in lines:
        screen.show(line)
