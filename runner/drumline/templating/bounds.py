"""How large the values of templates may get, foreseen before they are made.

One call of C code runs to its end whatever happens, and nothing else of the program runs meanwhile. So what such a
call would make of its arguments is estimated first: by operators, by methods of texts and numbers, and by filters.
The estimates may be a little too high; a value near the limit is refused rather than made.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from types import BuiltinMethodType
from typing import Any, TypeAlias

#: Characters of text, and weight of data: each character counts 1, each value ``VALUE``.
MOST = 16 * 1024 * 1024
#: What one value weighs beside its characters.
VALUE = 16
#: Values of one list.
MOST_ITEMS = MOST // VALUE
#: Bits of a whole number; Python shows none of more than 4300 digits anyway.
_MOST_BITS = 1 << 16
#: A number of this size in a format or as a width is a mistake already.
_MOST_WIDTH = 1_000_000
#: Characters that filters take which look at each of them many times.
_MOST_SLOW = 20_000

_NUMBERS = re.compile(r"\d{6,}")
_NESTED_FIELD = re.compile(r"\{[^{}]*\{")
_TEXTS = (str, bytes)
_SEQUENCES = (str, bytes, list, tuple)

Check: TypeAlias = Callable[..., object]


class ValueTooLarge(Exception):
    """A value would get larger than a template may make it."""

    def __init__(self) -> None:
        super().__init__(
            f"This gives more than a template may: {MOST // 1024 // 1024} MiB of text, {MOST_ITEMS:,} values, "
            f"or a number of {_MOST_BITS:,} bits."
        )


def limit(size: float) -> None:
    """Refuse a text of more characters than a template may make."""
    if size > MOST:
        raise ValueTooLarge()


def limit_items(count: float) -> None:
    """Refuse a list of more values than a template may make."""
    if count > MOST_ITEMS:
        raise ValueTooLarge()


def weight(value: Any) -> int:
    """What the data weighs, written out in full: what stands in it twice counts twice. Refuses what weighs too much."""
    meter = Meter()
    meter.weigh(value)
    return MOST - meter.left


class Meter:
    """Adds up what data weighs."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST

    def weigh(self, value: Any) -> None:
        """Count the value and all that is in it."""
        if isinstance(value, _TEXTS):
            self.take(VALUE + len(value))
        elif isinstance(value, dict):  # no other mapping: those of variables are only looked up one by one
            self.take(VALUE)
            for key in value:
                self.weigh(key)
                self.weigh(value[key])
        elif isinstance(value, (list, tuple, set, frozenset)):
            self.take(VALUE)
            for item in value:
                self.weigh(item)
        else:
            self.take(VALUE)

    def take(self, amount: int) -> None:
        """Add a weight."""
        self.left -= amount
        if self.left < 0:
            raise ValueTooLarge()


# Operators.


def multiply(left: Any, right: Any) -> Any:
    """``left * right``."""
    if isinstance(left, int) and isinstance(right, int):
        _limit_bits(left.bit_length() + right.bit_length())
    else:
        for one, other in ((left, right), (right, left)):
            if isinstance(one, _SEQUENCES) and isinstance(other, int):
                _limit_size(one, len(one) * other)
    return left * right


def power(left: Any, right: Any) -> Any:
    """``left ** right``."""
    if isinstance(left, int) and isinstance(right, int) and right > 0 and abs(left) > 1:
        _limit_bits(left.bit_length() * right)
    return left**right


def add(left: Any, right: Any) -> Any:
    """``left + right``."""
    if isinstance(left, _SEQUENCES) and isinstance(right, _SEQUENCES):
        _limit_size(left, len(left) + len(right))
    return left + right


def modulo(left: Any, right: Any) -> Any:
    """``left % right``, which fills in a format when the left side is text."""
    if isinstance(left, _TEXTS):
        check_percent(left, *(right if isinstance(right, tuple) else (right,)))
    return left % right


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {"*": multiply, "**": power, "+": add, "%": modulo}


def _limit_size(value: Sequence[Any], size: float) -> None:
    if isinstance(value, _TEXTS):
        limit(size)
    else:
        limit_items(size)


def _limit_bits(bits: float) -> None:
    if bits > _MOST_BITS:
        raise ValueTooLarge()


# Formats.


def check_percent(form: Any, *arguments: Any, **named: Any) -> None:
    """A format with ``%``."""
    text = _text(form)
    _check_numbers(text)
    if "*" in text:
        _check_widths(arguments)
    limit(len(text) + text.count("%") * max(map(weight, (*arguments, *named.values())), default=0))


def check_format(form: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> None:
    """A format with ``{}``."""
    _check_numbers(form)
    values = (*arguments, *named.values())
    if _NESTED_FIELD.search(form):
        _check_widths(values)
    limit(len(form) + form.count("{") * max(map(weight, values), default=0))


def _check_numbers(text: str) -> None:
    if any(len(found) > 9 or int(found) > _MOST_WIDTH for found in _NUMBERS.findall(text)):
        raise ValueTooLarge()


def _check_widths(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, int) and abs(value) > _MOST_WIDTH:
            raise ValueTooLarge()
        if isinstance(value, str):
            _check_numbers(value)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value) if isinstance(value, str) else ""


# Methods of texts and numbers.


def check_method(method: Any, arguments: Sequence[Any], named: Mapping[str, Any]) -> None:
    """A call of a template's: refuse it where it is a method whose result would be too large."""
    if type(method) is not BuiltinMethodType:
        return
    check = _METHODS.get(method.__name__)
    if check is not None and isinstance(method.__self__, (*_TEXTS, int)):
        check(method.__self__, *arguments, **named)


def _width(_value: Any, width: Any = 0, *_fill: Any, **_named: Any) -> None:
    if isinstance(width, int):
        limit(width)


def _expandtabs(value: Any, tabsize: Any = 8) -> None:
    if isinstance(tabsize, int):
        limit(len(value) + value.count("\t" if isinstance(value, str) else b"\t") * tabsize)


def _replace(value: Any, old: Any = "", new: Any = "", *_count: Any) -> None:
    if type(old) is type(new) is type(value):
        limit(len(value) + value.count(old) * max(0, len(new) - len(old)))


def _join(value: Any, items: Any = ()) -> None:
    if isinstance(items, (list, tuple)):
        limit(sum(len(item) for item in items if isinstance(item, _TEXTS)) + len(value) * len(items))


def _translate(value: Any, table: Any = None, **_named: Any) -> None:
    if isinstance(table, Mapping):
        limit(len(value) * max((len(new) for new in table.values() if isinstance(new, str)), default=1))


def _to_bytes(_value: int, length: Any = 1, *_more: Any, **_named: Any) -> None:
    if isinstance(length, int):
        limit(length)


_METHODS: dict[str, Check] = {
    **dict.fromkeys(("center", "ljust", "rjust", "zfill"), _width),
    "expandtabs": _expandtabs,
    "join": _join,
    "replace": _replace,
    "to_bytes": _to_bytes,
    "translate": _translate,
}


# Filters and functions.


def behind_check(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of this name, behind its check where it may make too much of little."""
    check = _CHECKS.get(name)
    return function if check is None else _checked(function, check)


def _checked(function: Callable[..., Any], check: Check) -> Callable[..., Any]:
    # What jinja2 passes of its own comes first.
    skipped = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def guarded(*arguments: Any, **named: Any) -> Any:
        check(*arguments[skipped:], **named)
        return function(*arguments, **named)

    return guarded


def _all_weigh(*values: Any, **named: Any) -> None:
    meter = Meter()
    for value in (*values, *named.values()):
        meter.weigh(value)
    _check_widths([value for value in (*values[1:], *named.values()) if isinstance(value, int)])


def _indent(value: Any, width: Any = 4, *_more: Any, **_named: Any) -> None:
    size = width if isinstance(width, int) else len(width)
    if isinstance(value, str):
        limit(len(value) + (value.count("\n") + 1) * size)


def _json(value: Any, indent: Any = None, **options: Any) -> None:
    size = indent if isinstance(indent, int) else len(indent or "")
    if size > 100:
        raise ValueTooLarge()
    _all_weigh(value, **options)


def _number(_value: Any, number: Any = 0, *_more: Any, **_named: Any) -> None:
    if isinstance(number, int):
        limit_items(number)


def _precision(_value: Any, precision: Any = 0, *_more: Any, **_named: Any) -> None:
    if isinstance(precision, int) and abs(precision) > 1000:
        raise ValueTooLarge()


def _replace_filter(value: Any, old: Any = "", new: Any = "", *_count: Any, **_named: Any) -> None:
    _replace(str(value), str(old), str(new))


def _slow(value: Any, *_arguments: Any, **_named: Any) -> None:
    if len(str(value)) > _MOST_SLOW:
        raise ValueTooLarge()


def _comment(text: Any, *_style: Any, **options: Any) -> None:
    counts = sum(int(options.get(f"{side}_count", 1)) for side in ("prefix", "postfix"))
    longest = max((len(str(option)) for option in options.values()), default=0) + 4
    limit(len(str(text)) + (str(text).count("\n") + 1 + counts) * longest)


def _lipsum(n: Any = 5, _html: Any = True, _min: Any = 20, max: Any = 100, **named: Any) -> None:
    limit(n * named.get("max", max) * 8)


def _product(*lists: Any, repeat: int = 1) -> None:
    sizes = [len(items) for items in lists if hasattr(items, "__len__")]
    if repeat > 64:
        raise ValueTooLarge()
    limit_items(math.prod(sizes) ** repeat * max(1, len(lists) * repeat))


def _permutations(items: Any, size: Any = None) -> None:
    if hasattr(items, "__len__"):
        count = len(items)
        wanted = count if size is None else size
        # Beyond 20 of anything there is no number that is small enough and not none.
        limit_items(math.perm(count, min(wanted, 20)) * max(1, wanted) if wanted <= count else 0)


def _combinations(items: Any, size: int) -> None:
    if hasattr(items, "__len__") and 0 <= size <= len(items):
        # No more of each are needed to see that there are too many.
        fewer = min(size, len(items) - size, 20)
        limit_items(math.comb(len(items), fewer) * max(1, size))


def _wordwrap(
    value: Any, width: Any = 79, _break_long_words: Any = True, wrapstring: Any = None, *_more: Any, **_named: Any
) -> None:
    if isinstance(width, int) and width > 0:
        limit(len(str(value)) + len(str(value)) // width * len(str(wrapstring or "")))


def _zip_longest(*lists: Any, **_named: Any) -> None:
    limit_items(len(lists) * max((len(items) for items in lists if hasattr(items, "__len__")), default=0))


_CHECKS: dict[str, Check] = {
    "batch": _number,
    "center": _width,
    "combinations": _combinations,
    "comment": _comment,
    "format": check_percent,
    "human_to_bytes": _slow,
    "indent": _indent,
    "lipsum": _lipsum,
    "permutations": _permutations,
    "pprint": _all_weigh,
    "product": _product,
    "replace": _replace_filter,
    "round": _precision,
    "slice": _number,
    "string": _all_weigh,
    "to_json": _json,
    "to_nice_json": _json,
    "tojson": _json,
    "urlize": _slow,
    "wordwrap": _wordwrap,
    "zip_longest": _zip_longest,
}
