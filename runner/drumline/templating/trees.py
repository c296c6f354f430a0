"""Walks over parsed templates. Those of jinja2 itself are several times slower, and checks look at every template."""

from __future__ import annotations

from jinja2 import nodes


def children(node: nodes.Node) -> list[nodes.Node]:
    """The nodes right below this one, in the order of the text."""
    found: list[nodes.Node] = []
    for field in node.fields:
        value = getattr(node, field, None)
        if isinstance(value, nodes.Node):
            found.append(value)
        elif isinstance(value, list):
            found.extend(item for item in value if isinstance(item, nodes.Node))
    return found


def every_node(tree: nodes.Node) -> list[nodes.Node]:
    """The tree and all nodes below, each before those below it, in the order of the text."""
    found: list[nodes.Node] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(reversed(children(node)))
    return found
