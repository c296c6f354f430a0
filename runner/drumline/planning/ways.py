"""Ways in which tasks don't do their work while another one, which counts on them, runs all the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import cache
from graphlib import TopologicalSorter
from itertools import combinations, islice, product
from typing import NamedTuple

from drumline.loading.needs import Needs, Vertex
from drumline.model.plan import Plan
from drumline.model.playbook import Barrier, Late, Task, TriggerRule
from drumline.model.value import text_of
from drumline.planning.graph import ancestors, without
from drumline.planning.vertices import steps_of, tasks_of

#: Ways in which several tasks don't do their work together, of which so many are tried.
_MOST = 5_000


class End(Enum):
    """How a task ends, as far as others care."""

    DONE = auto()
    SKIPPED = auto()
    FAILED = auto()


class _Way(NamedTuple):
    """How a task doesn't do its work."""

    end: End  #: ``DONE`` for a failure that is forgiven.
    words: str
    conditions: frozenset[str] = frozenset()  #: One of them was false.
    is_fatal: bool = False  #: The play ends.
    is_drop: bool = False  #: Its host leaves the play.


#: Whether a task with such needs runs, once they have ended. The engine decides by ``execution.policy``; so does this.
RULES: Mapping[TriggerRule, Callable[[Collection[End]], bool]] = {
    TriggerRule.NONE_FAILED: lambda needs: End.FAILED not in needs,
    TriggerRule.ALL_SUCCESS: lambda needs: all(end is End.DONE for end in needs),
    TriggerRule.ALL_DONE: lambda _needs: True,
    TriggerRule.ONE_SUCCESS: lambda needs: End.DONE in needs,
    TriggerRule.ONE_FAILED: lambda needs: End.FAILED in needs,
    TriggerRule.ALL_FAILED: lambda needs: all(end is End.FAILED for end in needs),
}


class Ways:
    """What may become of the tasks of a plan. ``needs`` are the playbook's."""

    def __init__(self, plan: Plan, needs: Needs) -> None:
        self._plan = plan
        self._tasks = dict(tasks_of(plan.playbook))
        self._steps = steps_of(plan)
        self._needs = without(needs, self._tasks.keys() - self._steps.keys())
        self._hosts = cache(lambda vertex: {host: None for step in self._steps[vertex] for host in step.hosts})
        self._order = list(TopologicalSorter(self._needs).static_order())
        self._barriers = {
            index: barrier
            for play in plan.plays
            for batch in play.batches
            for wave, barrier in zip(batch.waves, batch.barriers, strict=True)
            for index in wave
        }

    def around(self, vertex: Vertex, sources: Sequence[Vertex]) -> list[tuple[Vertex, str]]:
        """How each of these tasks, upstream of another, may not do its work while that other task runs.

        In words, such as "may be skipped (when: x)". Only where none of them does its work; empty when that can't be.
        """
        if not sources:
            return []
        found: dict[tuple[Vertex, str], None] = {}
        for ways in islice(product(*(list(self._ways(source)) for source in sources)), _MOST):
            chosen = dict(zip(sources, ways, strict=True))
            if _is_possible(ways) and any(self._runs(vertex, host, chosen) for host in self._examples(vertex, sources)):
                found.update(dict.fromkeys((source, way.words) for source, way in chosen.items()))
        return list(found)

    def _ways(self, vertex: Vertex) -> Iterator[_Way]:
        task = self._tasks[vertex]
        conditions = [text_of(condition) for condition in task.when if condition is not True]
        if conditions:
            verb = "is" if False in task.when else "may be"
            yield _Way(End.SKIPPED, f"{verb} skipped (when: {' and '.join(conditions)})", frozenset(conditions))
        if False in task.when:
            return
        if any(_drops(self._barriers[step.index]) for step in self._steps[vertex]):
            yield _Way(End.SKIPPED, "may be late at its barrier and dropped (late: drop)", is_drop=True)
        yield _Way(End.FAILED, "may fail", is_fatal=task.any_errors_fatal)
        if task.ignore_errors is not False:
            yield _Way(End.DONE, "may fail and be forgiven (ignore_errors)")
        if task.ignore_unreachable is not False:
            yield _Way(End.DONE, "may be unreachable and forgiven (ignore_unreachable)")
        if False in task.failed_when:
            yield _Way(End.DONE, "may fail unseen (failed_when: false)")

    def _examples(self, vertex: Vertex, sources: Sequence[Vertex]) -> set[str]:
        """Hosts of the task that stand for all: one that the sources run on too, and one that they don't."""
        theirs = {host for source in sources for host in self._hosts(source)}
        own = self._hosts(vertex)
        found = (next((host for host in own if (host in theirs) is shared), None) for shared in (True, False))
        return {host for host in found if host is not None}

    def _runs(self, vertex: Vertex, host: str, chosen: Mapping[Vertex, _Way]) -> bool:
        """Whether the task runs on the host when this becomes of the others, and all is well with the rest.

        Each of the others stands for itself by one of its hosts; this one, where it runs there.
        """
        hosts = dict.fromkeys([host])
        for source in chosen:
            theirs = self._hosts(source)
            hosts[host if host in theirs else next(iter(theirs))] = None
        jobs = _Jobs(self._plan, self._tasks, self._needs, chosen, tuple(hosts))
        before = ancestors(self._needs, vertex)
        for at in self._order:
            if at in before or at == vertex:
                taken = () if at.task is None else [name for name in hosts if name in self._hosts(at)]
                jobs.enter(at, taken[:1] if at.task is not None and self._tasks[at].run_once else taken)
        return jobs.end(vertex, host) is End.DONE


class _Jobs:
    """How the tasks end on a few hosts, one task after the other."""

    def __init__(
        self,
        plan: Plan,
        tasks: Mapping[Vertex, Task],
        needs: Needs,
        chosen: Mapping[Vertex, _Way],
        hosts: Collection[str],
    ) -> None:
        self._plan = plan
        self._tasks = tasks
        self._needs = needs
        self._chosen = chosen
        self._hosts = hosts
        self._ends: dict[Vertex, dict[str, End]] = {}
        self._left: dict[tuple[int, str], End] = {}  # hosts that left a play, and how their other jobs end
        self._over: set[int] = set()  # plays that ended

    def enter(self, vertex: Vertex, hosts: Sequence[str]) -> None:
        """Let a task run on these hosts; everything that it needs was entered before."""
        if vertex.task is None:
            self._ends[vertex] = self._of_play(vertex)
            return
        self._ends[vertex] = {}
        for host in hosts:
            end = self._ends[vertex][host] = self._decide(vertex, host)
            way = self._chosen.get(vertex)
            if way and way.is_drop and end is way.end:
                self._left[vertex.play, host] = end
            if way and way.is_fatal and end is way.end:
                self._over.add(vertex.play)

    def end(self, vertex: Vertex, host: str) -> End | None:
        return self._ends[vertex].get(host)

    def _of_play(self, vertex: Vertex) -> dict[str, End]:
        """The end of a play on its own hosts: it has failed where something of it has, or everywhere if it stopped."""
        own = self._plan.plays[vertex.play].hosts
        jobs = [self._ends[need] for need in self._needs[vertex] if need.play == vertex.play]
        failed = {host for ends in jobs for host, end in ends.items() if end is End.FAILED}
        return {
            host: End.FAILED
            if vertex.play in self._over or host in failed
            else self._left.get((vertex.play, host), End.DONE)
            for host in self._hosts
            if host in own
        }

    def _decide(self, vertex: Vertex, host: str) -> End:
        task = self._tasks[vertex]
        if vertex.play in self._over:
            return End.FAILED
        if (vertex.play, host) in self._left:
            return self._left[vertex.play, host]
        needs = [end for need in self._needs[vertex] for end in self._of_need(need, host)]
        if needs and not RULES[task.trigger_rule](needs):
            return End.FAILED if End.FAILED in needs else End.SKIPPED
        if vertex in self._chosen:
            return self._chosen[vertex].end
        guarded = any(_minds(task, self._tasks[source], way) for source, way in self._chosen.items())
        return End.SKIPPED if guarded else End.DONE

    def _of_need(self, need: Vertex, host: str) -> Iterable[End]:
        """The host's own job decides where there is one, else all decide together."""
        ends = self._ends[need]
        return [ends[host]] if host in ends else ends.values()


def _drops(barrier: Barrier) -> bool:
    return barrier.late is Late.DROP and barrier != Barrier(late=Late.DROP)


def _minds(task: Task, source: Task, way: _Way) -> bool:
    """Whether the task's conditions keep it from running then: they ask for the result, or are false themselves."""
    if not task.when:
        return False
    conditions = frozenset(map(text_of, task.when))
    if way.conditions and way.conditions <= conditions:
        return True
    names = [rf"results\b.*\b{re.escape(source.id)}", *([re.escape(source.register)] if source.register else [])]
    return any(re.search(rf"\b{name}\b", condition) for condition in conditions for name in names)


def _is_possible(ways: Sequence[_Way]) -> bool:
    """Whether they may go together: ``x`` and ``not x`` aren't both false."""
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
