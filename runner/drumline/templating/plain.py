"""Plain data: what templates put out, and what is made of it; and values that aren't there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from typing import Any, NoReturn, TypeVar

from jinja2 import StrictUndefined, TemplateRuntimeError, Undefined, UndefinedError
from jinja2.utils import missing

from drumline.templating.bounds import VALUE, Meter, limit, weight
from drumline.templating.values import ATOMS, OMIT

_CLEAN = ATOMS | {dict, list}
_MOMENTS = (date, time, timedelta)

Container = TypeVar("Container", list[Any], tuple[Any, ...], dict[Any, Any])


class Missing(StrictUndefined):
    """An undefined value. It may be passed on, tested, and given a default, with its attributes; not used."""

    __slots__ = ("cause",)

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
        cause: Exception | None = None,
    ) -> None:
        super().__init__(hint, obj, name, exc)
        #: Why a variable that exists has no value.
        self.cause = cause

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: object) -> Any:
        return self

    def fail(self) -> NoReturn:
        """Raise the error that names what is undefined."""
        if self.cause is not None:
            raise self.cause
        if self._undefined_hint:
            raise self._undefined_exception(self._undefined_hint)
        raise NotDefined(self._undefined_obj, self._undefined_name)

    def _fail_with_undefined_error(self, *_arguments: Any, **_options: Any) -> NoReturn:
        self.fail()

    __iter__ = __str__ = __len__ = _fail_with_undefined_error
    __eq__ = __ne__ = __bool__ = __hash__ = __contains__ = _fail_with_undefined_error
    __add__ = __radd__ = __sub__ = __rsub__ = _fail_with_undefined_error
    __mul__ = __rmul__ = __div__ = __rdiv__ = _fail_with_undefined_error
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _fail_with_undefined_error
    __mod__ = __rmod__ = __pos__ = __neg__ = __call__ = _fail_with_undefined_error
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = _fail_with_undefined_error
    __complex__ = __pow__ = __rpow__ = _fail_with_undefined_error


class NotDefined(UndefinedError):
    """There is no such variable (``owner`` is jinja's ``missing``), or the owner has no such attribute or item."""

    def __init__(self, owner: Any, name: Any) -> None:
        super().__init__(f"'{name}' is undefined")
        self.owner = owner
        self.name = name


class NoData(TypeError):
    """What a template gives is neither text, number, list nor dictionary."""


def data(value: Any) -> Any:
    """The value as plain data; raises for what is undefined or no data at all, and for more than there may be."""
    if type(value) in ATOMS or value is OMIT or type(value) is Undefined:
        return value
    return _Plain().of(value)


class _Plain(Meter):
    """Makes plain data of one value."""

    __slots__ = ()

    def of(self, value: Any) -> Any:
        """The value, or a part of it."""
        if type(value) in ATOMS or value is OMIT:
            self.take(VALUE + len(value) if type(value) is str else VALUE)
            return value
        if isinstance(value, Missing):
            value.fail()
        if isinstance(value, Undefined):
            raise UndefinedError(value._undefined_hint)
        if isinstance(value, (str, int, float, *_MOMENTS)):
            return str(value) if isinstance(value, str) else value
        self.take(VALUE)
        if isinstance(value, Mapping):
            return {self.of(key): item for key, item in self._items(value)}
        if isinstance(value, Iterable):
            members = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
            return [item for item in map(self.of, members) if item is not OMIT]
        raise NoData(f"This gives {_described(value)}, which is no data. Are parentheses missing?")

    def _items(self, value: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
        for key, item in value.items():
            plain = self.of(item)
            if plain is not OMIT:
                yield key, plain


def _described(value: Any) -> str:
    return f"'{value.__name__}', a {type(value).__name__}" if hasattr(value, "__name__") else type(value).__name__


def looked_up(value: Any) -> Any:
    """The same for a value that comes straight from the variables: a dict or list there is plain throughout."""
    return value if type(value) in _CLEAN else data(value)


def join(pieces: Iterable[Any]) -> Any:
    """What a template gives that puts out these values: the one value, else the text of all, which may be empty."""
    found = list(pieces)
    if len(found) < 2:
        return _alone(found[0]) if found else ""
    return joined([piece if type(piece) is str else _text(piece) for piece in found])


def _alone(value: Any) -> Any:
    # What ``'x' if false`` gives counts as nothing within text, as None does; alone it is no value, as in Ansible.
    if type(value) is Undefined:
        raise UndefinedError(value._undefined_hint)
    return value


def joined(texts: list[str], between: str = "") -> str:
    """The texts as one, if that may be so long."""
    limit(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def concatenated(values: Iterable[Any], between: str = "") -> str:
    """``a ~ b``."""
    return joined([value if type(value) is str else _weighed_text(value) for value in values], between)


def literal(value: Container) -> Container:
    """A list or dict that the template itself writes."""
    for item in value.values() if isinstance(value, dict) else value:
        if type(item) not in ATOMS:
            weight(value)
            break
    return value


def _weighed_text(value: Any) -> str:
    if type(value) not in ATOMS:
        weight(value)
    return str(value)


def _text(value: Any) -> str:
    if value is OMIT:
        raise TypeError("'omit' can't be part of a text; it has to be the whole value.")
    return "" if value is None else str(value)
