"""``drumline explain``: where the value of a variable comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from drumline.cli.options import completes, inventory_options, prepared_with, scope_options, settings_with
from drumline.cli.showing import format_option, is_secret_unless, one_line, reveal_option
from drumline.diagnostics import did_you_mean
from drumline.errors import UsageError

if TYPE_CHECKING:
    from drumline.inventory.explaining import Definition, Explanation
    from drumline.inventory.listing import IsSecret
    from drumline.inventory.scopes import Scopes
    from drumline.model.playbook import Play, Playbook, Task
    from drumline.source.origins import Origins


@click.command("explain")
@click.argument("host", shell_complete=completes("hosts"))
@click.argument("name", metavar="[VARIABLE]", required=False)
@click.argument("playbook", required=False, type=click.Path(path_type=Path, readable=False))
@click.option("--task", "task_id", metavar="ID", help="As this task sees it: its id, or PLAY.ID.")
@inventory_options
@scope_options
@format_option("text", "json")
@reveal_option
def command(
    host: str, name: str | None, playbook: Path | None, task_id: str | None, form: str, reveal: bool, **given: Any
) -> None:
    """Show the value of a VARIABLE on HOST and where it comes from.

    That is the place of its definition, and what that overrides. Without VARIABLE, it shows all that
    the inventory says of the host.

    With PLAYBOOK, the variables of its first play for the host count too, and with --task those of a task and its
    role. What a run would find out is unknown: facts, results, and files of variables whose names hold facts.
    """
    from drumline.source.origins import origins_noted

    if task_id is not None and playbook is None:
        raise UsageError("--task needs a playbook", "Name the playbook that has the task.")
    with origins_noted() as origins:
        scopes, play, task = _place(host, playbook, task_id, given)
        names = sorted(scopes.host(host).variables) if name is None else [name]
        shown = [(one, _explained(scopes, origins, host, one, play, task)) for one in names]
    is_secret = is_secret_unless(reveal)
    if not reveal:
        layers = list(scopes.layers(scopes.host(host), play, task))
        shown = [(one, replace(found, value=_masked(found.value, layers))) for one, found in shown]
    if form == "json":
        data = [_data(host, one, found, is_secret) for one, found in shown]
        click.echo(json.dumps(data if name is None else data[0], indent=4, ensure_ascii=False))
    else:
        click.echo("\n".join(line for one, found in shown for line in _lines(host, one, found, is_secret)))


def _explained(
    scopes: Scopes, origins: Origins, host: str, name: str, play: Play | None, task: Task | None
) -> Explanation:
    from drumline.inventory.explaining import explain
    from drumline.templating.failures import TemplateFailed

    try:
        return explain(scopes, origins, scopes.host(host), name, play, task)
    except KeyError:
        known = scopes.scope(scopes.host(host), play=play, task=task)
        detail = f"'{name}' isn't defined on {host}.{did_you_mean(name, known)}"
        raise UsageError("No such variable", detail) from None
    except TemplateFailed as error:
        at = f" at {error.position}" if error.position else ""
        raise UsageError("The variable can't be rendered", f"'{name}'{at}: {error.summary}") from None


def _masked(value: Any, layers: Iterable[Any]) -> Any:
    """The value as a run would show it, in which secrets of other variables are masked too."""
    from drumline.masking import Secrets, secrets_in
    from drumline.source.vault import keyring

    secrets = Secrets()
    keyring().follow(secrets.add)
    for secret in secrets_in([*layers]):
        secrets.add(secret)
    return secrets.mask_all(value)


def _place(
    host: str, playbook: Path | None, task_id: str | None, given: dict[str, Any]
) -> tuple[Scopes, Play | None, Task | None]:
    """The variables of an inventory, or of a playbook with it; in that, the play and the task that see them."""
    from drumline import app
    from drumline.inventory.scopes import Scopes
    from drumline.loading.extra_vars import read_extra_vars
    from drumline.model.playbook import Playbook
    from drumline.templating.templates import Templating

    if playbook is not None:
        prepared = prepared_with([playbook], {**given, "tags": None, "skip_tags": None})
        whole = prepared.plan.playbook
        scopes = Scopes(prepared.inventory, whole, prepared.extra_variables, prepared.templating)
        hosts, (play, task) = prepared.inventory.hosts, _task(whole, task_id) if task_id else (None, None)
        if play is None:
            play = next((planned.play for planned in prepared.plan.plays if host in planned.hosts), None)
    else:
        settings = settings_with(inventory=given["inventory"])
        plugins = app.registry(settings)
        inventory = app.inventory_of(settings, plugins)
        extra = read_extra_vars(given["extra_vars"])
        scopes = Scopes(inventory, Playbook(path=""), extra, Templating(settings.template_timeout, plugins))
        hosts, play, task = inventory.hosts, None, None
    if hosts.get(host) is None:
        raise UsageError("No such host", f"The inventory has no host '{host}'.{did_you_mean(host, hosts)}")
    return scopes, play, task


def _task(playbook: Playbook, wanted: str) -> tuple[Play, Task]:
    """The first task that is called so: by its id, with or without what it stands in."""
    names: dict[str, tuple[Play, Task]] = {}
    for play in playbook.plays:
        for task in play.tasks:
            path = play.path_of(task)
            words = [path.play, *(word for name in path.names for word in name.split("."))]
            for first in range(len(words)):
                names.setdefault(".".join(words[first:]), (play, task))
    if wanted not in names:
        raise UsageError("No such task", f"The playbook has no task '{wanted}'.{did_you_mean(wanted, names)}")
    return names[wanted]


def _data(host: str, name: str, found: Explanation, is_secret: IsSecret) -> dict[str, Any]:
    definitions = [
        {
            "of": one.of,
            "position": str(one.position) if one.position else None,
            "value": _shown(name, one.value, is_secret),
        }
        for one in found.definitions
    ]
    value = _shown(name, found.value, is_secret)
    return {"host": host, "variable": name, "value": value, "definitions": definitions}


def _lines(host: str, name: str, found: Explanation, is_secret: IsSecret) -> Iterator[str]:
    yield f"{name} on {host}: {one_line(_shown(name, found.value, is_secret))}"
    if not found.definitions:
        yield "  set by drumline itself"
        return
    first, *others = found.definitions
    yield from _defined(name, first, is_secret)
    if others:
        yield "overrides"
    for one in others:
        yield from _defined(name, one, is_secret)


def _defined(name: str, one: Definition, is_secret: IsSecret) -> Iterator[str]:
    place = f"{one.position}: " if one.position else ""
    yield f"  {place}{one_line(_shown(name, one.value, is_secret))}  ({one.of})"


def _shown(name: str, value: Any, is_secret: IsSecret) -> Any:
    from drumline.inventory.listing import as_json

    return as_json({name: value}, is_secret)[name]
