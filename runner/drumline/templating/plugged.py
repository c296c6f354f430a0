"""What plugins give to templates: filters, tests and lookups of theirs, made ready for jinja2.

They are given plain data, never what is undefined: that fails the template before they are called, as a use of it does
anywhere. What they give has to be plain data, too, and no more than a template may make. A ``ValueError`` of theirs is
for the author of the template; every other exception is the plugin's fault, and names it.

A filter or test may be ended between two steps of Python code, as templates are (``budget``). A lookup may wait for
others, in code that can't be ended: so it works on a thread of its own, and is left behind when the time is up.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

from jinja2 import Environment, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import FilterArgumentError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context

from drumline.plugin.actions import ActionFailed
from drumline.plugin.background import Background
from drumline.plugin.registry import Offers
from drumline.plugin.templates import LookupCall
from drumline.source.files import find_file
from drumline.templating.bounds import ValueTooLarge
from drumline.templating.functions import Function, imported
from drumline.templating.lookups import of_all_terms, search_path
from drumline.templating.plain import NoData, data
from drumline.templating.values import ATOMS
from drumline.templating.variables import Lookup
from drumline.templating.waiting import waited_for


def plugged_filter(offers: Offers[Any], name: str) -> Function:
    """A filter."""
    return _Work(offers, name, "filter").as_function(lambda found: found)


def plugged_test(offers: Offers[Any], name: str) -> Function:
    """A test: what it gives counts as true or false."""
    return _Work(offers, name, "test").as_function(bool)


def plugged_lookup(offers: Offers[Any], name: str) -> Function:
    """A lookup: called with the context, a term and the options, it gives a list."""
    work = _Work(offers, name, "lookup")
    if work.takes_all_terms:
        return of_all_terms(partial(_of_all, work))

    def look_up(context: Context, term: str, options: Mapping[str, Any]) -> list[Any]:
        call = LookupCall(
            term=term,
            options={name: _given(value) for name, value in options.items()},
            find_file=partial(find_file, places=search_path(context)),
        )
        found = waited_for(Background(lambda: work.on((call,), {}), "drumline-lookup"))
        return found if isinstance(found, list) else [found]

    return look_up


def _of_all(work: _Work, context: Context, terms: list[Any], options: Mapping[str, Any]) -> list[Any]:
    """What a lookup of a file beside the playbook finds."""
    variables = cast(Lookup, context.get_all())
    found = waited_for(Background(lambda: work.on((terms, variables), options), "drumline-lookup"))
    return found if isinstance(found, list) else [found]


class _Work:
    """One function of a plugin."""

    def __init__(self, offers: Offers[Any], name: str, kind: str) -> None:
        self._name = name
        self._kind = kind
        self._owner = offers.owners[name]
        self._function = self._loaded(offers[name])

    @property
    def takes_all_terms(self) -> bool:
        """It is a lookup as Ansible has them."""
        return getattr(self._function, "takes_all_terms", False)

    def as_function(self, adapt: Callable[[Any], Any]) -> Function:
        """As jinja2 calls it: where the function wants something of jinja2's own first, it is given that as it is."""

        def call(*arguments: Any, **options: Any) -> Any:
            return adapt(self.on(arguments, options))

        wanted = getattr(self._function, "jinja_pass_arg", None)
        if wanted is not None:
            call.jinja_pass_arg = wanted  # type: ignore[attr-defined]  # a mark of jinja2's
        return call

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


#: The variables of a host are looked up one by one.
_AS_THEY_ARE = (Lookup, LookupCall, ChainMap, Context, Environment, EvalContext)


def _given(value: Any) -> Any:
    """An argument as plain data."""
    return value if type(value) in ATOMS or isinstance(value, _AS_THEY_ARE) else data(value)
