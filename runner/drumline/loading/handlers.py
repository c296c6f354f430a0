"""Handlers at the flush points of their play: which names mean which of them, and which of them each point may run.

Flush points are the ends of ``pre_tasks``, of roles and ``tasks``, and of ``post_tasks``, and each ``meta:
flush_handlers``. Each becomes a block of those handlers that may be notified by then, in the order in which they are
defined; the engine decides on which hosts they run (``docs/semantics.md`` section 9).

Roles that are included bring their handlers too, where it is known before the run which they are
(:mod:`drumline.loading.foreseen`). Those of others could only be added at a flush point, while the run goes on: the
engine keeps the names for which the plan has no handler (:meth:`drumline.engine.handlers.Handlers.unplanned`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from msgspec.structs import replace

from drumline.diagnostics import Diagnostics, did_you_mean
from drumline.loading.deferred import Render
from drumline.loading.ids import unique_ids
from drumline.model.playbook import (
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


def with_handlers(
    playbook: Playbook,
    render: Render,
    chosen: Callable[[Task], bool],
    found: Diagnostics,
    warnings: Diagnostics,
    *,
    force: bool = False,
    may_gain: Callable[[Play], bool] = lambda _play: False,
) -> Playbook:
    """The playbook with the handlers of each play at its flush points.

    Notes the names after ``notify`` that no handler has. Tasks that aren't ``chosen`` notify nothing. ``force``:
    handlers run on hosts that failed, whatever the plays say. ``may_gain``: whether a play may have handlers that
    aren't known yet.
    """
    return replace(
        playbook,
        plays=tuple(
            _with_handlers(play, render, chosen, Diagnostics() if may_gain(play) else found, warnings, force)
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
) -> Play:
    owners = [task for task in (*play.tasks, *play.handlers) if task.notify]
    if not play.handlers and not owners:
        return play
    play = replace(play, force_handlers=force or play.force_handlers)
    play = replace(play, notified=_meanings(_Names(play, render, warnings), play.handler_rows))
    for task in owners:
        _check_names(task, play, found)
    return _Placing(play, chosen).play() if play.handlers else play


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
        self.topics = [[str(self._text(topic)) for topic in handler.listen] for handler in play.handlers]

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
            return str(self._text(handler.name))
        except TemplateFailed as error:
            if not handler.listen:
                detail = (
                    f"{error.summary}. The name of a handler is the same for all hosts: its templates see -e and the "
                    "'vars' of the play, but no variables of hosts."
                )
                self._warnings.add("A handler can't be notified", detail=detail, position=handler.positions["name"])
            return ""

    def _text(self, value: Value) -> Value:
        return self._render(value, self._play) if isinstance(value, Template) else value


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


def _check_names(task: Task, play: Play, found: Diagnostics) -> None:
    """What is notified has to be there, unless a file isn't that may have had it."""
    if any(mistake.hides_names for mistake in found):
        return
    for name in task.notify:
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
        self._is_chain = False
        tasks = tuple(placed for task in self._play.tasks for placed in self._placed(task))
        return replace(self._play, tasks=tasks, blocks=tuple(self._blocks))

    def _placed(self, task: Task) -> Iterable[Task]:
        """What stands in the place of a task: itself, or the handlers of a flush point."""
        if not self._chosen(task):
            return [task]
        self._may.update(self._named_by(task))
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
        rule = TriggerRule.ALL_DONE if self._play.force_handlers else TriggerRule.NONE_FAILED
        fields = {"within": within, "section": place.section, "tags": _TAGS, "trigger_rule": rule}
        return [replace(self._play.handlers[number], handler=number, **fields) for number in handlers]

    def _due(self, *, certain: bool) -> list[int]:
        """The handlers that a flush point may run; with ``certain`` it runs all that were notified before it."""
        due = set(self._may)
        left: set[int] = set()  # to be run at the next one: a handler may notify one that is defined before it
        for number, handler in enumerate(self._play.handlers):
            if number in due:
                named = self._named_by(handler)
                due.update(other for other in named if other > number)
                left.update(other for other in named if other <= number)
        if certain:
            self._may = left
        else:
            self._may |= due | left
        return sorted(due)

    def _named_by(self, task: Task) -> list[int]:
        """The handlers that a task may notify, or the tasks that it adds."""
        if task.traits.adds is not None or any(isinstance(name, Template) for name in task.notify):
            return list(range(len(self._play.handlers)))
        return [number for name in task.notify for number in self._play.notified.get(str(name), ())]

    def _always_runs(self, task: Task) -> bool:
        """Whether no block around the task may leave it out."""
        return self._rescued.isdisjoint(self._play.blocks_around(task))

    @cached_property
    def _rescued(self) -> set[int]:
        """The blocks that have a rescue."""
        tasks = (task.within for task in self._play.tasks)
        blocks = (block.within for block in self._play.blocks)
        return {within.block for within in (*tasks, *blocks) if within and within.part is BlockPart.RESCUE}
