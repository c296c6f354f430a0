"""Inventories in INI, as Ansible's ``ini`` inventory plugin reads them.

::

    web1 ansible_host=10.0.0.1        a host, its variables as a shell would split them
    [web]                             hosts of a group
    web[01:20]:2222
    [site:children]                   groups of a group
    web
    [web:vars]                        variables of a group, one a line
    http_port = 80

Values are read as Python literals; what isn't one is text. So ``80`` is a number, ``"80"`` on a line of ``:vars`` and
``'"80"'`` on a host's line are text, ``yes`` is text and ``True`` is true.
"""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from collections.abc import Iterator

from drumline.diagnostics import Position, did_you_mean
from drumline.model.value import Value
from drumline.plugin.sources import InventoryDraft
from drumline.source.nodes import text_value

_SECTION = re.compile(r"\[([^:\]\s]+)(?::([^\]\s]*))?\]\s*(?:#.*)?\Z")
_KINDS = ("hosts", "children", "vars")
#: Text that is certainly not a Python literal, which saves parsing most values.
_PLAIN_WORD = re.compile(r"[A-Za-z_/][\w./-]*\Z|[0-9]+\.[0-9]+\.[0-9.]+\Z")
_CONSTANTS = ("True", "False", "None")


def read_ini(text: str, path: str, draft: InventoryDraft) -> None:
    """Add the content of the text to the draft, including mistakes."""
    group, kind = "ungrouped", "hosts"
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in ";#":
            continue
        position = Position(path, number, len(raw) - len(raw.lstrip()) + 1)
        if section := _SECTION.match(line):
            group, kind = _begin_section(section, position, draft)
        elif line.startswith("[") and line.endswith("]"):
            detail = "A section is [group], [group:children] or [group:vars], without spaces."
            draft.mistakes.add("Not a section", detail=detail, position=position)
        elif kind == "hosts":
            _read_host(line, raw, group, position, draft)
        elif kind == "children":
            _read_child(line, group, position, draft)
        elif kind == "vars":
            _read_variable(line, raw, group, position, draft)


def _begin_section(section: re.Match[str], position: Position, draft: InventoryDraft) -> tuple[str, str]:
    group, kind = section[1], section[2] if section[2] is not None else "hosts"
    if kind not in _KINDS:
        detail = (
            f"A section is [group], [group:children] or [group:vars], not [...:{kind}].{did_you_mean(kind, _KINDS)}"
        )
        draft.mistakes.add("Unknown kind of section", detail=detail, position=position)
        return group, "unknown"
    if kind == "vars":
        draft.set_variables(group, {}, position)
    else:
        draft.declare(group, position)
    return group, kind


def _read_host(line: str, raw: str, group: str, position: Position, draft: InventoryDraft) -> None:
    try:
        words = _split(line)
    except ValueError as error:
        draft.mistakes.add("A host line can't be read", detail=f"{error}.", position=position)
        return
    variables: dict[str, Value] = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if equals and name:
            variables[name] = _value(value, _place(raw, f"{name}=", position))
        else:
            detail = f"The host's name is followed by variables as name=value, but this is {word!r}."
            draft.mistakes.add("Not a variable", detail=detail, position=_place(raw, word, position, before=True))
    draft.add_hosts(words[0], variables, group, position)


def _split(line: str) -> list[str]:
    """The line's words as a shell would read them, without a comment."""
    if any(character in line for character in "\"'\\#"):
        return shlex.split(line, comments=True)
    return line.split()


def _read_child(line: str, group: str, position: Position, draft: InventoryDraft) -> None:
    name = re.split(r"\s+#", line)[0].strip()
    if re.search(r"[\s:\]]", name):
        detail = f"A line here is the name of one group, but this is {name!r}."
        draft.mistakes.add("Not a group name", detail=detail, position=position)
    else:
        draft.add_child(group, name, position)


def _read_variable(line: str, raw: str, group: str, position: Position, draft: InventoryDraft) -> None:
    name, equals, value = (part.strip() for part in line.partition("="))
    if not equals or not name:
        detail = f"Variables of a group are written as name=value, but this is {line!r}."
        draft.mistakes.add("Not a variable", detail=detail, position=position)
        return
    draft.set_variables(group, {name: _value(value, _place(raw, value, position, before=True))}, position)


def _place(raw: str, text: str, line: Position, *, before: bool = False) -> Position:
    """The place of the text in the line, or of what comes after it."""
    index = raw.find(text)
    return Position(line.path, line.line, index + 1 + (0 if before else len(text))) if index >= 0 else line


def _value(text: str, position: Position) -> Value:
    if _PLAIN_WORD.match(text) and text not in _CONSTANTS:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            literal = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        literal = text
    return _data(literal, position)


def _data(literal: object, position: Position) -> Value:
    """A Python literal as a variable's value."""
    if isinstance(literal, str):
        return text_value(literal, position)
    if isinstance(literal, bool | int | float | None):
        return literal
    if isinstance(literal, list | tuple | set):
        return [_data(item, position) for item in _ordered(literal)]
    if isinstance(literal, dict):
        return {str(key): _data(value, position) for key, value in literal.items()}
    if isinstance(literal, bytes):
        return text_value(literal.decode("utf-8", "replace"), position)
    return "..." if literal is ... else str(literal)


def _ordered(items: list[object] | tuple[object, ...] | set[object]) -> Iterator[object]:
    return iter(sorted(items, key=repr) if isinstance(items, set) else items)
