"""Filters, tests and lookups by name: jinja2's, drumline's, and those of plugins.

What isn't jinja2's is imported when a template that names it is compiled, a lookup when it is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, TypeAlias

from drumline.templating.bounds import behind_check
from drumline.templating.failures import NotRun
from drumline.templating.offers import BuiltIn

Function: TypeAlias = Callable[..., Any]

#: What may stand before a name of Ansible's own, and of the collections whose functions are here.
_PREFIX = re.compile(r"(?:ansible\.(?:builtin|utils|netcommon)|community\.general)\.(?=\w+\Z)")


def short_name(name: str) -> str:
    """The name without its collection, where that is one whose functions are here."""
    return _PREFIX.sub("", name, count=1) if "." in name else name


class Unrun:
    """Stands in for a filter, test or lookup that isn't run, since files are only looked at: using it fails."""

    takes_all_terms = True  # a lookup without terms fails as well

    def __init__(self, kind: str, name: str) -> None:
        self._kind, self._name = kind, name

    def __call__(self, *_arguments: Any, **_options: Any) -> Any:
        raise NotRun(self._kind, self._name)


class Functions(dict[str, Any]):
    """Those of one kind. As a dict it has what was used so far; all are found by their names, and iterated over."""

    def __init__(
        self, present: Mapping[str, Any], offered: Mapping[str, Function | str], adapt: Callable[[str], Function]
    ) -> None:
        """``present`` are there already; ``offered`` win over them. ``adapt`` makes one of a plugin's ready."""
        super().__init__(
            (name, behind_check(name, function)) for name, function in present.items() if not offered.get(name)
        )
        self._offered = offered
        self._adapt = adapt

    def __missing__(self, name: str) -> Function:
        short, known = short_name(name), self._offered_as(name)
        found: Function
        if known is not None:
            offer = self._offered[known]
            if isinstance(offer, Unrun):
                found = offer
            else:
                found = behind_check(short, imported(offer)) if isinstance(offer, BuiltIn) else self._adapt(known)
        elif short != name and super().__contains__(short):
            found = self[short]
        else:
            raise KeyError(name)
        self[name] = found
        return found

    def _offered_as(self, name: str) -> str | None:
        """The name under which it is offered; only what isn't here under a short name is looked for further."""
        short = short_name(name)
        offered = self._offered  # its 'get' looks further
        known = next((one for one in (name, short) if one in offered and offered[one] != ""), None)
        if known is not None or super().__contains__(short):
            return known
        return name if self._offered.get(name) else None

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        return super().__contains__(short_name(name)) or self._offered_as(name) is not None

    def unrun(self, kind: str) -> Functions:
        """The same names, none of which is run."""
        return _Unrun(self, kind)

    def refusal(self, name: str) -> str:
        """Why a name isn't there, if that is known."""
        refused: Mapping[str, str] = getattr(self._offered, "refused", {})
        return refused.get(name, "")

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*super().__iter__(), *filter(self._offered.get, self._offered))))

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


class _Unrun(Functions):
    def __init__(self, functions: Functions, kind: str) -> None:
        super().__init__({}, functions._offered, lambda name: Unrun(kind, name))
        self._kind = kind

    def __missing__(self, name: str) -> Function:
        if name not in self:
            raise KeyError(name)
        return Unrun(self._kind, name)


def imported(where: str) -> Any:
    """What ``package.module:name`` names."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
