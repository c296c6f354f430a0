"""Waits that may never end: what a task waits for comes after it, or may not come at all while the task runs.

What a wait waits for is found by its text (:mod:`.wanted`). Where no task of the playbook brings it about, it comes
from elsewhere, and nothing is said. Otherwise a task that brings it about has to be sure: upstream of the wait, and
such that the wait doesn't run when that task was skipped, failed, or was dropped at its barrier. That is tried
(:mod:`.ways`), for all tasks that bring it about together.

A question to people without a time-out is told too, since only a person ends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from drumline.diagnostics import Diagnostics
from drumline.lint.wanted import brings, wanted_by
from drumline.lint.ways import Ways
from drumline.loading.needs import Vertex, needs_of
from drumline.model.plan import Plan
from drumline.model.playbook import Strategy, Task
from drumline.model.traits import ApprovalArguments
from drumline.model.value import Variables
from drumline.planning.graph import ancestors, path
from drumline.planning.vertices import steps_of, tasks_of


def lint_waits(plan: Plan, extra: Variables) -> Diagnostics:
    """The waits of a plan that may never end, at their places, with what leads there; ``extra`` are those of ``-e``."""
    lint = _Lint(plan, extra)
    for vertex, task in tasks_of(plan.playbook):
        if lint.takes_part(vertex):
            lint.look_at(vertex, task)
    return lint.found


class _Lint:
    def __init__(self, plan: Plan, extra: Variables) -> None:
        self.found = Diagnostics()
        self._plays = plan.playbook.plays
        self._extra = extra
        self._tasks = dict(tasks_of(plan.playbook))
        self._steps = steps_of(plan)
        self._needs = needs_of(self._plays)
        self._upstream = cache(lambda vertex: ancestors(self._needs, vertex))
        self._ways = Ways(plan)

    def takes_part(self, vertex: Vertex) -> bool:
        return vertex in self._steps

    def look_at(self, vertex: Vertex, task: Task) -> None:
        """Report what is wrong with a task, if it waits for something."""
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
            begin = f"'{task.id}' waits for {wanted.words}, and perhaps nothing but its timeout ends that:"
            self._add(task, wanted.argument, "\n".join([begin, *problems]))

    def _add(self, task: Task, argument: str, detail: str) -> None:
        position = task.positions.get(f"arguments.{argument}", task.position)
        self.found.add("A wait that may never end", detail=detail, position=position)

    def _unattended(self, vertex: Vertex, task: Task, asks: ApprovalArguments) -> str:
        waiting = [other.id for place, other in self._tasks.items() if vertex in self._needs[place]]
        others = f" Until then {', '.join(map(repr, waiting))} and what follows wait." if waiting else ""
        return (
            f"'{task.id}' has no timeout: where no one is at the terminal, it waits until someone answers with "
            f"drumline approve.{others} "
            f"Write {asks.timeout}: 1h, and {asks.default}: {asks.approval} if the run may go on without an answer."
        )

    def _problems(self, vertex: Vertex, bringing: Sequence[Vertex]) -> list[str]:
        """Why none of the tasks that bring it about is sure to; empty when one is, or when there are none."""
        sources = [other for other in bringing if self.takes_part(other) and other in self._upstream(vertex)]
        failing = self._ways.around(vertex, sources)
        if sources and not failing:
            return []
        problems = [self._passed_over(vertex, other, way) for other, way in failing]
        return problems + [self._elsewhere(vertex, other) for other in bringing if other not in sources]

    def _passed_over(self, vertex: Vertex, other: Vertex, way: str) -> str:
        return f"{self._named(other)} {way}, and {self._id(vertex)} runs all the same: {self._path(vertex, other)}."

    def _elsewhere(self, vertex: Vertex, other: Vertex) -> str:
        """Why a task that isn't upstream of the wait doesn't end it, or may not."""
        named = self._named(other)
        if not self.takes_part(other):
            return f"{named} is left out by --tags, --skip-tags or --limit."
        if vertex in self._upstream(other):
            return f"{named} runs after it: {self._path(other, vertex)}."
        for ours, theirs in self._waves(vertex, other):
            if theirs > ours:
                return f"{named} is in wave {theirs + 1}, which is released when this one, wave {ours + 1}, has ended."
        return (
            f"{named} runs beside it, and {self._id(vertex)} doesn't need it: when {self._id(other)} fails or is "
            "skipped, it goes on waiting. Add it to the needs."
        )

    def _waves(self, vertex: Vertex, other: Vertex) -> Iterator[tuple[int, int]]:
        """The waves of two tasks in each batch that they share, where waves count."""
        if vertex.play != other.play or self._plays[vertex.play].strategy is Strategy.FREE:
            return
        theirs = {step.batch: step.wave for step in self._steps[other]}
        yield from ((step.wave, theirs[step.batch]) for step in self._steps[vertex] if step.batch in theirs)

    def _path(self, start: Vertex, end: Vertex) -> str:
        """``'c' needs 'b', which needs 'a'``."""
        first, second, *others = [self._id(vertex) for vertex in path(self._needs, start, end)]
        return "".join([f"{first} needs {second}", *(f", which needs {name}" for name in others)])

    def _named(self, vertex: Vertex) -> str:
        return f"{self._id(vertex)} ({self._tasks[vertex].position})"

    def _id(self, vertex: Vertex) -> str:
        play = self._plays[vertex.play]
        return f"play '{play.id}'" if vertex.task is None else f"'{play.tasks[vertex.task].id}'"
