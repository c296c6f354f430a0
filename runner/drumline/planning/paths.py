"""The tasks of a playbook by their paths, and their steps in a plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from drumline.model.plan import Plan, Step
from drumline.model.playbook import Playbook, Task, TaskPath


def tasks_of(playbook: Playbook) -> Iterator[tuple[TaskPath, Task]]:
    """Every task, in the file's order."""
    for play in playbook.plays:
        for task in play.tasks:
            yield play.path_of(task), task


def path_of(plan: Plan, step: Step) -> TaskPath:
    """The path of a step's task."""
    return plan.plays[step.play].play.path_of(step.task)


def steps_of(plan: Plan) -> Mapping[TaskPath, list[Step]]:
    """The steps of each task that takes part, batch by batch."""
    found: defaultdict[TaskPath, list[Step]] = defaultdict(list)
    for step in plan.steps:
        found[path_of(plan, step)].append(step)
    return dict(found)
