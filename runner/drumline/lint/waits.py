"""Waits that may never end: what a task waits for comes after it, or may not come at all while the task runs.

What a task waits for is found in its text (:mod:`.wanted`). If no task of the playbook causes it, it comes from
elsewhere, and nothing is reported. Otherwise one of the tasks that cause it has to be certain: it is upstream of the
wait, and the wait doesn't run if that task is skipped, fails, or is dropped at its barrier. That is tried out
(:mod:`.ways`), for all tasks that cause it together.

A question to people without a timeout is reported too, since only a person ends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from drumline.diagnostics import Diagnostics
from drumline.lint.wanted import brings, wanted_by
from drumline.lint.ways import Ways
from drumline.loading.needs import needs_of
from drumline.model.plan import Plan
from drumline.model.playbook import Strategy, Task, TaskPath
from drumline.model.traits import ApprovalArguments
from drumline.model.value import Variables
from drumline.planning.graph import ancestors, path
from drumline.planning.paths import steps_of, tasks_of


def lint_waits(plan: Plan, extra: Variables) -> Diagnostics:
    """The waits of a plan that may never end, each with its place and the reasons. ``extra``: variables from ``-e``."""
    lint = _Lint(plan, extra)
    for vertex, task in tasks_of(plan.playbook):
        if lint.takes_part(vertex):
            lint.look_at(vertex, task)
    return lint.found


class _Lint:
    def __init__(self, plan: Plan, extra: Variables) -> None:
        self.found = Diagnostics()
        self._plays = {play.id: play for play in plan.playbook.plays}
        self._extra = extra
        self._tasks = dict(tasks_of(plan.playbook))
        self._steps = steps_of(plan)
        self._needs = needs_of(plan.playbook.plays)
        self._upstream = cache(lambda vertex: ancestors(self._needs, vertex))
        self._ways = Ways(plan)

    def takes_part(self, vertex: TaskPath) -> bool:
        return vertex in self._steps

    def look_at(self, vertex: TaskPath, task: Task) -> None:
        """Report what is wrong with a task that waits for something."""
        asks = task.traits.asks
        if asks is not None and task.arguments.get(asks.timeout) is None and False not in task.when:
            self._add(task, task.action, self._unattended(vertex, task, asks))
        wanted = wanted_by(self._plays[vertex.play], task, self._extra)
        if wanted is None or False in task.when:
            return
        bringing = [
            other
            for other, candidate in self._tasks.items()
            if other != vertex and brings(self._plays[other.play], candidate, wanted, self._extra)
        ]
        problems = self._problems(vertex, bringing)
        if problems:
            begin = f"'{task.id}' waits for {wanted.words}, which only its timeout may end:"
            self._add(task, wanted.argument, "\n".join([begin, *problems]))

    def _add(self, task: Task, argument: str, detail: str) -> None:
        position = task.positions.get(f"arguments.{argument}", task.position)
        self.found.add("A wait that may never end", detail=detail, position=position)

    def _unattended(self, vertex: TaskPath, task: Task, asks: ApprovalArguments) -> str:
        waiting = [other.id for place, other in self._tasks.items() if vertex in self._needs[place]]
        others = f" Until then {', '.join(map(repr, waiting))} and later tasks wait, too." if waiting else ""
        return (
            f"'{task.id}' has no timeout: if no one is at the terminal, it waits until someone answers with "
            f"drumline approve.{others} "
            f"Write {asks.timeout}: 1h, and {asks.default}: {asks.approval} if the run may go on without an answer."
        )

    def _problems(self, vertex: TaskPath, bringing: Sequence[TaskPath]) -> list[str]:
        """Why none of the tasks that cause it is certain to; empty if one is, or if no task causes it."""
        sources = [other for other in bringing if self.takes_part(other) and other in self._upstream(vertex)]
        failing = self._ways.around(vertex, sources)
        if sources and not failing:
            return []
        problems = [self._passed_over(vertex, other, way) for other, way in failing]
        return problems + [self._elsewhere(vertex, other) for other in bringing if other not in sources]

    def _passed_over(self, vertex: TaskPath, other: TaskPath, way: str) -> str:
        return f"{self._named(other)} {way}, and {self._id(vertex)} still runs: {self._path(vertex, other)}."

    def _elsewhere(self, vertex: TaskPath, other: TaskPath) -> str:
        """Why a task that isn't upstream of the wait doesn't end it, or may not."""
        named = self._named(other)
        if not self.takes_part(other):
            return f"{named} is left out by --tags, --skip-tags or --limit."
        if vertex in self._upstream(other):
            return f"{named} runs after it: {self._path(other, vertex)}."
        for ours, theirs in self._waves(vertex, other):
            if theirs > ours:
                return f"{named} is in wave {theirs + 1}, which is released only after this wave {ours + 1} ends."
        return (
            f"{named} runs beside it, but {self._id(vertex)} doesn't need it: if {self._id(other)} fails or is "
            "skipped, the wait goes on. Add it to the needs."
        )

    def _waves(self, vertex: TaskPath, other: TaskPath) -> Iterator[tuple[int, int]]:
        """The waves of two tasks in each batch that they share, if the play has waves."""
        if vertex.play != other.play or self._plays[vertex.play].strategy is Strategy.FREE:
            return
        theirs = {step.batch: step.wave for step in self._steps[other]}
        yield from ((step.wave, theirs[step.batch]) for step in self._steps[vertex] if step.batch in theirs)

    def _path(self, start: TaskPath, end: TaskPath) -> str:
        """``'c' needs 'b', which needs 'a'``."""
        first, second, *others = [self._id(vertex) for vertex in path(self._needs, start, end)]
        return "".join([f"{first} needs {second}", *(f", which needs {name}" for name in others)])

    def _named(self, vertex: TaskPath) -> str:
        return f"{self._id(vertex)} ({self._tasks[vertex].position})"

    def _id(self, vertex: TaskPath) -> str:
        return f"play '{vertex.play}'" if vertex.is_play else f"'{vertex.names[-1]}'"
