"""Checks of templates before anything is sent: invalid templates, and undefined variables.

A name is reported only if its task certainly needs it. So these are left out: names that the task tests
(``is defined``, ``default``) or uses only under a condition, everything but the first condition of a task with
``when``, and unused variables. A variable of a play or task is followed to the names that its own template needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from drumline.diagnostics import Diagnostics, Position, did_you_mean
from drumline.inventory.definitions import Definitions, layers_of, roles_of
from drumline.inventory.magic_names import FAILED_NAMES, MAGIC_NAMES
from drumline.model.host import Inventory
from drumline.model.playbook import Play, Playbook, Task, TaskPath
from drumline.model.traits import ANY_NAME, Sets
from drumline.model.value import Template, Value, Variables
from drumline.source.yaml import BRACES
from drumline.templating import not_yet
from drumline.templating.templates import Templating
from drumline.templating.values import ATOMS

if TYPE_CHECKING:
    from drumline.templating.names import Reference

#: drumline's own variables that nothing else can define.
_OWN_WORDS = frozenset({"play_batch"})
#: Another one, which whatever else defines it overrides: content for Ansible registers results under the name.
_RESULTS = "results"


def check_names(
    playbook: Playbook,
    inventory: Inventory,
    extra_vars: Variables,
    templating: Templating,
    *,
    chosen: Callable[[Task], bool] = lambda _task: True,
    undefined: bool = True,
) -> Diagnostics:
    """All mistakes in the templates of a playbook, and the undefined names of the tasks in ``chosen``.

    ``undefined``: whether names are checked. In templates of other variables, only references to secrets are.

    Names aren't checked if a task sets variables with unknown names: by a template in the name, or because its action
    declares so.
    """
    found = Diagnostics()
    for template in _all_templates(playbook):
        found.extend(templating.check(template))
    for template in _templates_beside(inventory, extra_vars):
        found.extend(templating.wrong_secrets(template))
    _check_own_words(playbook, extra_vars, found)
    if undefined:
        any_name = _sets_unknown_names(playbook)
        checker = _DefinitionChecker(playbook, inventory, extra_vars, templating, found)
        for play in playbook.plays:
            for task in filter(chosen, play.tasks):
                if task.first or not any_name:  # nothing has set a name before what comes first
                    checker.check(play, task)
    return found


def mentions(playbook: Playbook, inventory: Inventory) -> Callable[[str], bool]:
    """A test for whether a template of the playbook or of a host's variables contains a word."""

    @cache
    def text() -> str:
        templates = (*_all_templates(playbook), *_templates_beside(inventory, {}))
        return "\n".join(template.text for template in templates)

    return lambda name: name in text()


def embedded(playbook: Playbook) -> Diagnostics:
    """Templates within string literals of expressions: they are read as in Ansible, but look like a mistake."""
    found = Diagnostics()
    for template in _all_templates(playbook):
        if template.bare and "{{" in template.text:
            detail = (
                "The text in this expression is rendered first. Write the variable itself: a == b, not a == '{{ b }}'."
            )
            found.add("Braces within an expression", detail=detail, position=template.position)
    return found


def references(
    playbook: Playbook, extra_vars: Variables, templating: Templating
) -> Iterator[tuple[TaskPath, Reference, Position]]:
    """Every use of ``results`` in a playbook: the task that needs it, what it refers to, and its place.

    A variable of a play or task is followed to the tasks that use it, as in :func:`check_names`. None where the
    playbook defines the name for itself.
    """
    if _RESULTS in extra_vars or any(name == _RESULTS for _, name, _ in _definitions(playbook)):
        return
    tasks = [task for play in playbook.plays for task in play.tasks]
    stronger = {*MAGIC_NAMES, *extra_vars, *_gained(tasks)}
    known = Definitions()
    for play in playbook.plays:
        for task in play.tasks:
            for template in _used_templates(task, known.merged(play, task), stronger, templating):
                for reference, position in templating.references(template):
                    yield play.path_of(task), reference, position


def _used_templates(
    task: Task, own: Mapping[str, Value], stronger: set[str], templating: Templating
) -> Iterator[Template]:
    """The templates that a task may render, including those of the variables that they mention."""
    until = task.retries.until if task.retries else ()
    waiting = templates_in([task.when, _needed_values(task), until[1:], task.changed_when[1:], task.failed_when[1:]])
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
            yield from ((task, name, _defined_by(task, name)) for name in _gained([task]))


def _defined_by(task: Task, name: str) -> str:
    return "register" if name == task.register else f"arguments.{name}"


def _all_templates(playbook: Playbook) -> Iterator[Template]:
    for play in playbook.plays:
        yield from templates_in([play.hosts, play.variables, play.vars_files, play.deferred])
        for task in (*play.tasks, *play.handlers):
            yield from templates_of(task)
    yield from _templates_in_layers(
        layer for play in playbook.plays for role in roles_of(play) for layer in layers_of(role)
    )


def templates_of(task: Task) -> Iterator[Template]:
    """All templates of the task."""
    judging = [task.retries.until if task.retries else (), task.changed_when, task.failed_when]
    if task.loop:
        yield from templates_in([task.loop.items if task.loop.lenient else (), task.loop.query, task.loop.break_when])
    own = [task.name, task.variables, task.parameters, task.when, task.deferred, _needed_values(task)]
    yield from templates_in(own)
    yield from templates_in([conditions[1:] for conditions in judging])  # the first one is among those needed


def _templates_beside(inventory: Inventory, extra_vars: Variables) -> list[Template]:
    """The templates in variables from outside the playbook."""
    return _templates_in_layers((extra_vars, *(host.variables for host in inventory.hosts.values())))


def _templates_in_layers(layers: Iterable[Variables]) -> list[Template]:
    """Each once: hosts share the variables of their groups, and uses of a role those of its files."""
    values = {id(value): value for layer in layers for value in layer.values() if type(value) not in ATOMS}
    return templates_in(list(values.values()))


def templates_in(value: Value) -> list[Template]:
    """The templates in a value, at any depth."""
    found: list[Template] = []
    if type(value) not in ATOMS:
        _collect(value, found)
    return found


def _collect(value: Value, found: list[Template]) -> None:
    if isinstance(value, Template):
        found.append(value)
    elif isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            if type(item) not in ATOMS:  # most are
                _collect(item, found)


def _needed_values(task: Task) -> list[Any]:
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


def _sets_unknown_names(playbook: Playbook) -> bool:
    tasks = [task for play in playbook.plays for task in play.tasks]
    return any(
        task.traits.sets in (Sets.UNKNOWN, Sets.INCLUDED, Sets.PLAY)
        or ANY_NAME in task.traits.fact_names
        or named_by_templates(task)
        for task in tasks
    )


def named_by_templates(task: Task) -> list[Template]:
    """Names of arguments that are templates (``set_fact: {"{{ name }}": 1}``)."""
    return [
        Template(name, task.positions.get(f"arguments.{name}", task.position))
        for name in task.arguments
        if BRACES.search(name)
    ]


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
        self._stronger = {*MAGIC_NAMES, *extra_vars, *_gained(tasks)}
        if any(play.blocks for play in playbook.plays):
            self._stronger.update(FAILED_NAMES)
        self._gathered = any(task.traits.sets is Sets.FACTS for task in tasks)
        self._inventory = {name for host in inventory.hosts.values() for name in host.variables}

    def check(self, play: Play, task: Task) -> None:
        """Report the names that the task is sure to need and no one defines."""
        written = templates_in([task.when, _needed_values(task)])
        if not written or False in task.when:
            return
        conditional = any(isinstance(condition, Template) for condition in task.when)
        values = task.when[:1] if conditional else _needed_values(task)
        guarded = frozenset[str]().union(*(self._templating.guarded(template) for template in written))
        own = self._definitions.merged(play, task, task.connection)
        self._follow(templates_in(values), _own_names(task) | guarded, own)

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


def _gained(tasks: Iterable[Task]) -> Iterator[str]:
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
