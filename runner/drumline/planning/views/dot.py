"""A graph for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from drumline.model.plan import Plan
from drumline.planning.views.graph import Edge, Graph, GraphBox, GraphNode, graph_of


def as_dot(plan: Plan) -> str:
    """The plan for Graphviz: a box per play, batch and wave, a node per task, an edge from each need."""
    return graph_as_dot(graph_of(plan))


def graph_as_dot(graph: Graph) -> str:
    """The graph for Graphviz."""
    lines = ["digraph plan {", "  rankdir=LR;", "  compound=true;", "  node [shape=box];"]
    for each in graph.content:
        lines += [f"  {line}" for line in _lines(each)]
    lines += [f"  {_edge(edge)}" for edge in graph.edges]
    return "\n".join([*lines, "}"])


def _lines(each: GraphBox | GraphNode) -> Iterator[str]:
    if isinstance(each, GraphNode):
        yield f"{each.key} [label={_quoted(each.label)}];"
        return
    yield f"subgraph cluster_{each.key} {{"
    yield f"  label={_quoted(each.label)};"
    for inner in each.content:
        yield from (f"  {line}" for line in _lines(inner))
    yield "}"


def _edge(edge: Edge) -> str:
    tail = "" if edge.whole is None else f" [ltail=cluster_{edge.whole}]"
    return f"{edge.before} -> {edge.after}{tail};"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
