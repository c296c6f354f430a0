"""What tasks and plays are called in reports: as they are named, else by what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from drumline.model.plan import Plan
from drumline.model.playbook import Play, Task
from drumline.model.value import text_of
from drumline.secret import mask_assignments

#: Letters of a task's text that are its title.
_LONGEST = 60
#: Arguments that tell what a task does, and aren't secret.
_TELLING = ("cmd", "argv", "msg", "var", "that", "src", "path", "dest", "name", "state", "host", "port")


def task_title(task: Task) -> str:
    """The task's name; without one its id as written, else its text: ``command: echo 1``."""
    name = text_of(task.name)
    if name not in ("", task.action):
        return name
    if "id" in task.positions:
        return task.id
    return f"{task.action}: {text}" if (text := task_text(task)) else task.action or task.id


def task_text(task: Task) -> str:
    """The argument of a task that tells what it does, or all of these; empty with ``no_log``."""
    given = {name: task.arguments[name] for name in _TELLING if name in task.arguments}
    if task.no_log is not False or not given:
        return ""
    [first, *more] = given
    alone = first in ("cmd", "argv", "msg", "var", "that") or not more
    text = " ".join(_words(given[first]) if alone else (f"{name}={' '.join(_words(given[name]))}" for name in given))
    line = mask_assignments(" ".join(text.split()))[0]
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1].rstrip()}…"


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _words(item)
    elif not isinstance(value, Mapping):
        yield text_of(value)


def titled(plan: Plan, mask: Callable[[str], str]) -> Plan:
    """The plan with titles for names, masked; for reports and the journal."""
    masked = (replace(step, task=replace(step.task, name=mask(task_title(step.task)))) for step in plan.steps)
    return replace(plan, steps=tuple(masked))


def play_title(play: Play) -> str:
    """The play's name; without one, the pattern of its hosts: ``hosts: web``."""
    return f"hosts: {play.name}" if play.name == text_of(play.hosts) else play.name
