"""A graph for Mermaid, as pages of forges and wikis draw it."""

from __future__ import annotations

from collections.abc import Iterator

from drumline.planning.views.graph import Graph, GraphBox, GraphNode

#: What would end a label, or be read as Markdown or HTML, and Mermaid's names for it.
_ENTITIES = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;", "&": "#amp;"}


def graph_as_mermaid(graph: Graph) -> str:
    """The graph as a flow chart."""
    lines = ["flowchart LR"]
    for each in graph.content:
        lines += [f"  {line}" for line in _lines(each)]
    lines += [f"  {edge.before} --> {edge.after}" for edge in graph.edges]
    return "\n".join(lines)


def _lines(each: GraphBox | GraphNode) -> Iterator[str]:
    if isinstance(each, GraphNode):
        yield f'{each.key}["{_escaped(each.label)}"]'
        return
    yield f'subgraph {each.key}["{_escaped(each.label)}"]'
    for inner in each.content:
        yield from (f"  {line}" for line in _lines(inner))
    yield "end"


def _escaped(text: str) -> str:
    return "<br>".join("".join(_ENTITIES.get(char, char) for char in line) for line in text.split("\n"))
