"""What stands in a document, with positions: a tree of :class:`Node`, and the data that it means."""

from __future__ import annotations

import re
from typing import TypeAlias

from msgspec import Struct

from drumline.diagnostics import Position
from drumline.model.value import Octal, SecretTemplate, Template, Value
from drumline.secret import Secret
from drumline.source.vault import VAULT, keyring

#: The start of a value without a password.
_LOCKED = VAULT.decode()
#: What makes a text a template.
BRACES = re.compile(r"\{[{%#]")

Scalar: TypeAlias = str | int | float | bool | None


class Node(Struct, frozen=True):
    """A value and its position. ``unsafe``: braces in its text are not templates.

    ``secret``: it was encrypted. As data (:func:`plain`) it is a ``Secret`` or a ``SecretTemplate``.

    The position of a block scalar (``|``, ``>``) is that of its text: the line after the indicator, the column of its
    indentation. So line n of a literal text is line ``position.line + n - 1`` of the file. A quoted scalar's position
    is that of its quote. In folded and quoted text over several lines only the first line is known.
    """

    value: Scalar | list[Node] | dict[str, Entry]
    position: Position
    unsafe: bool = False
    secret: bool = False

    @property
    def kind(self) -> str:
        """Its type in messages: "text", "a list", "a dictionary", "a whole number", …"""
        return _KINDS[int if isinstance(self.value, Octal) else type(self.value)]


class Entry(Struct, frozen=True):
    """One key of a dictionary and its value."""

    key_position: Position
    node: Node


_KINDS: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "nothing",
    list: "a list",
    dict: "a dictionary",
}


def plain(node: Node | None, *, unsafe: bool = False, hide: bool = True) -> Value:
    """The tree as plain data, in which the author's text with braces is a ``Template``; None for no document.

    Without ``hide`` what was encrypted isn't secret by that alone: keywords of a playbook that is encrypted as a whole,
    such as the names of its tasks.
    """
    if node is None:
        return None
    value, unsafe = node.value, unsafe or node.unsafe
    if isinstance(value, str):
        text = value if unsafe else text_value(value, node.position)
        return hidden(text) if node.secret and hide else text
    if isinstance(value, dict):
        return {key: plain(entry.node, unsafe=unsafe, hide=hide) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(item, unsafe=unsafe, hide=hide) for item in value]
    return hidden(value) if node.secret and hide else value


def hidden(value: Value) -> Value:
    """Encrypted data, marked as secret. Values of templates in it become known when they are rendered."""
    if isinstance(value, Template):
        return SecretTemplate(value.text, value.position)
    if isinstance(value, str):
        if not value.startswith(_LOCKED):
            keyring().note(value)
        return Secret(value)
    if isinstance(value, (int, float)):
        keyring().note_number(value)
    if isinstance(value, dict):
        return {key: hidden(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hidden(item) for item in value]
    return value


def text_value(text: str, position: Position) -> str | Template:
    """Text that an author wrote: a template if it contains ``{{``, ``{%`` or ``{#``."""
    return Template(text, position) if "{" in text and BRACES.search(text) else text
