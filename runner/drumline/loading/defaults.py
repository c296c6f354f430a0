"""``module_defaults``: arguments that tasks take where they give none themselves, by the action's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from drumline.diagnostics import did_you_mean
from drumline.loading.keywords import KeywordReader, is_whole_template
from drumline.plugin.actions import Action
from drumline.source.nodes import Node
from drumline.templating import not_yet

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


def check_defaults(reader: KeywordReader, actions: Mapping[str, Action]) -> None:
    """Say of names that no action has, here or in Ansible, that their defaults would be for nothing."""
    node = reader.node(KEYWORD)
    layers = [] if node is None else node.value if isinstance(node.value, list) else [node]
    for layer in layers:
        for name, entry in layer.value.items() if isinstance(layer.value, dict) else ():
            known = name in actions or name.startswith(_GROUP) or not_yet.module(name) or not_yet.of_family(name)
            if not known:
                detail = f"No plugin offers the action '{name}'.{did_you_mean(name, actions)}"
                reader.found.add("Unknown action", detail=detail, position=entry.key_position)


def bare(name: str) -> str:
    """The name of an action without its collection."""
    return name.rpartition(".")[2]


def defaults_for(called: str, layers: Sequence[Defaults]) -> list[Node]:
    """What the layers say of an action that a task calls so, the weakest first."""
    return [layer[bare(called)] for layer in layers if bare(called) in layer]
