"""Titles of tasks and plays in reports: their names, else their text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from drumline.diagnostics import Position
from drumline.model.event import PlanGrown
from drumline.model.plan import Plan, Step
from drumline.model.playbook import GeneratedFrom, Play, Task
from drumline.model.value import text_of
from drumline.secret import mask_assignments

#: The most letters of a task's text in its title.
_LONGEST = 60
#: The most rows of a play that are named.
_MOST_ROWS = 3
#: Arguments that are the text of a task, and aren't secret.
_TELLING = ("cmd", "argv", "msg", "var", "that")


def task_title(task: Task) -> str:
    """What the task does, after its role's name, as with Ansible: ``web : Install``."""
    title = _own_title(task)
    role = f"{task.role.full_name} : " if task.role is not None else ""
    return title if title.startswith(role) else f"{role}{title}"


def _own_title(task: Task) -> str:
    """The task's name; without one its id as written, else its text (``command: echo 1``), else its id (``copy-2``)."""
    name = text_of(task.name)
    if name not in ("", task.action):
        return name
    text = "" if "id" in task.positions else task_text(task)
    return f"{task.action}: {text}" if text else task.id.rpartition(".")[2]


def task_text(task: Task) -> str:
    """The command, message or condition of a task; empty where it has none, and with ``no_log``."""
    telling = _TELLING if task.traits.meta is None else (task.traits.meta,)
    given = next((task.arguments[name] for name in telling if name in task.arguments), None)
    if task.no_log is not False or given is None:
        return ""
    line = mask_assignments(" ".join(" ".join(_words(given)).split()))[0]
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1].rstrip()}…"


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _words(item)
    elif not isinstance(value, Mapping):
        yield text_of(value)


def titled(plan: Plan, mask: Callable[[str], str]) -> Plan:
    """The plan with titles for names, masked; for reports and the journal."""
    return replace(plan, steps=_titled(plan.steps, mask))


def with_titles(event: PlanGrown, mask: Callable[[str], str]) -> PlanGrown:
    """The same for what is added to a plan."""
    return replace(event, growth=replace(event.growth, steps=_titled(event.growth.steps, mask)))


def _titled(steps: Iterable[Step], mask: Callable[[str], str]) -> tuple[Step, ...]:
    return tuple(replace(step, task=replace(step.task, name=mask(task_title(step.task)))) for step in steps)


def origin_text(origin: GeneratedFrom) -> str:
    """``row 'web1' of nodes (nodes.csv:2), pattern web (web.yml:1)``; of many rows, the first ones."""
    shown = [f"'{row.key}' ({_line(row.position)})" for row in origin.rows[:_MOST_ROWS]]
    left = len(origin.rows) - len(shown)
    if left:
        shown.append(f"{left} more")
    names = f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]
    tables = ", ".join(dict.fromkeys(row.table for row in origin.rows))
    rows = "rows" if len(origin.rows) > 1 else "row"
    return f"{rows} {names} of {tables}, pattern {origin.pattern} ({_line(origin.position)})"


def _line(position: Position) -> str:
    return f"{position.path}:{position.line}"


def play_title(play: Play) -> str:
    """The play's name; without one, the pattern of its hosts: ``hosts: web``."""
    return f"hosts: {play.name}" if play.name == text_of(play.hosts) else play.name
