"""Filters that keep, remove and replace keys of dictionaries.

Names, arguments and results are those that community.general documents for its filters of the same names; those of
ansible.utils, which go into any depth, begin with ``utils_`` here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2.exceptions import FilterArgumentError

from drumline.templating import regular

#: What ansible.utils calls ways to match by another name.
_OF_UTILS = {"equality": "equal"}


def keep_keys(data: Iterable[Any], target: Any = None, matching_parameter: str = "equal") -> list[dict[Any, Any]]:
    """The dictionaries of a list with these keys only."""
    matches = _matcher(target, matching_parameter)
    return [{key: value for key, value in item.items() if matches(key)} for item in data]


def remove_keys(data: Iterable[Any], target: Any = None, matching_parameter: str = "equal") -> list[dict[Any, Any]]:
    """The dictionaries of a list without these keys."""
    matches = _matcher(target, matching_parameter)
    return [{key: value for key, value in item.items() if not matches(key)} for item in data]


def replace_keys(data: Iterable[Any], target: Any = None, matching_parameter: str = "equal") -> list[dict[Any, Any]]:
    """The dictionaries of a list with other keys: ``{before: …, after: …}`` each."""
    renamed = _renamer([target] if isinstance(target, Mapping) else target or (), matching_parameter)
    return [{renamed(key): value for key, value in item.items()} for item in data]


def _renamer(changes: Iterable[Any], how: str) -> Callable[[Any], Any]:
    """Gives for a key what the first change that matches makes of it; without one, the key."""
    made = [(_matcher(change["before"], how), change["after"]) for change in changes]
    return lambda key: next((after for matches, after in made if matches(key)), key)


def _matcher(target: Any, how: str) -> Callable[[Any], bool]:
    wanted = [target] if isinstance(target, str) else list(target or ())
    if how == "equal":
        return lambda key: key in wanted
    if how == "starts_with":
        return lambda key: str(key).startswith(tuple(wanted))
    if how == "ends_with":
        return lambda key: str(key).endswith(tuple(wanted))
    if how == "regex" and wanted:
        return lambda key: bool(regular.match("test", wanted[0], 0, str(key), "match"))
    raise FilterArgumentError(f"matching_parameter is equal, starts_with, ends_with or regex, not '{how}'.")


def utils_keep_keys(data: Any, target: Any, matching_parameter: str = "equality") -> Any:
    """Dictionaries at any depth with these keys only; what has none of them is left out."""
    matches = _matcher(target, _OF_UTILS.get(matching_parameter, matching_parameter))
    return _kept(data, matches)


def _kept(data: Any, matches: Callable[[Any], bool]) -> Any:
    if isinstance(data, list) and not any(isinstance(item, (Mapping, list)) for item in data):
        return data
    if isinstance(data, list):
        return [kept for kept in (_kept(item, matches) for item in data) if kept not in ({}, [], None)]
    if isinstance(data, Mapping):
        found = {}
        for key, value in data.items():
            if matches(key):
                found[key] = value
            elif isinstance(value, (Mapping, list)) and (kept := _kept(value, matches)):
                found[key] = kept
        return found
    return None


def utils_remove_keys(data: Any, target: Any, matching_parameter: str = "equality") -> Any:
    """Dictionaries at any depth without these keys."""
    matches = _matcher(target, _OF_UTILS.get(matching_parameter, matching_parameter))

    def without(value: Any) -> Any:
        if isinstance(value, list):
            return [without(item) for item in value]
        if isinstance(value, Mapping):
            return {key: without(item) for key, item in value.items() if not matches(key)}
        return value

    return without(data)


def utils_replace_keys(data: Any, target: Any, matching_parameter: str = "equality") -> Any:
    """Dictionaries at any depth with other keys."""
    renamed = _renamer(target, _OF_UTILS.get(matching_parameter, matching_parameter))

    def within(value: Any) -> Any:
        if isinstance(value, list):
            return [within(item) for item in value]
        if isinstance(value, Mapping):
            return {renamed(key): within(item) for key, item in value.items()}
        return value

    return within(data)
