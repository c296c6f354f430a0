"""What differs between two inventories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

#: What stands for a value that isn't there.
_ABSENT = object()


class Difference(Struct, frozen=True):
    """One thing that is there on one side only, or otherwise."""

    kind: str  #: ``host``, ``group``, ``member``, ``child`` or ``variable``.
    of: str  #: The host or group that it is about.
    name: str = ""  #: Of a member, a child or a variable.
    before: Any = None
    after: Any = None

    @property
    def sign(self) -> str:
        """``+`` for what is new, ``-`` for what is gone, ``~`` for what is otherwise."""
        return "~" if None not in (self.before, self.after) else "+" if self.before is None else "-"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """What differs between two listings whose groups have their own variables."""
    old, new = _hosts(before), _hosts(after)
    for host in dict.fromkeys([*old, *new]):
        if host not in new or host not in old:
            yield Difference("host", host, "", host if host in old else None, host if host in new else None)
        yield from _variables(host, old.get(host, {}), new.get(host, {}))
    for group in (name for name in dict.fromkeys([*before, *after]) if name not in ("_meta", "ungrouped")):
        if group not in after or group not in before:
            yield Difference("group", group, "", group if group in before else None, group if group in after else None)
        was, now = before.get(group, {}), after.get(group, {})
        for kind, key in (("member", "hosts"), ("child", "children")):
            yield from _names(kind, group, was.get(key, ()), now.get(key, ()))
        yield from _variables(group, was.get("vars", {}), now.get("vars", {}))


def _hosts(listed: Mapping[str, Any]) -> dict[str, Any]:
    named = (host for group in listed.values() for host in group.get("hosts", ()))
    known = listed["_meta"]["hostvars"]
    return {host: known.get(host, {}) for host in dict.fromkeys([*known, *named])}


def _names(kind: str, group: str, before: Any, after: Any) -> Iterator[Difference]:
    for name in dict.fromkeys([*before, *after]):
        if name not in before or name not in after:
            yield Difference(kind, group, name, name if name in before else None, name if name in after else None)


def _variables(of: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if old != new:
            shown = [None if value is _ABSENT else {"value": value} for value in (old, new)]
            yield Difference("variable", of, name, *shown)
