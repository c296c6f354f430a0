"""A graph as lines of text: each node, and below it what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drumline.planning.views.dot import graph_as_dot
from drumline.planning.views.graph import Graph
from drumline.planning.views.mermaid import graph_as_mermaid
from drumline.planning.views.svg import graph_as_html, graph_as_svg


def graph_as_text(graph: Graph) -> str:
    """The graph as text."""
    names = {node.key: node.name for node in graph.nodes()}
    before: dict[str, list[str]] = {}
    for edge in graph.edges:
        before.setdefault(edge.after, []).append(names[edge.before])
    lines: list[str] = []
    for node in graph.nodes():
        lines.append(node.name)
        lines += [f"  waits for {name}" for name in dict.fromkeys(before.get(node.key, ()))]
    return "\n".join(lines)


#: The formats of ``drumline graph --format``.
GRAPH_FORMATS: Mapping[str, Callable[[Graph], str]] = {
    "text": graph_as_text,
    "dot": graph_as_dot,
    "mermaid": graph_as_mermaid,
    "svg": graph_as_svg,
    "html": graph_as_html,
}
