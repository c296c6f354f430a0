"""An inventory as others read it: YAML and INI that give the same inventory again, and tables for people.

Everything starts from a :func:`drumline.inventory.listing.listing` in which groups have their own variables.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def as_tree(listed: Mapping[str, Any]) -> dict[str, Any]:
    """The listing in the form of a YAML inventory: each group is written out where it is first met."""
    met: set[str] = set()

    def content_of(name: str) -> dict[str, Any]:
        if name in met:
            return {}
        met.add(name)
        group = listed.get(name, {})
        content = {
            "hosts": {host: {} for host in group.get("hosts", ())},
            "vars": dict(group.get("vars", {})),
            "children": {child: content_of(child) for child in group.get("children", ())},
        }
        return {key: value for key, value in content.items() if value}

    of_hosts = {host: dict(variables) for host, variables in listed["_meta"]["hostvars"].items()}
    return {"all": {**({"hosts": of_hosts} if of_hosts else {}), **content_of("all")}}


def as_ini(listed: Mapping[str, Any]) -> Iterator[str]:
    """The lines of an INI inventory."""
    of_hosts = listed["_meta"]["hostvars"]
    hosts = dict.fromkeys([*of_hosts, *(host for group in listed.values() for host in group.get("hosts", ()))])
    for host in hosts:
        words = (shlex.quote(f"{name}={ini_value(value)}") for name, value in of_hosts.get(host, {}).items())
        yield " ".join([host, *words])
    parents = [child for name, group in listed.items() if name != "all" for child in group.get("children", ())]
    for name, group in listed.items():
        if name != "_meta":
            yield from _section(name, group.get("hosts", ()) if name != "ungrouped" else ())
            # Whatever is in no other group is in all, even if no one says so.
            children = [child for child in group.get("children", ()) if name != "all" or child in parents]
            yield from _section(f"{name}:children", children)
            variables = group.get("vars", {})
            yield from _section(f"{name}:vars", [f"{key}={ini_value(value)}" for key, value in variables.items()])
    named = dict.fromkeys(child for group in listed.values() for child in group.get("children", ()))
    for name in named:
        if name not in listed and name != "ungrouped":
            yield from ("", f"[{name}]")


def _section(head: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from ("", f"[{head}]", *lines)


def ini_value(value: Any) -> str:
    """A value as INI inventories have it: a literal of Python, or text that is none."""
    if not isinstance(value, str):
        return repr(value)
    if not value or value != value.strip() or not value.isprintable() or value.startswith(("#", ";")):
        return repr(value)
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value
    return repr(value)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns with spaces between them."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    for row in (head, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
