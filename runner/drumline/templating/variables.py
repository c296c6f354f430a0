"""What templates look variables up in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drumline.diagnostics import did_you_mean


class Lookup(Mapping[str, Any]):
    """A mapping of variables. In ``x.name`` its names win over its methods, and it explains what it lacks."""

    __slots__ = ()

    def absent(self, name: str) -> str:
        """The sentence that says that it hasn't this name."""
        return f"'{name}' is undefined.{did_you_mean(name, self)}"

    def doubt(self, name: str) -> Exception | None:
        """What to raise in a template for a name that isn't here, if it can't be known whether it would be."""
        return None


class Unresolved(Exception):
    """Raised by a ``Lookup`` for a variable that exists but whose own template needs something undefined."""
