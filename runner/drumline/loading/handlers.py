"""Handlers at the flush points of their play: which names mean which of them, and which of them each point may run.

Flush points are the ends of ``pre_tasks``, of roles and ``tasks``, and of ``post_tasks``, and each ``meta:
flush_handlers``. Each becomes a block of those handlers that may be notified by then, in the order in which they are
defined; the engine decides on which hosts they run (``docs/semantics.md`` section 9).

Roles that are included bring their handlers too, which join those of the play as they are included (``with_more``). So
it is only known at a flush point which of them were notified: a task there (``Play.included``) adds these to the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from drumline.diagnostics import Diagnostics, Position, did_you_mean
from drumline.inventory.definitions import Definitions
from drumline.loading.deferred import Render
from drumline.loading.ids import slug, unique_ids
from drumline.model.plan import MoreHandlers
from drumline.model.playbook import (
    INCLUDED,
    BlockPart,
    MetaTask,
    Play,
    Playbook,
    Section,
    Task,
    TaskBlock,
    TriggerRule,
    Within,
)
from drumline.model.value import Template, Value, text_of
from drumline.plugin.actions import Action
from drumline.templating.failures import TemplateFailed

#: Which section has the handlers that run at the end of which.
_ENDS = {
    Section.PRE_TASKS: Section.HANDLERS_OF_PRE_TASKS,
    Section.ROLES: Section.HANDLERS_OF_TASKS,
    Section.TASKS: Section.HANDLERS_OF_TASKS,
    Section.POST_TASKS: Section.HANDLERS_OF_POST_TASKS,
}
#: Handlers run whatever tags are asked for.
_TAGS = frozenset({"always"})
#: The action that asks something of the run itself.
_ASKING = "meta"


class Coming(Struct, frozen=True):
    """The handlers that a play may get while it runs."""

    handlers: Sequence[Task] = ()
    rows: Sequence[int] = ()
    are_all: bool = True  #: Whether there can't be others.


def with_handlers(
    playbook: Playbook,
    render: Render,
    chosen: Callable[[Task], bool],
    found: Diagnostics,
    warnings: Diagnostics,
    *,
    actions: Mapping[str, Action],
    force: bool = False,
    coming: Callable[[Play], Coming | None] = lambda _play: None,
) -> Playbook:
    """The playbook with the handlers of each play at its flush points.

    Notes the names after ``notify`` that no handler has. Tasks that aren't ``chosen`` notify nothing. ``force``:
    handlers run on hosts that failed, whatever the plays say. ``coming``: those that a play may get while it runs.
    """
    return replace(
        playbook,
        plays=tuple(
            _with_handlers(play, render, chosen, found, warnings, force, coming(play), actions)
            for play in playbook.plays
        ),
    )


def _with_handlers(
    play: Play,
    render: Render,
    chosen: Callable[[Task], bool],
    found: Diagnostics,
    warnings: Diagnostics,
    force: bool,
    coming: Coming | None,
    actions: Mapping[str, Action],
) -> Play:
    owners = [task for task in (*play.tasks, *play.handlers) if task.notify]
    if not play.handlers and not owners and coming is None:
        return play
    play = replace(play, force_handlers=force or play.force_handlers)
    play = replace(play, notified=_meanings(_Names(play, render, warnings), play.handler_rows))
    if coming is None:
        _check_names(owners, play, found)
    else:
        adding = _adding(actions)
        position = {"position": play.position, "positions": {"name": play.position}}
        play = replace(play, included=adding and replace(adding, **position))
        if coming.are_all:
            _check_names(owners, with_more(play, coming.handlers, coming.rows, render).joined(play), found)
    return _Placing(play, chosen).play() if play.handlers or play.included else play


def _adding(actions: Mapping[str, Action]) -> Task | None:
    """What adds, at a flush point, handlers that came while the play ran. By itself it does nothing."""
    action = actions.get(_ASKING)
    if action is None:
        return None
    name = "handlers of included roles"
    arguments = {str(action.traits.meta): str(MetaTask.NOOP)}
    return Task(
        id=slug(name),
        name=name,
        action=action.name,
        arguments=arguments,
        traits=action.traits,
        meta=MetaTask.NOOP,
        handler=INCLUDED,
        position=Position(""),
    )


def with_more(play: Play, handlers: Sequence[Task], rows: Sequence[int], render: Render) -> MoreHandlers:
    """Handlers that a play gets while it runs, after those that it has."""
    taken = [element.id for element in (*play.elements, *play.handlers)]
    ids = unique_ids([*taken, *(None for _ in handlers)], [*taken, *(one.id for one in handlers)])
    named = tuple(replace(one, id=name) for one, name in zip(handlers, ids[len(taken) :], strict=True))
    more = MoreHandlers(handlers=named, rows=tuple(rows))
    whole = more.joined(play)
    return replace(more, notified=_meanings(_Names(whole, render, Diagnostics()), whole.handler_rows))


def flushed(play: Play, notified: Iterable[int], adding: Task) -> Play:
    """A play of the handlers that were notified, and those that these may notify, which is added at a flush point."""
    due = set(notified)
    for number, handler in enumerate(play.handlers):
        if number in due:
            due.update(other for other in _named_by(handler, play) if other > number)
    tasks = [_at_flush_point(play, number, section=adding.section) for number in sorted(due)]
    return replace(play, tasks=tuple(tasks), blocks=(), needs=None, gathering=None)


def with_flush_points(added: Play) -> Play:
    """What an include adds to a play, with the play's handlers at the flush points that are written there."""
    return _Placing(added, lambda _task: True).added()


def is_bare(task: Task) -> bool:
    """Whether it is a flush point at which no handler may run, and without a condition: it takes no step."""
    return task.meta is MetaTask.FLUSH_HANDLERS and not task.when


class _Names:
    """The names that notify each handler of a play: its own, and what it listens to."""

    def __init__(self, play: Play, render: Render, warnings: Diagnostics) -> None:
        self._play = play
        self._render = render
        self._warnings = warnings
        self.own = [self._own(handler) for handler in play.handlers]  #: The name of each; empty for none.
        self.topics = [[str(self._text(topic, handler)) for topic in handler.listen] for handler in play.handlers]

    def called(self, number: int) -> Iterator[str]:
        """All of its names: that of a role's handler may follow the role's."""
        name, role = self.own[number], self._play.handlers[number].role
        if name:
            yield name
            if role is not None:
                yield from (f"{of} : {name}" for of in dict.fromkeys((role.name, role.full_name)))

    def _own(self, handler: Task) -> str:
        """Its name; nothing where it has none, or one that can't be known."""
        if "name" not in handler.positions:
            return ""
        try:
            return str(self._text(handler.name, handler))
        except TemplateFailed as error:
            if not handler.listen:
                detail = (
                    f"{error.summary}. The name of a handler is the same for all hosts: its templates see -e and the "
                    "'vars' of the play, but no variables of hosts."
                )
                self._warnings.add("A handler can't be notified", detail=detail, position=handler.positions["name"])
            return ""

    def _text(self, value: Value, handler: Task) -> Value:
        """With the variables of the role that brings the handler, and of what includes that."""
        if not isinstance(value, Template):
            return value
        return self._render(value, replace(self._play, variables=Definitions().merged(self._play, handler)))


def _meanings(names: _Names, rows: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """For each name the handlers that it notifies: one of this name, and those that listen to it, one of each name.

    Of several with one name the last row has it, and in the row the first one, as in Ansible.
    """
    own: dict[str, int] = {}
    listening: dict[str, dict[str, int]] = {}
    for number in _by_precedence(rows, len(names.own)):
        name = names.own[number]
        for called in names.called(number):
            own.setdefault(called, number)
        for topic in names.topics[number]:
            listening.setdefault(topic, {}).setdefault(name or f"{number}:", number)
    found = {topic: {*numbers.values()} for topic, numbers in listening.items()}
    for name, number in own.items():
        found.setdefault(name, set()).add(number)
    return {name: tuple(sorted(numbers)) for name, numbers in found.items()}


def _by_precedence(rows: Sequence[int], count: int) -> Iterator[int]:
    """The numbers of all handlers: those of later rows first."""
    end = count
    for size in reversed(rows or [count]):
        yield from range(end - size, end)
        end -= size


def _check_names(owners: Iterable[Task], play: Play, found: Diagnostics) -> None:
    """What is notified has to be there, unless a file isn't that may have had it."""
    if any(mistake.hides_names for mistake in found):
        return
    named = [(task, name) for task in owners for name in task.notify]
    for task, name in named:
        if not isinstance(name, Template) and str(name) not in play.notified:
            known = play.notified or ["a handler"]
            hint = did_you_mean(str(name), known) if play.notified else " This play has no handlers."
            detail = f"No handler of this play is named '{text_of(name)}' or listens to that name.{hint}"
            position = task.positions.get("notify", task.position)
            found.add("Unknown handler in notify", detail=detail, position=position)


class _Placing:
    """Puts handlers at the flush points of one play."""

    def __init__(self, play: Play, chosen: Callable[[Task], bool]) -> None:
        self._play = play
        self._chosen = chosen
        self._blocks = list(play.blocks)
        self._taken = [element.id for element in (*play.elements, *play.handlers)]
        #: Whether what stands before a flush point has ended when it comes: not, where tasks say what they need.
        self._is_chain = all(element.needs is None for element in play.elements)
        self._may: set[int] = set()  # handlers that may be notified by now, and not have run since
        self._may_come = False  # whether there may be some by now that came while the play ran
        self._may_be_notified = False  # whether one of these may be notified by now

    def play(self) -> Play:
        """The play, whose tasks have the handlers among them."""
        rows: dict[Section, list[Task]] = {section: [] for section in Section}
        for section in Section:
            for task in self._play.tasks:
                if task.section is section:
                    rows[section] += self._placed(task)
            if section in (Section.PRE_TASKS, Section.TASKS, Section.POST_TASKS):
                rows[_ENDS[section]] += self._end(section)
        ordered = [task for row in rows.values() for task in row]
        tasks = tuple(sorted(ordered, key=lambda task: not task.first))  # what comes first is in no section
        return replace(self._play, tasks=tasks, blocks=tuple(self._blocks))

    def added(self) -> Play:
        """The tasks of an include, before which any handler may have been notified."""
        self._may.update(range(len(self._play.handlers)))
        self._may_come = self._may_be_notified = True
        self._is_chain = False
        tasks = tuple(placed for task in self._play.tasks for placed in self._placed(task))
        return replace(self._play, tasks=tasks, blocks=tuple(self._blocks))

    def _placed(self, task: Task) -> Iterable[Task]:
        """What stands in the place of a task: itself, or the handlers of a flush point."""
        if not self._chosen(task):
            return [task]
        self._may.update(_named_by(task, self._play))
        self._may_come = self._may_come or task.traits.adds is not None
        self._may_be_notified = self._may_be_notified or (self._may_come and bool(task.notify or task.traits.adds))
        if task.meta is not MetaTask.FLUSH_HANDLERS:
            return [task]
        handlers = self._due(certain=self._is_chain and not task.when and self._always_runs(task))
        return self._flush_point(task, handlers) if handlers else [task]

    def _end(self, section: Section) -> Iterable[Task]:
        handlers = self._due(certain=True)
        if not handlers:
            return []
        name = self._free_id(f"handlers-of-{section.name.lower()}")
        place = TaskBlock(id=name, name="handlers", position=self._play.position, section=_ENDS[section])
        return self._handlers(place, handlers)

    def _flush_point(self, task: Task, handlers: list[int]) -> Iterable[Task]:
        """The handlers in a block of their own; where there is a condition, behind a task that evaluates it."""
        place = TaskBlock(
            id=task.id,
            name=task.name,
            position=task.position,
            positions=task.positions,
            needs=task.needs,
            within=task.within,
            section=task.section,
        )
        found = list(self._handlers(place, handlers))
        if task.when:
            gate = replace(task, id=self._free_id(f"when-{task.id}"), needs=None, within=found[0].within)
            found.insert(0, gate)
        return found

    def _free_id(self, name: str) -> str:
        found = unique_ids([*self._taken, None], [*self._taken, name])[-1]
        self._taken.append(found)
        return found

    def _handlers(self, place: TaskBlock, handlers: list[int]) -> list[Task]:
        within = Within(len(self._blocks), BlockPart.TASKS)
        self._blocks.append(replace(place, flushes=True))
        found = [_at_flush_point(self._play, number, within=within, section=place.section) for number in handlers]
        return [replace(task, id=self._free_id(task.id)) if task.handler == INCLUDED else task for task in found]

    def _due(self, *, certain: bool) -> list[int]:
        """The handlers that a flush point may run; with ``certain`` it runs all that were notified before it.

        ``INCLUDED`` is last, and adds those that came while the play ran.
        """
        due = set(self._may)
        left: set[int] = set()  # to be run at the next one: a handler may notify one that is defined before it
        for number, handler in enumerate(self._play.handlers):
            if number in due:
                named = _named_by(handler, self._play)
                due.update(other for other in named if other > number)
                left.update(other for other in named if other <= number)
        notify = any(self._play.handlers[number].notify for number in due)
        come = self._play.included is not None and self._may_come and (self._may_be_notified or notify)
        if certain:
            self._may, self._may_be_notified = left, False
        else:
            self._may |= due | left
        return [*sorted(due), *((INCLUDED,) if come else ())]

    def _always_runs(self, task: Task) -> bool:
        """Whether no block around the task may leave it out."""
        return self._rescued.isdisjoint(self._play.blocks_around(task))

    @cached_property
    def _rescued(self) -> set[int]:
        """The blocks that have a rescue."""
        tasks = (task.within for task in self._play.tasks)
        blocks = (block.within for block in self._play.blocks)
        return {within.block for within in (*tasks, *blocks) if within and within.part is BlockPart.RESCUE}


def _named_by(task: Task, play: Play) -> list[int]:
    """The handlers that a task may notify, or the tasks that it adds."""
    if task.traits.adds is not None or any(isinstance(name, Template) for name in task.notify):
        return list(range(len(play.handlers)))
    return [number for name in task.notify for number in play.notified.get(str(name), ())]


def _at_flush_point(play: Play, number: int, *, section: Section, within: Within | None = None) -> Task:
    """A handler of a play, or what adds others, as it stands at a flush point."""
    task = play.included if number == INCLUDED else play.handlers[number]
    assert task is not None
    rule = TriggerRule.ALL_DONE if play.force_handlers else TriggerRule.NONE_FAILED
    return replace(task, handler=number, within=within, section=section, tags=_TAGS, trigger_rule=rule)
