"""Filters over data that jinja2 lacks; those over text are in ``text_filters``.

Names, arguments and results are those that ansible-core documents for its filters of the same names.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from jinja2 import Environment, pass_environment
from jinja2.exceptions import FilterArgumentError
from jinja2.filters import do_unique, make_attrgetter

from drumline.booleans import TRUE
from drumline.errors import FilesError
from drumline.model.value import Octal
from drumline.source import yaml, yaml_writing
from drumline.source.nodes import plain
from drumline.templating.bounds import limit_items
from drumline.templating.plain import Missing, concatenated, data

#: A line that begins so starts a document, wherever it stands (YAML 1.2, 9.1.2).
_DOCUMENT = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
_LIST_MERGES = ("replace", "keep", "append", "prepend", "append_rp", "prepend_rp")


def to_json(value: Any, **options: Any) -> str:
    """The value as JSON. Options are those of ``json.dumps``: indent, sort_keys, ensure_ascii, separators."""
    for ignored in ("vault_to_text", "preprocess_unsafe"):
        options.pop(ignored, None)
    return json.dumps(value, default=_json_default, **options)


def to_nice_json(value: Any, indent: int = 4, sort_keys: bool = True, **options: Any) -> str:
    """The value as JSON for reading."""
    return to_json(value, **{"separators": (",", ": ")} | options, indent=indent, sort_keys=sort_keys)


def _json_default(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return data(value)


def to_yaml(value: Any, default_flow_style: bool | None = None, **options: Any) -> str:
    """The value as YAML. Options: indent, width, sort_keys, explicit_start, explicit_end."""
    return yaml_writing.dump(data(value), flow=default_flow_style, **options)


def to_nice_yaml(value: Any, indent: int = 4, default_flow_style: bool | None = False, **options: Any) -> str:
    """The value as YAML for reading: one entry a line."""
    return to_yaml(value, default_flow_style, indent=indent, **options)


def from_json(text: str) -> Any:
    """The data that a JSON text holds."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise FilterArgumentError(f"This is no JSON: {error}.") from None


def from_yaml(text: str | None) -> Any:
    """The data that a YAML text holds; its strings are data, whatever braces are in them."""
    try:
        return None if text is None else plain(yaml.load(str(text), "from_yaml"), unsafe=True)
    except FilesError as error:
        [first, *_] = error.diagnostics
        line = f" in line {first.position.line}" if first.position else ""
        raise FilterArgumentError(f"This is not YAML{line}: {first.summary}. {first.detail}") from None


def from_yaml_all(text: str) -> list[Any]:
    """The documents of a YAML text."""
    parts = _DOCUMENT.split(text)
    # What stands before the first mark is a document only if it holds something.
    documents = [from_yaml(part) for part in parts]
    return documents[1:] if len(parts) > 1 and documents[0] is None else documents


def combine(*terms: Any, recursive: bool = False, list_merge: str = "replace") -> dict[Any, Any]:
    """The dicts (or lists of dicts) as one; later ones win."""
    if list_merge not in _LIST_MERGES:
        raise FilterArgumentError(f"list_merge is one of {', '.join(_LIST_MERGES)}, not '{list_merge}'.")
    merged: dict[Any, Any] = {}
    for term in flatten(terms):
        if not isinstance(term, Mapping):
            raise FilterArgumentError(f"'combine' takes dictionaries, not {_kind(term)}.")
        merged = _merged(merged, term, recursive, list_merge)
    return merged


def _merged(lower: Mapping[Any, Any], upper: Mapping[Any, Any], recursive: bool, list_merge: str) -> dict[Any, Any]:
    result = dict(lower)
    for key, value in upper.items():
        old = result.get(key)
        if recursive and isinstance(old, Mapping) and isinstance(value, Mapping):
            result[key] = _merged(old, value, recursive, list_merge)
        elif isinstance(old, list) and isinstance(value, list):
            result[key] = _merged_lists(old, value, list_merge)
        else:
            result[key] = value
    return result


def _merged_lists(old: list[Any], new: list[Any], how: str) -> list[Any]:
    if how in ("replace", "keep"):
        return new if how == "replace" else old
    if how.startswith("append"):
        return ([item for item in old if item not in new] if how == "append_rp" else old) + new
    return new + ([item for item in old if item not in new] if how == "prepend_rp" else old)


def dict2items(value: Mapping[Any, Any], key_name: str = "key", value_name: str = "value") -> list[dict[str, Any]]:
    """A list with a small dict for each entry."""
    if not isinstance(value, Mapping):
        raise FilterArgumentError(f"'dict2items' takes a dictionary, not {_kind(value)}.")
    return [{key_name: key, value_name: item} for key, item in value.items()]


def items2dict(value: Iterable[Any], key_name: str = "key", value_name: str = "value") -> dict[Any, Any]:
    """The dict whose entries are listed."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        raise FilterArgumentError(f"'items2dict' takes a list, not {_kind(value)}.")
    try:
        return {item[key_name]: item[value_name] for item in value}
    except (KeyError, TypeError):
        raise FilterArgumentError(f"'items2dict' takes dictionaries with '{key_name}' and '{value_name}'.") from None


def to_bool(value: Any) -> bool:
    """Whether it says yes: ``yes``, ``on``, ``true``, ``1``, in any case."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.lower() in TRUE
    return isinstance(value, (int, float)) and value == 1


def ternary(value: Any, true_val: Any, false_val: Any, none_val: Any = None) -> Any:
    """The first where the value is true, else the second; the third where it is None and a third is given."""
    if value is None and none_val is not None:
        return none_val
    return true_val if value else false_val


def mandatory(value: Any, msg: str | None = None) -> Any:
    """The value, which has to be defined."""
    if isinstance(value, Missing):
        if msg is None:
            value.fail()
        raise FilterArgumentError(msg)
    return value


@pass_environment
def unique(
    environment: Environment, value: Iterable[Any], case_sensitive: bool | None = None, attribute: Any = None
) -> list[Any]:
    """The items without those that were there before; text in any case is the same text."""
    items = list(value)
    try:
        return list(do_unique(environment, items, bool(case_sensitive), attribute))
    except TypeError:
        if case_sensitive is False or attribute is not None:
            raise
        return _distinct(items)


def _distinct(items: Iterable[Any]) -> list[Any]:
    items = list(items)
    try:
        return list(dict.fromkeys(items))
    except TypeError:
        return [item for place, item in enumerate(items) if item not in items[:place]]


def union(one: Iterable[Any], other: Iterable[Any]) -> list[Any]:
    """What is in any of both, in order, once."""
    return _distinct([*one, *other])


def intersect(one: Iterable[Any], other: Iterable[Any]) -> list[Any]:
    """What is in both, in the order of the first."""
    found = _container(other)
    return [item for item in _distinct(one) if item in found]


def difference(one: Iterable[Any], other: Iterable[Any]) -> list[Any]:
    """What is in the first only."""
    found = _container(other)
    return [item for item in _distinct(one) if item not in found]


def symmetric_difference(one: Iterable[Any], other: Iterable[Any]) -> list[Any]:
    """What is in one of both only."""
    one, other = list(one), list(other)
    return difference(one, other) + difference(other, one)


def _container(items: Iterable[Any]) -> Any:
    items = list(items)
    try:
        return set(items)
    except TypeError:
        return items


@pass_environment
def join(environment: Environment, value: Iterable[Any], d: str = "", attribute: Any = None) -> str:
    """The items as one text, with a text between them."""
    return concatenated(_of_each(environment, value, attribute), str(d))


@pass_environment
def total(environment: Environment, iterable: Iterable[Any], attribute: Any = None, start: Any = 0) -> Any:
    """The sum of the items, or of an attribute of each; lists are joined where ``start`` is one."""
    items = _of_each(environment, iterable, attribute)
    if not isinstance(start, list):
        return sum(items, start)
    # One list that grows: each sum of two would be copied for the next one.
    found = list(start)
    for item in items:
        if not isinstance(item, list):
            raise FilterArgumentError(f"'sum' joins lists here, and finds {_kind(item)}.")
        limit_items(len(found) + len(item))
        found += item
    return found


def _of_each(environment: Environment, items: Iterable[Any], attribute: Any) -> Iterable[Any]:
    return items if attribute is None else map(make_attrgetter(environment, attribute), items)


def flatten(value: Iterable[Any], levels: int | None = None, skip_nulls: bool = True) -> list[Any]:
    """The items of lists within the list, to a depth of ``levels``."""
    result: list[Any] = []
    for item in value:
        if skip_nulls and item in (None, "None", "null"):
            continue
        if isinstance(item, Sequence) and not isinstance(item, (str, bytes)) and levels != 0:
            result += flatten(item, None if levels is None else levels - 1, skip_nulls)
        else:
            result.append(item)
    return result


def zip_lists(*lists: Iterable[Any]) -> list[Any]:
    """The first items of all, the second ones, and so on, as far as the shortest goes."""
    return list(zip(*lists, strict=False))


def zip_longest(*lists: Iterable[Any], fillvalue: Any = None) -> list[Any]:
    """The first items of all, the second ones, and so on, with a filler for those that are short."""
    return list(itertools.zip_longest(*lists, fillvalue=fillvalue))


def combinations(value: Iterable[Any], size: int) -> list[Any]:
    """All choices of ``size`` items, in their order."""
    return list(itertools.combinations(value, size))


def permutations(value: Iterable[Any], size: int | None = None) -> list[Any]:
    """All orders of ``size`` items, by default of all."""
    return list(itertools.permutations(value, size))


def product(*lists: Iterable[Any], repeat: int = 1) -> list[Any]:
    """All choices of one item from each list."""
    return list(itertools.product(*lists, repeat=repeat))


def subelements(value: Any, path: str | Sequence[str], skip_missing: bool = False) -> list[list[Any]]:
    """Each item with each entry of a list inside it, as pairs."""
    keys = path.split(".") if isinstance(path, str) else list(path)
    pairs = []
    for item in value.values() if isinstance(value, Mapping) else value:
        inner = item
        for key in keys:
            if not isinstance(inner, Mapping):
                raise FilterArgumentError(f"'subelements' looks for '{key}' in {_kind(inner)}.")
            if key not in inner and skip_missing:
                inner = []
                break
            if key not in inner:
                raise FilterArgumentError(f"'subelements' finds no '{key}' in an item.")
            inner = inner[key]
        if not isinstance(inner, list):
            raise FilterArgumentError(f"'subelements' needs a list at '{'.'.join(keys)}', not {_kind(inner)}.")
        pairs += [[item, entry] for entry in inner]
    return pairs


@pass_environment
def extract(environment: Environment, key: Any, container: Any, morekeys: Any = None) -> Any:
    """What the container has under the key, and in there under further ones."""
    further = [] if morekeys is None else morekeys if isinstance(morekeys, list) else [morekeys]
    for part in (key, *further):
        container = environment.getitem(container, part)
    return container


def rekey_on_member(value: Any, key: str, duplicates: str = "error") -> dict[Any, Any]:
    """The dicts in a dict of dicts or a list, under what each has at ``key``."""
    result: dict[Any, Any] = {}
    for item in value.values() if isinstance(value, Mapping) else value:
        if not isinstance(item, Mapping) or key not in item:
            raise FilterArgumentError(f"'rekey_on_member' finds no '{key}' in an item.")
        if duplicates == "error" and item[key] in result:
            raise FilterArgumentError(f"'rekey_on_member' finds '{item[key]}' twice at '{key}'.")
        result[item[key]] = item
    return result


def choose(value: Any, start: int | None = None, step: int | None = None, seed: Any = None) -> Any:
    """A random item, or a random number below the value. The same seed gives the same choice."""
    source = random.Random(seed) if seed is not None else random.SystemRandom()
    if isinstance(value, int):
        return source.randrange(start or 0, value, step or 1)
    if start is not None or step is not None:
        raise FilterArgumentError("'random' takes start and step with a number only.")
    return source.choice(list(value))


def shuffle(value: Iterable[Any], seed: Any = None) -> list[Any]:
    """The items in random order. The same seed gives the same order."""
    items = list(value)
    source = random.Random(seed) if seed is not None else random.SystemRandom()
    source.shuffle(items)
    return items


def logarithm(value: float, base: float = math.e) -> float:
    """The logarithm, by default the natural one."""
    return math.log10(value) if base == 10 else math.log(value, base)


def root(value: float, base: float = 2) -> float:
    """The root, by default the square root."""
    return math.sqrt(value) if base == 2 else math.pow(value, 1.0 / float(base))


def type_debug(value: Any) -> str:
    """The name of the value's type."""
    return "int" if isinstance(value, Octal) else type(value).__name__


def _kind(value: Any) -> str:
    names = {dict: "a dictionary", list: "a list", str: "a string", type(None): "nothing (null)"}
    return names.get(type(value), f"a {type(value).__name__}")
