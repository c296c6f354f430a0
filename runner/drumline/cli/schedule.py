"""``drumline schedule``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

import click

from drumline.cli.groups import CommandGroup
from drumline.cli.options import prepared_with, settings_with, working_directory
from drumline.cli.passwords import passwords_of, taken
from drumline.cli.unattended import refuse_questions, refuse_secrets, refuse_vault_prompts, times_given
from drumline.errors import UsageError
from drumline.source.vault import Keyring, use_keyring

if TYPE_CHECKING:
    from drumline.cli.schedule_places import SchedulePlace
    from drumline.scheduling.scheduled import ScheduledRun


class _Schedule(CommandGroup):
    """A group whose command is 'add' if none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        helps = {"-h", "--help"}
        named = not args or args[0] in {*self.commands, *helps} or (args[0].startswith("-") and helps & {*args})
        return super().parse_args(ctx, args if named else ["add", *args])


class _Add(click.Command):
    """A command whose words after ``--`` are options of the runs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[__name__] = args[at + 1 :]
        return super().parse_args(ctx, args[:at])


def _place(function: Any) -> Any:
    """Options that say which scheduler: ``scheduler``, ``system``, ``directory``."""
    for option in (
        click.option(
            "--dir",
            "directory",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            help="Where the files are, if not where the scheduler looks for them.",
        ),
        click.option("--system", is_flag=True, help="Of the machine, not of the user. Default for root."),
        click.option(
            "--scheduler",
            type=click.Choice(["systemd", "cron", "windows"]),
            help="What starts the runs. Default: systemd if it manages this machine, else cron.",
        ),
    ):
        function = option(function)
    return function


@click.group("schedule", cls=_Schedule)
def command() -> None:
    """Have playbooks run at fixed times, by systemd, cron or Task Scheduler of Windows.

    'drumline schedule PLAYBOOK --at TIME' is short for 'drumline schedule add PLAYBOOK --at TIME'.
    """


@command.command("add", cls=_Add, short_help="Write what starts a playbook at fixed times.")
@click.argument("playbooks", nargs=-1, required=True, metavar="PLAYBOOK...")
@click.option(
    "--at", metavar="TIME", help="03:00, 'mon-fri 03:00', 'day 1 03:00' (each month), or '2026-12-01 03:00' (once)."
)
@click.option("--every", metavar="DURATION", help="15m, 2h or 1d, counted from midnight.")
@click.option("--name", metavar="NAME", help="What the schedule is called. Default: as the first playbook.")
@click.option("--run-as", metavar="USER", help="Who runs it, with --system. Default: root.")
@click.option(
    "--run-in",
    metavar="DIR",
    help=r"The project's directory on the Windows machine: 'C:\site'. For --scheduler windows.",
)
@click.option("--replace", is_flag=True, help="Replace a schedule of the same name.")
@click.option("--show", is_flag=True, help="Print what would be written, and write nothing.")
@_place
def add(playbooks: tuple[str, ...], at: str | None, every: str | None, name: str | None, **given: Any) -> None:
    """Write what starts a playbook at fixed times, and say how to turn it on.

    Words after -- are options of each run: drumline schedule site.yml --at 03:00 -- -i hosts --limit web. The files
    are checked now, as before a run. A run isn't started while the one before goes on. systemd and Task Scheduler make
    up for a run that was missed while the machine was off; cron doesn't.
    """
    from drumline.cli.schedule_places import place_of
    from drumline.scheduling.scheduled import ScheduledRun

    times = times_given(at, every)
    words = [*playbooks, *click.get_current_context().meta.get(__name__, ())]
    _check_run(words)
    place = place_of(given["scheduler"], given["system"], given["directory"])
    if given["run_as"] and not place.system:
        raise UsageError("--run-as is for schedules of the machine", "Give --system as well, or leave out --run-as.")
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\$?|", given["run_as"] or ""):
        raise UsageError("--run-as isn't a user", f"'{given['run_as']}' has other characters than names of users.")
    called = _name(name, playbooks)
    run = ScheduledRun(
        name=called,
        words=(_program(place.scheduler), "run", *words),
        directory=_directory(given["run_in"], place),
        times=times,
        system=place.system,
        user=given["run_as"] or "",
        lock=_lock(called, place, given["run_as"]),
    )
    _write(run, place, replace=given["replace"], show=given["show"])


def _directory(run_in: str | None, place: SchedulePlace) -> str:
    """Where the runs start: here, except for Windows, which is another machine."""
    if place.scheduler != "windows":
        if run_in:
            raise UsageError("--run-in is for Task Scheduler of Windows", "Other runs start in this directory.")
        return str(working_directory())
    if not run_in or not PureWindowsPath(run_in).is_absolute():
        detail = r"Windows is another machine: give the directory of these files there, as --run-in 'C:\site'."
        raise UsageError("The directory on Windows isn't known", detail)
    return run_in


def _lock(name: str, place: SchedulePlace, user: str | None) -> str:
    """What cron's runs lock, so that they follow one another; other schedulers see to that themselves."""
    from drumline.cli.schedule_places import file_of_cron

    if place.scheduler != "cron":
        return ""
    if user and user != "root":
        return str(file_of_cron(name))  # such a user can't open what is in the state directory of root
    return str(settings_with().state.absolute() / f"schedule-{name}.lock")


def _name(name: str | None, playbooks: Sequence[str]) -> str:
    if name is None:
        return re.sub(r"[^A-Za-z0-9_]+", "-", Path(playbooks[0]).stem).strip("-") or "playbook"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise UsageError("Not a valid name of a schedule", f"'{name}': use letters, digits, - and _.")
    return name


def _check_run(words: list[str]) -> None:
    """Check options and files as 'drumline run' does before it sends anything."""
    from drumline.cli.run import command as run

    refuse_secrets(words)
    with run.make_context("drumline run", list(words)) as context:
        given = dict(context.params)
        refuse_vault_prompts(given)
        use_keyring(Keyring(passwords_of(taken(given))))
        refuse_questions(prepared_with(given.pop("playbooks"), given))


def _program(scheduler: str) -> str:
    """This drumline; on Windows, which is another machine, the one that is found there."""
    here = Path(sys.executable).with_name("drumline")
    return str(here) if scheduler != "windows" and here.exists() else "drumline"


def _write(run: ScheduledRun, place: SchedulePlace, *, replace: bool, show: bool) -> None:
    files = place.files(run)
    if run.lock and not show:
        Path(run.lock).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if show or place.directory is None:
        for name, data in files.items():
            click.echo(f"# {name}" if len(files) > 1 else "", nl=len(files) > 1)
            click.echo(data.decode("utf-16" if data[:2] == b"\xff\xfe" else "utf-8"), nl=False)
        if not show:
            click.echo(
                "Add this line by 'crontab -e', and remove it there; drumline changes no one's crontab.", err=True
            )
        return
    place.write(files, replace=replace)
    for name in files:
        click.echo(f"wrote {place.directory / name}")
    click.echo("\n".join(place.turn_on(run.name)))


@command.command("list")
@_place
def list_(**given: Any) -> None:
    """List the schedules that drumline has written."""
    from drumline.cli.schedule_places import place_of
    from drumline.inventory.writing import table

    place = place_of(given["scheduler"], given["system"], given["directory"])
    found = place.summaries()
    if not found:
        click.echo(f"No schedules in {place.directory}." if place.directory else place.elsewhere)
        return
    rows = [(one.name, one.when, one.directory, one.command) for one in found]
    click.echo("\n".join(table(("name", "when", "directory", "runs"), rows)))


@command.command("remove")
@click.argument("name")
@_place
def remove_(name: str, **given: Any) -> None:
    """Remove a schedule, and say how to turn it off."""
    from drumline.cli.schedule_places import place_of

    place = place_of(given["scheduler"], given["system"], given["directory"])
    for path in place.remove(name):
        click.echo(f"removed {path}")
    click.echo("\n".join(place.turn_off(name)))
