"""What tasks will add to the plan, as far as it is known before the run.

The name of a file is known if it is constant, or if its templates use only what is the same for all hosts, and the
items of a loop that are written out. Then the file is read before anything is sent, so that its mistakes are reported
with all others. An unknown file may define and use anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from drumline.loading.blocks import ListReader
from drumline.loading.deferred import Render
from drumline.loading.handlers import Coming
from drumline.loading.including import handlers_reader, places_of, read_added, read_added_role
from drumline.loading.reading import Reading
from drumline.model.playbook import Loop, Play, Playbook, Task
from drumline.model.traits import Sets
from drumline.model.value import Template, Value, Variables
from drumline.templating.failures import TemplateFailed

#: The most items of a loop for which files are looked for.
_MOST_ITEMS = 100


class Added(Struct, frozen=True):
    """What one task adds at once."""

    include: Task
    play: Play  #: With these tasks alone.
    #: Of a role: its handlers, and in which rows they stand.
    handlers: Sequence[Task] = ()
    handler_rows: Sequence[int] = ()


class Foresight(Struct):
    """What the tasks of a playbook will add."""

    #: By play, in the order in which the files are named; what is added by what is added comes after it.
    added: Mapping[str, Sequence[Added]] = {}
    #: Positions of tasks of which it isn't known.
    unknown: frozenset[Any] = frozenset()

    def by(self, task: Task) -> Sequence[Added]:
        """What one task will add, with each file that is known."""
        parts = (part for parts in self.added.values() for part in parts)
        return [part for part in parts if part.include.position == task.position]

    def coming(self, play: Play) -> Coming | None:
        """The handlers of the roles that the play will add; None if it adds none."""
        parts = self.added.get(play.id, ())
        tasks = [task for part in (play, *(added.play for added in parts)) for task in part.tasks]
        unknown = [task for task in tasks if task.position in self.unknown and task.traits.adds is not None]
        handlers = [handler for part in parts for handler in part.handlers]
        if not handlers and not unknown:
            return None
        rows = [row for part in parts for row in part.handler_rows]
        roles = [task for task in unknown if task.traits.adds is not None and task.traits.adds.role is not None]
        return Coming(handlers, rows, are_all=not roles)

    def seen(self, playbook: Playbook) -> Playbook:
        """The playbook as it is looked through: with what is added among its tasks, which don't run so."""
        if not self.added and not self.unknown:
            return playbook
        return replace(playbook, plays=tuple(map(self._seen, playbook.plays)))

    def _seen(self, play: Play) -> Play:
        parts = self.added.get(play.id, ())
        tasks = [*play.tasks, *(task for added in parts for task in (*added.play.tasks, *added.handlers))]
        return replace(
            play,
            tasks=tuple(self._marked(task) for task in tasks),
            blocks=tuple(block for part in (play, *(added.play for added in parts)) for block in part.blocks),
            roles=(*play.roles, *(role for added in parts for role in added.play.roles if role not in play.roles)),
        )

    def _marked(self, task: Task) -> Task:
        """A task that adds no one knows what may set anything."""
        if task.position not in self.unknown:
            return task
        return replace(task, traits=replace(task.traits, sets=Sets.UNKNOWN))


NOTHING_FORESEEN = Foresight()


def foresee(playbook: Playbook, render: Render, reading: Reading, chosen: Callable[[Task], bool]) -> Foresight:
    """What the tasks that are ``chosen`` will add. Mistakes in these files are noted in ``reading``."""
    looker = _Foreseer(render, reading, chosen)
    added = {play.id: found for play in playbook.plays if (found := list(looker.added_by(play, play.tasks, ())))}
    return Foresight(added, frozenset(looker.unknown))


class _Foreseer:
    def __init__(self, render: Render, reading: Reading, chosen: Callable[[Task], bool]) -> None:
        self.unknown: set[Any] = set()
        self._render = render
        self._reading = reading
        self._chosen = chosen
        self._play: Play

    def added_by(self, play: Play, tasks: Sequence[Task], above: tuple[Task, ...]) -> Iterator[Added]:
        """What these tasks add, which were added by those ``above``, the innermost first."""
        self._play = play
        for task in tasks:
            if task.traits.adds is None or False in task.when or not self._chosen(task):
                continue
            for arguments, own in self._arguments(task):
                yield from self._added(arguments, own, task, above)

    def _added(
        self, arguments: Mapping[str, Any], own: Variables, task: Task, above: tuple[Task, ...]
    ) -> Iterator[Added]:
        if any(task.position == other.position for other in above):
            return  # it adds itself, which is known already
        assert task.traits.adds is not None
        include = _with_own(task, own)
        handlers: ListReader | None = None
        if task.traits.adds.role is not None:
            handlers = handlers_reader(self._play, self._reading)
            play = read_added_role(arguments, include, self._play, self._reading, handlers)
        else:
            path = self._file(str(arguments[task.traits.adds.name]), task, above)
            if path is None:
                return
            play = read_added(path, include, self._play, self._reading)
        uncertain = (*task.when, *(() if task.loop is None else (Template("true", task.position, bare=True),)))
        if uncertain:
            tasks = tuple(replace(each, when=(*uncertain, *each.when)) for each in play.tasks)
            play = replace(play, tasks=tasks)
        yield Added(task, play, handlers.tasks if handlers else (), handlers.rows if handlers else ())
        yield from self.added_by(self._play, play.tasks, (task, *above))

    def _file(self, name: str, task: Task, above: tuple[Task, ...]) -> Path | None:
        places = list(dict.fromkeys(places_of(name, task, self._play, above)))
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            self._missing(name, places, task)
        return path

    def _missing(self, name: str, places: Sequence[Path], task: Task) -> None:
        if any(isinstance(condition, Template) for condition in task.when) or task.loop is not None:
            self.unknown.add(task.position)  # another task may make it first, or there may be no need of it
            return
        assert task.traits.adds is not None
        detail = f"There is no file '{name}'. Looked for {', '.join(map(str, places))}."
        position = task.positions.get(f"arguments.{task.traits.adds.name}", task.position)
        self._reading.found.add("A file of tasks isn't there", detail=detail, position=position, hides_names=True)

    def _arguments(self, task: Task) -> Iterator[tuple[Mapping[str, Any], Variables]]:
        """The arguments that the task may have, each with the variables of the item."""
        items: Sequence[Variables] = [{}] if task.loop is None else self._items(task.loop)
        adds = task.traits.adds
        assert adds is not None
        for own in items:
            try:
                found = {name: self._rendered(value, task, own) for name, value in task.arguments.items()}
            except TemplateFailed:
                self.unknown.add(task.position)
                continue
            name = found.pop("role", None) if adds.role is not None and adds.name not in found else found.get(adds.name)
            if name is not None:
                yield {**found, adds.name: name}, own

    def _items(self, loop: Loop) -> Sequence[Variables]:
        """The variables of the items; those that aren't known are None."""
        names: dict[str, Any] = {"ansible_loop_var": loop.variable, "ansible_index_var": None, "ansible_loop": None}
        names |= {loop.index_variable: None} if loop.index_variable else {}
        items = loop.items
        if loop.query is None and isinstance(items, (list, tuple)) and len(items) <= _MOST_ITEMS:
            return [{**names, loop.variable: item} for item in items]
        return [{**names, loop.variable: None}]

    def _rendered(self, value: Value, task: Task, own: Variables) -> Any:
        if not isinstance(value, Template):
            return value
        known = {**self._play.variables, **task.variables, **task.parameters, **own}
        known = {name: item for name, item in known.items() if item is not None}
        return self._render(value, replace(self._play, variables=known))


def _with_own(task: Task, own: Variables) -> Task:
    return replace(task, parameters={**task.parameters, **own}) if own else task
