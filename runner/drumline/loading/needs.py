"""What needs what, as written: names become paths, the one rule is applied, cycles are found.

A task without ``needs`` needs the task written before it; a play without ``needs`` needs the play before it. A play's
needs hold for all its tasks: tasks that need nothing within the play wait for them, the others through those. So do
the tasks of a section for the section before it (``docs/semantics.md`` section 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from drumline.diagnostics import Diagnostics, Position, did_you_mean
from drumline.loading.ids import in_role, role_of, slug
from drumline.model.playbook import BlockPart, Play, Section, Task, TaskBlock, TaskPath, Within

#: Cycles that are reported at most; beyond that the file is wrong in one way, not in many.
_MOST_CYCLES = 20


#: What each task, and the end of each play, needs; in the order of the files, a play after its tasks.
Needs: TypeAlias = Mapping[TaskPath, tuple[TaskPath, ...]]


class NeedNames:
    """Finds what a name after ``needs`` stands for."""

    def __init__(self, plays: Sequence[Play]) -> None:
        self._by_id = {play.id: play for play in plays}
        self._plays = {play.id: play.path for play in plays}

    @cached_property
    def _tasks(self) -> Mapping[str, Mapping[str, TaskPath]]:
        """By the ids of plays; few playbooks name any."""
        return {
            play.id: {owner.id: play.path_of(owner) for owner in play.elements if not is_handler(owner)}
            for play in self._by_id.values()
        }

    def find(self, play: str, name: str, role: str = "") -> TaskPath | None:
        """A task of the role, else of the play, else a play, else ``play.task``; None when there is no such thing."""
        own = self._tasks[play]
        found = (own.get(f"{role}.{name}") if role else None) or own.get(name) or self._plays.get(name)
        other, _, task = name.partition(".")
        return found or self._tasks.get(other, {}).get(task)

    def known(self, play: str) -> list[str]:
        """Every name that a task of this play may need."""
        qualified = [f"{name}.{task}" for name in self._plays for task in self._tasks[name]]
        return [*self._tasks[play], *self._plays, *qualified]

    def plays(self) -> Mapping[str, TaskPath]:
        """Ids of plays, in order."""
        return self._plays


def is_handler(owner: Task | TaskBlock) -> bool:
    """Whether it is a handler, which nothing can need."""
    return isinstance(owner, Task) and owner.handler is not None


def needs_of_plays(plays: Sequence[Play]) -> list[tuple[int, ...]]:
    """For each play the plays that it needs, as indices. Names of no play are left out."""
    known = {play.id: index for index, play in enumerate(plays)}
    return [_play_needs(index, play, known) for index, play in enumerate(plays)]


def _play_needs(index: int, play: Play, known: Mapping[str, int]) -> tuple[int, ...]:
    if play.needs is None:
        return (index - 1,) if index else ()
    return tuple(dict.fromkeys(known[name] for name in play.needs if name in known))


def needs_of(plays: Sequence[Play]) -> Needs:
    """The needs of every task, block and play.

    Names that stand for nothing are left out; :func:`check_needs` reports them. A block needs all that stands in it.
    """
    names = NeedNames(plays)
    graph: dict[TaskPath, tuple[TaskPath, ...]] = {}
    for play, needed in zip(plays, needs_of_plays(plays), strict=True):
        before = tuple(plays[other].path for other in needed)
        graph |= _PlayNeeds(play, before, names).graph
    return graph


class _PlayNeeds:
    """Goes through the tasks of one play; ``graph`` gets what each needs, and each block, and the play."""

    def __init__(self, play: Play, before: tuple[TaskPath, ...], names: NeedNames) -> None:
        self.graph: dict[TaskPath, tuple[TaskPath, ...]] = {}
        self._play, self._names = play, names
        #: What has to end before anything within begins that needs nothing there: by block, and of the open section.
        self._begin: dict[int | None, tuple[TaskPath, ...]] = {None: before}
        self._above: dict[Within | None, TaskPath] = {}  # in each list the last one so far
        self._before = before
        self._sections = _sections(play)
        self._in_section: dict[TaskPath, None] = {}  # what stands in the open section itself
        self._needed: set[TaskPath] = set()
        #: What each flush point waits for. It may pass on a host that failed: whoever comes after it needs this, too.
        self._flushed: dict[TaskPath, tuple[TaskPath, ...]] = {}
        inside: dict[int, list[TaskPath]] = {}  # by block
        for task, above in zip(play.tasks, (None, *play.tasks), strict=False):
            if above is not None and (above.first or above.section is not task.section):
                self._end_section()
            path = play.path_of(task)
            for block in reversed(play.blocks_around(task)):
                self._enter(block)
            self.graph[path] = self._needs(task, path)
            for block in play.blocks_around(task):
                inside.setdefault(block, []).append(path)
        for block, paths in inside.items():
            self.graph[play.path_of(play.blocks[block])] = (*self._begin[block], *paths)
        for block in range(len(play.blocks)):
            if block not in inside:
                self.graph[play.path_of(play.blocks[block])] = self._without_tasks(play.blocks[block])
        self.graph[play.path] = (*before, *(path for path in self.graph))

    def _end_section(self) -> None:
        """What comes next begins its list, after all of this section that nothing else of it waits for."""
        self._begin[None] = self._with_flushed([path for path in self._in_section if path not in self._needed])
        self._in_section.clear()
        self._above.pop(None, None)

    def _without_tasks(self, block: TaskBlock) -> tuple[TaskPath, ...]:
        """What a block needs in which there is no task, for whoever needs it."""
        named = (self._names.find(self._play.id, name, role_of(block.id)) for name in block.needs or ())
        return tuple(need for need in named if need is not None) or self._before

    def _enter(self, number: int) -> None:
        """A block begins with the first task in it."""
        if number not in self._begin:
            block = self._play.blocks[number]
            path = self._play.path_of(block)
            self._begin[number] = self._needs(block, path)
            if block.flushes:
                self._flushed[path] = self._begin[number]

    def _needs(self, owner: Task | TaskBlock, path: TaskPath) -> tuple[TaskPath, ...]:
        """What a task or a block waits for: what it needs, and where that is nothing beside it, what is around it."""
        above = self._above.get(owner.within)
        self._above[owner.within] = path
        if owner.within is None:
            self._in_section[path] = None
        if owner.needs is None:
            found = [] if above is None else [above]
        else:
            named = (self._names.find(self._play.id, name, role_of(owner.id)) for name in owner.needs)
            found = [need for need in named if need is not None]
        if not any(self._is_beside(need, owner, path) for need in found):
            begin = self._begin[owner.within.block if owner.within else None]
            if begin is not self._before and owner.within is None:
                found = [need for need in found if need not in self._before]
            found += begin
        if isinstance(owner, Task) and owner.handler is not None and owner.within is not None:
            found += self._begin[owner.within.block]  # the handlers before it may have run on no host
        self._needed.update(found)
        return self._with_flushed(found)

    def _with_flushed(self, found: list[TaskPath]) -> tuple[TaskPath, ...]:
        """These needs, and those of the flush points among them."""
        return tuple(dict.fromkeys([*found, *(need for path in found for need in self._flushed.get(path, ()))]))

    def _is_beside(self, need: TaskPath, owner: Task | TaskBlock, path: TaskPath) -> bool:
        """Whether it stands in the same list, directly or in a block."""
        if owner.within is not None:
            return _is_in(need, self._play, path.names[:-1])
        return _is_in(need, self._play, ()) and self._sections.get(need.names[0]) is owner.section


def _sections(play: Play) -> dict[str, Section]:
    """The section of each task and block that stands in one itself; what comes first in the play stands in none."""
    return {
        element.id: element.section
        for element in play.elements
        if element.within is None and not (isinstance(element, Task) and element.first)
    }


def in_order_of_parts(plays: Sequence[Play], needs: Needs) -> Needs:
    """The same graph, in which each part of a block comes after the parts before it."""
    parts = {path: earlier for play in plays if play.blocks for path, earlier in _earlier_parts(play, needs)}
    return {path: (*needed, *parts.get(path, ())) for path, needed in needs.items()} if parts else needs


def _earlier_parts(play: Play, needs: Needs) -> Iterator[tuple[TaskPath, list[TaskPath]]]:
    """The tasks that need nothing in their part of a block, with all those in its earlier parts."""
    members: dict[Within, dict[TaskPath, None]] = {}
    for task in play.tasks:
        path, within, earlier = play.path_of(task), task.within, list[TaskPath]()
        while within is not None:
            of_part = members.setdefault(within, {})
            if of_part.keys().isdisjoint(needs[path]):
                for part in range(within.part):
                    earlier += members.get(Within(within.block, BlockPart(part)), ())
            of_part[path] = None
            within = play.blocks[within.block].within
        if earlier:
            yield path, earlier


def check_needs(plays: Sequence[Play]) -> Diagnostics:
    """Names that stand for nothing or for several things, and cycles."""
    found = Diagnostics()
    checker = _NameChecker(plays, found)
    for play in plays:
        checker.check_play(play)
        for owner in play.elements:
            checker.check_task(play, owner)
    needs = needs_of(plays)
    _check_cycles(plays, needs, found)
    if not found:
        _check_between(plays, needs, found)
    return found


class _NameChecker:
    """Checks the names that are written after ``needs``; most files write none."""

    def __init__(self, plays: Sequence[Play], found: Diagnostics) -> None:
        self._plays = plays
        self._names = NeedNames(plays)
        self._found = found

    def check_play(self, play: Play) -> None:
        for name in play.needs or ():
            position = play.positions.get("needs", play.position)
            if name not in self._names.plays():
                suggestion = did_you_mean(name, self._names.plays())
                detail = f"No play has the id '{name}'.{suggestion} A play may need only plays."
                self._found.add("Unknown name in needs", detail=detail, position=position)
            elif name in self._ambiguous_plays:
                self._add_ambiguous(name, "play", position)

    def check_task(self, play: Play, task: Task | TaskBlock) -> None:
        for name in task.needs or ():
            position = task.positions.get("needs", task.position)
            path = self._names.find(play.id, name, role_of(task.id))
            if path is None:
                detail = f"No task of this play and no play has the id '{name}'."
                if name in {handler.id for handler in play.handlers}:
                    detail = (
                        f"'{name}' is a handler, and no task can need one. Give an id to a flush point, and need that."
                    )
                else:
                    detail += did_you_mean(name, self._names.known(play.id))
                self._found.add("Unknown name in needs", detail=detail, position=position)
            elif path.is_play:
                if name in self._ambiguous_plays:
                    self._add_ambiguous(name, "play", position)
            elif path.names[-1] in self._ambiguous_tasks[path.play]:
                self._add_ambiguous(name, "task", position)

    @cached_property
    def _ambiguous_plays(self) -> set[str]:
        return ambiguous(self._plays)

    @cached_property
    def _ambiguous_tasks(self) -> Mapping[str, set[str]]:
        return {play.id: ambiguous(play.elements) for play in self._plays}

    def _add_ambiguous(self, name: str, kind: str, position: Position) -> None:
        detail = f"More than one {kind} is named '{name}'. Give the one that you mean its own id."
        self._found.add("Ambiguous name in needs", detail=detail, position=position)


def ambiguous(owners: Sequence[Play] | Sequence[Task | TaskBlock]) -> set[str]:
    """Names that several have in common and none has as a written id. Uses of a role are distinguished by numbers."""
    unnamed = [owner for owner in owners if "id" not in owner.positions and getattr(owner, "role_use", None) is None]
    slugs = Counter(in_role(role_of(owner.id), slug(owner.name)) for owner in unnamed)
    return {name for name, count in slugs.items() if count > 1} - {o.id for o in owners if "id" in o.positions}


def _check_between(plays: Sequence[Play], needs: Needs, found: Diagnostics) -> None:
    """Report tasks that stand between two tasks of a block, outside it: they and the block would wait in vain."""
    for play in plays:
        for element in play.elements if play.blocks else ():
            for block, outside, inner in _ways_back(play, element, needs):
                detail = (
                    f"'{element.id}' needs '{outside}', which needs '{inner}' of the same block '{block}'. "
                    "What needs a task of a block from outside waits until no rescue can follow. "
                    f"Move '{outside}' into the block."
                )
                position = element.positions.get("needs", element.position)
                found.add("A task between tasks of a block", detail=detail, position=position)


def _ways_back(play: Play, element: Task | TaskBlock, needs: Needs) -> Iterator[tuple[str, str, str]]:
    """A block around a task or block, something outside it that this needs, and a task in it that that needs."""
    path = play.path_of(element)
    for depth in range(1, len(path.names)) if element.needs else ():
        around = path.names[:depth]
        for need in needs.get(path, ()):  # a block without tasks has none
            if not _is_in(need, play, around) and (inner := _reached(needs, need, play, around)) is not None:
                yield around[-1], need.names[-1] if need.names else need.play, inner.names[-1]


def _is_in(path: TaskPath, play: Play, around: tuple[str, ...]) -> bool:
    """Whether it stands in a block of the play, given by the ids down to it; without any, in the play."""
    return path.play == play.id and len(path.names) > len(around) and path.names[: len(around)] == around


def _reached(needs: Needs, start: TaskPath, play: Play, around: tuple[str, ...]) -> TaskPath | None:
    """Something in a block that ``start`` needs, directly or through others."""
    waiting, seen = [start], {start}
    while waiting:
        for need in needs[waiting.pop()]:
            if _is_in(need, play, around):
                return need
            if need not in seen:
                seen.add(need)
                waiting.append(need)
    return None


def _check_cycles(plays: Sequence[Play], needs: Needs, found: Diagnostics) -> None:
    wrong = cycles(in_order_of_parts(plays, needs))
    if not wrong:
        return
    places = {path: place for place, path in enumerate(needs)}
    owners: dict[TaskPath, Play | Task | TaskBlock] = {
        play.path_of(owner): owner for play in plays for owner in play.elements
    }
    owners |= {play.path: play for play in plays}
    for cycle in wrong:
        first = min((path for path in cycle if not path.is_play), key=places.__getitem__, default=cycle[0])
        at = cycle.index(first)
        labels = [_label(path, first.play) for path in (*cycle[at:], *cycle[:at], first)]
        owner = owners[first]
        found.add(
            "Needs form a cycle" if len(cycle) > 1 else "A need on itself",
            detail=f"{labels[0]} needs {', which needs '.join(labels[1:])}. Remove one of these needs.",
            position=owner.positions.get("needs", owner.position),
        )


def _label(path: TaskPath, home: str) -> str:
    if path.is_play:
        return f"play '{path.play}'"
    return f"'{path.names[-1]}'" if path.play == home else f"'{path.play}.{path.names[-1]}'"


def cycles(needs: Needs) -> list[list[TaskPath]]:
    """Cycles, each in the order "needs"; enough of them that mending each of these mends the graph, up to a limit."""
    graph = {path: list(needed) for path, needed in needs.items()}
    found: list[list[TaskPath]] = []
    while len(found) < _MOST_CYCLES:
        try:
            TopologicalSorter(graph).prepare()
            break
        except CycleError as error:
            # The path runs from what is needed to what needs it, its ends being the same path.
            path: list[TaskPath] = error.args[1]
            found.append(path[:0:-1])
            graph[path[1]].remove(path[0])
    return found
