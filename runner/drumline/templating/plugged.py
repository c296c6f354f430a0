"""What plugins give to templates: filters, tests and lookups of theirs, made ready for jinja2.

They are given plain data, never what is undefined: that fails the template before they are called, as a use of it does
anywhere. What they give has to be plain data, too, and no more than a template may make. A ``ValueError`` of theirs is
for the author of the template; every other exception is the plugin's fault, and names it.

A filter or test may be ended between two steps of Python code, as templates are (``budget``). A lookup may wait for
others, in code that can't be ended: so it works on a thread of its own, and is left behind when the time is up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from jinja2 import TemplateSyntaxError, UndefinedError
from jinja2.exceptions import FilterArgumentError
from jinja2.runtime import Context

from drumline.plugin.actions import ActionFailed
from drumline.plugin.background import Background
from drumline.plugin.registry import Offers
from drumline.plugin.templates import LookupCall
from drumline.source.files import find_file
from drumline.templating.bounds import ValueTooLarge
from drumline.templating.functions import Function, imported
from drumline.templating.lookups import playbook_dir
from drumline.templating.plain import NoData, data
from drumline.templating.values import ATOMS
from drumline.templating.variables import Lookup

#: Seconds between two moments at which a rendering that waits for a lookup can be ended.
_TICK = 0.05


def plugged_filter(offers: Offers[Any], name: str) -> Function:
    """A filter."""
    work = _Work(offers, name, "filter")
    return lambda *arguments, **options: work.on(arguments, options)


def plugged_test(offers: Offers[Any], name: str) -> Function:
    """A test: what it gives counts as true or false."""
    work = _Work(offers, name, "test")
    return lambda *arguments, **options: bool(work.on(arguments, options))


def plugged_lookup(offers: Offers[Any], name: str) -> Function:
    """A lookup: called with the context, a term and the options, it gives a list."""
    work = _Work(offers, name, "lookup")

    def look_up(context: Context, term: str, options: Mapping[str, Any]) -> list[Any]:
        call = LookupCall(
            term=term,
            options={name: _given(value) for name, value in options.items()},
            find_file=partial(find_file, playbook_dir=playbook_dir(context)),
        )
        found = _waited_for(Background(lambda: work.on((call,), {}), "drumline-lookup"))
        return found if isinstance(found, list) else [found]

    return look_up


class _Work:
    """One function of a plugin."""

    def __init__(self, offers: Offers[Any], name: str, kind: str) -> None:
        self._name = name
        self._kind = kind
        self._owner = offers.owners[name]
        self._function = self._loaded(offers[name])

    def _loaded(self, offer: Function | str) -> Function:
        try:
            function = imported(offer) if isinstance(offer, str) else offer
        except Exception as error:  # whatever importing a stranger's module raises
            told = f"{self._owner} offers the {self._kind} '{self._name}', which can't be imported"
            raise TemplateSyntaxError(f"{told}: {type(error).__name__}: {error}", 1) from None
        if not callable(function):
            raise TemplateSyntaxError(f"{self._owner} offers the {self._kind} '{self._name}', which is no function", 1)
        return function

    def on(self, arguments: Iterable[Any], options: Mapping[str, Any]) -> Any:
        """What the function makes of these, as plain data."""
        given = [_given(value) for value in arguments]
        named = {name: _given(value) for name, value in options.items()}
        try:
            return data(self._function(*given, **named))  # a generator goes on in there
        except (UndefinedError, ValueTooLarge):
            raise
        except (ValueError, ActionFailed) as error:
            raise FilterArgumentError(f"'{self._name}': {error}") from error
        except NoData as error:
            raise FilterArgumentError(self._fault(str(error))) from None
        except Exception as error:
            raise FilterArgumentError(self._fault(f"{type(error).__name__}: {error}")) from error

    def _fault(self, what: str) -> str:
        return f"{self._owner} failed in its {self._kind} '{self._name}': {what}"


def _given(value: Any) -> Any:
    """An argument as plain data. The variables of a host are looked up one by one."""
    return value if type(value) in ATOMS or isinstance(value, (Lookup, LookupCall)) else data(value)


def _waited_for(background: Background[Any]) -> Any:
    """Its result. The rendering that waits for it can be ended at any moment."""
    while not background.wait(_TICK):
        pass
    return background.result()
