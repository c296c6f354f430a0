"""``drumline plan``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drumline.cli.messages import show_warning
from drumline.cli.options import (
    check_options,
    forks_option,
    playbook_options,
    prepared_with,
    state_option,
    verbose_option,
)
from drumline.errors import UsageError
from drumline.model.event import Event, JobFinished, JobsAbandoned
from drumline.model.outcome import Status

if TYPE_CHECKING:
    from drumline.app import Prepared


#: The exit status of a check that found something to change, or something that can't be known.
_CHANGES = 3


@click.command("plan")
@playbook_options
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "dot"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs, DOT for Graphviz.",
)
@click.option("--estimate", is_flag=True, help="Also estimate how long it would take, from earlier runs.")
@click.option("--lint-waits", is_flag=True, help="Instead of the plan, list waits in it that may never end, and why.")
@check_options
@forks_option
@state_option
@verbose_option
def command(
    playbooks: tuple[Path, ...], shape: str, estimate: bool, lint_waits: bool, verbose: int, **given: Any
) -> None:
    """Show the waves of a run, and what each task waits for. Nothing is sent to any host.

    With --check the run is checked instead: each task says what it would change, and each host how much that is.

    Exit status: 0, 2 when --lint-waits finds something, or 5 when the command line or the files are wrong. With
    --check: 0 when nothing would change, 3 when something would or that can't be known, else as of 'drumline run'.
    """
    from drumline.clock import SystemClock
    from drumline.planning.views.text import FORMATS, as_text

    if estimate and shape == "dot":
        raise UsageError("DOT has no room for times", "Use --estimate with --format text or json.")
    if lint_waits and (estimate or shape != "text"):
        raise UsageError("--lint-waits shows no plan", "Leave out --estimate and --format, or leave out --lint-waits.")
    if given["check"]:
        if estimate or lint_waits or shape != "text":
            raise UsageError("--check shows no plan", "Leave out --estimate, --lint-waits and --format, or --check.")
        prepared = prepared_with(playbooks, given, sends=True, check=True, diff=given["diff"])
        raise SystemExit(_check(prepared, verbose, given["state"]))
    if given["diff"]:
        raise UsageError("--diff is for checks and runs", "Give --check as well, or leave out --diff.")
    prepared = prepared_with(playbooks, given)
    if lint_waits:
        raise SystemExit(_lint(prepared))
    if shape == "text":
        text = as_text(prepared.plan, now=SystemClock().now(), foreseen=prepared.foreseen)
    else:
        text = FORMATS[shape](prepared.plan)
    click.echo(_with_estimate(text, shape, prepared) if estimate else text)


def _check(prepared: Prepared, verbose: int, state: Path | None) -> int:
    """Check the run; returns the exit status."""
    from drumline.cli.reported import run_reported

    changes = False

    def watch(event: Event) -> None:
        nonlocal changes
        would = isinstance(event, JobFinished) and event.check and event.status is Status.CHANGED
        unclear = isinstance(event, (JobFinished, JobsAbandoned)) and event.status is Status.UNCLEAR
        changes = changes or would or unclear

    status = run_reported(prepared, verbose=verbose, state=state, recap=True, watch=watch)
    return _CHANGES if changes and not status else status


def _lint(prepared: Prepared) -> int:
    """Say which waits may never end; returns the exit status."""
    from drumline.lint.waits import lint_waits
    from drumline.model.plan import as_known

    found = lint_waits(as_known(prepared.plan), prepared.extra_variables)
    for diagnostic in found:
        show_warning(diagnostic)
    if not found:
        click.echo("Found no wait that may never end.")
    return 2 if found else 0


def _with_estimate(text: str, shape: str, prepared: Prepared) -> str:
    from drumline.estimates import estimate_of
    from drumline.reporting.ahead import estimate_data, estimate_lines
    from drumline.reporting.lines import plain

    found = estimate_of(prepared)
    if shape == "json":
        return json.dumps({**json.loads(text), "estimate": estimate_data(found)}, ensure_ascii=False)
    return "\n".join([text, "", *map(plain, estimate_lines(found))])
