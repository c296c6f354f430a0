"""What differs between two plans: plays, their hosts and tasks, what they need, and what they are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import asdict, replace

from drumline.diagnostics import Position, counted
from drumline.model.hostnames import fold_hosts
from drumline.model.plan import Plan, Step
from drumline.model.playbook import Play, Task
from drumline.model.titles import origin_text
from drumline.model.value import Value, text_of
from drumline.planning.views.words import hosts_of_jobs
from drumline.secret import MASK, is_secret_name

_NOWHERE = Position("")
#: Fields of a play that say where it is from, or that are compared by themselves.
_APART = frozenset({"handlers", "hosts", "id", "needs", "origin", "position", "positions", "tasks", "variables"})
#: The most letters of a value that are shown.
_LONGEST = 60


def changes(before: Plan, after: Plan) -> list[str]:
    """A line for each difference: ``+`` what the later plan adds, ``-`` what it lacks, ``~`` what it changes.

    Plays and tasks are compared by their ids. Positions in files aren't compared.
    """
    earlier, later = _Plays(before), _Plays(after)
    lines: list[str] = []
    for name in later.by_id:
        if name in earlier.by_id:
            lines += _changed(name, earlier, later)
        else:
            lines += later.in_full(name, "+")
    for name in earlier.by_id:
        if name not in later.by_id:
            lines += earlier.in_full(name, "-")
    return lines


class _Plays:
    """The plays of a plan by id, and the jobs of each: hosts by task."""

    def __init__(self, plan: Plan) -> None:
        self.by_id = {planned.play.id: planned.play for planned in plan.plays}
        self.needs = {planned.play.id: [plan.plays[need].play.id for need in planned.needs] for planned in plan.plays}
        self.jobs: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in self.by_id}
        self.tasks: dict[str, dict[str, Task]] = {name: {} for name in self.by_id}
        for step in plan.steps:
            self._add(plan.plays[step.play].play.id, step)

    def _add(self, play: str, step: Step) -> None:
        jobs = self.jobs[play]
        jobs[step.task.id] = (*jobs.get(step.task.id, ()), *hosts_of_jobs(step))
        self.tasks[play][step.task.id] = step.task

    def in_full(self, name: str, sign: str) -> Iterator[str]:
        play = self.by_id[name]
        yield f"{sign} play {name}{_origin(play)}"
        for task, hosts in self.jobs[name].items():
            yield f"{sign}   {task} on {fold_hosts(hosts)}"
        if self.needs[name]:
            yield f"{sign}   needs {', '.join(self.needs[name])}"


def _origin(play: Play) -> str:
    return f", {origin_text(play.origin)}" if play.origin is not None else ""


def _changed(name: str, before: _Plays, after: _Plays) -> Iterator[str]:
    lines = [
        *_jobs(before.jobs[name], after.jobs[name]),
        *_tasks(before.tasks[name], after.tasks[name]),
        *_needs(before.needs[name], after.needs[name]),
        *_variables(before.by_id[name].variables, after.by_id[name].variables),
        *_keywords(before.by_id[name], after.by_id[name]),
    ]
    if lines:
        yield f"~ play {name}{_origin(after.by_id[name])}"
        yield from lines


def _jobs(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for sign, more, fewer in (("+", after, before), ("-", before, after)):
        for task, hosts in more.items():
            known = frozenset(fewer.get(task, ()))
            new = [host for host in hosts if host not in known]
            if new:
                yield f"{sign}   {task} on {fold_hosts(new)}"


def _tasks(before: Mapping[str, Task], after: Mapping[str, Task]) -> Iterator[str]:
    for name, task in after.items():
        if name in before and _plain(before[name]) != _plain(task):
            yield f"~   task {name} does something else"


def _plain(task: Task) -> Task:
    """The task, wherever it stands."""
    return replace(task, position=_NOWHERE, positions={})


def _needs(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    for sign, more, fewer in (("+", after, before), ("-", before, after)):
        new = [name for name in more if name not in fewer]
        if new:
            yield f"{sign}   needs {', '.join(new)}"


def _variables(before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[str]:
    for name in dict.fromkeys((*before, *after)):
        if name not in before:
            yield f"+   {name}: {_shown(name, after[name])}"
        elif name not in after:
            yield f"-   {name}: {_shown(name, before[name])}"
        elif before[name] != after[name]:
            yield f"~   {name}: {_shown(name, before[name])} -> {_shown(name, after[name])}"


def _shown(name: str, value: Value) -> str:
    text = MASK if is_secret_name(name) else text_of(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({counted(len(text), 'character')})"


def _keywords(before: Play, after: Play) -> Iterator[str]:
    was, now = _own(before), _own(after)
    for name, value in now.items():
        if was[name] != value:
            yield f"~   {name}: {_said(was[name])} -> {_said(value)}"


def _own(play: Play) -> dict[str, Any]:
    return {name: value for name, value in asdict(play).items() if name not in _APART}


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
