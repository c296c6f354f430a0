"""``module_defaults``: arguments that tasks take where they give none themselves, by the action's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from drumline.loading.keywords import KeywordReader, is_whole_template
from drumline.source.yaml import Node

#: What one ``module_defaults`` says: for each action, a dictionary of arguments or a template that gives one.
Defaults: TypeAlias = Mapping[str, Node]

KEYWORD = "module_defaults"
#: Groups of modules of collections. No action here is in one of them.
_GROUP = "group/"


def read_defaults(reader: KeywordReader, keyword: str, node: Node) -> tuple[Defaults, ...] | None:
    """One dictionary, or a list of them, of which later ones win."""
    found: list[Defaults] = []
    for layer in node.value if isinstance(node.value, list) else [node]:
        if not isinstance(layer.value, dict):
            reader.wrong(keyword, "a dictionary such as {copy: {mode: '0644'}}", layer)
            return None
        of_actions: dict[str, Node] = {}
        for name, entry in layer.value.items():
            if name.startswith(_GROUP) or entry.node.value is None:
                continue
            if isinstance(entry.node.value, dict) or is_whole_template(entry.node):
                of_actions[bare(name)] = entry.node
            else:
                reader.wrong(f"{keyword}: {name}", "a dictionary of arguments", entry.node)
        found.append(of_actions)
    return tuple(found)


def bare(name: str) -> str:
    """The name of an action without its collection."""
    return name.rpartition(".")[2]


def defaults_for(called: str, layers: Sequence[Defaults]) -> list[Node]:
    """What the layers say of an action that a task calls so, the weakest first."""
    return [layer[bare(called)] for layer in layers if bare(called) in layer]
