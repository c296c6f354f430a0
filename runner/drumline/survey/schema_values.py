"""JSON Schemas of single values, as drumline takes them: a template may stand in most places, and text for a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from drumline.booleans import FALSE, TRUE
from drumline.plugin.actions import Argument
from drumline.plugin.hostpath import HostPath
from drumline.plugin.modes import Mode
from drumline.plugin.times import Duration, Moment

Schema: TypeAlias = dict[str, Any]

_TEMPLATE = r"\{\{|\{%"
#: Text that is a template.
TEMPLATE: Schema = {"type": "string", "pattern": _TEMPLATE}
ANYTHING: Schema = {}
NOTHING: Schema = {"type": "null"}
_WORDS = sorted(spelt for word in TRUE | FALSE for spelt in (word, word.capitalize(), word.upper()))
BOOLEAN: Schema = {
    "type": ["boolean", "string", "integer", "null"],
    "pattern": rf"^\s*({'|'.join(_WORDS)})\s*$|{_TEMPLATE}",
}
NUMBER: Schema = {"type": ["number", "string", "null"], "pattern": rf"^\s*\d+(\.\d+)?\s*$|{_TEMPLATE}", "minimum": 0}
TEXT: Schema = {"type": ["string", "number", "null"]}
#: Where nothing is rendered.
NAME: Schema = {"type": ["string", "number", "null"], "not": TEMPLATE}
NAMES: Schema = {"type": ["string", "number", "array", "null"], "items": {"type": ["string", "number"]}}
CONDITIONS: Schema = {"type": ["string", "boolean", "array", "null"], "items": {"type": ["string", "boolean"]}}
PATTERN: Schema = {"type": ["string", "number", "array", "null"], "items": {"type": ["string", "number"]}}
VARIABLE: Schema = {"type": ["string", "null"], "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}
VARIABLES: Schema = {
    "type": ["object", "null"],
    "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
}
DICTIONARY: Schema = {"anyOf": [{"type": ["object", "null"]}, TEMPLATE]}
AMOUNT: Schema = {
    "type": ["integer", "string", "null"],
    "pattern": rf"^\s*\d+\s*$|^\s*(100|\d?\d(\.\d+)?)\s*%\s*$|{_TEMPLATE}",
    "minimum": 0,
}


def choice(words: Iterable[str]) -> Schema:
    """One of these words, or a template that gives one."""
    return {"anyOf": [{"enum": [*words, None]}, TEMPLATE]}


def dictionary(properties: Mapping[str, Schema]) -> Schema:
    """Exactly these keys, or a template that gives all of it."""
    own = {"type": ["object", "null"], "properties": dict(properties), "additionalProperties": False}
    return {"anyOf": [own, TEMPLATE]}


#: Types of arguments. Whole numbers may be text, text may be a number, a list may be written as text with commas.
_TYPES: Mapping[type, Schema] = {
    str: {"type": ["string", "number", "boolean", "null"]},
    bool: BOOLEAN,
    int: {"type": ["number", "string", "boolean", "null"], "pattern": rf"^\s*[-+]?\d+\s*$|{_TEMPLATE}"},
    float: {"type": ["number", "string", "boolean", "null"], "pattern": rf"^\s*[-+]?\d|^\s*[-+]?\.\d|{_TEMPLATE}"},
    list: {"type": ["array", "string", "number", "null"]},
    dict: {"type": ["object", "string", "null"]},
    Path: {"type": ["string", "number", "null"]},
    HostPath: {"type": ["string", "number", "null"]},
    Mode: {"type": ["string", "integer", "null"], "pattern": rf"^(0o)?[0-7]+$|^[ugoa]*[-+=]|^preserve$|{_TEMPLATE}"},
    Duration: {"type": ["string", "number", "null"]},
    Moment: {"type": ["string", "number", "null"]},
}


def of_argument(argument: Argument) -> Schema:
    """The schema of an argument's value."""
    schema = _TYPES.get(argument.type, ANYTHING)
    if argument.choices and argument.type is str:
        schema = choice(argument.choices)
    return {**schema, "description": argument.help} if argument.help else dict(schema)
