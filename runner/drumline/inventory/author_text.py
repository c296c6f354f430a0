"""Variables from plugins: their text is trusted, like that of files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drumline.diagnostics import Position
from drumline.inventory.listing import UNSAFE
from drumline.model.value import Value
from drumline.source.nodes import text_value


def author_text(value: Any, position: Position) -> Value:
    """The value with its templates, except text that is marked as never being one."""
    if isinstance(value, str):
        return text_value(value, position)
    if isinstance(value, Mapping):
        if list(value) == [UNSAFE]:
            return value[UNSAFE]
        return {str(key): author_text(item, position) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [author_text(item, position) for item in value]
    return value
