"""``drumline export``."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from drumline.cli.again import words_given
from drumline.cli.groups import CommandGroup
from drumline.cli.options import playbook_options, prepared_with, working_directory
from drumline.cli.unattended import refuse_questions, refuse_secrets, times_given, unattended
from drumline.errors import UsageError

#: Options that the runs of the DAG's tasks don't have: each names its own tasks by ``--only``.
_NOT_OF_RUNS = frozenset({"name", "at", "every", "output", "all_by_drumline", "only"})


@click.group("export", cls=CommandGroup)
def command() -> None:
    """Write a playbook for another orchestrator, which then runs its tasks."""


@command.command("airflow", short_help="Write a DAG for Airflow.")
@unattended
@playbook_options
@click.option("--name", metavar="NAME", help="Id of the DAG. Default: as the first playbook.")
@click.option("--at", metavar="TIME", help="When it runs: 03:00, 'mon-fri 03:00' or 'day 1 03:00'. Default: never.")
@click.option("--every", metavar="DURATION", help="How often it runs: 15m, 2h or 1d, counted from midnight.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the DAG, its pools and its connections to this directory. Default: print the DAG.",
)
@click.option("--all-by-drumline", is_flag=True, help="Leave plain commands to drumline, too.")
def airflow(
    playbooks: tuple[Path, ...],
    name: str | None,
    at: str | None,
    every: str | None,
    output: Path | None,
    all_by_drumline: bool,
    **given: Any,
) -> None:
    """Write a DAG for Airflow from 2.10 on, 3 included: one task per step, with what it waits for.

    A step that is a plain command becomes a task of the SSH or WinRM operator, any other one a task that runs
    'drumline run --only …'. Steps that can't stand alone, since one uses what another found out, are one task.
    """
    from drumline.exporting.airflow import Dag, airflow_files
    from drumline.exporting.plain import PlainCommands
    from drumline.exporting.units import units_of
    from drumline.scheduling.cron import cron_times

    times = times_given(at, every) if at or every else None
    if times is not None and times.once is not None:
        raise UsageError("A DAG can't run something once", "Leave out --at, and start it by 'airflow dags trigger'.")
    words = words_given(click.get_current_context(), without=_NOT_OF_RUNS)
    refuse_secrets(words)
    prepared = prepared_with(playbooks, given)
    refuse_questions(prepared)
    dag = Dag(
        name=_name(name, playbooks),
        program=_program(),
        words=tuple(words),
        directory=str(working_directory()),
        schedule=None if times is None else cron_times(times),
        units=units_of(prepared),
        plain=None if all_by_drumline else PlainCommands(prepared),
    )
    files = airflow_files(dag)
    if output is None:
        click.echo(next(iter(files.values())), nl=False)
    else:
        _write(files, output)


def _name(name: str | None, playbooks: tuple[Path, ...]) -> str:
    if name is None:
        return re.sub(r"[^A-Za-z0-9_.-]+", "_", playbooks[0].stem) or "playbook"
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", name):
        raise UsageError("Not a valid id of a DAG", f"'{name}': use letters, digits, -, _ and dots.")
    return name


def _program() -> str:
    here = Path(sys.executable).with_name("drumline")
    return str(here) if here.exists() else shutil.which("drumline") or "drumline"


def _write(files: Mapping[str, str], directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (directory / name).write_text(text, encoding="utf-8")
            click.echo(f"wrote {directory / name}")
    except OSError as error:
        raise UsageError("The DAG can't be written", f"{directory}: {error.strerror}.") from None
    for kind in ("pools", "connections"):
        for name in files:
            if name.endswith(f".{kind}.json"):
                click.echo(f"Import it once: airflow {kind} import {directory / name}")
