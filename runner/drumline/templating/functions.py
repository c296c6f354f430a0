"""Filters and tests by name: jinja2's, drumline's, and those of plugins.

What isn't jinja2's is imported when a template that names it is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, TypeAlias

from drumline.templating.bounds import behind_check

Function: TypeAlias = Callable[..., Any]

#: What may stand before a name of Ansible's own.
PREFIX = "ansible.builtin."


class Functions(dict[str, Any]):
    """Those of one kind. As a dict it has what was used so far; all are found by their names, and iterated over."""

    def __init__(self, present: Mapping[str, Any], offered: Mapping[str, str]) -> None:
        """``present`` are there already; ``offered`` are drumline's, which win over them."""
        super().__init__(
            (name, behind_check(name, function)) for name, function in present.items() if name not in offered
        )
        self._offered = offered

    def __missing__(self, name: str) -> Function:
        short = name.removeprefix(PREFIX)
        if short in self._offered:
            found = behind_check(short, imported(self._offered[short]))
        elif short != name and short in self:
            found = self[short]
        else:
            raise KeyError(name)
        self[name] = found
        return found

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        short = name.removeprefix(PREFIX)
        return super().__contains__(short) or short in self._offered

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*super().__iter__(), *self._offered)))

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


def imported(where: str) -> Any:
    """What ``package.module:name`` names."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
