"""What the cells of a table may be: the parameters of a pattern, and ``columns`` of a table.

The words are those of argument specs of roles: ``type``, ``elements``, ``required``, ``default``, ``choices``. One is
drumline's own: ``references`` names a table of which the value, or each of a list, is a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from drumline.diagnostics import Diagnostics, Position, did_you_mean
from drumline.loading.arguments import coerce
from drumline.loading.keywords import KeywordReader
from drumline.model.value import Template, Value
from drumline.secret import Secret
from drumline.source.nodes import Entry, Node, plain

#: The types of argument specs, and as what arguments of actions are taken.
_TYPES: Mapping[str, type] = {
    "any": object,
    "bool": bool,
    "dict": dict,
    "float": float,
    "int": int,
    "list": list,
    "path": str,
    "raw": object,
    "str": str,
}
_KEYS = frozenset({"choices", "default", "description", "elements", "references", "required", "type"})


class Field(Struct, frozen=True, kw_only=True):
    """One parameter or column."""

    name: str
    kind: type = str
    elements: type | None = None
    required: bool = False
    default: Value = None
    choices: tuple[str, ...] = ()
    references: str | None = None  #: A table.
    position: Position


def read_schema(node: Node | None, what: str, found: Diagnostics, *, strict: bool = True) -> dict[str, Field]:
    """The fields by name. ``what`` begins messages: ``A parameter``. Unless ``strict``, other keys are left alone."""
    if node is None or node.value is None:
        return {}
    if not isinstance(node.value, dict):
        detail = f"{what}s are a dictionary: their names, and what each may be. This is {node.kind}."
        found.add("Not a schema", detail=detail, position=node.position)
        return {}
    return {name: _field(name, entry, what, found, strict) for name, entry in node.value.items()}


def _field(name: str, entry: Entry, what: str, found: Diagnostics, strict: bool) -> Field:
    entries = entry.node.value if isinstance(entry.node.value, dict) else {}
    reader = KeywordReader(entries, found)
    if entry.node.value is not None and not isinstance(entry.node.value, dict):
        reader.wrong(name, "a dictionary, such as {type: int}", entry.node)
    for key, inner in entries.items():
        if strict and key not in _KEYS:
            detail = f"{what} has no '{key}'.{did_you_mean(key, _KEYS)}"
            found.add("Unknown key in a schema", detail=detail, position=inner.key_position)
    return Field(
        name=name,
        kind=_type(reader, "type") or str,
        elements=_type(reader, "elements"),
        required=reader.value("required", reader.boolean, False),
        default=plain(reader.node("default")),
        choices=_choices(reader),
        references=reader.value("references", reader.constant),
        position=entry.key_position,
    )


def _type(reader: KeywordReader, keyword: str) -> type | None:
    name = reader.value(keyword, reader.constant)
    if name is not None and name not in _TYPES:
        hint = did_you_mean(name, _TYPES) or f" They are {', '.join(_TYPES)}."
        node = reader.node(keyword)
        assert node is not None
        reader.problem(f"'{name}' is not a type.{hint}", node)
    return _TYPES.get(name or "")


def _choices(reader: KeywordReader) -> tuple[str, ...]:
    node = reader.node("choices")
    if node is None:
        return ()
    if not isinstance(node.value, list):
        reader.wrong("choices", "a list", node)
        return ()
    return tuple(str(item.value) for item in node.value)


def checked(value: Value, field: Field, keys: Mapping[str, Mapping[str, Any]]) -> Value:
    """The value in the field's type. ``keys`` are those of all tables. Raises ``ValueError`` with the reason."""
    if isinstance(value, (Template, Secret)):
        return value
    value = coerce(value, field.kind)
    if field.elements is not None and isinstance(value, list):
        value = [coerce(item, field.elements) for item in value]
    for item in value if isinstance(value, list) else [value]:
        if field.choices and str(item) not in field.choices:
            hint = did_you_mean(str(item), field.choices)
            raise ValueError(f"is one of {', '.join(field.choices)}, not {item!r}.{hint}")
        known = keys.get(field.references or "")
        if known is not None and str(item) not in known:
            hint = did_you_mean(str(item), known)
            raise ValueError(f"names a row of '{field.references}', and that has no row '{item}'.{hint}")
    return value


def check_references(fields: Mapping[str, Field], tables: Mapping[str, Any], found: Diagnostics) -> None:
    """Report references to tables that aren't there."""
    for field in fields.values():
        if field.references is not None and field.references not in tables:
            hint = did_you_mean(field.references, tables)
            detail = f"'{field.name}' references '{field.references}', and there is no table of that name.{hint}"
            found.add("Unknown table", detail=detail, position=field.position)
