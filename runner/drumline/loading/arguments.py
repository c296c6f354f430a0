"""Arguments of actions: checks before a run, and the same coercion again once templates have been rendered."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from drumline.booleans import FALSE, TRUE
from drumline.diagnostics import Diagnostics, Position, did_you_mean
from drumline.errors import FilesError
from drumline.loading.free_form import split_arguments
from drumline.loading.keywords import TASK
from drumline.model.value import Octal, Template, Value
from drumline.plugin.actions import Action, Argument
from drumline.plugin.hostpath import HostPath
from drumline.plugin.modes import Mode
from drumline.plugin.times import Duration, Moment
from drumline.secret import Secret
from drumline.source.moments import duration, instant
from drumline.templating.values import OMIT

_TIME_OF_DAY = r"\d{1,2}:\d\d(?::\d\d)?"
_HOUR = 3600
_OCTAL = r"(?:0o)?[0-7]+"
_SYMBOLIC = r"[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+(?:,[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+)*"


def coerce_arguments(action: Action, rendered: Mapping[str, Any], position: Position | None = None) -> dict[str, Any]:
    """A value for every declared argument, by its main name: the given one in the declared type, else the default.

    ``rendered`` may use aliases; ``OMIT`` and None count as not given. Raises ``FilesError`` with every
    argument that is unknown, missing, given twice or of the wrong type. Open arguments and ``object`` are passed on
    as they are.
    """
    found = Diagnostics()
    values = _coerced(action, rendered, lambda _name: position, found)
    if found:
        raise FilesError(found)
    return {argument.name: values.pop(argument.name, argument.default) for argument in action.arguments} | values


def check_arguments(
    action: Action,
    given: Mapping[str, Value],
    position_of: Callable[[str], Position],
    found: Diagnostics,
    *,
    complete: bool = True,
) -> None:
    """The same checks on arguments as written; templates pass until they are rendered.

    Unless they are ``complete``, required ones may be among those that aren't known yet.
    """
    _coerced(action, given, position_of, found, complete=complete)


def overlaid(action: Action, layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The arguments of several layers, of which later ones win, whichever of its names each gives an argument."""
    own = own_names(action)
    values: dict[str, tuple[str, Any]] = {}
    for layer in layers:
        values |= {own.get(name, name): (name, value) for name, value in layer.items()}
    return dict(values.values())


def own_names(action: Action) -> dict[str, str]:
    """The names that the action itself gives its arguments, by all names of theirs."""
    return {name: argument.name for name, argument in _declared(action).items()}


def _declared(action: Action) -> dict[str, Argument]:
    """The arguments by all of their names."""
    return {name: argument for argument in action.arguments for name in (argument.name, *argument.aliases)}


def _coerced(
    action: Action,
    given: Mapping[str, Any],
    position_of: Callable[[str], Position | None],
    found: Diagnostics,
    *,
    complete: bool = True,
) -> dict[str, Any]:
    declared = _declared(action)
    values: dict[str, Any] = {}
    written: dict[str, str] = {}
    for name, value in given.items():
        argument = declared.get(name)
        if argument is None:
            if not action.open_arguments and not _may_be_omitted(value):
                _add_unknown(action, name, position_of(name), found)
            elif action.open_arguments and value is not OMIT:
                values[name] = value
        elif argument.name in written:
            detail = f"'{name}' and '{written[argument.name]}' mean the same; give one of them."
            found.add("An argument is given twice", detail=detail, position=position_of(name))
        elif argument.refused and value is not None and not _may_be_omitted(value):
            detail = f"'{action.name}' has no '{name}' yet: {argument.refused}"
            found.add("Argument not supported yet", detail=detail, position=position_of(name))
        elif value is not OMIT and (value is not None or argument.type is object):
            written[argument.name] = name
            values[argument.name] = _checked(action, argument, name, value, position_of(name), found)
    if complete:
        _check_required(action, values, position_of(""), found)
    return values


def _may_be_omitted(value: Any) -> bool:
    """Whether it is left out, or is a template that may say so: what isn't given isn't refused."""
    return value is OMIT or (isinstance(value, Template) and re.search(r"\bomit\b", value.text) is not None)


def _add_unknown(action: Action, name: str, position: Position | None, found: Diagnostics) -> None:
    offered = [argument for argument in action.arguments if not argument.refused]
    names = [known for argument in offered for known in (argument.name, *argument.aliases)]
    takes = f" It takes {', '.join(argument.name for argument in offered)}." if names else " It takes none."
    keyword = f" It is a keyword of tasks: indent it like '{action.name}' itself." if name in TASK else ""
    detail = f"'{action.name}' has no argument '{name}'.{keyword or did_you_mean(name, names) or takes}"
    found.add("Unknown argument", detail=detail, position=position)


def _check_required(action: Action, values: Mapping[str, Any], position: Position | None, found: Diagnostics) -> None:
    missing = [argument.name for argument in action.arguments if argument.required and argument.name not in values]
    if missing:
        detail = f"'{action.name}' needs {' and '.join(repr(name) for name in missing)}."
        found.add("A required argument is missing", detail=detail, position=position)


def _checked(
    action: Action, argument: Argument, name: str, value: Any, position: Position | None, found: Diagnostics
) -> Any:
    if isinstance(value, (Template, Secret)):
        return value
    try:
        return _of_choice(argument, coerce(value, argument.type))
    except ValueError as error:
        detail = f"'{name}' of '{action.name}' {error}"
        found.add("An argument has a wrong value", detail=detail, position=position)
        return None


def _of_choice(argument: Argument, value: Any) -> Any:
    for item in value if isinstance(value, list) else [value]:
        if argument.choices and str(item) not in argument.choices and not isinstance(item, Template):
            choices = ", ".join(argument.choices)
            raise ValueError(f"is one of {choices}, not {item!r}.{did_you_mean(str(item), argument.choices)}")
    return value


def coerce(value: Any, kind: type) -> Any:
    """Convert a value to a type that an argument may declare, as Ansible does; ``ValueError`` with the reason."""
    return _COERCIONS[kind](value) if kind in _COERCIONS else value


def _to_str(value: Any) -> str:
    if isinstance(value, (list, dict)):
        raise _wrong("text", value)
    return str(value)


def to_bool(value: Any) -> bool:
    """Ansible's reading of true and false; ``ValueError`` for anything else."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if isinstance(value, (str, int)) and text in TRUE | FALSE:
        return text in TRUE
    raise _wrong("true or false", value)


def to_int(value: Any) -> int:
    """A whole number, perhaps as text; ``ValueError`` for anything else."""
    try:
        if not isinstance(value, bool) and (not isinstance(value, float) or value.is_integer()):
            return int(value)
    except (TypeError, ValueError):
        pass
    raise _wrong("a whole number", value)


def to_float(value: Any) -> float:
    """A finite number, perhaps as text; ``ValueError`` for anything else."""
    try:
        if not isinstance(value, bool) and math.isfinite(number := float(value)):
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    raise _wrong("a number", value)


def _to_list(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")] if value.strip() else []
    if isinstance(value, (int, float)):
        return [str(value)]
    raise _wrong("a list", value)


def _to_dict(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str) and value.lstrip().startswith("{"):
        import json  # imported late: few dictionaries are given as text

        try:
            return dict(json.loads(value))
        except ValueError:
            raise _wrong("a dictionary", value) from None
    if isinstance(value, str):
        words = split_arguments(value.replace(",", " "))
        if words.arguments and not words.others:
            return dict(words.arguments)
    raise _wrong("a dictionary", value)


def _to_path(value: Any) -> Path:
    try:
        return Path(_to_str(value)).expanduser()
    except RuntimeError as error:
        raise ValueError(f"can't be used as a path: {error}") from None


def _to_duration(value: Any) -> Duration:
    try:
        seconds = to_float(value)
    except ValueError:
        try:
            seconds = duration(value)
        except ValueError:
            seconds = -1.0
    if seconds < 0:
        raise _wrong("seconds, or a duration such as 10m", value)
    return Duration(seconds)


def _to_moment(value: Any) -> Moment:
    if isinstance(value, int) and not isinstance(value, bool):  # YAML 1.1 reads 12:30 as a base-60 number
        value = f"{value // 60}:{value % 60:02}" if value < _HOUR else str(timedelta(seconds=value))
    text = str(value).strip()
    try:
        if re.fullmatch(_TIME_OF_DAY, text):
            return Moment(time.fromisoformat(text if text[1:2].isdigit() else f"0{text}"))
        return Moment(instant(text))
    except ValueError as error:
        raise ValueError(f"takes a time of day, such as '02:00', or a date and time. {error}") from None


def _to_mode(value: Any) -> Mode:
    text = f"{value:04o}" if _is_bits(value) else value.strip() if isinstance(value, str) else ""
    if text and not (text == "preserve" or re.fullmatch(_OCTAL, text) or re.fullmatch(_SYMBOLIC, text)):
        text = ""
    if value != "" and not text:
        raise ValueError(f'takes permissions, octal or symbolic, such as "0644" or "u=rw,go=r", not {value!r}.')
    return Mode(text.removeprefix("0o"))


def _is_bits(value: Any) -> bool:
    """Whether a number must be meant as the bits themselves: written in octal, or with digits that aren't octal."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return False
    if value > 7 and not isinstance(value, Octal) and set(str(value)) <= set("01234567"):
        raise ValueError(
            f"takes permissions in octal, and {value} is a decimal number, {value:o} in octal: it would give mode "
            f'{value:04o}. Write "{value:04}", in quotes.'
        )
    return True


_COERCIONS: Mapping[type, Callable[[Any], Any]] = {
    str: _to_str,
    bool: to_bool,
    int: to_int,
    float: to_float,
    list: _to_list,
    dict: _to_dict,
    Path: _to_path,
    Duration: _to_duration,
    Moment: _to_moment,
    Mode: _to_mode,
    HostPath: lambda value: HostPath(_to_str(value)),
}


def _wrong(wanted: str, value: Any) -> ValueError:
    shown = {list: "a list", dict: "a dictionary", type(None): "nothing"}.get(type(value)) or repr(value)[:60]
    return ValueError(f"takes {wanted}, but this is {shown}.")
