"""Filters, tests and lookups that a template names and that aren't there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from jinja2 import nodes

from drumline.diagnostics import did_you_mean
from drumline.templating import not_yet
from drumline.templating.functions import Functions, short_name
from drumline.templating.jinja import DataEnvironment
from drumline.templating.lookups import unknown_lookups, wrong_references

#: Filters that are given the name of another filter or of a test: which of the two, and as which argument.
_NAMING = {
    "index_of": ("test", 0),
    "map": ("filter", 0),
    "select": ("test", 0),
    "reject": ("test", 0),
    "selectattr": ("test", 1),
    "rejectattr": ("test", 1),
}


#: What is said of a reference to a secret that no store resolves.
UNKNOWN_SECRET = "Unknown secret"


class Unknown(NamedTuple):
    """One such name; ``line`` counts within the template, from 1."""

    summary: str
    detail: str
    line: int


def unknown_names(tree: Sequence[nodes.Node], environment: DataEnvironment) -> Iterator[Unknown]:
    """All of a template, given by all its nodes; those of each kind in its order."""
    known = {"filter": cast(Functions, environment.filters), "test": cast(Functions, environment.tests)}
    seen = set()
    for kind, name, line in _named(tree):
        if name not in known[kind] and (kind, name) not in seen:
            seen.add((kind, name))
            yield Unknown(*_explained(kind, name, known[kind]), line)
    for detail, line in unknown_lookups(tree, environment.lookups):
        yield Unknown("Unknown lookup", detail, line)
    for detail, line in wrong_references(tree, environment.secrets):
        yield Unknown(UNKNOWN_SECRET, detail, line)


def _named(tree: Sequence[nodes.Node]) -> Iterator[tuple[str, str, int]]:
    for node in tree:
        if not isinstance(node, (nodes.Filter, nodes.Test)):
            continue
        yield ("filter" if isinstance(node, nodes.Filter) else "test"), node.name, node.lineno
        kind, place = _NAMING.get(short_name(node.name), ("", 0))
        given = node.args[place] if kind and len(node.args) > place else None
        if isinstance(node, nodes.Filter) and isinstance(given, nodes.Const) and isinstance(given.value, str):
            yield kind, given.value, node.lineno


def _explained(kind: str, name: str, known: Functions) -> tuple[str, str]:
    if why := known.refusal(name):
        return f"{kind.capitalize()} can't be used", why
    if not_there := not_yet.plugin(kind, name):
        return f"{kind.capitalize()} not supported yet", not_there
    hint = did_you_mean(name, (other for other in known if "." not in other))
    return f"Unknown {kind}", f"There is no {kind} '{name}'.{hint}"
