"""``drumline doc``: what actions there are, and what each of them takes and does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from drumline.cli.options import settings_with, trust_option
from drumline.diagnostics import did_you_mean
from drumline.errors import UsageError

if TYPE_CHECKING:
    from drumline.plugin.actions import Action
    from drumline.plugin.registry import Registry


@click.command("doc")
@click.argument("names", metavar="[ACTION…]", nargs=-1)
@click.option("--list", "lists", is_flag=True, help="List all actions.")
@click.option("--search", metavar="WORD", help="List actions that have a word in their name or arguments.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="Default: text.")
@trust_option
def command(names: tuple[str, ...], lists: bool, search: str | None, format_: str, trust: bool) -> None:
    """Show what an ACTION takes and does.

    That is its arguments, results, examples, kinds of hosts, and what it does in a check.
    Where the package drumline-ansible is installed, it shows Ansible's own documentation of all other modules. With
    --trust, the project's own plugins and settings take part.
    """
    from drumline.app import registry
    from drumline.built_in import all_plugins

    plugins = registry(settings_with()) if trust else all_plugins()
    if lists or search is not None:
        _list(plugins, search or "", format_)
        return
    if not names:
        raise UsageError("No action", "Name one, as in `drumline doc copy`, or list them all with --list.")
    _look_around(plugins)
    shown = [_shown(plugins, name, format_) for name in names]
    click.echo(f"[{', '.join(shown)}]" if format_ == "json" else "\n\n".join(shown))


def _look_around(plugins: Registry) -> None:
    """Have modules of the project found, as with a playbook in this directory."""
    from pathlib import Path

    from drumline.plugin.actions import ActionPlaces
    from drumline.plugin.registry import Actions

    if isinstance(plugins.actions, Actions):
        plugins.actions.look_in(ActionPlaces(directories=(Path.cwd(),)))


def _shown(plugins: Registry, name: str, format_: str) -> str:
    from drumline.survey.describing import as_data, as_text

    action = plugins.actions.get(name)
    if action is None:
        from drumline.plugin.registry import Actions

        why = plugins.actions.why_absent(name) if isinstance(plugins.actions, Actions) else ""
        hint = did_you_mean(name, list(plugins.actions)) or why or " `drumline doc --list` has all actions."
        raise UsageError("No such action", f"No plugin offers the action '{name}'. {hint.strip()}")
    page = action.page() if action.page is not None else ""
    if format_ == "json":
        return json.dumps(as_data(action, page), indent=1, ensure_ascii=False)
    return as_text(action, page)


def _list(plugins: Registry, word: str, format_: str) -> None:
    found = {action.name: action.help for action in _matching(plugins, word.lower())}
    if format_ == "json":
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    width = max(map(len, found), default=0)
    for name, help_ in sorted(found.items()):
        click.echo(f"{name:<{width}}  {help_}")


def _matching(plugins: Registry, word: str) -> Iterator[Action]:
    for action in {id(one): one for one in plugins.actions.values()}.values():
        words = (action.name, action.help, *action.aliases, *(argument.name for argument in action.arguments))
        if any(word in one.lower() for one in words):
            yield action
