"""Filters of community.general and ansible.utils, but for those of addresses, keys, tables and times.

Names, arguments and results are those that the collections document for their filters of the same names.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import pass_environment
from jinja2.exceptions import FilterArgumentError

from drumline.templating.bounds import limit, limit_items
from drumline.templating.filters import combine, flatten


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
    *lists, index = terms
    found: dict[Any, dict[Any, Any]] = {}
    for item in flatten(lists):
        if not isinstance(item, Mapping):
            raise FilterArgumentError("'lists_mergeby' takes lists of dictionaries.")
        if index in item:
            before = found.get(item[index], {})
            found[item[index]] = combine(before, item, recursive=recursive, list_merge=list_merge)
    return [found[key] for key in sorted(found)]


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
