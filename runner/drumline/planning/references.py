"""``results['task']['host']``: whether the result that a task refers to exists by the time that the task runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from drumline.diagnostics import Diagnostics, Position, did_you_mean
from drumline.loading.needs import NeedNames, Vertex, ambiguous, needs_of
from drumline.model.hostnames import fold_hosts
from drumline.model.plan import Plan, Step
from drumline.planning.graph import ancestors
from drumline.planning.vertices import steps_of

if TYPE_CHECKING:
    from drumline.templating.names import Reference


def check_results(plan: Plan, references: Iterable[tuple[Vertex, Reference, Position]]) -> Diagnostics:
    """The mistakes in ``references`` (from ``loading.names.references``) of the tasks that take part."""
    found = Diagnostics()
    checker = _ResultsChecker(plan, found)
    for vertex, reference, position in references:
        if reference.task is not None and checker.takes_part(vertex):
            checker.check(vertex, reference, position)
    return found


class _ResultsChecker:
    def __init__(self, plan: Plan, found: Diagnostics) -> None:
        self._plan = plan
        self._plays = plan.playbook.plays
        self._found = found
        self._names = NeedNames(self._plays)
        self._steps = steps_of(plan)
        needs = needs_of(self._plays)
        self._upstream = cache(lambda vertex: ancestors(needs, vertex))

    def takes_part(self, vertex: Vertex) -> bool:
        return vertex in self._steps

    def check(self, vertex: Vertex, reference: Reference, position: Position) -> None:
        """Report the first mistake in a reference, if there is one."""
        name = reference.task
        assert name is not None
        problem = self._unclear(vertex.play, name)
        if problem is None:
            needed = self._names.find(vertex.play, name)
            assert needed is not None
            problem = self._too_early(vertex, needed, name)
            if problem is None and not reference.guarded:
                problem = self._absent(vertex, needed, name, reference.host)
        if problem is not None:
            summary, detail = problem
            self._found.add(summary, detail=detail, position=position)

    def _unclear(self, play: int, name: str) -> tuple[str, str] | None:
        summary = "Unknown task in results"
        found = self._names.find(play, name)
        if found is None:
            hint = did_you_mean(name, self._names.known(play))
            return (
                summary,
                f"No task of this play has the id '{name}'.{hint} For a task of another play, write PLAY.TASK.",
            )
        if found.task is None:
            tasks = self._plays[found.play].tasks
            example = f"results['{name}.{tasks[0].id}']" if tasks else "results['play.task']"
            return summary, f"'{name}' is a play. Name one of its tasks, as in {example}."
        if name.rpartition(".")[2] in ambiguous(self._plays[found.play].tasks):
            detail = f"Several tasks are named '{name}'. Give the one that you mean an id of its own."
            return "Ambiguous name in results", detail
        return None

    def _too_early(self, vertex: Vertex, needed: Vertex, name: str) -> tuple[str, str] | None:
        if needed in self._upstream(vertex):
            return None
        task = self._task_id(vertex)
        summary = "A result of a task that isn't upstream"
        if needed == vertex:
            return summary, f"'{task}' refers to its own result, which doesn't exist until it has run."
        if vertex in self._upstream(needed):
            return summary, f"'{task}' refers to the result of '{name}', which runs after it: '{name}' needs '{task}'."
        return summary, (
            f"'{task}' refers to the result of '{name}', but doesn't wait for it. "
            f"Write needs: [{', '.join([*self._needs(vertex), name])}] on '{task}'."
        )

    def _absent(self, vertex: Vertex, needed: Vertex, name: str, host: str | None) -> tuple[str, str] | None:
        steps = self._steps.get(needed)
        if steps is None:
            detail = f"'{name}' has no result, because --tags, --skip-tags or --limit leaves it out of this run."
            return "A result of a task that is left out", detail
        if host is None:
            return None
        hosts = dict.fromkeys(host for step in steps for host in step.hosts)
        if host not in hosts:
            hint = did_you_mean(host, hosts)
            return (
                "A result of a host that is left out",
                f"'{name}' runs on {fold_hosts(hosts)}, not on '{host}'.{hint}",
            )
        if needed.play == vertex.play:
            return self._too_late(vertex, name, host, steps)
        return None

    def _too_late(self, vertex: Vertex, name: str, host: str, steps: Sequence[Step]) -> tuple[str, str] | None:
        """The error if the host's batch comes after one that refers to its result."""
        first = self._steps[vertex][0].batch
        batch = next(step.batch for step in steps if host in step.hosts)
        if batch <= first:
            return None
        return "A result of a later batch", (
            f"'{self._task_id(vertex)}' already runs in batch {first + 1}, but '{name}' runs on {host} in batch "
            f"{batch + 1}. Move {host} into an earlier play of its own."
        )

    def _needs(self, vertex: Vertex) -> Iterable[str]:
        """The task's needs, as one would write them."""
        assert vertex.task is not None
        tasks = self._plays[vertex.play].tasks
        written = tasks[vertex.task].needs
        if written is not None:
            return written
        return (tasks[vertex.task - 1].id,) if vertex.task else ()

    def _task_id(self, vertex: Vertex) -> str:
        assert vertex.task is not None
        return self._plays[vertex.play].tasks[vertex.task].id
