"""``drumline exec``: one command on many hosts, as a run of one task."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

from drumline.cli.again import again
from drumline.cli.messages import show_warnings
from drumline.cli.options import (
    called_as,
    forks_option,
    inventory_options,
    recap_option,
    scope_options,
    settings_with,
    state_option,
    verbose_option,
)
from drumline.diagnostics import Position
from drumline.errors import UsageError
from drumline.loading.yaml import text_value
from drumline.model.playbook import Play, Playbook, Task

_PLACE = Position("<command line>")


@click.command("exec")
@click.argument("pattern")
@click.argument("words", nargs=-1, metavar="-- COMMAND...")
@inventory_options
@scope_options
@forks_option
@click.option("--become", is_flag=True, help="Run as root (sudo, without a password).")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End the command and its children after that time.",
)
@click.option("--executable", metavar="PROGRAM", help="The shell that reads a command line: /bin/bash, pwsh, cmd.")
@click.option("--clock", is_flag=True, help="No command: compare the hosts' clocks with this machine's.")
@recap_option
@state_option
@verbose_option
def command(pattern: str, words: tuple[str, ...], verbose: int, clock: bool, recap: bool, **given: Any) -> None:
    """Run one command on the hosts of a pattern; equal outputs are shown once.

    A single word is a command line for the hosts' own shell, sh or PowerShell:

        drumline exec web 'df -h | tail -1'

    Several words are a program and its arguments; no shell reads them, and only ~ and $VARIABLES are expanded there:

        drumline exec web -- systemctl status nginx

    Templates are rendered for each host:

        drumline exec all -- echo '{{ inventory_hostname }}'

    How far the hosts' clocks are off, and how well that is known:

        drumline exec all --clock
    """
    from drumline.app import carry_out, prepare
    from drumline.reporting.listeners import listeners_for
    from drumline.reporting.relay import WhenSlow

    if clock and (words or given["become"] or given["executable"]):
        raise UsageError("There is nothing to run with --clock", "Leave out the command and how to run it, or --clock.")
    if not clock and not any(word.strip() for word in words):
        raise UsageError("There is no command to run", "Write it after the pattern: drumline exec web 'df -h'.")
    settings = settings_with(inventory=given["inventory"], forks=given["forks"], state=given["state"])
    task = (
        Task(id="clock", name="clock", action="clock", position=_PLACE, timeout=given["timeout"])
        if clock
        else _task(words, become=given["become"], timeout=given["timeout"], shell=given["executable"])
    )
    play = Play(id="exec", name=pattern, hosts=pattern, tasks=(task,), position=_PLACE)
    playbook = Playbook(path=str(_PLACE.path), plays=(play,))
    prepared = prepare(playbook, settings, limit=given["limit"], extra_vars=given["extra_vars"], strict=given["strict"])
    show_warnings(prepared.warnings)
    with listeners_for(
        prepared.plan,
        verbose=max(verbose, 1),
        warnings=prepared.registry.faults,
        when_slow=WhenSlow(settings.slow_reports),
        state=given["state"],
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
            readers=reports,
        )
    raise SystemExit(status)


def _task(words: tuple[str, ...], *, become: bool, timeout: float | None, shell: str | None) -> Task:
    line = len(words) == 1
    texts = [text_value(word, _PLACE) for word in words]
    arguments = {"cmd": texts[0], "executable": shell} if line else {"argv": texts}
    return Task(
        id="exec",
        name=words[0] if line else shlex.join(words),
        action="shell" if line else "command",
        arguments={name: value for name, value in arguments.items() if value is not None},
        position=_PLACE,
        become=become,
        timeout=timeout,
    )
