"""Filters of community.general and ansible.utils that playbooks use most; those of addresses are elsewhere.

Names, arguments and results are those that the collections document for their filters of the same names.
"""

from __future__ import annotations

import configparser
import csv
import io
import re
import secrets
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import pass_environment
from jinja2.exceptions import FilterArgumentError

from drumline.templating import regular
from drumline.templating.bounds import limit, limit_items
from drumline.templating.filters import flatten

#: Milliseconds of each unit, and the names that it goes by.
_UNITS = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 7 * 86_400_000,
    "mo": 30 * 86_400_000,
    "y": 365 * 86_400_000,
}
_NAMES = {
    "ms": ("ms", "msec", "msecs", "millisecond", "milliseconds"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "week", "weeks"),
    "mo": ("mo", "month", "months"),
    "y": ("y", "year", "years"),
}
_UNIT_OF = {name: unit for unit, names in _NAMES.items() for name in names}
_PART = re.compile(r"([0-9]+)\s?([a-z]+)\Z", re.IGNORECASE)


def json_query(data: Any, expression: str) -> Any:
    """What a JMESPath expression finds in the data."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(str(expression), data)
    except RecursionError:
        raise FilterArgumentError("'json_query': the expression is nested too deeply.") from None
    except (JMESPathError, TypeError, ValueError) as error:
        raise FilterArgumentError(f"'json_query' of '{expression}': {error}.") from None


def make_dict(pairs: Iterable[Any]) -> dict[Any, Any]:
    """A dictionary of pairs."""
    try:
        return dict(pairs)
    except (TypeError, ValueError):
        raise FilterArgumentError("'dict' takes a list of pairs.") from None


def dict_kv(value: Any, key: Any) -> dict[Any, Any]:
    """A dictionary in which the value is under the key."""
    return {key: value}


def counter(sequence: Iterable[Any]) -> dict[Any, int]:
    """How often each item is there."""
    if isinstance(sequence, Mapping) or not isinstance(sequence, Iterable):
        raise FilterArgumentError("'counter' takes a list.")
    try:
        return dict(Counter(sequence))
    except TypeError:
        raise FilterArgumentError("'counter' counts texts and numbers, not lists or dictionaries.") from None


def crc32(value: Any) -> str:
    """The CRC of the text's UTF-8, in hexadecimal."""
    return f"{zlib.crc32(str(value).encode('utf-8', 'surrogateescape')):x}"


def groupby_as_dict(sequence: Iterable[Any], attribute: str) -> dict[Any, Any]:
    """The dictionaries of a list, under what each has at the attribute."""
    found: dict[Any, Any] = {}
    for item in sequence:
        if not isinstance(item, Mapping) or attribute not in item:
            raise FilterArgumentError(f"'groupby_as_dict' finds no '{attribute}' in an item.")
        if item[attribute] in found:
            raise FilterArgumentError(f"'groupby_as_dict' finds '{item[attribute]}' twice.")
        found[item[attribute]] = item
    return found


def random_mac(value: str, seed: Any = None) -> str:
    """The beginning of a hardware address, made whole by chance. The same seed gives the same."""
    import random

    parts = [part for part in str(value).lower().rstrip(":").split(":") if part]
    if not 1 <= len(parts) <= 5 or any(not re.fullmatch("[0-9a-f]{2}", part) for part in parts):
        raise FilterArgumentError(f"'random_mac' takes one to five bytes such as 52:54:00, not '{value}'.")
    source: random.Random = secrets.SystemRandom() if seed is None else random.Random(seed)
    number = source.randint(1 << 36, (1 << 40) - 1)
    rest = f"{number:010x}"
    parts += [rest[place : place + 2] for place in range(0, 10, 2)]
    return ":".join(parts[:6])


def version_sort(value: Iterable[str], reverse: bool = False) -> list[str]:
    """The versions in order."""
    from drumline.templating.jinja_tests import loose_version

    return sorted(value, key=loose_version, reverse=reverse)


def unicode_normalize(text: str, form: Any = "NFC") -> str:
    """The text in one of the normal forms of Unicode."""
    if form not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise FilterArgumentError(f"'{form}' is no normal form; there are NFC, NFD, NFKC and NFKD.")
    limit(len(str(text)) * 18)  # which one letter may become
    return unicodedata.normalize(form, str(text))


# Times.


def to_time_unit(human_time: Any, unit: str = "ms", year: Any = None, month: Any = None) -> float:
    """A time such as ``1h 30m`` in a unit. ``year`` and ``month`` say how long these are."""
    wanted = _UNIT_OF.get(unit)
    if wanted is None:
        raise FilterArgumentError(f"There is no unit of time '{unit}'; there are {', '.join(_UNITS)}.")
    if human_time == 0:
        return 0
    sizes = dict(_UNITS)
    sizes["y"] = _milliseconds(year, _UNITS) if year else _UNITS["y"]
    sizes["mo"] = _milliseconds(month, _UNITS) if month else _UNITS["mo"]
    return round(_milliseconds(human_time, sizes) / sizes[wanted], 12)


def _milliseconds(text: Any, sizes: Mapping[str, int]) -> int:
    total = 0
    for part in str(text).split():
        found = _PART.match(part)
        unit = _UNIT_OF.get(found[2]) or _UNIT_OF.get(found[2].rstrip("s")) if found else None
        if found is None or unit is None:
            raise FilterArgumentError(f"'{part}' is no time; write a whole number and a unit, such as 30m.")
        total += int(found[1]) * sizes[unit]
    return total


def _in_unit(unit: str) -> Callable[..., float]:
    def convert(human_time: Any, year: Any = None, month: Any = None) -> float:
        return to_time_unit(human_time, unit, year, month)

    convert.__doc__ = f"A time in {unit}."
    return convert


to_milliseconds, to_seconds, to_minutes, to_hours = map(_in_unit, ("ms", "s", "m", "h"))
to_days, to_weeks, to_months, to_years = map(_in_unit, ("d", "w", "mo", "y"))


# Files of other programs.


def from_csv(
    data: str,
    dialect: str = "excel",
    fieldnames: Any = None,
    delimiter: str | None = None,
    skipinitialspace: bool | None = None,
    strict: bool | None = None,
) -> list[dict[str, Any]]:
    """The rows of a table, each as a dictionary; the first line has the names unless they are given."""
    if isinstance(fieldnames, str):
        fieldnames = [name.strip() for name in fieldnames.split(",")]
    options = {"delimiter": delimiter, "skipinitialspace": skipinitialspace, "strict": strict}
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    try:
        return [dict(row) for row in csv.DictReader(io.StringIO(str(data)), fieldnames, dialect=dialect, **given)]
    except (csv.Error, TypeError) as error:
        raise FilterArgumentError(f"'from_csv': {error}.") from None


class _Ini(configparser.RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr


def from_ini(text: str) -> dict[str, Any]:
    """The sections of an INI text, each with its entries."""
    parser = _Ini(interpolation=None)
    try:
        parser.read_string(str(text))
    except configparser.Error as error:
        raise FilterArgumentError(f"This is no INI: {error}.") from None
    found = {name: dict(parser.items(name)) for name in parser.sections()}
    return {**found, **({"DEFAULT": dict(parser.defaults())} if parser.defaults() else {})}


def to_ini(value: Mapping[Any, Any]) -> str:
    """Sections with their entries as an INI text."""
    if not isinstance(value, Mapping) or not value:
        raise FilterArgumentError("'to_ini' takes a dictionary of sections.")
    parser, written = _Ini(interpolation=None), io.StringIO()
    try:
        parser.read_dict(value)
    except (configparser.Error, AttributeError, TypeError, ValueError) as error:
        raise FilterArgumentError(f"'to_ini': {error}.") from None
    parser.write(written)
    return written.getvalue().rstrip("\n") + "\n"


# Lists and dictionaries.


def lists_union(*lists: Any, flatten: bool = False) -> list[Any]:
    """What is in any of the lists, once."""
    return _once(item for one in _lists(lists, flatten) for item in one)


def lists_intersect(*lists: Any, flatten: bool = False) -> list[Any]:
    """What is in all of the lists, once."""
    first, *others = _lists(lists, flatten) or [[]]
    return _once(item for item in first if all(item in other for other in others))


def lists_difference(*lists: Any, flatten: bool = False) -> list[Any]:
    """What is in the first list and in none of the others, once."""
    first, *others = _lists(lists, flatten) or [[]]
    return _once(item for item in first if not any(item in other for other in others))


def lists_symmetric_difference(*lists: Any, flatten: bool = False) -> list[Any]:
    """What is in one of two lists only, and so on with each further list."""
    found, *others = _lists(lists, flatten) or [[]]
    for one in others:
        found = _once([*(item for item in found if item not in one), *(item for item in one if item not in found)])
    return found


def _lists(lists: tuple[Any, ...], further: bool) -> list[list[Any]]:
    found = [item for term in lists for item in term] if further else list(lists)
    if not all(isinstance(one, list) for one in found):
        raise FilterArgumentError("This filter takes lists.")
    return found


def _once(items: Iterable[Any]) -> list[Any]:
    found = list(items)
    try:
        return list(dict.fromkeys(found))
    except TypeError:
        return [item for place, item in enumerate(found) if item not in found[:place]]


def lists_mergeby(*terms: Any, recursive: bool = False, list_merge: str = "replace") -> list[dict[Any, Any]]:
    """Lists of dictionaries as one: those with the same value under a key, the last argument, are combined."""
    from drumline.templating.filters import combine

    *lists, index = terms
    found: dict[Any, dict[Any, Any]] = {}
    for item in flatten(lists):
        if not isinstance(item, Mapping):
            raise FilterArgumentError("'lists_mergeby' takes lists of dictionaries.")
        if index in item:
            before = found.get(item[index], {})
            found[item[index]] = combine(before, item, recursive=recursive, list_merge=list_merge)
    return [found[key] for key in sorted(found)]


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
    changes = [
        (_matcher(change["before"], matching_parameter), change["after"])
        for change in ([target] if isinstance(target, Mapping) else target or ())
    ]

    def renamed(key: Any) -> Any:
        return next((after for matches, after in changes if matches(key)), key)

    return [{renamed(key): value for key, value in item.items()} for item in data]


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


# Of ansible.utils.


@pass_environment
def get_path(environment: Any, var: Any, path: str, wantlist: bool = False) -> Any:
    """What stands at a path such as ``a.b[0].c``."""
    for key in _keys(path):
        var = environment.getitem(var, key)
    return var if not wantlist or isinstance(var, list) else [var]


def _keys(path: str) -> list[Any]:
    parts = re.findall(r"""\[\s*(?:(\d+)|'([^']*)'|"([^"]*)")\s*\]|([^.\[\]]+)""", str(path))
    return [int(number) if number else one or other or name for number, one, other, name in parts]


def to_paths(var: Any, prepend: str | None = None, wantlist: bool = False) -> Any:
    """Every value within the data, under its path."""
    found: dict[str, Any] = {}
    _walk(var, prepend or "", found)
    return [found] if wantlist else found


def _walk(value: Any, path: str, found: dict[str, Any]) -> None:
    limit_items(len(found))
    if isinstance(value, Mapping):
        for key, item in value.items():
            plain = isinstance(key, str) and re.fullmatch(r"[a-zA-Z_]\w*", key)
            step = f".{key}" if plain else f"[{key!r}]"
            _walk(item, f"{path}{step}" if path or not plain else str(key), found)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _walk(item, f"{path}[{number}]", found)
    else:
        found[path] = value


@pass_environment
def index_of(
    environment: Any,
    data: list[Any],
    test: str,
    value: Any = None,
    key: str | None = None,
    fail_on_missing: bool = False,
    wantlist: bool = False,
) -> Any:
    """Where the items stand in the list for which a test holds."""
    places = []
    for place, item in enumerate(data):
        if key is not None and (not isinstance(item, Mapping) or key not in item):
            if fail_on_missing:
                raise FilterArgumentError(f"'index_of' finds no '{key}' in an item.")
            continue
        one = item if key is None else item[key]
        arguments = [] if value is None else [value]
        if environment.call_test(test, one, arguments):
            places.append(place)
    return places if wantlist or len(places) != 1 else places[0]


def utils_keep_keys(data: Any, target: Any, matching_parameter: str = "equality") -> Any:
    """Dictionaries at any depth with these keys only; what has none of them is left out."""
    matches = _matcher(target, _OF_UTILS.get(matching_parameter, matching_parameter))
    return _kept(data, matches)


_OF_UTILS = {"equality": "equal"}


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
    how = _OF_UTILS.get(matching_parameter, matching_parameter)
    changes = [(_matcher(change["before"], how), change["after"]) for change in target]

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(item) for item in value]
        if isinstance(value, Mapping):
            return {
                next((after for matches, after in changes if matches(key)), key): renamed(item)
                for key, item in value.items()
            }
        return value

    return renamed(data)
