"""Checks of templates before anything is sent: invalid templates, and undefined variables.

A name is reported only if its task certainly needs it. So these are left out: names that the task tests
(``is defined``, ``default``) or uses only under a condition, everything but the first condition of a task with
``when``, and unused variables. A variable of a play or task is followed to the names that its own template needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from drumline.diagnostics import Diagnostics, Position, did_you_mean
from drumline.inventory.definitions import Definitions
from drumline.inventory.magic_names import FAILED_NAMES, MAGIC_NAMES
from drumline.loading.written import (
    all_templates,
    likeness,
    named_by_templates,
    needed_values,
    templates_beside,
    templates_in,
    unlike,
)
from drumline.model.host import Inventory
from drumline.model.playbook import Play, Playbook, Task, TaskPath
from drumline.model.traits import ANY_NAME, Sets
from drumline.model.value import Template, Value, Variables
from drumline.templating import not_yet
from drumline.templating.templates import Templating

if TYPE_CHECKING:
    from drumline.templating.names import Reference

#: drumline's own variables that nothing else can define.
_OWN_WORDS = frozenset({"play_batch"})
#: Another one, which whatever else defines it overrides: content for Ansible registers results under the name.
RESULTS = "results"


def check_names(
    playbook: Playbook,
    inventory: Inventory,
    extra_vars: Variables,
    templating: Templating,
    *,
    written: Sequence[Template] | None = None,
    chosen: Callable[[Task], bool] = lambda _task: True,
    undefined: bool = True,
) -> Diagnostics:
    """All mistakes in the templates of a playbook, and the undefined names of the tasks in ``chosen``.

    ``written`` are its templates, if they are at hand. ``undefined``: whether names are checked. In templates of other
    variables, only references to secrets are.

    Names aren't checked if a task sets variables with unknown names: by a template in the name, or because its action
    declares so.
    """
    found = Diagnostics()
    for template in all_templates(playbook) if written is None else written:
        found.extend(templating.check(template))
    for template in templates_beside(inventory, extra_vars):
        found.extend(templating.wrong_secrets(template))
    _check_own_words(playbook, extra_vars, found)
    if undefined:
        any_name = _sets_unknown_names(playbook)
        checker = _DefinitionChecker(playbook, inventory, extra_vars, templating, found)
        for play in unlike(playbook):
            for task in filter(chosen, play.tasks):
                if task.first or not any_name:  # nothing has set a name before what comes first
                    checker.check(play, task)
    return found


def references(
    playbook: Playbook, extra_vars: Variables, templating: Templating
) -> Iterator[tuple[TaskPath, Reference, Position]]:
    """Every use of ``results`` in a playbook: the task that needs it, what it refers to, and its place.

    A variable of a play or task is followed to the tasks that use it, as in :func:`check_names`. None where the
    playbook defines the name for itself.
    """
    if RESULTS in extra_vars or any(name == RESULTS for _, name, _ in _definitions(playbook)):
        return
    tasks = [task for play in playbook.plays for task in play.tasks]
    stronger = {*MAGIC_NAMES, *extra_vars, *names_gained(tasks)}
    known = Definitions()
    found: dict[Hashable, list[tuple[Task, Reference, Position]]] = {}
    for play in playbook.plays:
        alike = likeness(play) or play.id
        if alike not in found:
            found[alike] = [
                (task, *reference)
                for task in play.tasks
                for template in _used_templates(task, known.merged(play, task), stronger, templating)
                for reference in templating.references(template)
            ]
        yield from ((play.path_of(task), reference, position) for task, reference, position in found[alike])


def names_used(
    playbook: Playbook, extra_vars: Variables, templating: Templating
) -> Iterator[tuple[TaskPath, frozenset[str]]]:
    """For each task the names of all variables that it may use, those behind its own variables included."""
    stronger = {*MAGIC_NAMES, *extra_vars}
    known = Definitions()
    for play in playbook.plays:
        for task in play.tasks:
            used = _used_templates(task, known.merged(play, task), stronger, templating)
            names = (templating.undeclared(template) | templating.guarded(template) for template in used)
            yield play.path_of(task), frozenset[str]().union(*names)


def _used_templates(
    task: Task, own: Mapping[str, Value], stronger: set[str], templating: Templating
) -> Iterator[Template]:
    """The templates that a task may render, including those of the variables that they mention."""
    until = task.retries.until if task.retries else ()
    waiting = templates_in([task.when, needed_values(task), until[1:], task.changed_when[1:], task.failed_when[1:]])
    seen: set[str] = set()
    while waiting:
        template = waiting.pop(0)
        yield template
        mentioned = (templating.undeclared(template) | templating.guarded(template)) - seen
        for name in sorted(name for name in mentioned if name in own and name not in stronger):
            waiting.extend(templates_in(own[name]))
        seen |= mentioned


def _check_own_words(playbook: Playbook, extra_vars: Variables, found: Diagnostics) -> None:
    """Report definitions that would have no effect because drumline itself defines the name."""
    for owner, name, keyword in _definitions(playbook):
        if name in _OWN_WORDS:
            position = owner.positions.get(keyword, owner.position)
            found.add("This name is taken", detail=_taken(name), position=position)
    for name in sorted(_OWN_WORDS & extra_vars.keys()):
        found.add("This name is taken", detail=f"-e {name}: {_taken(name)}")


def _taken(name: str) -> str:
    return f"'{name}' is one of drumline's own variables, which nothing else can define. Choose another name."


def _definitions(playbook: Playbook) -> Iterator[tuple[Play | Task, str, str]]:
    """Every name that a playbook defines, with the play or task and the keyword that define it."""
    for play in playbook.plays:
        yield from ((play, name, "vars") for name in play.variables)
        for task in play.tasks:
            yield from ((task, name, "vars") for name in task.variables)
            yield from ((task, name, "loop_control") for name in _own_names(task))
            yield from ((task, name, _defined_by(task, name)) for name in names_gained([task]))


def _defined_by(task: Task, name: str) -> str:
    return "register" if name == task.register else f"arguments.{name}"


def _sets_unknown_names(playbook: Playbook) -> bool:
    tasks = [task for play in playbook.plays for task in play.tasks]
    return any(
        task.traits.sets in (Sets.UNKNOWN, Sets.INCLUDED, Sets.PLAY)
        or ANY_NAME in task.traits.fact_names
        or named_by_templates(task)
        for task in tasks
    )


class _DefinitionChecker:
    """Checks that the names that tasks need are defined."""

    def __init__(
        self,
        playbook: Playbook,
        inventory: Inventory,
        extra_vars: Variables,
        templating: Templating,
        found: Diagnostics,
    ) -> None:
        self._templating = templating
        self._found = found
        self._definitions = Definitions()
        tasks = [task for play in playbook.plays for task in play.tasks]
        #: Names that override, or may override, those of plays and tasks.
        self._stronger = {*MAGIC_NAMES, *extra_vars, *names_gained(tasks)}
        if any(play.blocks for play in playbook.plays):
            self._stronger.update(FAILED_NAMES)
        self._gathered = any(task.traits.sets is Sets.FACTS for task in tasks)
        self._inventory = {name for host in inventory.hosts.values() for name in host.variables}

    def check(self, play: Play, task: Task) -> None:
        """Report the names that the task is sure to need and no one defines."""
        conditions, others = templates_in(task.when), templates_in(needed_values(task))
        if not (conditions or others) or False in task.when:
            return
        guarded = frozenset[str]().union(*(self._templating.guarded(one) for one in (*conditions, *others)))
        own = self._definitions.merged(play, task, task.connection)
        self._follow(templates_in(task.when[:1]) if conditions else others, _own_names(task) | guarded, own)

    def _follow(self, templates: Iterable[Template], known: set[str], own: Mapping[str, Value]) -> None:
        """Check these templates, and those of the variables of play and task that they need."""
        waiting, seen = list(templates), set[str]()
        while waiting:
            template = waiting.pop(0)
            for name in sorted(self._templating.undeclared(template) - seen):
                if name in own and name not in self._stronger:
                    seen.add(name)
                    waiting.extend(templates_in(own[name]))
                elif not any(name in names for names in (known, self._stronger, self._inventory, own)):
                    self._add(name, template, {*known, *self._stronger, *self._inventory, *own})

    def _add(self, name: str, template: Template, known: Iterable[str]) -> None:
        if self._gathered and name.startswith("ansible_"):
            return
        if known_fact := not_yet.fact(name):
            self._found.add("Facts are not gathered", detail=known_fact, position=template.position)
            return
        of_ansible = not_yet.variable(name)
        hint = f" {of_ansible}" if of_ansible else did_you_mean(name, known)
        if name.startswith("ansible_") and not of_ansible:
            hint += " If it is a fact: nothing here gathers facts."
        detail = f"'{name}' is defined nowhere: by no host, group, play, task or option.{hint}"
        self._found.add("Undefined variable", detail=detail, position=template.position)


def names_gained(tasks: Iterable[Task]) -> Iterator[str]:
    """Names that tasks of the run define for those after them."""
    for task in tasks:
        if task.register:
            yield task.register
        if task.traits.sets is Sets.ARGUMENTS:
            yield from task.arguments
        for name in task.traits.fact_names:
            yield name.format_map(defaultdict(str, task.arguments))


def _own_names(task: Task) -> set[str]:
    """Names that only this task has."""
    if task.loop is None:
        return set()
    names = {task.loop.variable, "ansible_loop", "ansible_loop_var", "ansible_index_var"}
    return names | ({task.loop.index_variable} if task.loop.index_variable else set())
