"""Graphs as mappings from a vertex to what it needs. Knows nothing of tasks and hosts.

All functions take a graph without cycles, or raise ``graphlib.CycleError``.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from graphlib import TopologicalSorter
from typing import TypeVar

V = TypeVar("V", bound=Hashable)


def without(needs: Mapping[V, Iterable[V]], removed: Collection[V]) -> dict[V, tuple[V, ...]]:
    """The graph without some vertices. What needed one of them needs its needs instead, so that the order is kept."""
    standing: dict[V, tuple[V, ...]] = {}
    for vertex in TopologicalSorter(needs).static_order():
        found: dict[V, None] = {}
        for need in needs.get(vertex, ()):
            found.update(dict.fromkeys(standing[need] if need in removed else (need,)))
        standing[vertex] = tuple(found)
    return {vertex: standing[vertex] for vertex in needs if vertex not in removed}


def ancestors(needs: Mapping[V, Iterable[V]], vertex: V) -> set[V]:
    """Everything that the vertex needs, directly or through others."""
    found: set[V] = set()
    waiting = list(needs.get(vertex, ()))
    while waiting:
        need = waiting.pop()
        if need not in found:
            found.add(need)
            waiting.extend(needs.get(need, ()))
    return found


def path(needs: Mapping[V, Iterable[V]], start: V, end: V) -> list[V]:
    """The shortest path from a vertex to one that it needs, including both."""
    came_from: dict[V, V] = {}
    level = [start]
    while end not in came_from:
        following = [(need, vertex) for vertex in level for need in needs.get(vertex, ())]
        level = list(dict.fromkeys(need for need, _ in following if need not in came_from))
        came_from = dict(reversed(following)) | came_from
    found = [end]
    while found[-1] != start:
        found.append(came_from[found[-1]])
    return found[::-1]
