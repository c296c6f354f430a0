"""``loop``, ``with_…`` and ``loop_control`` of a task."""

from __future__ import annotations

import re
from typing import Any

from drumline.loading import keywords
from drumline.loading.keywords import KeywordReader
from drumline.model.playbook import Loop
from drumline.model.value import Template, Value
from drumline.source.nodes import plain

#: Keys of this kind loop over what the lookup of that name finds.
PREFIX = "with_"
#: The items themselves, with lists among them flattened by one level.
_ITEMS = re.compile(rf"{PREFIX}(?:ansible\.(?:builtin|legacy)\.)?items")
_FIRST_FOUND = re.compile(rf"{PREFIX}(?:ansible\.(?:builtin|legacy)\.)?first_found")
#: Directories where ``with_first_found`` looks, by a word in the name of the task's action; ``files`` for others.
_PLACES = {"template": "templates", "var": "vars"}
#: The variable that holds what a lookup is given.
TERMS = "_terms"


def is_loop(keyword: str) -> bool:
    """Whether a key of a task is a loop over a lookup."""
    return keyword.startswith(PREFIX) and len(keyword) > len(PREFIX)


def read_loop(reader: KeywordReader, action: str) -> Loop | None:
    """The task's loop; ``action`` is how the task calls its action."""
    written = [key for key in reader.entries if key == "loop" or is_loop(key)]
    for key in written[1:]:
        detail = f"'{written[0]}' and '{key}' exclude each other."
        reader.problem(detail, reader.entries[key].node)
    control = _control(reader)
    node = reader.node(written[0]) if written else None
    if node is None:
        return None
    items = plain(node)
    if written[0] != "loop":
        return Loop(**_looked_up(written[0], items, action, reader), **control)
    if isinstance(node.value, list) or (isinstance(node.value, str) and items != node.value):
        return Loop(items=items, **control)
    reader.wrong("loop", "a list, or a template that gives one", node)
    return None


def _looked_up(keyword: str, terms: Value, action: str, reader: KeywordReader) -> dict[str, Any]:
    """What to loop over for ``with_…``."""
    if _ITEMS.fullmatch(keyword):
        return _flattened(terms)
    name = keyword.removeprefix(PREFIX)
    first_found = _FIRST_FOUND.fullmatch(keyword) is not None
    options = f", subdir='{_place(action)}'" if first_found else ""
    query = Template(f"query({name!r}, *{TERMS}{options})", reader.entries[keyword].key_position, bare=True)
    return {"items": terms, "query": query, "lenient": first_found}


def _place(action: str) -> str:
    return next((place for word, place in _PLACES.items() if word in action), "files")


def _flattened(items: Value) -> dict[str, Any]:
    """Lists among the items stand for their items, one level deep; a single value is a list of one.

    What is behind a template is known when the task runs.
    """
    values = items if isinstance(items, list) else [items]
    if any(isinstance(value, Template) for value in values):
        return {"items": items, "flatten": True}
    return {"items": [item for value in values for item in (value if isinstance(value, list) else [value])]}


def _control(reader: KeywordReader) -> dict[str, Any]:
    node = reader.node("loop_control")
    if node is None:
        return {}
    if not isinstance(node.value, dict):
        reader.wrong("loop_control", "a dictionary", node)
        return {}
    control = KeywordReader(node.value, reader.found)
    keywords.check_known(node.value, keywords.LOOP_CONTROL, "'loop_control'", control.found)
    return {
        "variable": control.value("loop_var", control.identifier, "item"),
        "index_variable": control.value("index_var", control.identifier),
        "label": control.value("label", lambda _, label: plain(label)),
        "pause": control.value("pause", control.number, 0),
        "extended": control.value("extended", control.maybe_boolean, False),
        "all_items": control.value("extended_allitems", control.maybe_boolean, True),
        "break_when": control.value("break_when", control.conditions, ()),
    }
