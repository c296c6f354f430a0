"""``drumline lab``: up, status, down."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from drumline.plugin import CommandContext, UsageError
from drumline_lab import lab
from drumline_lab.fleet import FleetHost, FleetRequest

#: Exit status of ``status`` if a host, or the whole fleet, doesn't answer.
_UNREACHABLE = 4

_directory = click.option(
    "--directory",
    "--folder",  # an older name, still in scripts
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".lab"),
    show_default=True,
    help="Where the fleet and its inventory are kept.",
)


@click.group()
def command() -> None:
    """A practice fleet on this machine, to try playbooks without hosts of your own.

    Linux hosts are real OpenSSH servers if sshd is installed; Windows hosts speak WinRM. All of them listen on
    loopback addresses only, and run commands on this machine as you. Each has its own working directory, named by
    the variable lab_root.
    """


@command.command()
@click.option("--linux", type=click.IntRange(0, 1000), default=3, show_default=True, help="Number of Linux hosts.")
@click.option("--windows", type=click.IntRange(0, 1000), default=2, show_default=True, help="Number of Windows hosts.")
@click.option(
    "--windows-program",
    metavar="PROGRAM",
    help="The program that runs the command lines of Windows hosts, started as PROGRAM cmd 'COMMAND LINE'. "
    "Default: the setting lab.windows, else PowerShell 7 (pwsh) and sh, else only sh.",
)
@_directory
@click.pass_obj
def up(context: CommandContext, linux: int, windows: int, windows_program: str | None, directory: Path) -> None:
    """Start the fleet and write its inventory."""
    if linux + windows == 0:
        raise UsageError("A fleet needs hosts", "Give --linux or --windows a number above 0.")
    program = windows_program or (_offered(context) if windows else None)
    wanted = FleetRequest(linux=linux, windows=windows, program=_program(program))
    was_up = lab.alive(directory.resolve())
    state = lab.up(directory.resolve(), wanted)
    click.echo("The practice fleet is already up." if was_up else "The practice fleet is up.")
    for behind, names in _folded(state).items():
        click.echo(f"  {', '.join(names)}: {behind}")
    click.echo(
        f"Every host is this machine, and runs commands as you in its own directory (lab_root).\n\n{_advice(directory)}"
    )


@command.command(short_help="Show the hosts and whether they answer.")
@_directory
def status(directory: Path) -> None:
    """Show the hosts: where they listen, what serves them, and whether they answer."""
    state = lab.State.load(directory.resolve())
    if state is None:
        click.echo(f"No practice fleet is up in {directory}.")
        raise SystemExit(_UNREACHABLE)
    if not lab.alive(directory.resolve()):
        click.echo(f"The practice fleet in {directory} has crashed. 'drumline lab down' removes what is left of it.")
        raise SystemExit(_UNREACHABLE)
    health = lab.health(state)
    rows = [_row(host, health[host.name]) for host in state.hosts]
    for line in _columns([("HOST", "GROUPS", "ADDRESS", "STATE", "SERVED BY"), *rows]):
        click.echo(line)
    if not all(health.values()) or not rows:
        raise SystemExit(_UNREACHABLE)


@command.command()
@_directory
def down(directory: Path) -> None:
    """Stop the fleet and remove all its files."""
    if lab.down(directory.resolve()):
        click.echo("The practice fleet is stopped and removed.")
    else:
        click.echo(f"No practice fleet is up in {directory}.")


def _offered(context: CommandContext) -> str | None:
    """The program that the setting names, else the one that a plugin does."""
    registry = context.registry
    program: str | None = registry.settings["lab.windows"] or registry.hooks.ask("drumline_lab_program")
    return program


def _program(name: str | None) -> str | None:
    """The Windows program's path; ``UsageError`` if the named one isn't executable."""
    if not name:
        return None
    path = shutil.which(name)
    if path is None:
        raise UsageError(
            "The program for Windows hosts can't be run",
            f"{name} isn't an executable file. Correct --windows-program, the setting lab.windows, or the plugin that "
            "names it.",
        )
    return os.path.abspath(path)


def _folded(state: lab.State) -> dict[str, list[str]]:
    """What serves the hosts, with their names; what differs from host to host is left out."""
    folded: dict[str, list[str]] = {}
    for host in state.hosts:
        program = state.wanted.program
        windows = f"WinRM, in front of Windows hosts of {program}, with their PowerShell"
        behind = windows if host.kind == "windows" and program else host.behind
        folded.setdefault(behind, []).append(host.name)
    return folded


def _advice(directory: Path) -> str:
    inventory = directory / lab.INVENTORY
    return f"Inventory: {inventory}\nTry:       drumline exec all -i {inventory} -- hostname"


def _row(host: FleetHost, well: bool) -> tuple[str, ...]:
    groups = ",".join((host.kind, *host.groups))
    return (host.name, groups, f"{host.address}:{host.port}", "answers" if well else "no answer", host.behind)


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
