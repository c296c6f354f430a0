"""Completions of a half-typed word: hosts, groups, tags, tasks, runs, actions. A shell asks for them at each Tab.

Nothing here may fail, print, or run a program, a plugin or a lookup of the working directory. If anything goes wrong,
there are no proposals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from drumline.cli.options import settings_with

if TYPE_CHECKING:
    from drumline.journal.reading import Reader
    from drumline.model.host import Inventory
    from drumline.plugin.history import RunInfo

#: Most proposals for one word; no one reads more.
_MOST = 2000

#: How many runs are proposed, newest first.
_MOST_RUNS = 50


def propose(kind: str, context: click.Context, incomplete: str) -> list[CompletionItem]:
    """The proposals for a word of some kind (a key of ``_KINDS``)."""
    try:
        return list(_KINDS[kind](context, incomplete))[:_MOST]
    except Exception:  # a broken file or a journal of another version is no reason to disturb whoever is typing
        return []


def _starting(names: Iterable[str], incomplete: str, before: str = "") -> Iterator[CompletionItem]:
    """The names that start with ``incomplete``, prefixed with ``before``, the part already typed."""
    return (CompletionItem(before + name) for name in dict.fromkeys(names) if name.startswith(incomplete))


# Hosts and groups.


def _inventory(context: click.Context) -> Inventory:
    from drumline.inventory.looking import look_at

    return look_at(settings_with(inventory=_inventories(context)).inventory or ("inventory",))


def _patterns(context: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """The last part of ``web:!db1``, ``web,db``."""
    found = re.match(r"(.*[:,])?([!&]?)(.*)", incomplete, re.DOTALL)
    assert found is not None
    inventory = _inventory(context)
    before = (found[1] or "") + found[2]
    return _starting([*inventory.groups, *inventory.hosts], found[3], before)


def _hosts(context: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    return _starting(_inventory(context).hosts, incomplete)


def _groups(context: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    return _starting(_inventory(context).groups, incomplete)


# Tags, tasks and actions.


def _playbooks(context: click.Context) -> list[Path]:
    """The playbooks on the line. Click doesn't assign words to parameters while the last option lacks its value."""
    return [
        Path(word) for word in context.obj if word.endswith((".yml", ".yaml")) and word not in _inventories(context)
    ]


def _inventories(context: click.Context) -> tuple[str, ...]:
    return context.params.get("inventory") or ()


def _tags(context: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    from drumline.source.yaml import read

    tags = {"all", "tagged", "untagged", "always", "never"}
    for path in _playbooks(context):
        tags.update(_tags_in(read(path)))
    before, comma, last = incomplete.rpartition(",")
    return _starting(sorted(tags), last, before + comma)


def _tags_in(node: Any) -> Iterator[str]:
    value = node.value if node is not None else None
    if isinstance(value, list):
        for item in value:
            yield from _tags_in(item)
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _tags_of(entry.node.value) if key == "tags" else _tags_in(entry.node)


def _tags_of(value: Any) -> Iterator[str]:
    texts = [item.value for item in value] if isinstance(value, list) else [value]
    for text in texts:
        yield from (tag.strip() for tag in str(text).split(",") if tag.strip())


def _task_times(context: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """``TASK=`` for the tasks of the playbooks on the line."""
    from drumline.built_in import all_plugins
    from drumline.loading.playbook import read_playbooks
    from drumline.loading.reading import Around
    from drumline.templating.templates import Templating

    around = Around(templating=Templating(trusted=False))
    playbook, _ = read_playbooks(_playbooks(context), all_plugins().actions, around)
    return _starting((f"{task.id}=" for play in playbook.plays for task in play.tasks), incomplete)


def _actions(_context: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    from drumline.built_in import all_plugins

    return _starting(sorted(all_plugins().actions), incomplete)


# Runs.


def _journal(context: click.Context) -> Reader:
    from drumline.journal.reading import Reader

    return Reader(settings_with(state=context.params.get("state")).state)


def _run(context: click.Context) -> tuple[Reader, RunInfo]:
    journal = _journal(context)
    return journal, journal.find(context.params.get("run"))


def _runs(context: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    for run in _journal(context).runs()[:_MOST_RUNS]:
        if str(run.number).startswith(incomplete):
            yield CompletionItem(str(run.number), help=run.command)


def _tasks_of_run(context: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    journal, run = _run(context)
    return _starting((step.task.id for step in journal.plan(run).steps), incomplete)


def _hosts_of_run(context: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    journal, run = _run(context)
    task = context.params.get("task")
    steps = [step for step in journal.plan(run).steps if task in (None, step.task.id)]
    return _starting((host for step in steps for host in step.hosts), incomplete)


_KINDS: dict[str, Callable[[click.Context, str], Iterator[CompletionItem]]] = {
    "patterns": _patterns,
    "hosts": _hosts,
    "groups": _groups,
    "tags": _tags,
    "task times": _task_times,
    "actions": _actions,
    "runs": _runs,
    "tasks of a run": _tasks_of_run,
    "hosts of a run": _hosts_of_run,
    "files": lambda _context, incomplete: iter([CompletionItem(incomplete, type="file")]),
}
