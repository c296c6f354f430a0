"""What needs what, as written: names become vertices, the one rule is applied, cycles are found.

A task without ``needs`` needs the task written before it; a play without ``needs`` needs the play before it. A play's
needs hold for all its tasks: tasks that need nothing within the play wait for them, the others through those
(``docs/semantics.md`` section 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple, TypeAlias

from drumline.diagnostics import Diagnostics, Position, did_you_mean
from drumline.loading.ids import slug
from drumline.model.playbook import Play, Task

#: Cycles that are reported at most; beyond that the file is wrong in one way, not in many.
_MOST_CYCLES = 20


class Vertex(NamedTuple):
    """A task, by its play's and its own place in the playbook; without ``task``, the end of a whole play."""

    play: int
    task: int | None = None


Needs: TypeAlias = Mapping[Vertex, tuple[Vertex, ...]]


class NeedNames:
    """Finds what a name after ``needs`` stands for."""

    def __init__(self, plays: Sequence[Play]) -> None:
        self._plays = {play.id: Vertex(index) for index, play in enumerate(plays)}
        self._tasks = [
            {task.id: Vertex(index, at) for at, task in enumerate(play.tasks)} for index, play in enumerate(plays)
        ]

    def find(self, play: int, name: str) -> Vertex | None:
        """A task of the play, else a play, else ``play.task``; None when there is no such thing."""
        other, _, task = name.partition(".")
        if task:
            found = self._plays.get(other)
            return self._tasks[found.play].get(task) if found else None
        return self._tasks[play].get(name) or self._plays.get(name)

    def known(self, play: int) -> list[str]:
        """Every name that a task of this play may need."""
        qualified = [f"{name}.{task}" for name, at in self._plays.items() for task in self._tasks[at.play]]
        return [*self._tasks[play], *self._plays, *qualified]

    def plays(self) -> Mapping[str, Vertex]:
        """Ids of plays, in order."""
        return self._plays


def needs_of_plays(plays: Sequence[Play]) -> list[tuple[int, ...]]:
    """For each play the plays that it needs, as indices. Names of no play are left out."""
    known = {play.id: Vertex(index) for index, play in enumerate(plays)}
    return [_play_needs(index, play, known) for index, play in enumerate(plays)]


def _play_needs(index: int, play: Play, known: Mapping[str, Vertex]) -> tuple[int, ...]:
    if play.needs is None:
        return (index - 1,) if index else ()
    return tuple(dict.fromkeys(known[name].play for name in play.needs if name in known))


def needs_of(plays: Sequence[Play]) -> Needs:
    """Every task's and play's needs. Names that stand for nothing are left out; :func:`check_needs` reports them."""
    names = NeedNames(plays)
    graph: dict[Vertex, tuple[Vertex, ...]] = {}
    for index, needed in enumerate(needs_of_plays(plays)):
        before = tuple(Vertex(other) for other in needed)
        tasks = plays[index].tasks
        for at, task in enumerate(tasks):
            found = _task_needs(Vertex(index, at), task, names)
            rooted = any(vertex.play == index and vertex.task is not None for vertex in found)
            if at and not rooted and tasks[0].first:
                found, rooted = (*found, Vertex(index, 0)), True
            graph[Vertex(index, at)] = found if rooted else tuple(dict.fromkeys((*before, *found)))
        graph[Vertex(index)] = (*before, *(Vertex(index, at) for at in range(len(tasks))))
    return graph


def _task_needs(vertex: Vertex, task: Task, names: NeedNames) -> tuple[Vertex, ...]:
    if task.needs is None:
        assert vertex.task is not None
        return (Vertex(vertex.play, vertex.task - 1),) if vertex.task else ()
    found = (names.find(vertex.play, name) for name in task.needs)
    return tuple(dict.fromkeys(need for need in found if need is not None))


def check_needs(plays: Sequence[Play]) -> Diagnostics:
    """Names that stand for nothing or for several things, and cycles."""
    found = Diagnostics()
    checker = _NameChecker(plays, found)
    for index, play in enumerate(plays):
        checker.check_play(play)
        for task in play.tasks:
            checker.check_task(index, task)
    _check_cycles(plays, found)
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

    def check_task(self, index: int, task: Task) -> None:
        for name in task.needs or ():
            position = task.positions.get("needs", task.position)
            vertex = self._names.find(index, name)
            if vertex is None:
                suggestion = did_you_mean(name, self._names.known(index))
                detail = f"No task of this play and no play has the id '{name}'.{suggestion}"
                self._found.add("Unknown name in needs", detail=detail, position=position)
            elif vertex.task is None and name in self._ambiguous_plays:
                self._add_ambiguous(name, "play", position)
            elif vertex.task is not None and name.rpartition(".")[2] in self._ambiguous_tasks[vertex.play]:
                self._add_ambiguous(name, "task", position)

    @cached_property
    def _ambiguous_plays(self) -> set[str]:
        return ambiguous(self._plays)

    @cached_property
    def _ambiguous_tasks(self) -> list[set[str]]:
        return [ambiguous(play.tasks) for play in self._plays]

    def _add_ambiguous(self, name: str, kind: str, position: Position) -> None:
        detail = f"More than one {kind} is named '{name}'. Give the one that you mean its own id."
        self._found.add("Ambiguous name in needs", detail=detail, position=position)


def ambiguous(owners: Sequence[Play] | Sequence[Task]) -> set[str]:
    """Names that several have in common and none has as a written id."""
    slugs = Counter(slug(owner.name) for owner in owners if "id" not in owner.positions)
    return {name for name, count in slugs.items() if count > 1} - {o.id for o in owners if "id" in o.positions}


def _check_cycles(plays: Sequence[Play], found: Diagnostics) -> None:
    for cycle in cycles(needs_of(plays)):
        first = min((vertex for vertex in cycle if vertex.task is not None), default=cycle[0])
        at = cycle.index(first)
        path = [*cycle[at:], *cycle[:at], first]
        labels = [_label(vertex, first.play, plays) for vertex in path]
        owner = plays[first.play] if first.task is None else plays[first.play].tasks[first.task]
        found.add(
            "Needs form a cycle" if len(cycle) > 1 else "A need on itself",
            detail=f"{labels[0]} needs {', which needs '.join(labels[1:])}. Remove one of these needs.",
            position=owner.positions.get("needs", owner.position),
        )


def _label(vertex: Vertex, home: int, plays: Sequence[Play]) -> str:
    play = plays[vertex.play]
    if vertex.task is None:
        return f"play '{play.id}'"
    task = play.tasks[vertex.task]
    return f"'{task.id}'" if vertex.play == home else f"'{play.id}.{task.id}'"


def cycles(needs: Needs) -> list[list[Vertex]]:
    """Cycles, each in the order "needs"; enough of them that mending each of these mends the graph, up to a limit."""
    graph = {vertex: list(needed) for vertex, needed in needs.items()}
    found: list[list[Vertex]] = []
    while len(found) < _MOST_CYCLES:
        try:
            TopologicalSorter(graph).prepare()
            break
        except CycleError as error:
            # The path runs from what is needed to what needs it, its ends being the same vertex.
            path: list[Vertex] = error.args[1]
            found.append(path[:0:-1])
            graph[path[1]].remove(path[0])
    return found
