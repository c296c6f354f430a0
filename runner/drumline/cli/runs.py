"""``drumline runs``: earlier runs, from the journal."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from drumline.cli.groups import CommandGroup
from drumline.cli.options import (
    completes,
    events_option,
    recap_option,
    settings_with,
    state_option,
    verbose_option,
)
from drumline.cli.surroundings import surroundings
from drumline.config.values import size_of
from drumline.diagnostics import counted
from drumline.errors import UsageError
from drumline.reporting.lines import Line
from drumline.source.moments import duration

if TYPE_CHECKING:
    from drumline.plugin.history import History, InputFile, RunInfo

_format = click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="Default: text."
)


@click.group("runs", cls=CommandGroup)
def command() -> None:
    """List earlier runs and show what they did."""


@contextmanager
def _history(state: Path | None) -> Iterator[History]:
    """Earlier runs; warns at the end of what couldn't be read.

    Records that contradict each other can make any code that shows them fail: that is damage to the journal, too.
    """
    history = surroundings().history_in(settings_with(state=state).state)
    try:
        yield history
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        if os.environ.get("DRUMLINE_TRACEBACK"):
            raise
        raise UsageError(
            "This can't be shown",
            f"The records of it in {history.title} contradict each other ({type(error).__name__}: {error}). "
            "See 'drumline runs verify'.",
        ) from error
    finally:
        history.close()
        _warn_of_damage(history)


def _warn_of_damage(history: History) -> None:
    if history.damage:
        click.echo(f"warning: {history.damage_told()}", err=True)


def _data(item: RunInfo | InputFile) -> dict[str, Any]:
    shown = {name: value for name, value in asdict(item).items() if name != "now"}
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in shown.items()}


@command.command("list")
@_format
@state_option
def list_(format_: str, state: Path | None) -> None:
    """List all runs, newest first."""
    from drumline.reporting.history import list_lines

    with _history(state) as history:
        runs = history.runs()
        if format_ == "json":
            click.echo(json.dumps([_data(run) for run in runs], indent=2))
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

    RUN is a number or id from 'drumline runs list'. Default: the newest.
    """
    from drumline.reporting.history import show_data, show_lines

    with _history(state) as history:
        found = history.find(run)
        known = (found, history.plan(found), history.events(found))
        more: dict[str, Any] = {"kept": history.kept(found), "unfit": partial(history.unfit, found)}
        if format_ == "text":
            _show(show_lines(*known, verbose=verbose, state=state, changed=history.changed(found) or (), **more))
            return
        changed = history.changed(found)
        files = [
            {**_data(file), "changed": None if changed is None else file.path in changed}
            for file in history.files(found)
        ]
        shown = {**show_data(*known, **more), "run": _data(found), "files": files}
        if history.damage:
            shown["damage"] = list(history.damage)
        click.echo(json.dumps(shown, indent=2, default=str))


@command.command("replay", short_help="Report a run again, from the journal.")
@click.argument("run", required=False, shell_complete=completes("runs"))
@events_option
@recap_option
@state_option
@verbose_option
def replay(run: str | None, events: str | None, recap: bool, state: Path | None, verbose: int) -> None:
    """Report a run again: on the console, as it was shown live, and to the reporters of plugins.

    RUN is a number or id from 'drumline runs list'. Default: the newest. Nothing is sent to any host.
    """
    from contextlib import ExitStack

    from drumline.execution.wrapping import hooks_of_run
    from drumline.plugin.runs import RunView
    from drumline.reporting.listeners import command_line_reporters
    from drumline.reporting.reporters import replay as report
    from drumline.reporting.saying import say
    from drumline.reporting.screens import warn

    registry = surroundings().registry
    warn(sys.stderr, registry.faults)
    with _history(state) as history, ExitStack() as stack:
        found = history.find(run)
        shown = RunView(
            number=found.number,
            id=found.id,
            command=found.command,
            plan=history.plan(found),
            verbose=verbose,
            live=False,
            settings=registry.settings,
        )
        command_line_reporters(registry.hooks, stack, events, state=state, verbose=verbose, recap=recap)
        stack.enter_context(hooks_of_run(registry.hooks, shown, say))
        report(registry.hooks, shown, lambda: history.events(found))


@command.command("output", short_help="Print the complete output of a job.")
@click.argument("task", shell_complete=completes("tasks of a run"))
@click.argument("host", shell_complete=completes("hosts of a run"))
@click.option(
    "--run",
    metavar="RUN",
    shell_complete=completes("runs"),
    help="A number or id from 'drumline runs list'. Default: the newest.",
)
@click.option("--stderr", is_flag=True, help="Print standard error instead of standard output.")
@click.option("--raw", is_flag=True, help="Print the raw bytes even at a terminal, where they may change its settings.")
@state_option
def output(task: str, host: str, run: str | None, stderr: bool, raw: bool, state: Path | None) -> None:
    """Print the complete output of a job, including what reports had to cut. TASK is a task's id or name.

    A pipe or a file gets the bytes as they came, with secrets masked. At a terminal, control characters are shown
    escaped, such as \\x1b.
    """
    from drumline.reporting.history import output_of
    from drumline.reporting.lines import printable
    from drumline.reporting.screens import warn

    with _history(state) as history:
        stream = "stderr" if stderr else "stdout"
        said = output_of(history, history.find(run), task, host, stream, lambda text: warn(sys.stderr, [text]))
    if sys.stdout.isatty() and not raw:
        said = printable(said.decode("utf-8", "backslashreplace").replace("\r\n", "\n")).encode()
    sys.stdout.flush()
    sys.stdout.buffer.write(said)
    sys.stdout.buffer.flush()


@command.command("prune", short_help="Remove old runs from the journal.")
@click.option("--older-than", metavar="TIME", help="Remove runs that started longer ago than this: 30d, 12h.")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="Remove all but the newest N runs.")
@click.option("--max-size", metavar="SIZE", help="Remove the oldest runs until the rest fit in this size: '500 MiB'.")
@click.option("--dry-run", is_flag=True, help="Only show which runs would be removed.")
@state_option
def prune(older_than: str | None, keep: int | None, max_size: str | None, dry_run: bool, state: Path | None) -> None:
    """Remove old runs from the journal, and shrink its file.

    If several options are given, each removes the runs that it selects. An unfinished run is never removed.
    """
    from drumline.clock import SystemClock
    from drumline.journal.reading import Reader
    from drumline.journal.store import Journal
    from drumline.journal.upkeep import Keeping, superfluous
    from drumline.journal.upkeep import prune as remove

    keeping = Keeping(
        seconds=_number(older_than, duration, "--older-than"),
        runs=math.inf if keep is None else keep,
        size=_number(max_size, size_of, "--max-size"),
    )
    if keeping == Keeping():
        raise UsageError("Nothing says which runs to remove", "Give --older-than, --keep or --max-size.")
    directory = settings_with(state=state).state
    if dry_run:
        with closing(Reader(directory)) as reader:
            gone = superfluous(reader.runs(), reader.weights(), keeping, SystemClock().wall())
        _warn_of_damage(reader)
        _show_gone(gone, "would be removed")
        return
    with closing(Journal(directory)) as journal:
        gone, smaller = remove(journal, keeping)
    _show_gone(gone, "removed")
    if gone and not smaller:
        click.echo("A run is under way, so the file keeps its size: its free space is reused.")


def _number(text: str | None, read: Callable[[str], float], option: str) -> float:
    try:
        return math.inf if text is None else read(text)
    except ValueError as error:
        raise UsageError("An option has an invalid value", f"{option} {text}: {error}") from None


def _show_gone(runs: list[RunInfo], word: str) -> None:
    from drumline.reporting.history import list_lines

    _show(list_lines(runs))
    click.echo(f"{counted(len(runs), 'run')} {word}")


@command.command("verify", short_help="Check the journal for damage; save what is readable.")
@click.option(
    "--save", type=click.Path(path_type=Path), metavar="FILE", help="Copy everything readable to a new journal."
)
@state_option
def verify(save: Path | None, state: Path | None) -> None:
    """Read the whole journal and report what is damaged.

    With --save, everything readable is copied to a new journal, row by row. To use it, replace the damaged file with
    FILE; or name FILE journal.sqlite3, keep it in a directory of its own, and give that to --state.

    Exit status: 0 if the journal is intact, 2 if something is damaged.
    """
    from drumline.journal.rescue import save as rescue
    from drumline.journal.rescue import verify as look_over

    directory = settings_with(state=state).state
    if save is not None:
        rows = rescue(directory, save)
        click.echo(f"saved to {save}: {counted(rows['runs'], 'run')}, {counted(rows['events'], 'event')}")
    try:
        found = look_over(directory)
    except UsageError as error:
        if save is None:
            raise
        click.echo(f"damaged: {error}")
        raise SystemExit(2) from None
    for fault in found.faults:
        click.echo(f"damaged: {fault}")
    counts = f"{counted(found.runs, 'run')}, {counted(found.events, 'event')}"
    if not found.faults:
        click.echo(f"intact: {counts}")
        return
    click.echo(f"readable: {counts}")
    if save is None:
        click.echo("To copy everything readable to a new journal: drumline runs verify --save FILE")
    raise SystemExit(2)


def _show(lines: Iterable[Line]) -> None:
    from drumline.reporting.screens import screen_for

    screen, _ = screen_for(sys.stdout)
    for line in lines:
        screen.show(line)
