"""What an object of the engine holds, at any depth, as plain data: two of them are the same if their pictures are."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

#: What is to be done next, which was said already; and what is only kept so that it isn't made twice.
_SAID = ("out", "_magic")


def picture(thing: Any) -> Any:
    """Lists and texts; an object that was met before is a number, so that it may refer to itself."""
    return _Painter().picture(thing)


class _Painter:
    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._met: list[Any] = []  # kept, so that no identity is given twice

    def picture(self, thing: Any) -> Any:
        kind = type(thing)
        if thing is None or kind in (str, int, float, bool, bytes) or kind.__module__.startswith("drumline.model"):
            return thing
        if isinstance(thing, (str, int, float)):
            return [kind.__name__, repr(thing)]
        if isinstance(thing, (tuple, frozenset, set)) and not thing:
            return kind.__name__
        if isinstance(thing, Mapping):
            return [kind.__name__, *([self.picture(key), self.picture(value)] for key, value in thing.items())]
        if isinstance(thing, (set, frozenset)):
            return [kind.__name__, *sorted(map(repr, thing))]
        if isinstance(thing, (list, tuple, deque)):
            return [kind.__name__, *map(self.picture, thing)]
        if callable(thing):
            return getattr(thing, "__qualname__", kind.__name__)
        if id(thing) in self._numbers:
            return f"#{self._numbers[id(thing)]}"
        self._numbers[id(thing)] = len(self._met)
        self._met.append(thing)
        return [kind.__name__, *([name, self.picture(value)] for name, value in _fields(thing))]


def _fields(thing: Any) -> list[tuple[str, Any]]:
    names = [*getattr(thing, "__struct_fields__", ()), *getattr(thing, "__dict__", ())]
    for base in type(thing).__mro__:
        names += [name for name in vars(base).get("__slots__", ()) if name not in ("__dict__", "__weakref__")]
    return [(name, getattr(thing, name)) for name in dict.fromkeys(names) if name not in _SAID and hasattr(thing, name)]
