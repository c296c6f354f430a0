"""The tasks of a playbook by their place in it, and their steps in a plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from drumline.loading.needs import Vertex
from drumline.model.plan import Plan, Step
from drumline.model.playbook import Playbook, Task


def tasks_of(playbook: Playbook) -> Iterator[tuple[Vertex, Task]]:
    """Every task, in the file's order."""
    for index, play in enumerate(playbook.plays):
        for at, task in enumerate(play.tasks):
            yield Vertex(index, at), task


def steps_of(plan: Plan) -> Mapping[Vertex, list[Step]]:
    """The steps of each task that takes part, batch by batch."""
    places = {(vertex.play, task.id): vertex for vertex, task in tasks_of(plan.playbook)}
    found: defaultdict[Vertex, list[Step]] = defaultdict(list)
    for step in plan.steps:
        found[places[step.play, step.task.id]].append(step)
    return dict(found)
