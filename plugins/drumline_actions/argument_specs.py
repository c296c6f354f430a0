"""``validate_argument_spec``: hold variables against a spec of what they may be, as roles have one.

The rules are Ansible's: an option has a ``type`` (with ``elements`` of a list), ``choices``, may be ``required``, and a
dictionary may have ``options`` of its own, with conditions between them (``required_if``, ``mutually_exclusive``, …).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Effect, Result, Steps, Traits

Spec = Mapping[str, Mapping[str, Any]]

_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "n", "no", "off"})
_UNITS = "BKMGTPEZY"
#: Conditions on lists of options: whether a use that gives some of them is wrong, and how to say so.
_CONDITIONS: Mapping[str, tuple[Callable[[int, int], bool], str]] = {
    "mutually_exclusive": (lambda given, _all: given > 1, "parameters are mutually exclusive: {}"),
    "required_together": (lambda given, all_: 0 < given < all_, "parameters are required together: {}"),
    "required_one_of": (lambda given, _all: given == 0, "one of the following is required: {}"),
}


def perform(call: Call) -> Steps:
    spec, context = call["argument_spec"], {"validate_args_context": call["validate_args_context"] or {}}
    _require_spec(spec)
    given = dict(call["provided_arguments"] or {})
    for name in spec:
        try:
            given[name] = call.lookup(name)
        except ActionFailed:  # nothing defines it
            continue
    errors = list(errors_in(spec, given))
    if errors:
        message = "\n".join(["Validation of arguments failed:", *errors])
        raise ActionFailed(message, argument_errors=errors, argument_spec_data=spec, **context)
    return Result(message="The arg spec validation passed", values=context)
    yield  # a generator, like every action


def _require_spec(spec: Any, within: str = "argument_spec") -> None:
    """An invalid spec fails with the place of the fault."""
    for name, option in _required(spec, Mapping, "a dictionary of options", within).items():
        path = f"{within}.{name}"
        _required(option, Mapping, "a dictionary, with what the option may be", path)
        for key in ("aliases", "choices", *_CONDITIONS, "required_if"):
            _required(option.get(key) or [], list, "a list", f"{path}.{key}")
        for key in _CONDITIONS:
            for names in _lists(option.get(key)):
                _required(names, list, "a list of names", f"{path}.{key}")
        for rule in option.get("required_if") or ():
            if not isinstance(rule, list) or len(rule) < 3 or not isinstance(rule[2], list):
                raise ActionFailed(f"{path}.required_if has to be a list of [option, value, [options]], not {rule!r}")
        by = _required(option.get("required_by") or {}, Mapping, "a dictionary", f"{path}.required_by")
        for needed in by.values():
            _required([needed] if isinstance(needed, str) else needed, list, "lists of names", f"{path}.required_by")
        _require_spec(option.get("options") or {}, f"{path}.options")


def _required(value: Any, kind: type, words: str, path: str) -> Any:
    if not isinstance(value, kind):
        raise ActionFailed(f"{path} has to be {words}, not {value!r}")
    return value


def errors_in(spec: Spec, given: Mapping[str, Any], *, within: str = "") -> Iterator[str]:
    """What is wrong with values; ``within`` is the path of the option whose own options these are."""
    named = {alias: name for name, option in spec.items() for alias in option.get("aliases") or ()}
    values = {named.get(name, name): value for name, value in given.items()}
    if within:
        unknown = [f"{within}.{name}" for name in values if name not in spec]
        if unknown:
            yield f"{', '.join(unknown)}. Supported parameters include: {', '.join(sorted(spec))}."
    missing = [name for name, option in spec.items() if option.get("required") and name not in values]
    if missing:
        yield f"missing required arguments: {', '.join(sorted(missing))}{_found_in(within)}"
    known: dict[str, Any] = {}
    for name, option in spec.items():
        if name in values:
            error, known[name] = _typed(name, option, values[name], within)
            if error:
                yield error
                del known[name]
    for name, value in known.items():
        yield from _not_chosen(name, spec[name], value, within)
    for name, value in known.items():
        yield from _inner(spec[name], value, f"{within}.{name}" if within else name)


def _found_in(within: str) -> str:
    return f" found in {within.replace('.', ' -> ')}" if within else ""


def _typed(name: str, option: Mapping[str, Any], value: Any, within: str) -> tuple[str, Any]:
    """What is wrong with the type of a value, and the value in that type."""
    kind, elements = str(option.get("type") or "str"), option.get("elements")
    try:
        value = coerced(value, kind)
    except ValueError as error:
        return f"argument '{name}' {_wrong_type(value, kind, within, error)}", value
    if kind == "list" and elements:
        for item, reason in _unfit(value, elements):
            return f"Elements value for option '{name}' {_wrong_type(item, elements, within, reason)}", value
    return "", value


def _inner(option: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    """What is wrong within a dictionary, or a list of them, that has options of its own."""
    inner = option.get("options")
    for item in value if isinstance(value, list) else [value]:
        if isinstance(inner, Mapping) and isinstance(item, Mapping):
            yield from errors_in(inner, item, within=path)
            yield from _between(option, item, path)


def _wrong_type(value: Any, kind: str, within: str, error: ValueError) -> str:
    return f"is of type {_type(value)}{_found_in(within)} and we were unable to convert to {kind}: {error}"


def _unfit(items: Iterable[Any], kind: str) -> Iterator[tuple[Any, ValueError]]:
    for item in items:
        try:
            coerced(item, kind)
        except ValueError as error:
            yield item, error


def _not_chosen(name: str, option: Mapping[str, Any], value: Any, within: str) -> Iterator[str]:
    choices = ", ".join(map(str, option.get("choices") or ()))
    known = set(map(str, option.get("choices") or ()))
    wrong = [item for item in (value if isinstance(value, list) else [value]) if str(item) not in known]
    if not known or not wrong:
        return
    said = ", ".join("" if item is None else str(item) for item in wrong)
    if isinstance(value, list):
        yield f"value of {name} must be one or more of: {choices}. Got no match for: {said}{_found_in(within)}"
    else:
        yield f"value of {name} must be one of: {choices}, got: {said}{_found_in(within)}"


def _between(option: Mapping[str, Any], values: Mapping[str, Any], path: str) -> Iterator[str]:
    """Conditions between the options of a dictionary that don't hold."""
    for condition, (is_wrong, words) in _CONDITIONS.items():
        for names in _lists(option.get(condition)):
            if is_wrong(sum(name in values for name in names), len(names)):
                separator = "|" if condition == "mutually_exclusive" else ", "
                yield words.format(separator.join(names)) + _found_in(path)
    for rule in option.get("required_if") or ():
        name, value, needed, *rest = rule
        absent = [one for one in needed if one not in values]
        any_of = bool(rest and rest[0])
        if values.get(name) == value and absent and not (any_of and len(absent) < len(needed)):
            how = "any" if any_of else "all"
            yield f"{name} is {value} but {how} of the following are missing: {', '.join(absent)}{_found_in(path)}"
    for name, needed in (option.get("required_by") or {}).items():
        absent = [one for one in ([needed] if isinstance(needed, str) else needed) if one not in values]
        if name in values and absent:
            yield f"missing parameter(s) required by '{name}': {', '.join(absent)}{_found_in(path)}"


def _lists(value: Any) -> Iterable[Sequence[str]]:
    if not value:
        return ()
    return [value] if all(isinstance(item, str) for item in value) else value


def _type(value: Any) -> str:
    return "NoneType" if value is None else type(value).__name__


def coerced(value: Any, kind: str) -> Any:
    """The value as one of a type of Ansible's. Raises ``ValueError`` with the reason."""
    return _TYPES[kind](value) if kind in _TYPES else value


def _bool(value: Any) -> bool:
    text = str(value).strip().lower()
    if isinstance(value, (bool, int, float, str)) and text in _TRUE | _FALSE:
        return text in _TRUE
    raise ValueError(f"The value {value!r} is not a valid boolean")


def _int(value: Any) -> int:
    try:
        if isinstance(value, (int, str)) or (isinstance(value, float) and value.is_integer()):
            return int(value)
    except ValueError:
        pass
    raise ValueError(f'"{value!r}" cannot be converted to an int')


def _float(value: Any) -> float:
    try:
        if isinstance(value, (int, float, str)):
            return float(value)
    except ValueError:
        pass
    raise ValueError(f"{value!r} cannot be converted to a float")


def _list(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")]
    if isinstance(value, (int, float)):
        return [str(value)]
    raise ValueError(f"{_type(value)} cannot be converted to a list")


def _dict(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str):
        found = _dict_in(value)
        if found is not None:
            return found
        raise ValueError("dictionary requested, could not parse JSON or key=value")
    raise ValueError(f"{_type(value)} cannot be converted to a dict")


def _dict_in(text: str) -> dict[str, Any] | None:
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None
    words = [word.partition("=") for word in text.replace(",", " ").split()]
    return {name: value for name, _, value in words} if words and all(sign for _, sign, _ in words) else None


def _bytes(value: Any) -> int:
    text = str(value).strip().upper().removesuffix("B") or "x"
    power = _UNITS.find(text[-1]) if text[-1].isalpha() else 0
    try:
        number = float(text.rstrip(_UNITS))
    except ValueError:
        number = -1.0
    if power < 0 or number < 0:
        raise ValueError(f"{value!r} cannot be converted to a Byte value")
    return int(number * 1024**power)


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_TYPES: Mapping[str, Callable[[Any], Any]] = {
    "bool": _bool,
    "int": _int,
    "float": _float,
    "list": _list,
    "dict": _dict,
    "bytes": _bytes,
    "bits": _bytes,
    "json": _json,
    "jsonarg": _json,
}

ACTIONS = (
    Action(
        name="validate_argument_spec",
        foreground=True,
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        help="Hold variables against a spec of what they may be",
        arguments=(
            Argument(name="argument_spec", type=dict, required=True, help="Options by name: type, choices, required"),
            Argument(name="provided_arguments", type=dict, help="Values; variables of an option's name override them"),
            Argument(name="validate_args_context", type=dict, help="What the spec belongs to; part of the result"),
        ),
    ),
)
