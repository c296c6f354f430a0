"""Lookups over what they are given and over the variables; each takes all of its terms at once.

Terms, options and results are those that ansible-core documents for its lookups of the same names.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from jinja2.exceptions import FilterArgumentError
from jinja2.runtime import Context
from jinja2.utils import missing

from drumline.templating import regular
from drumline.templating.bounds import check_percent, limit_items
from drumline.templating.filters import to_bool
from drumline.templating.lookups import of_all_terms

Options = Mapping[str, Any]
#: ``5``, ``5-8``, ``2-10/2``, each perhaps with ``:`` and a format.
_NUMBER = r"0x[0-9a-fA-F]+|-?\d+"
_SHORT = re.compile(
    rf"(?:(?P<start>{_NUMBER})-)?(?P<end>{_NUMBER})(?:/(?P<stride>-?\d+))?(?::(?P<format>.+))?\Z", re.DOTALL
)


@of_all_terms
def items(_context: Context, terms: Sequence[Any], _options: Options) -> list[Any]:
    """The items of the lists, and what isn't a list."""
    return _flat(terms)


@of_all_terms
def as_list(_context: Context, terms: Sequence[Any], _options: Options) -> list[Any]:
    """The terms as they are."""
    return list(terms)


@of_all_terms
def dictionary(_context: Context, terms: Sequence[Any], _options: Options) -> list[Any]:
    """The entries of dictionaries, a small dictionary each."""
    found = []
    for term in _flat(terms):
        if not isinstance(term, Mapping):
            raise FilterArgumentError("the 'dict' lookup takes dictionaries.")
        found += [{"key": key, "value": value} for key, value in term.items()]
    return found


@of_all_terms
def indexed_items(_context: Context, terms: Sequence[Any], _options: Options) -> list[Any]:
    """Each item with its number, from 0."""
    return [[number, item] for number, item in enumerate(_flat(terms))]


@of_all_terms
def nested(_context: Context, terms: Sequence[Any], _options: Options) -> list[Any]:
    """Each item of the first list with each of the second, and so on."""
    lists = [term if isinstance(term, list) else [term] for term in terms]
    count = 1
    for one in lists:
        count *= len(one)
        limit_items(count * len(lists))
    return [_flat(found) for found in itertools.product(*lists)] if lists else []


@of_all_terms
def flattened(_context: Context, terms: Sequence[Any], _options: Options) -> list[Any]:
    """The items of lists at any depth, without those that are nothing."""
    from drumline.templating.filters import flatten

    return flatten(terms, skip_nulls=False)


@of_all_terms
def together(_context: Context, terms: Sequence[Any], _options: Options) -> list[Any]:
    """The first items of all lists, the second ones, and so on, as far as the longest goes."""
    lists = [term if isinstance(term, list) else [term] for term in terms]
    limit_items(len(lists) * max(map(len, lists), default=0))
    return [_flat(found) for found in itertools.zip_longest(*lists)]


@of_all_terms
def subelements(_context: Context, terms: Sequence[Any], options: Options) -> list[Any]:
    """Each dictionary of a list with each item of the list that it has under a key."""
    from drumline.templating.filters import subelements as pairs

    if len(terms) not in (2, 3):
        raise FilterArgumentError("the 'subelements' lookup takes a list, a key, and perhaps flags.")
    flags = {**(terms[2] if len(terms) == 3 and isinstance(terms[2], Mapping) else {}), **options}
    listed = terms[0]
    if isinstance(listed, Mapping):
        listed = [
            value for value in listed.values() if not (isinstance(value, Mapping) and value.get("skipped", False))
        ]
    skip = flags.get("skip_missing", False)
    found = pairs(listed, terms[1], to_bool(skip))
    return [[_without(item, str(terms[1]).split(".")), inner] for item, inner in found]


def _without(item: Any, keys: list[str]) -> Any:
    """The dictionary without what is paired with it."""
    first, *more = keys
    if more:
        return {**item, first: _without(item[first], more)}
    return {key: value for key, value in item.items() if key != first}


@of_all_terms
def random_choice(_context: Context, terms: Sequence[Any], _options: Options) -> list[Any]:
    """One of the terms, by chance."""
    return [random.SystemRandom().choice(terms)] if terms else []


@of_all_terms
def sequence(_context: Context, terms: Sequence[Any], options: Options) -> list[Any]:
    """Numbers as text: ``start``, ``end`` or ``count``, ``stride``, ``format``."""
    if not terms:
        return _numbers(options)
    return [text for term in terms for text in _numbers({**options, **_written(str(term))})]


def _written(term: str) -> dict[str, Any]:
    short = _SHORT.match(term.strip())
    if short:
        return {name: value for name, value in short.groupdict().items() if value is not None}
    pairs = [word.partition("=") for word in term.split()]
    if any(not sign for _, sign, _ in pairs):
        raise FilterArgumentError(f"the 'sequence' lookup can't read '{term}'.")
    return {name: value for name, _, value in pairs}


def _numbers(options: Mapping[str, Any]) -> list[str]:
    start, end, count, stride = (_whole(options, name) for name in ("start", "end", "count", "stride"))
    form = str(options.get("format", "%d"))
    first, step = 1 if start is None else start, 1 if stride is None else stride
    if count is not None and end is not None:
        raise FilterArgumentError("the 'sequence' lookup takes 'count' or 'end', not both.")
    if count is not None:
        end = first + count * step - step
        step = 0 if count == 0 else step
    if end is None:
        raise FilterArgumentError("the 'sequence' lookup needs 'count' or 'end'.")
    if step == 0:
        return []
    if (end - first) * step < 0:
        which = "backwards, make stride negative" if step > 0 else "forward, don't make stride negative"
        raise FilterArgumentError(f"the 'sequence' lookup: to count {which}.")
    limit_items((end - first) // step + 1)
    check_percent(form, first)
    try:
        return [form % number for number in range(first, end + (1 if step > 0 else -1), step)]
    except (TypeError, ValueError):
        raise FilterArgumentError(f"the 'sequence' lookup can't format a number with '{form}'.") from None


def _whole(options: Mapping[str, Any], name: str) -> int | None:
    value = options.get(name)
    if value is None:
        return None
    try:
        return int(str(value), 0)
    except ValueError:
        raise FilterArgumentError(f"the 'sequence' lookup takes a whole number as '{name}', not '{value}'.") from None


@of_all_terms
def varnames(context: Context, terms: Sequence[Any], _options: Options) -> list[Any]:
    """The names of variables that match regular expressions."""
    names = [name for name in context.get_all() if isinstance(name, str)]
    patterns = [str(term) for term in terms]
    return [name for pattern in patterns for name in names if regular.match("test", pattern, 0, name, "search")]


@of_all_terms
def inventory_hostnames(context: Context, terms: Sequence[Any], _options: Options) -> list[Any]:
    """The hosts that match patterns, as ``hosts`` of a play takes them."""
    groups = context.resolve_or_missing("groups")
    known: Mapping[str, list[str]] = {} if groups is missing else groups
    parts = [part.strip() for term in _flat(terms) for part in re.split(r"[,:](?![^\[]*\])", str(term)) if part.strip()]
    found: list[str] = []
    for part in sorted(parts, key=lambda part: "&!".find(part[0])):  # what is taken away comes last, as in Ansible
        chosen = _matching(part.lstrip("&!"), known)
        if part[0] == "!":
            found = [host for host in found if host not in chosen]
        elif part[0] == "&":
            found = [host for host in found if host in chosen]
        else:
            found += [host for host in chosen if host not in found]
    return found


def _matching(pattern: str, groups: Mapping[str, list[str]]) -> list[str]:
    every = groups.get("all", [])

    def fits(name: str) -> bool:
        if pattern.startswith("~"):
            return bool(regular.match("test", pattern[1:], 0, name, "match"))
        return fnmatchcase(name, pattern)

    found = [host for name, hosts in groups.items() if fits(name) for host in hosts]
    return list(dict.fromkeys([*found, *(host for host in every if fits(host))]))


def _flat(terms: Iterable[Any]) -> list[Any]:
    """The items of lists within the list, one level."""
    return [item for term in terms for item in (term if isinstance(term, (list, tuple)) else [term])]
