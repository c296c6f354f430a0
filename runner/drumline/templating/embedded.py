"""Templates in the texts of expressions: ``a == "{{ b }}"``.

Ansible evaluates them in conditions and in arguments of lookups, with a warning, and nowhere else.
"""

from __future__ import annotations

import re
from typing import Any

from jinja2 import Environment, nodes

#: What may be a template within a text within a template.
_EMBEDDED = re.compile(r"\{\{(?:(?!\}\}).)*[\"'](?:(?!\}\}).)*\{\{", re.DOTALL)
_LOOKUPS = ("lookup", "query", "q")


def embed_in_lookups(tree: nodes.Node, text: str, environment: Environment) -> None:
    """Do :func:`embed` in the arguments of lookups. ``text`` is what the tree was read from."""
    if _EMBEDDED.search(text):
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name in _LOOKUPS:
                embed(call, text, environment)


def embed(tree: nodes.Node, text: str, environment: Environment) -> None:
    """Put what the templates in the tree's texts stand for in place of these texts."""
    if "{{" not in text:
        return
    for owner in [tree, *tree.find_all(nodes.Node)]:
        for field, value in owner.iter_fields():
            if isinstance(value, list):
                value[:] = [_embedded(item, environment) for item in value]
            else:
                setattr(owner, field, _embedded(value, environment))


def _embedded(node: Any, environment: Environment) -> Any:
    if not isinstance(node, nodes.Const) or not isinstance(node.value, str) or "{{" not in node.value:
        return node
    inner = environment.parse(node.value).body
    parts = [part for output in inner if isinstance(output, nodes.Output) for part in output.nodes]
    if not all(isinstance(output, nodes.Output) for output in inner):
        return node  # statements, which no expression can hold
    return parts[0] if len(parts) == 1 else nodes.Concat(parts, lineno=node.lineno, environment=environment)
