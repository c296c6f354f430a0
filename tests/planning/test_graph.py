from graphlib import CycleError
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumline.planning.graph import ancestors, path, without

Graph: TypeAlias = dict[int, tuple[int, ...]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Vertices 0 to n, each needing some of those before it."""
    count = draw(st.integers(0, 12))
    return {v: tuple(draw(st.sets(st.integers(0, v - 1)))) if v else () for v in range(count)}


@given(graphs(), st.sets(st.integers(0, 11)))
def test_removing_vertices_keeps_the_order_of_the_others(graph: Graph, removed: set[int]) -> None:
    left = without(graph, removed)
    assert left.keys() == graph.keys() - removed
    for vertex in left:
        assert ancestors(left, vertex) == ancestors(graph, vertex) - removed


@given(graphs())
def test_removing_nothing_changes_nothing(graph: Graph) -> None:
    assert without(graph, ()) == graph


def test_cycles_are_refused() -> None:
    with pytest.raises(CycleError):
        without({1: (2,), 2: (1,)}, ())


def test_a_long_chain_needs_no_deep_stack() -> None:
    chain = {number: (number - 1,) if number else () for number in range(50_000)}
    assert without(chain, set(range(1, 49_999)))[49_999] == (0,)


def test_the_shortest_way_down() -> None:
    graph = {"d": ["b", "c"], "c": ["a"], "b": ["x"], "x": ["a"], "a": []}
    assert path(graph, "d", "a") == ["d", "c", "a"]
    assert path(graph, "d", "b") == ["d", "b"]


def test_a_graph_with_many_ways_down_has_a_short_one() -> None:
    graph = {(level, at): [(level + 1, 0), (level + 1, 1)] for level in range(200) for at in (0, 1)}
    assert len(path(graph, (0, 0), (200, 1))) == 201
