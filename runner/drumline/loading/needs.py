"""What needs what, as written: names become paths, the one rule is applied, cycles are found.

A task without ``needs`` needs the task written before it; a play without ``needs`` needs the play before it. A play's
needs hold for all its tasks: tasks that need nothing within the play wait for them, the others through those
(``docs/semantics.md`` section 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from drumline.diagnostics import Diagnostics, Position, did_you_mean
from drumline.loading.ids import slug
from drumline.model.playbook import Play, Task, TaskPath

#: Cycles that are reported at most; beyond that the file is wrong in one way, not in many.
_MOST_CYCLES = 20


#: What each task, and the end of each play, needs; in the order of the files, a play after its tasks.
Needs: TypeAlias = Mapping[TaskPath, tuple[TaskPath, ...]]


class NeedNames:
    """Finds what a name after ``needs`` stands for."""

    def __init__(self, plays: Sequence[Play]) -> None:
        self._plays = {play.id: play.path for play in plays}
        self._tasks = {play.id: {task.id: play.path_of(task) for task in play.tasks} for play in plays}

    def find(self, play: str, name: str) -> TaskPath | None:
        """A task of the play, else a play, else ``play.task``; None when there is no such thing."""
        other, _, task = name.partition(".")
        if task:
            return self._tasks.get(other, {}).get(task)
        return self._tasks[play].get(name) or self._plays.get(name)

    def known(self, play: str) -> list[str]:
        """Every name that a task of this play may need."""
        qualified = [f"{name}.{task}" for name in self._plays for task in self._tasks[name]]
        return [*self._tasks[play], *self._plays, *qualified]

    def plays(self) -> Mapping[str, TaskPath]:
        """Ids of plays, in order."""
        return self._plays


def needs_of_plays(plays: Sequence[Play]) -> list[tuple[int, ...]]:
    """For each play the plays that it needs, as indices. Names of no play are left out."""
    known = {play.id: index for index, play in enumerate(plays)}
    return [_play_needs(index, play, known) for index, play in enumerate(plays)]


def _play_needs(index: int, play: Play, known: Mapping[str, int]) -> tuple[int, ...]:
    if play.needs is None:
        return (index - 1,) if index else ()
    return tuple(dict.fromkeys(known[name] for name in play.needs if name in known))


def needs_of(plays: Sequence[Play]) -> Needs:
    """Every task's and play's needs. Names that stand for nothing are left out; :func:`check_needs` reports them."""
    names = NeedNames(plays)
    graph: dict[TaskPath, tuple[TaskPath, ...]] = {}
    for play, needed in zip(plays, needs_of_plays(plays), strict=True):
        before = tuple(plays[other].path for other in needed)
        above: TaskPath | None = None  # the task written before
        paths = [play.path_of(task) for task in play.tasks]
        for path, task in zip(paths, play.tasks, strict=True):
            found = _task_needs(play, task, above, names)
            rooted = any(need.play == play.id and not need.is_play for need in found)
            if above and not rooted and play.tasks[0].first:
                found, rooted = (*found, paths[0]), True
            graph[path] = found if rooted else tuple(dict.fromkeys((*before, *found)))
            above = path
        graph[play.path] = (*before, *paths)
    return graph


def _task_needs(play: Play, task: Task, above: TaskPath | None, names: NeedNames) -> tuple[TaskPath, ...]:
    if task.needs is None:
        return () if above is None else (above,)
    found = (names.find(play.id, name) for name in task.needs)
    return tuple(dict.fromkeys(need for need in found if need is not None))


def check_needs(plays: Sequence[Play]) -> Diagnostics:
    """Names that stand for nothing or for several things, and cycles."""
    found = Diagnostics()
    checker = _NameChecker(plays, found)
    for play in plays:
        checker.check_play(play)
        for task in play.tasks:
            checker.check_task(play, task)
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

    def check_task(self, play: Play, task: Task) -> None:
        for name in task.needs or ():
            position = task.positions.get("needs", task.position)
            path = self._names.find(play.id, name)
            if path is None:
                suggestion = did_you_mean(name, self._names.known(play.id))
                detail = f"No task of this play and no play has the id '{name}'.{suggestion}"
                self._found.add("Unknown name in needs", detail=detail, position=position)
            elif path.is_play:
                if name in self._ambiguous_plays:
                    self._add_ambiguous(name, "play", position)
            elif name.rpartition(".")[2] in self._ambiguous_tasks[path.play]:
                self._add_ambiguous(name, "task", position)

    @cached_property
    def _ambiguous_plays(self) -> set[str]:
        return ambiguous(self._plays)

    @cached_property
    def _ambiguous_tasks(self) -> Mapping[str, set[str]]:
        return {play.id: ambiguous(play.tasks) for play in self._plays}

    def _add_ambiguous(self, name: str, kind: str, position: Position) -> None:
        detail = f"More than one {kind} is named '{name}'. Give the one that you mean its own id."
        self._found.add("Ambiguous name in needs", detail=detail, position=position)


def ambiguous(owners: Sequence[Play] | Sequence[Task]) -> set[str]:
    """Names that several have in common and none has as a written id."""
    slugs = Counter(slug(owner.name) for owner in owners if "id" not in owner.positions)
    return {name for name, count in slugs.items() if count > 1} - {o.id for o in owners if "id" in o.positions}


def _check_cycles(plays: Sequence[Play], found: Diagnostics) -> None:
    needs = needs_of(plays)
    wrong = cycles(needs)
    if not wrong:
        return
    places = {path: place for place, path in enumerate(needs)}
    owners: dict[TaskPath, Play | Task] = {play.path_of(task): task for play in plays for task in play.tasks}
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
