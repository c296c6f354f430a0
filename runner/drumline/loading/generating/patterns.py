"""Patterns: ordinary lists of tasks, or roles, with the parameters that rows fill in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from drumline.diagnostics import Position
from drumline.loading import keywords
from drumline.loading.generating.schema import Field, check_references, read_schema
from drumline.loading.keywords import KeywordReader
from drumline.loading.reading import Reading
from drumline.loading.role_files import RoleFiles
from drumline.source.nodes import Entry, Node

_KEYS = frozenset({"description", "handlers", "parameters", "role", "tasks"})
#: The argument spec of a role that is for its main tasks.
_MAIN = "main"


class Pattern(Struct, frozen=True, kw_only=True):
    """One pattern."""

    name: str
    #: None: it declares none, and takes every cell whose name can be that of a variable.
    parameters: Mapping[str, Field] | None
    content: Mapping[str, Entry]  #: The keywords of a play that it fills in: ``tasks`` or ``roles``, and ``handlers``.
    position: Position


def read_patterns(entries: Mapping[str, Entry], tables: Mapping[str, object], reading: Reading) -> dict[str, Pattern]:
    """All patterns by name; mistakes are noted."""
    found = {name: _read(name, entry, reading) for name, entry in entries.items()}
    for pattern in found.values():
        if pattern is not None and pattern.parameters:
            check_references(pattern.parameters, tables, reading.found)
    return {name: pattern for name, pattern in found.items() if pattern is not None}


def _read(name: str, entry: Entry, reading: Reading) -> Pattern | None:
    """A pattern that stands in a file of its own, which is named, or in place."""
    node: Node | None = entry.node
    if isinstance(entry.node.value, str):
        path = Path(entry.node.position.path).parent / Path(entry.node.value).expanduser()
        if not path.is_file():
            detail = f"There is no file '{path}'."
            reading.found.add("A pattern isn't there", detail=detail, position=entry.node.position, hides_names=True)
            return None
        node = reading.document(path, entry.node.position)
    if node is None:
        return None
    if isinstance(node.value, list):
        content = {"tasks": Entry(node.position, node)}
        return Pattern(name=name, parameters=None, content=content, position=node.position)
    if not isinstance(node.value, dict):
        detail = f"A pattern is a list of tasks, or a dictionary with 'tasks' or 'role', but this is {node.kind}."
        reading.found.add("Not a pattern", detail=detail, position=node.position, hides_names=True)
        return None
    return _of_entries(name, node.value, node.position, reading)


def _of_entries(name: str, entries: Mapping[str, Entry], position: Position, reading: Reading) -> Pattern | None:
    keywords.check_known(entries, _KEYS, "A pattern", reading.found)
    given = [key for key in ("tasks", "role") if key in entries]
    if len(given) != 1:
        detail = "A pattern has 'tasks' or 'role', one of the two."
        reading.found.add("What a pattern does isn't clear", detail=detail, position=position, hides_names=True)
        return None
    reader = KeywordReader(entries, reading.found)
    content = {key: entries[key] for key in ("tasks", "handlers") if key in entries}
    parameters = reader.node("parameters")
    fields = None if parameters is None else read_schema(parameters, "A parameter", reading.found)
    if "role" in entries:
        role = entries["role"]
        content["roles"] = Entry(role.key_position, Node([role.node], role.node.position))
        fields = _of_role(role.node, reading) if fields is None else fields
    return Pattern(name=name, parameters=fields, content=content, position=position)


def _of_role(node: Node, reading: Reading) -> dict[str, Field] | None:
    """The parameters that the argument spec of a role declares; None where it has none."""
    place = reading.places.find(str(node.value), Path(node.position.path).parent)
    spec = RoleFiles(place.path, reading, node.position).meta().argument_specs.get(_MAIN) if place else None
    options = spec.node.value.get("options") if spec is not None and isinstance(spec.node.value, dict) else None
    return None if options is None else read_schema(options.node, "An option", reading.found, strict=False)
