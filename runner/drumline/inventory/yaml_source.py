"""Inventories in YAML and JSON, as Ansible's ``yaml`` inventory plugin reads them.

::

    all:
      children:
        web:
          hosts:
            web[1:3]:
            web4: {ansible_host: 10.0.0.4}
          vars: {http_port: 80}
"""

from __future__ import annotations

from drumline.diagnostics import Position, did_you_mean
from drumline.model.value import Variables
from drumline.plugin.sources import InventoryDraft
from drumline.source.nodes import Entry, Node, plain
from drumline.source.origins import places_in

_SECTIONS = ("hosts", "vars", "children")


def plugin_named(document: Node | None) -> Node | None:
    """The name of the source that the document configures (``plugin: NAME``); None for an inventory."""
    content = document.value if document is not None else None
    entry = content.get("plugin") if isinstance(content, dict) else None
    return entry.node if entry is not None and isinstance(entry.node.value, str) else None


def read_yaml(document: Node | None, draft: InventoryDraft) -> None:
    """Add the content of the document to the draft."""
    for name, entry in _entries(document, "The document", draft).items():
        _read_group(name, entry, draft)


def _read_group(name: str, entry: Entry, draft: InventoryDraft) -> None:
    draft.declare(name, entry.key_position)
    for section, content in _entries(entry.node, f"Group '{name}'", draft).items():
        if section == "hosts":
            _read_hosts(name, content.node, draft)
        elif section == "vars":
            variables = _variables(content.node, f"'vars' of group '{name}'", draft)
            draft.set_variables(name, variables, content.key_position, places_in(content.node))
        elif section == "children":
            for child, inner in _named(content.node, f"'children' of group '{name}'", draft).items():
                _read_group(child, inner, draft)
                draft.add_child(name, child, inner.key_position)
        else:
            detail = f"A group has 'hosts', 'vars' and 'children', not '{section}'.{did_you_mean(section, _SECTIONS)}"
            draft.mistakes.add("Unknown key in a group", detail=detail, position=content.key_position)


def _read_hosts(group: str, node: Node, draft: InventoryDraft) -> None:
    for pattern, entry in _named(node, f"'hosts' of group '{group}'", draft).items():
        variables = _variables(entry.node, f"Host '{pattern}'", draft)
        draft.add_hosts(pattern, variables, group, entry.key_position, places_in(entry.node))


def _variables(node: Node, what: str, draft: InventoryDraft) -> Variables:
    return {name: plain(entry.node, unsafe=node.unsafe) for name, entry in _entries(node, what, draft).items()}


def _named(node: Node, what: str, draft: InventoryDraft) -> dict[str, Entry]:
    """Entries of ``hosts`` and ``children``, where a single name may be plain text."""
    if isinstance(node.value, str):
        return {node.value: Entry(node.position, Node(None, node.position))}
    return _entries(node, what, draft)


def _entries(node: Node | None, what: str, draft: InventoryDraft) -> dict[str, Entry]:
    if node is None or node.value is None:
        return {}
    if isinstance(node.value, dict):
        return node.value
    hint = " End each name with a colon instead of beginning it with a dash." if isinstance(node.value, list) else ""
    _complain(f"{what} has to be a dictionary, but is {node.kind}.{hint}", node.position, draft)
    return {}


def _complain(detail: str, position: Position, draft: InventoryDraft) -> None:
    draft.mistakes.add("Wrong type in an inventory", detail=detail, position=position)
