"""``results['task']['host']``: whether the result that a task refers to exists by the time that the task runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from drumline.diagnostics import Diagnostics, Position, did_you_mean
from drumline.loading.needs import NeedNames, ambiguous, needs_of
from drumline.model.hostnames import fold_hosts
from drumline.model.plan import Plan, Step
from drumline.model.playbook import TaskPath
from drumline.planning.graph import ancestors
from drumline.planning.paths import steps_of, tasks_of

if TYPE_CHECKING:
    from drumline.templating.names import Reference


def check_results(plan: Plan, references: Iterable[tuple[TaskPath, Reference, Position]]) -> Diagnostics:
    """The mistakes in ``references`` (from ``loading.names.references``) of the tasks that take part."""
    found = Diagnostics()
    used = list(references)
    if not used:
        return found
    checker = _ResultsChecker(plan, found)
    for path, reference, position in used:
        if reference.task is not None and checker.takes_part(path):
            checker.check(path, reference, position)
    return found


class _ResultsChecker:
    def __init__(self, plan: Plan, found: Diagnostics) -> None:
        self._plan = plan
        self._plays = plan.playbook.plays
        self._found = found
        self._by_id = {play.id: play for play in self._plays}
        self._names = NeedNames(self._plays)
        self._steps = steps_of(plan)
        self._adders = {path for path, task in tasks_of(plan.playbook) if task.traits.adds is not None}
        needs = needs_of(self._plays)
        self._upstream = cache(lambda path: ancestors(needs, path))

    def takes_part(self, path: TaskPath) -> bool:
        return path in self._steps

    def check(self, path: TaskPath, reference: Reference, position: Position) -> None:
        """Report the first mistake in a reference, if there is one."""
        name = reference.task
        assert name is not None
        adding = self._adding(path.play, name)
        problem = None if adding else self._unclear(path.play, name)
        if problem is None:
            needed = adding or self._names.find(path.play, name)
            assert needed is not None
            problem = self._too_early(path, needed, name)
            if problem is None and not reference.guarded and not adding:
                problem = self._absent(path, needed, name, reference.host)
        if problem is not None:
            summary, detail = problem
            self._found.add(summary, detail=detail, position=position)

    def _adding(self, play: str, name: str) -> TaskPath | None:
        """The task that adds others of which the name may be one: ``add`` of ``add.task``."""
        if self._names.find(play, name) is not None:
            return None
        parts = name.split(".")
        beginnings = (".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1))
        found = (self._names.find(play, beginning) for beginning in beginnings)
        return next((path for path in found if path in self._adders), None)

    def _unclear(self, play: str, name: str) -> tuple[str, str] | None:
        summary = "Unknown task in results"
        found = self._names.find(play, name)
        if found is None:
            hint = did_you_mean(name, self._names.known(play))
            return (
                summary,
                f"No task of this play has the id '{name}'.{hint} For a task of another play, write PLAY.TASK.",
            )
        if found.is_play:
            tasks = self._by_id[found.play].tasks
            example = f"results['{name}.{tasks[0].id}']" if tasks else "results['play.task']"
            return summary, f"'{name}' is a play. Name one of its tasks, as in {example}."
        if found.names[-1] in ambiguous(self._by_id[found.play].tasks):
            detail = f"Several tasks are named '{name}'. Give the one that you mean an id of its own."
            return "Ambiguous name in results", detail
        return None

    def _too_early(self, path: TaskPath, needed: TaskPath, name: str) -> tuple[str, str] | None:
        if needed in self._upstream(path):
            return None
        task = path.names[-1]
        summary = "A result of a task that isn't upstream"
        if needed == path:
            return summary, f"'{task}' refers to its own result, which doesn't exist until it has run."
        if path in self._upstream(needed):
            return summary, f"'{task}' refers to the result of '{name}', which runs after it: '{name}' needs '{task}'."
        return summary, (
            f"'{task}' refers to the result of '{name}', but doesn't wait for it. "
            f"Write needs: [{', '.join([*self._needs(path), name])}] on '{task}'."
        )

    def _absent(self, path: TaskPath, needed: TaskPath, name: str, host: str | None) -> tuple[str, str] | None:
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
        if needed.play == path.play:
            return self._too_late(path, name, host, steps)
        return None

    def _too_late(self, path: TaskPath, name: str, host: str, steps: Sequence[Step]) -> tuple[str, str] | None:
        """The error if the host's batch comes after one that refers to its result."""
        first = self._steps[path][0].batch
        batch = next(step.batch for step in steps if host in step.hosts)
        if batch <= first:
            return None
        return "A result of a later batch", (
            f"'{path.names[-1]}' already runs in batch {first + 1}, but '{name}' runs on {host} in batch "
            f"{batch + 1}. Move {host} into an earlier play of its own."
        )

    def _needs(self, path: TaskPath) -> Iterable[str]:
        """The task's needs, as one would write them."""
        above: tuple[str, ...] = ()
        for task in self._by_id[path.play].tasks:
            if task.id == path.names[-1]:
                return above if task.needs is None else task.needs
            above = (task.id,)
        return ()
