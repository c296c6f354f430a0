"""The templates that people wrote: those in a value, in a task, in a whole playbook."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from drumline.diagnostics import Diagnostics
from drumline.inventory.definitions import layers_of, roles_of
from drumline.model.host import Inventory
from drumline.model.playbook import Play, Playbook, Task
from drumline.model.value import Template, Value, Variables
from drumline.source.nodes import BRACES
from drumline.templating.values import ATOMS


def templates_in(value: Value) -> list[Template]:
    """The templates in a value, at any depth."""
    found: list[Template] = []
    if type(value) not in ATOMS:
        _collect(value, found)
    return found


def _collect(value: Value, found: list[Template]) -> None:
    if isinstance(value, Template):
        found.append(value)
    elif isinstance(value, (dict, list, tuple, Mapping)):
        for item in value.values() if isinstance(value, (dict, Mapping)) else value:
            if item and type(item) not in ATOMS:  # most are atoms, or empty
                _collect(item, found)


def templates_of(task: Task) -> Iterator[Template]:
    """All templates of the task."""
    judging = [task.retries.until if task.retries else (), task.changed_when, task.failed_when]
    if task.loop:
        yield from templates_in([task.loop.items if task.loop.lenient else (), task.loop.query, task.loop.break_when])
    own = [task.name, task.variables, task.parameters, task.when, task.deferred, needed_values(task)]
    yield from templates_in(own)
    yield from templates_in([conditions[1:] for conditions in judging])  # the first one is among those needed


def needed_values(task: Task) -> list[Any]:
    """The values that a task renders when it runs, except its conditions."""
    loop, retries = task.loop, task.retries
    return [
        task.arguments,
        task.more_arguments,
        named_by_templates(task),
        task.hosts,
        task.delegate_to,
        task.delegate_facts,
        task.notify,
        task.environment,
        task.become,
        task.become_user,
        task.become_method,
        task.become_exe,
        task.become_flags,
        task.connection,
        task.no_log,
        task.timeout,
        task.ignore_errors,
        task.ignore_unreachable,
        [() if loop.lenient else loop.items, loop.label, loop.pause, loop.extended, loop.all_items] if loop else None,
        [task.background.seconds, task.background.poll] if task.background else None,
        [retries.until[:1], retries.count, retries.delay] if retries else None,
        task.changed_when[:1],
        task.failed_when[:1],
    ]


def named_by_templates(task: Task) -> list[Template]:
    """Names of arguments that are templates (``set_fact: {"{{ name }}": 1}``)."""
    return [
        Template(name, task.positions.get(f"arguments.{name}", task.position))
        for name in task.arguments
        if "{" in name and BRACES.search(name)
    ]


def all_templates(playbook: Playbook) -> list[Template]:
    """Those of a playbook: of its plays, roles, tasks and handlers."""
    return list(_all_templates(playbook))


def unlike(playbook: Playbook) -> Iterator[Play]:
    """The plays, but of those that are alike the first."""
    seen: set[Hashable] = set()
    for play in playbook.plays:
        alike = likeness(play)
        if alike is None or alike not in seen:
            yield play
        seen.add(alike)


def likeness(play: Play) -> Hashable | None:
    """Equal for plays whose templates are the same, and mean the same names: those of one pattern. None: unknown."""
    if play.origin is None or templates_in(play.variables):
        return None
    return play.origin.pattern, tuple(play.variables), tuple(map(id, play.tasks)), tuple(map(id, play.handlers))


def _all_templates(playbook: Playbook) -> Iterator[Template]:
    for play in unlike(playbook):
        yield from templates_in([play.hosts, play.variables, play.vars_files, play.deferred])
        for task in (*play.tasks, *play.handlers):
            yield from templates_of(task)
    yield from _templates_in_layers(
        layer for play in playbook.plays for role in roles_of(play) for layer in layers_of(role)
    )


def templates_beside(inventory: Inventory, extra_vars: Variables) -> list[Template]:
    """The templates in variables from outside the playbook."""
    return _templates_in_layers((extra_vars, *(host.variables for host in inventory.hosts.values())))


def _templates_in_layers(layers: Iterable[Variables]) -> list[Template]:
    """Each once: hosts share the variables of their groups, and uses of a role those of its files."""
    values = {id(value): value for layer in layers for value in layer.values() if type(value) not in ATOMS}
    return templates_in(list(values.values()))


def mentions(written: Sequence[Template], inventory: Inventory) -> Callable[[str], bool]:
    """A test for whether one of these templates, or one of a host's variables, contains a word."""

    @cache
    def text() -> str:
        return "\n".join(template.text for template in (*written, *templates_beside(inventory, {})))

    return lambda name: name in text()


def embedded(written: Sequence[Template]) -> Diagnostics:
    """Templates within string literals of expressions: they are read as in Ansible, but look like a mistake."""
    found = Diagnostics()
    for template in written:
        if template.bare and "{{" in template.text:
            detail = (
                "The text in this expression is rendered first. Write the variable itself: a == b, not a == '{{ b }}'."
            )
            found.add("Braces within an expression", detail=detail, position=template.position)
    return found
