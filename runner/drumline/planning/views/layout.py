"""Where the nodes of a graph stand in a drawing: in columns from left to right, each after all that it waits for.

Within a column they stand by the mean place of their neighbours, so that edges cross little. In a graph of hosts, which
may wait for each other, an edge that would lead back is left out of account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from drumline.diagnostics import cells
from drumline.planning.views.graph import Edge, Graph, GraphNode

#: Sizes in pixels: of a letter and a line, around a label, between nodes and between columns.
LETTER, LINE, PADDING = 7.2, 16.0, 10.0
_GAP, _COLUMN_GAP = 14.0, 70.0
#: How often all columns are put in order.
_SWEEPS = 4
#: The most places of edges between columns; without them, edges pass behind nodes.
_MOST_PLACES = 20_000


class Spot(Struct, frozen=True):
    """A node's rectangle."""

    node: GraphNode
    left: float
    top: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The height of its centre."""
        return self.top + self.height / 2


class Layout(Struct, frozen=True):
    """All rectangles by the keys of their nodes, those that each edge goes through, and the size of the drawing."""

    spots: Mapping[str, Spot]
    ways: Mapping[Edge, Sequence[Spot]]
    width: float
    height: float


def layout_of(graph: Graph) -> Layout:
    """Place all nodes of a graph. An edge over several columns has a place of its own in those between."""
    nodes = {node.key: node for node in graph.nodes()}
    after = {key: list[str]() for key in nodes}
    for edge in graph.edges:
        after[edge.before].append(edge.after)
    columns = _columns(list(nodes), after)
    ways = _ways(graph.edges, columns)
    nodes |= {key: GraphNode(key=key, name="", label="") for keys in ways.values() for key in keys}
    before, after = ({key: list[str]() for key in nodes} for _ in range(2))
    for edge in graph.edges:
        keys = [edge.before, *ways[edge], edge.after]
        for one, other in pairwise(keys):
            before[other].append(one)
            after[one].append(other)
    for sweep in range(_SWEEPS):
        _put_in_order(columns, before if sweep % 2 == 0 else after)
    spots, width, height = _placed([[nodes[key] for key in column] for column in columns])
    through = {edge: [spots.pop(key) for key in keys] for edge, keys in ways.items()}
    return Layout(spots, through, width, height)


def _ways(edges: Sequence[Edge], columns: list[list[str]]) -> dict[Edge, list[str]]:
    """Names for the places of edges in the columns between their ends, which get them; none if they are too many."""
    numbers = {key: number for number, column in enumerate(columns) for key in column}
    spans = {edge: range(numbers[edge.before] + 1, numbers[edge.after]) for edge in edges}
    if sum(map(len, spans.values())) > _MOST_PLACES:
        return {edge: [] for edge in edges}
    ways: dict[Edge, list[str]] = {}
    for place, (edge, span) in enumerate(spans.items()):
        ways[edge] = [f"{place}/{number}" for number in span]
        for number, key in zip(span, ways[edge], strict=True):
            columns[number].append(key)
    return ways


def _columns(keys: Sequence[str], after: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The nodes by the longest way that leads to them."""
    order = _order(keys, after)
    places = {key: place for place, key in enumerate(order)}
    depths = dict.fromkeys(keys, 0)
    for key in order:
        for follower in after[key]:
            if places[follower] > places[key]:  # else it leads back
                depths[follower] = max(depths[follower], depths[key] + 1)
    columns: list[list[str]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    for key in keys:
        columns[depths[key]].append(key)
    return columns


def _order(keys: Sequence[str], after: Mapping[str, Sequence[str]]) -> list[str]:
    """The nodes, each before those that wait for it; without recursion, since chains may be long."""
    ended: list[str] = []
    seen: set[str] = set()
    for start in keys:
        if start in seen:
            continue
        seen.add(start)
        waiting = [(start, iter(after[start]))]
        while waiting:
            key, followers = waiting[-1]
            follower = next((one for one in followers if one not in seen), None)
            if follower is None:
                ended.append(key)
                waiting.pop()
            else:
                seen.add(follower)
                waiting.append((follower, iter(after[follower])))
    return ended[::-1]


def _put_in_order(columns: list[list[str]], neighbours: Mapping[str, Sequence[str]]) -> None:
    """Sort each column by the mean place of its nodes' neighbours; those without any keep theirs."""
    places = {key: place / len(column) for column in columns for place, key in enumerate(column)}
    for column in columns:
        column.sort(key=lambda key: _mean([places[other] for other in neighbours[key]]) or places[key])
        places.update({key: place / len(column) for place, key in enumerate(column)})


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _placed(columns: Sequence[Sequence[GraphNode]]) -> tuple[dict[str, Spot], float, float]:
    """The rectangles, and the size of the drawing."""
    heights = [sum(_height(node) + _GAP for node in column) - _GAP for column in columns]
    tallest = max(heights, default=0.0)
    spots: dict[str, Spot] = {}
    left = _GAP
    for column, height in zip(columns, heights, strict=True):
        width = max(map(_width, column))
        top = _GAP + (tallest - height) / 2
        for node in column:
            spots[node.key] = Spot(node, left, top, width, _height(node))
            top += _height(node) + _GAP
        left += width + _COLUMN_GAP
    return spots, max(0.0, left - _COLUMN_GAP) + _GAP, tallest + 2 * _GAP


def _width(node: GraphNode) -> float:
    return max(map(cells, node.label.split("\n"))) * LETTER + 2 * PADDING


def _height(node: GraphNode) -> float:
    return len(node.label.split("\n")) * LINE + PADDING if node.label else 0.0
