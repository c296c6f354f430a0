"""Every place of a plan in which variables are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from drumline.inventory.definitions import layers_of, roles_of
from drumline.model.host import Inventory
from drumline.model.plan import Plan
from drumline.model.playbook import Task
from drumline.model.value import Variables


def every_layer(plan: Plan, inventory: Inventory) -> Iterator[Variables]:
    """The variables of the hosts, plays, roles and tasks."""
    yield from (host.variables for host in inventory.hosts.values())
    for planned in plan.plays:
        yield planned.play.variables
        for role in roles_of(planned.play):
            yield from layers_of(role)
    yield from layers_of_tasks(step.task for step in plan.steps)


def layers_of_tasks(tasks: Iterable[Task]) -> Iterator[Variables]:
    """The variables of tasks, and of the roles that contain them."""
    for task in tasks:
        yield task.variables
        yield task.parameters
        yield from layers_of(task.role) if task.role is not None else ()
