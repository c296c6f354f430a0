"""Results that a check can't know: whatever reads them can't be known either, and says so instead of guessing.

A check doesn't run what it can't check, so that its result has no values, or made-up ones. Templates that read them
raise :class:`UnclearRead`, which makes their task unclear as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drumline.templating.failures import TemplateFailed
from drumline.templating.variables import Lookup

#: What is known of a task that would change something, though its other values aren't.
_KNOWN = ("changed", "failed", "skipped")


class UnclearRead(TemplateFailed):
    """A template reads what the check can't know; ``reason`` says why."""

    def __init__(self, name: str, reason: str) -> None:
        """``name`` is what is read, ``reason`` why its own task is unclear."""
        super().__init__(f"'{name}' can't be known in a check: {reason}")
        self.reason = f"it depends on '{name}', which can't be known: {root(reason)}"


def root(reason: str) -> str:
    """The reason at the beginning of a chain of tasks that depend on each other."""
    return reason.rpartition(", which can't be known: ")[2]


class Unclear(Lookup):
    """A value that isn't known, but for some of its keys."""

    __slots__ = ("_known", "_name", "_reason")

    def __init__(self, name: str, reason: str, known: Mapping[str, Any] | None = None) -> None:
        self._name, self._reason, self._known = name, reason, known or {}

    def unread(self) -> UnclearRead:
        """The exception for using it."""
        return UnclearRead(self._name, self._reason)

    def __getitem__(self, name: str) -> Any:
        if name in self._known:
            return self._known[name]
        raise self.unread()

    def __contains__(self, name: object) -> bool:
        if name in self._known:
            return True
        raise self.unread()

    def __iter__(self) -> Iterator[str]:
        raise self.unread()

    def __len__(self) -> int:
        raise self.unread()

    def __bool__(self) -> bool:
        raise self.unread()

    def __eq__(self, other: object) -> bool:
        raise self.unread()

    __hash__ = None  # type: ignore[assignment]  # as of all values that aren't constant

    def __str__(self) -> str:
        raise self.unread()


class UnclearVariable:
    """A variable that a task would set which a check can't run: looking it up raises."""

    __slots__ = ("_name", "_reason")

    def __init__(self, name: str, reason: str) -> None:
        self._name, self._reason = name, reason

    def unread(self) -> UnclearRead:
        """The exception for looking it up."""
        return UnclearRead(self._name, self._reason)


class _Items(list[Any]):
    """Results of items, some of which are unclear. It is no plain list, so whoever uses it as a whole reads those."""

    __slots__ = ()


def known_of(name: str, values: Mapping[str, Any]) -> Any:
    """A registered result as templates see it: what is unclear of it, or of its items, can't be read."""
    if not values.get("unclear"):
        return values
    known = {key: values[key] for key in _KNOWN if key in values} if values.get("changed") else {}
    items = values.get("results")
    if isinstance(items, list):
        known["results"] = _Items(known_of(name, item) if isinstance(item, Mapping) else item for item in items)
    return Unclear(name, values["unclear"], known)
