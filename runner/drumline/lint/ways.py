"""Ways in which tasks don't do their work although a task that relies on them still runs.

Their consequences are found by the engine itself, on worlds of a few hosts (:mod:`.worlds`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, combinations, islice, product
from typing import NamedTuple

from drumline.lint.worlds import End, SmallWorld, needed_steps
from drumline.model.outcome import Status
from drumline.model.plan import Plan, Step
from drumline.model.playbook import Barrier, Late, Task, TaskPath
from drumline.model.value import text_of
from drumline.planning.paths import steps_of, tasks_of

#: How many combinations of ways are tried for several tasks.
_MOST = 400


class _Way(NamedTuple):
    """One way in which a task doesn't do its work."""

    words: str
    end: End | None  #: None: the job is late and dropped.
    conditions: frozenset[str] = frozenset()  #: Conditions of which one was false.


_Chosen = Mapping[TaskPath, _Way]


class Ways:
    """The ways for the tasks of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._tasks = dict(tasks_of(plan.playbook))
        self._steps = steps_of(plan)
        self._vertices = {step.index: vertex for vertex, steps in self._steps.items() for step in steps}
        self._hosts = cache(lambda vertex: {host: step for step in self._steps[vertex] for host in step.hosts})
        self._worlds: dict[tuple[int, tuple[str, ...], frozenset[int]], SmallWorld] = {}
        self._barriers = {
            index: barrier
            for play in plan.plays
            for batch in play.batches
            for wave, barrier in zip(batch.waves, batch.barriers, strict=True)
            for index in wave
        }

    def around(self, vertex: TaskPath, sources: Sequence[TaskPath]) -> list[tuple[TaskPath, str]]:
        """How each of ``sources``, upstream of a task, may fail to do its work although that task runs.

        In words, such as "may be skipped (when: x)", for the case that none of them does its work; empty if that
        can't happen.
        """
        if not sources:
            return []
        ways = [list(self._ways(source)) for source in sources]
        found: dict[tuple[TaskPath, str], None] = {}
        for together in islice(_combined(ways), _MOST):
            chosen = dict(zip(sources, together, strict=True))
            told = {(source, way.words): None for source, way in chosen.items()}
            if told.keys() <= found.keys() or not _is_possible(together):
                continue
            if any(self._runs(vertex, host, chosen) for host in self._examples(vertex, sources)):
                found |= told
        return sorted(found, key=lambda way: sources.index(way[0]))

    def _ways(self, vertex: TaskPath) -> Iterator[_Way]:
        task = self._tasks[vertex]
        conditions = [text_of(condition) for condition in task.when if condition is not True]
        if conditions:
            verb = "is" if False in task.when else "may be"
            words = f"{verb} skipped (when: {' and '.join(conditions)})"
            yield _Way(words, End(Status.SKIPPED), frozenset(conditions))
        if False in task.when:
            return
        if any(_drops(self._barriers[step.index]) for step in self._steps[vertex]):
            yield _Way("may be late at its barrier and dropped (late: drop)", None)
        yield _Way("may fail", End(Status.FAILED))
        if task.ignore_errors is not False:
            yield _Way("may fail and be forgiven (ignore_errors)", End(Status.FAILED, ignored=True))
        if task.ignore_unreachable is not False:
            yield _Way("may be unreachable and forgiven (ignore_unreachable)", End(Status.UNREACHABLE, ignored=True))
        if False in task.failed_when:
            yield _Way("may fail unseen (failed_when: false)", End())

    def _examples(self, vertex: TaskPath, sources: Sequence[TaskPath]) -> set[str]:
        """Hosts of the task that represent all: one that the sources also run on, and one that they don't."""
        theirs = {host for source in sources for host in self._hosts(source)}
        own = self._hosts(vertex)
        found = (next((host for host in own if (host in theirs) is shared), None) for shared in (True, False))
        return {host for host in found if host is not None}

    def _runs(self, vertex: TaskPath, host: str, chosen: _Chosen) -> bool:
        """Whether the task runs on the host if the chosen ways happen to the other tasks and nothing else goes wrong.

        Each of the other tasks is represented by one of its hosts: this host, if the task runs there.
        """
        hosts = dict.fromkeys([host])
        for source in chosen:
            theirs = self._hosts(source)
            hosts[host if host in theirs else next(iter(theirs))] = None
        late = frozenset(step.index for source, way in chosen.items() if not way.end for step in self._steps[source])
        step = self._hosts(vertex)[host]
        world = self._world(step, tuple(hosts), late)
        statuses = world.run(lambda index: self._end_of(self._vertices[index], chosen)).statuses(step.index)
        return Status.OK in statuses

    def _end_of(self, vertex: TaskPath, chosen: _Chosen) -> End | None:
        if vertex in chosen:
            return chosen[vertex].end
        task = self._tasks[vertex]
        minds = any(_minds(task, self._tasks[source], way) for source, way in chosen.items())
        return End(Status.SKIPPED) if minds else End()

    def _world(self, step: Step, hosts: tuple[str, ...], late: frozenset[int]) -> SmallWorld:
        key = (step.index, hosts, late)
        if key not in self._worlds:
            self._worlds[key] = SmallWorld(self._plan, needed_steps(self._plan, step.index), hosts, late)
        return self._worlds[key]


def _combined(ways: Sequence[Sequence[_Way]]) -> Iterable[tuple[_Way, ...]]:
    """Every way of each task with every way of the others, the most different first, so that none is left out."""
    longest = max(map(len, ways))
    alike = (tuple(own[min(number, len(own) - 1)] for own in ways) for number in range(longest))
    return chain(alike, product(*ways))


def _drops(barrier: Barrier) -> bool:
    return barrier.late is Late.DROP and barrier != Barrier(late=Late.DROP)


def _minds(task: Task, source: Task, way: _Way) -> bool:
    """Whether the task's conditions keep it from running then: they test the result, or are false, too."""
    if not task.when:
        return False
    conditions = frozenset(map(text_of, task.when))
    if way.conditions and way.conditions <= conditions:
        return True
    names = [rf"results\b.*\b{re.escape(source.id)}", *([re.escape(source.register)] if source.register else [])]
    return any(re.search(rf"\b{name}\b", condition) for condition in conditions for name in names)


def _is_possible(ways: Sequence[_Way]) -> bool:
    """Whether the ways can happen together: ``x`` and ``not x`` aren't both false."""
    single = [way for way in ways if len(way.conditions) == 1]
    return not any(_contradict(*a.conditions, *b.conditions) for a, b in combinations(single, 2))


def _contradict(one: str, other: str) -> bool:
    one, other = (" ".join(text.split()) for text in (one, other))
    return (
        one in (f"not {other}", f"not ({other})")
        or other in (f"not {one}", f"not ({one})")
        or (one != other and one.replace("!=", "==") == other.replace("!=", "=="))
        or (one != other and one.replace(" is not ", " is ") == other.replace(" is not ", " is "))
        or (one != other and one.replace(" not in ", " in ") == other.replace(" not in ", " in "))
    )
