"""Variables from the command line: ``-e key=value``, ``-e '{"key": 1}'``, ``-e @FILE``. They override all others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from drumline.diagnostics import Position
from drumline.errors import FilesError, UsageError
from drumline.inventory.combining import combined
from drumline.loading.free_form import split_arguments
from drumline.loading.ids import IDENTIFIER
from drumline.model.value import Value
from drumline.source.nodes import Node, plain, text_value
from drumline.source.origins import note_variables
from drumline.source.yaml import load, read

#: The name of the command line in positions.
_PLACE = "-e"


def read_extra_vars(options: Iterable[str]) -> dict[str, Value]:
    """The variables of all ``-e`` options; later ones override earlier ones.

    Values of ``key=value`` are strings; write YAML or JSON for other types. Raises ``UsageError`` for an option that
    can't be understood, and ``FilesError`` for mistakes in a file.
    """
    variables: dict[str, Value] = {}
    for option in options:
        variables = combined([variables, _read(option.strip())])
    return variables


def _read(option: str) -> dict[str, Value]:
    if not option:  # as of a script's -e "$MORE"
        return {}
    if option.startswith("@"):
        path = Path(option[1:]).expanduser()
        return _variables(read(path), f"The file {path}")
    if option.startswith(("{", "[")):
        try:
            return _variables(load(option, _PLACE), "-e")
        except FilesError as error:
            # The text itself stays out of the message, since it may contain a password.
            reasons = " ".join(f"{mistake.summary}. {mistake.detail}" for mistake in error.diagnostics)
            reasons = reasons.replace("This file isn't", "This isn't")
            raise UsageError("A variable on the command line can't be read", f"-e: {reasons}") from None
    return _pairs(option)


def _variables(node: Node | None, place: str) -> dict[str, Value]:
    value = plain(node)
    if node is None or value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError("Variables have to be names with values", f"{place} holds something else.")
    note_variables(node, value)
    return {_name(key, place): item for key, item in value.items()}


def _pairs(option: str) -> dict[str, Value]:
    words = split_arguments(option)
    if words.others or not words.arguments:
        wrong = words.others[0] if words.others else option
        name, sign, _ = wrong.partition("=")
        if sign and not any(map(str.isspace, name)):
            _name(name, "-e")
        raise UsageError(
            "A variable on the command line can't be read",
            f"'{wrong}' isn't KEY=VALUE. Quote values that have spaces: -e 'key=\"two words\"'.",
        )
    return {name: text_value(value, Position(_PLACE)) for name, value in words.arguments.items()}


def _name(name: object, place: str) -> str:
    if not isinstance(name, str) or not IDENTIFIER.match(name):
        raise UsageError(
            "Not a name for a variable",
            f"{place} sets {name!r}; names are letters, digits and '_', and don't begin with a digit.",
        )
    return name
