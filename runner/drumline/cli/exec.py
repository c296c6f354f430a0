"""``drumline exec``: one command on many hosts, as a run of one task."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from drumline.cli.command_lines import CommandOfHosts
from drumline.cli.logins import login_options, login_settings
from drumline.cli.messages import show_warnings
from drumline.cli.options import (
    check_options,
    completes,
    forks_option,
    inventory_options,
    recap_option,
    scope_options,
    settings_with,
    state_option,
    verbose_option,
    with_passwords,
)
from drumline.cli.reported import run_reported
from drumline.diagnostics import Position
from drumline.errors import PluginError, UsageError
from drumline.model.playbook import Play, Playbook, Task
from drumline.source.nodes import text_value

if TYPE_CHECKING:
    from drumline.config import Settings
    from drumline.plugin.registry import Registry

_PLACE = Position("<command line>")


@click.command("exec", cls=CommandOfHosts)
@click.argument("pattern", shell_complete=completes("patterns"))
@click.argument("words", nargs=-1, metavar="COMMAND...")
@inventory_options
@scope_options
@login_options
@forks_option
@click.option(
    "-m",
    "--module",
    metavar="ACTION",
    shell_complete=completes("actions"),
    help="Run this action instead of a command.",
)
@click.option(
    "-a", "--args", "arguments", metavar="ARGS", help="The action's arguments, as in Ansible: 'src=a dest=/tmp'."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End the command and its children after that time.",
)
@click.option("--executable", metavar="PROGRAM", help="The shell that reads a command line: /bin/bash, pwsh, cmd.")
@click.option("--clock", is_flag=True, help="No command: compare the hosts' clocks with this machine's.")
@check_options
@recap_option
@state_option
@verbose_option
def command(pattern: str, words: tuple[str, ...], verbose: int, clock: bool, recap: bool, **given: Any) -> None:
    """Run one command on the hosts of a pattern; equal outputs are shown once.

    Options come before the command: what follows its first word is the command's own.

    A single word is a command line for the hosts' own shell, sh or PowerShell:

        drumline exec web 'df -h | tail -1'

    Several words are a program and its arguments; no shell reads them, and only ~ and $VARIABLES are expanded there:

        drumline exec web grep -v '^#' /etc/hosts

    One action with its arguments, as in Ansible:

        drumline exec web -m copy -a 'src=motd dest=/etc/motd'

    Templates are rendered for each host:

        drumline exec all echo '{{ inventory_hostname }}'

    How far the hosts' clocks are off, and how well that is known:

        drumline exec all --clock
    """
    from drumline.app import prepare, registry

    _require_one_thing(words, clock, given)
    logins = login_settings(given)
    settings = settings_with(inventory=given["inventory"], forks=given["forks"], state=given["state"], **logins)
    task = _usually(_task_of(words, clock, given, registry(settings)), settings)
    play = Play(id="exec", name=pattern, hosts=pattern, tasks=(task,), position=_PLACE)
    playbook = Playbook(path=str(_PLACE.path), plays=(play,))
    prepared = prepare(
        playbook,
        settings,
        limit=given["limit"],
        extra_vars=given["extra_vars"],
        strict=given["strict"],
        sends=True,
        check=given["check"],
        diff=given["diff"],
    )
    show_warnings(prepared.warnings)
    prepared = with_passwords(prepared)
    status = run_reported(prepared, verbose=verbose, outputs=1, state=given["state"], recap=recap)
    raise SystemExit(status)


def _require_one_thing(words: tuple[str, ...], clock: bool, given: Mapping[str, Any]) -> None:
    if clock and (words or _is_action(given) or given["become"] or given["executable"]):
        raise UsageError("There is nothing to run with --clock", "Leave out the command and how to run it, or --clock.")
    if _is_action(given) and words:
        raise UsageError(
            "An action and a command were given",
            f"-m and -a say what to run, and so does '{words[0]}'. Leave one of them out.",
        )
    if _is_action(given) and given["executable"]:
        arguments = f"{given['arguments'] or ''} executable={given['executable']}".strip()
        raise UsageError("--executable is for commands", f"Give it to the action: -a {shlex.quote(arguments)}.")
    if not clock and not _is_action(given) and not any(word.strip() for word in words):
        raise UsageError("There is no command to run", "Write it after the pattern: drumline exec web 'df -h'.")


def _usually(task: Task, settings: Settings) -> Task:
    """The task with what settings say of all tasks, where the command line says nothing of it."""
    from drumline.loading.usual import usual_of

    said = dict(usual_of(settings).tasks)
    return replace(task, **{**said, "timeout": task.timeout})


def _is_action(given: Mapping[str, Any]) -> bool:
    return given["module"] is not None or given["arguments"] is not None


def _task_of(words: tuple[str, ...], clock: bool, given: Mapping[str, Any], plugins: Registry) -> Task:
    if _is_action(given):
        name = given["module"] or _meant((), None, False, plugins)[0]
        task = _action(name, given["arguments"] or "", plugins)
    else:
        task = _task(words, clock, given["executable"], plugins)
    return replace(task, timeout=given["timeout"])


def _action(name: str, arguments: str, plugins: Registry) -> Task:
    """The task ``NAME: ARGUMENTS``, as it would stand in a playbook; arguments may be JSON or YAML in braces, too."""
    from drumline.diagnostics import Diagnostics
    from drumline.errors import FilesError
    from drumline.loading.tasks import read_task
    from drumline.source.nodes import Entry, Node
    from drumline.source.yaml import load

    found = Diagnostics()
    value = load(arguments, str(_PLACE.path)) if arguments.lstrip().startswith("{") else None
    node = value or Node(arguments or None, _PLACE)
    if isinstance(node.value, dict):
        node = Node({"module": Entry(_PLACE, Node(name, _PLACE)), **node.value}, _PLACE)
    else:
        node = Node(f"{name} {arguments}".strip(), _PLACE)
    task = read_task(Node({"action": Entry(_PLACE, node)}, _PLACE), {}, plugins.actions, found)
    if found or task is None:
        raise FilesError(replace(diagnostic, position=None) for diagnostic in found)
    return task


def _task(words: tuple[str, ...], clock: bool, executable: str | None, plugins: Registry) -> Task:
    name, arguments = _meant(words, executable, clock, plugins)
    action = plugins.actions.get(name)
    if action is None:
        detail = f"It says that '{name}' runs commands (drumline_exec_task), and no plugin offers that."
        raise PluginError("A plugin has failed", detail)
    return Task(
        id=action.name if clock else "exec",
        name=action.name if clock else words[0] if len(words) == 1 else shlex.join(words),
        action=action.name,
        traits=action.traits,
        arguments={name: _as_written(value) for name, value in arguments.items() if value is not None},
        position=_PLACE,
    )


def _meant(
    words: tuple[str, ...], executable: str | None, clock: bool, plugins: Registry
) -> tuple[str, Mapping[str, Any]]:
    """The action that runs the words, and its arguments: as a plugin says."""
    meant = plugins.hooks.ask("drumline_exec_task", words=words, executable=executable, clock=clock)
    if meant is None:
        raise UsageError("No plugin runs commands", "Name an action: drumline exec PATTERN -m ACTION -a ARGUMENTS.")
    found: tuple[str, Mapping[str, Any]] = meant
    return found


def _as_written(value: Any) -> Any:
    """An argument in which templates are rendered, as in a playbook."""
    if isinstance(value, list):
        return [_as_written(item) for item in value]
    return text_value(value, _PLACE) if isinstance(value, str) else value
