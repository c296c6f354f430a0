"""The units of a plan: steps that can run by themselves, each in a run of its own, and what they wait for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from drumline.app import Prepared
from drumline.loading.names import RESULTS, names_gained, names_used
from drumline.loading.written import templates_beside
from drumline.model.plan import Plan, Step, places_of
from drumline.model.playbook import BlockPart, Strategy, TaskPath, TriggerRule
from drumline.model.traits import ANY_NAME, Sets
from drumline.planning.paths import path_of, tasks_of

#: By these a template may reach any variable.
_REACH_ALL = frozenset({"hostvars", "vars", RESULTS, "ansible_facts"})
#: Rules by which it does no harm that something more is waited for.
_PATIENT = frozenset({TriggerRule.NONE_FAILED, TriggerRule.ALL_SUCCESS, TriggerRule.ALL_DONE})


class ExportUnit(Struct, frozen=True, kw_only=True):
    """Steps that run together. Their numbers are indices of the plan's steps."""

    steps: tuple[Step, ...]
    paths: tuple[TaskPath, ...]  #: Of their tasks, by which a run is told of them; handlers run as they are notified.
    rule: TriggerRule
    needs: tuple[int, ...] = ()  #: Other units, by their places.


def units_of(prepared: Prepared) -> list[ExportUnit]:
    """The units, each after those that it needs.

    Steps are one unit where one of them uses what another has set or found out, where a change notifies a handler,
    where a block has a rescue, and where they belong to a play of several batches or one that changes as it runs.
    """
    plan = prepared.plan
    steps = [step for step in plan.steps if not step.task.first]  # each run gathers the facts that it uses
    groups = _Groups(step.index for step in steps)
    for together in _together(prepared, steps):
        groups.join(together)
    edges = _edges(plan, steps)
    found: list[ExportUnit] = []
    places: dict[int, set[int]] = {}  # by step, its unit; of handlers that no step notifies, what they need
    for members in _components(groups, edges):
        own = tuple(plan.steps[index] for index in members)
        needs = {place for index in members for before in edges[index] - {*members} for place in places[before]}
        paths = tuple(dict.fromkeys(path_of(plan, step) for step in own if step.task.handler is None))
        places |= dict.fromkeys(members, {len(found)} if paths else needs)
        if paths:
            rules = {step.task.trigger_rule for step in own if step.task.handler is None}
            rule = rules.pop() if len(rules) == 1 else TriggerRule.NONE_FAILED
            found.append(ExportUnit(steps=own, paths=paths, rule=rule, needs=tuple(sorted(needs))))
    return found


# Which steps belong together.


class _Groups:
    """Disjoint sets of steps."""

    def __init__(self, members: Iterable[int]) -> None:
        self._above = {member: member for member in members}

    def find(self, member: int) -> int:
        while self._above[member] != member:
            self._above[member] = member = self._above[self._above[member]]
        return member

    def join(self, members: Iterable[int]) -> None:
        roots = sorted({self.find(member) for member in members})
        for root in roots[1:]:
            self._above[root] = roots[0]


def _together(prepared: Prepared, steps: Collection[Step]) -> Iterator[list[int]]:
    plan = prepared.plan
    if any(play.later for play in plan.plays):
        yield [step.index for step in steps]
    yield from _of_plays(plan, steps)
    yield from _by(steps, lambda step: path_of(plan, step))
    rescued = {
        each.block for step in plan.steps for each in places_of(plan, step.inside) if each.part != BlockPart.TASKS
    }
    yield from _by(steps, lambda step: _outermost(plan, step, rescued))
    yield from _by_names(prepared, steps)


def _by(steps: Iterable[Step], key: Callable[[Step], Any]) -> Iterator[list[int]]:
    found: dict[Any, list[int]] = {}
    for step in steps:
        found.setdefault(key(step), []).append(step.index)
    return iter([members for name, members in found.items() if name is not None])


def _of_plays(plan: Plan, steps: Collection[Step]) -> Iterator[list[int]]:
    for number, planned in enumerate(plan.plays):
        own = [step for step in steps if step.play == number]
        traits = [step.task.traits for step in own]
        whole = len(planned.batches) > 1 or any(one.adds or one.meta or one.inventory for one in traits)
        notifying = [step for step in own if step.task.notify or step.task.handler is not None]
        yield [step.index for step in (own if whole else notifying)]


def _outermost(plan: Plan, step: Step, blocks: Collection[int]) -> int | None:
    """The outermost of these blocks around a step."""
    return next((each.block for each in reversed(places_of(plan, step.inside)) if each.block in blocks), None)


def _by_names(prepared: Prepared, steps: Collection[Step]) -> Iterator[list[int]]:
    """Steps that use what others define."""
    plan = prepared.plan
    used = dict(names_used(plan.playbook, prepared.extra_variables, prepared.templating))
    for path, task in tasks_of(plan.playbook):
        used[path] |= frozenset(_words(task.arguments))
    beside = [
        prepared.templating.undeclared(template) | prepared.templating.guarded(template)
        for template in templates_beside(prepared.inventory, prepared.extra_variables)
    ]
    everywhere = frozenset[str]().union(*beside)
    for step in steps:
        gained = set(names_gained([step.task]))
        unknown = step.task.traits.sets not in (Sets.NOTHING, Sets.ARGUMENTS) or any(
            ANY_NAME in name for name in gained
        )
        if unknown:
            yield [other.index for other in steps]
        elif gained:
            users = (
                other
                for other in steps
                if (names := used[path_of(plan, other)] | everywhere) & gained or names & _REACH_ALL
            )
            yield [step.index, *(other.index for other in users)]


def _words(value: Any) -> Iterator[str]:
    """The words in plain arguments: some actions take names of variables there."""
    if isinstance(value, str):
        yield from re.findall(r"[A-Za-z_]\w*", value)
    elif isinstance(value, (list, Mapping)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _words(item)


# What waits for what.


def _edges(plan: Plan, steps: Collection[Step]) -> Mapping[int, set[int]]:
    """For each step those before it: its needs, the wave before it, the ends of plays that its play needs."""
    taken = {step.index for step in steps}
    found: dict[int, set[int]] = {}
    for step in steps:
        planned = plan.plays[step.play]
        before = {index for need in step.needs for index in _of_need(plan, need.step, need.play, need.block)}
        if step.task.trigger_rule in _PATIENT and planned.play.strategy is Strategy.WAVES and step.wave:
            before.update(planned.batches[step.batch].waves[step.wave - 1])
        if not before & taken:
            before.update(index for play in planned.needs for index in _ends(plan, play))
        found[step.index] = before & taken
    return found


def _of_need(plan: Plan, step: int | None, play: int | None, block: int | None) -> Iterable[int]:
    if step is not None:
        return (step,)
    if play is not None:
        return _ends(plan, play)
    return [one.index for one in plan.steps if any(where.block == block for where in places_of(plan, one.inside))]


def _ends(plan: Plan, play: int) -> Iterable[int]:
    """The steps of a play that no other step of it needs; of a play without steps those of the plays it needs."""
    own = [step for step in plan.steps if step.play == play and not step.task.first]
    if not own:
        return [index for other in plan.plays[play].needs for index in _ends(plan, other)]
    needed = {need.step for step in own for need in step.needs}
    return [step.index for step in own if step.index not in needed]


def _components(groups: _Groups, edges: Mapping[int, set[int]]) -> list[list[int]]:
    """The groups, in order; those that wait for each other in a circle become one."""
    after: dict[int, set[int]] = {}
    members: dict[int, list[int]] = {}
    for index, before in edges.items():
        root = groups.find(index)
        members.setdefault(root, []).append(index)
        after.setdefault(root, set()).update(groups.find(other) for other in before)
    return [sorted(index for root in circle for index in members[root]) for circle in _circles(after)]


def _circles(needs: Mapping[int, set[int]]) -> Iterator[list[int]]:
    """Strongly connected components, each after those that it needs (Tarjan's algorithm, without recursion)."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    done: set[int] = set()
    for start in needs:
        if start in number:
            continue
        work = [(start, iter(sorted(needs[start])))]
        number[start] = low[start] = len(number)
        stack.append(start)
        while work:
            vertex, rest = work[-1]
            fresh = next((other for other in rest if other not in done and not _seen(other, vertex, number, low)), None)
            if fresh is not None:
                number[fresh] = low[fresh] = len(number)
                stack.append(fresh)
                work.append((fresh, iter(sorted(needs[fresh]))))
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[vertex])
            if low[vertex] == number[vertex]:
                at = stack.index(vertex)
                circle, stack[at:] = stack[at:], []
                done.update(circle)
                yield circle


def _seen(other: int, vertex: int, number: Mapping[int, int], low: dict[int, int]) -> bool:
    """Whether a vertex of the stack was met again."""
    if other not in number:
        return False
    low[vertex] = min(low[vertex], number[other])
    return True
