"""Playbook, plan, events and what jobs registered as bytes and back, by their types: no field is named here.

The bytes are msgpack's; what it has no type for is an extension of it (:class:`_Kind`). Text that came from a host
can't take the shape of one, so it never comes back as a template (promise 7). What is secret is written as it is
shown, and, where there is a key, encrypted beside that (:class:`Hiding`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum, IntEnum
from functools import cache
from typing import Any, TypeVar, cast, get_args

from msgspec import NODEFAULT, MsgspecError, Struct, convert, structs
from msgspec.msgpack import Decoder, Encoder, Ext

from drumline.masking import Secrets
from drumline.model.event import Event, PlanGrown
from drumline.model.plan import Growth, Plan
from drumline.model.playbook import Play, Role, Task
from drumline.model.value import Octal, SecretTemplate, Template
from drumline.secret import MASK, Secret, is_secret_name, mask_assignments

T = TypeVar("T")

#: Written once, however many others refer to it: with batches one task is that of many steps.
_SHARED: tuple[type[Play | Task | Role], ...] = (Play, Task, Role)
#: Tuples of more names than that are, too: the hosts of steps.
_FEW = 3
#: What is nested deeper is replaced by words.
_DEEPEST = 100
#: How what ``encode`` writes begins, which is a list of two; what is only data is a map.
_LIST_OF_TWO = b"\x92"
_EXPRESSION = r"(?s:\{\{.*?\}\})"
_ONLY_NAMES = r"\s*\{\{[\w\s.]*\}\}\s*"


class Damaged(ValueError):
    """These bytes were not written by ``encode``."""


class _Extension(IntEnum):
    """The extensions, each around one value. Their numbers stand in journals: none ever means anything else."""

    SHARED = 1  #: The number of something that was written before.
    HIDDEN = 2  #: How it is shown, and itself, encrypted.
    TEMPLATE = 3
    SECRET = 4
    OCTAL = 5
    NUMBER = 6  #: Of more than 64 bits.
    TEXT = 7  #: With halves of surrogate pairs, which stand for bytes of a host that are no UTF-8.
    TUPLE = 8
    SET = 9
    MAPPING = 10  #: Whose keys aren't all plain.
    MOMENT = 11
    DATE = 12
    TIME = 13
    SPAN = 14
    SECRET_TEMPLATE = 15  #: What it gives is secret.


#: How those are read that need nothing but their value.
_READ: dict[int, Callable[[Any], Any]] = {
    _Extension.TEMPLATE: lambda fields: convert(fields, Template),
    _Extension.SECRET_TEMPLATE: lambda fields: convert(fields, SecretTemplate),
    _Extension.SECRET: Secret,
    _Extension.OCTAL: Octal,
    _Extension.NUMBER: lambda data: int.from_bytes(data, signed=True),
    _Extension.TEXT: lambda data: data.decode(errors="surrogatepass"),
    _Extension.TUPLE: tuple,
    _Extension.SET: set,
    _Extension.MAPPING: dict,
    _Extension.MOMENT: datetime.fromisoformat,
    _Extension.DATE: date.fromisoformat,
    _Extension.TIME: time.fromisoformat,
    _Extension.SPAN: lambda parts: timedelta(*parts),
}
#: How data of other classes than msgpack's is written. A moment is a date too.
_WRITE: tuple[tuple[type, _Extension, Callable[[Any], Any]], ...] = (
    (Octal, _Extension.OCTAL, int),
    (datetime, _Extension.MOMENT, datetime.isoformat),
    (date, _Extension.DATE, date.isoformat),
    (time, _Extension.TIME, time.isoformat),
    (timedelta, _Extension.SPAN, lambda span: [span.days, span.seconds, span.microseconds]),
)


class Hiding:
    """What of a value is secret, and by what it is encrypted: by nothing where ``close`` is None."""

    def __init__(
        self, secrets: Secrets, close: Callable[[bytes], bytes] | None = None, plan: Plan | None = None
    ) -> None:
        """``plan`` is the one that is written. What a task with ``no_log`` is given comes out of variables."""
        self.secrets = secrets
        self.close = close
        tasks = [task for play in plan.playbook.plays for task in play.tasks] if plan else []
        tasks += [step.task for step in plan.steps] if plan else []
        self.variables = any(map(_is_quiet, tasks))

    def grow(self, growth: Growth) -> None:
        """The plan grows by this."""
        self.variables = self.variables or any(_is_quiet(step.task) for step in growth.steps)

    def shown(self, text: str) -> str:
        """The text as anybody may see it. What an expression looks up isn't in the text that names it."""
        assigned = mask_assignments(text)[0]
        if assigned != text and mask_assignments(bare := re.sub(_EXPRESSION, "", text))[0] == bare:
            assigned = text
        return self.secrets.mask(assigned)


def encode(value: Struct, hiding: Hiding | None = None) -> bytes:
    """A struct with all that is in it. Without ``hiding`` nothing is secret."""
    writer = _Writer(hiding)
    root = _pack(writer.typed(value))
    return _pack((writer.shared, root))


def decode(kind: type[T], data: bytes, open_: Callable[[bytes], bytes] | None = None) -> T:
    """The struct that ``encode`` wrote. Raises ``Damaged``.

    What is secret comes back as it is shown, unless ``open_`` decrypts it; that raises ``LookupError`` without a key.
    """
    try:
        return _Reader(open_).read(kind, data) if data[:1] == _LIST_OF_TWO else _read(kind, data)
    except (MsgspecError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        raise Damaged(f"{kind.__name__}: {error}") from error


def encode_event(event: Event, hiding: Hiding | None = None) -> bytes:
    """The same for an event. Those that hold nothing but data, as nearly all do, take a twentieth of the time."""
    if not _is_data(type(event)):
        if hiding is not None and isinstance(event, PlanGrown):
            hiding.grow(event.growth)
        return encode(event, hiding)
    try:
        return _pack_data(event)
    except (TypeError, ValueError, OverflowError, RecursionError):  # what msgpack has no type for
        return encode(event)


def decode_event(kind: str, data: bytes, open_: Callable[[bytes], bytes] | None = None) -> Event:
    """The event that ``encode_event`` wrote, by the name of its class. Raises ``Damaged``."""
    if kind not in _EVENTS:
        raise Damaged(f"no event is called {kind!r}")
    return decode(_EVENTS[kind], data, open_)


_EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


@cache
def _is_data(kind: type[Struct]) -> bool:
    """Whether there is no other struct in it: in one there may be templates and secrets."""
    return not any(_has_struct(field.type) for field in structs.fields(kind))


def _has_struct(kind: Any) -> bool:
    return (isinstance(kind, type) and issubclass(kind, Struct)) or any(map(_has_struct, get_args(kind)))


def _read(kind: type[T], data: bytes) -> T:
    reader: Decoder[T] = _reader(cast(Any, kind))
    return reader.decode(data)


@cache
def _reader(kind: type[Any]) -> Decoder[Any]:
    return Decoder(kind)


def _simpler(value: Any) -> Any:
    """Text and numbers of other classes as such; words for what is no data."""
    kind = next((kind for kind in (str, int, float) if isinstance(value, kind)), str)
    return kind(value)


_pack_data = Encoder(enc_hook=_simpler).encode
_pack = Encoder().encode


def _ext(kind: _Extension, value: Any) -> Ext:
    return Ext(int(kind), _pack(value))


class _Writer:
    """Makes of a struct what msgpack has types for."""

    def __init__(self, hiding: Hiding | None) -> None:
        self.shared: list[bytes] = []
        self._places: dict[int, int] = {}  # of what is shared, by identity
        self._hiding = hiding
        self._hides = False  # all that is written now is secret
        self._within: list[int] = []  # lists and dictionaries that are being written, by identity

    # Structs, and what they hold where its type is declared: by that it is read.

    def typed(self, value: Any) -> Any:
        """A struct, or what a field of one holds."""
        if isinstance(value, Template):
            return self._template(value)
        if isinstance(value, Struct):
            shares = isinstance(value, _SHARED)
            return self._share(value, _SHARED.index(type(value)), self._fields) if shares else self._fields(value)
        if isinstance(value, tuple):
            if len(value) > _FEW and type(value[0]) is str:
                return self._share(value, -1, self._names)
            return [self.typed(item) for item in value]
        if isinstance(value, frozenset):
            return sorted(value)
        if isinstance(value, Enum):
            return value.value
        if type(value) is str:
            return self._text(value, self._hiding.secrets.mask(value) if self._hiding else value)
        return self._atom(value) if isinstance(value, (int, float)) else self.value(value)

    def _share(self, value: Any, number: int, write: Callable[[Any], Any]) -> Ext:
        place = self._places.get(id(value))
        if place is None:
            written = _pack((number, write(value)))
            place = self._places[id(value)] = len(self.shared)
            self.shared.append(written)
        return _ext(_Extension.SHARED, place)

    def _fields(self, value: Struct) -> dict[str, Any]:
        """Those that aren't as they are by default. Of a task with ``no_log`` all is secret that may be a template."""
        hid, found = self._hides, {}
        hides = hid or (isinstance(value, Task) and _is_quiet(value))
        for name, default, takes_any in _fields_of(type(value)):
            item = getattr(value, name)
            if type(item) is not type(default) or item != default:
                self._hides = hides or (name == "variables" and self._hiding is not None and self._hiding.variables)
                found[name] = self.value(item) if takes_any else self.typed(item)
        self._hides = hid
        return found

    def _template(self, template: Template) -> Ext:
        text = self._text(template.text, self._shown(template.text))
        fields = {"text": text, "position": self.typed(template.position), "bare": template.bare}
        is_secret = isinstance(template, SecretTemplate)
        return _ext(_Extension.SECRET_TEMPLATE if is_secret else _Extension.TEMPLATE, fields)

    def _names(self, names: tuple[str, ...]) -> list[Any]:
        return list(names) if all(map(str.isascii, names)) else [self._text(name, name) for name in names]

    # Data of any type: by what it is it is read.

    def value(self, value: Any) -> Any:
        """What an author wrote, or a job gave."""
        if isinstance(value, Template):
            return self._template(value)
        if type(value) is str:
            return self._text(value, self._shown(value))
        if isinstance(value, Secret):
            written = _ext(_Extension.SECRET, self._text(value.reveal(), value.reveal()))
            return self._hidden(MASK, written) if self._hiding else written
        if isinstance(value, (Mapping, list, tuple, set, frozenset)):
            return self._nested(value)
        written = self._atom(value)
        return self._hidden(MASK, written) if self._hides and type(value) not in (bool, type(None)) else written

    def _atom(self, value: Any) -> Any:
        if type(value) is int:
            data = value.to_bytes(value.bit_length() // 8 + 1, signed=True)
            return value if len(data) <= 8 else _ext(_Extension.NUMBER, data)
        if value is None or type(value) in (bool, float, bytes):
            return value
        for kind, number, write in _WRITE:
            if isinstance(value, kind):
                return _ext(number, write(value))
        simpler = _simpler(value)
        return self._text(simpler, self._shown(simpler)) if type(simpler) is str else self._atom(simpler)

    def _nested(self, value: Any) -> Any:
        if id(value) in self._within or len(self._within) == _DEEPEST:
            return "(nested too deeply)"
        self._within.append(id(value))
        try:
            if isinstance(value, Mapping):
                return self._mapping(value)
            if hasattr(value, "_fields"):  # a position, or the like: the field that holds it knows its type
                return [self._text(item, item) if type(item) is str else item for item in value]
            written = [self.value(item) for item in value]
        finally:
            self._within.pop()
        if isinstance(value, list):
            return written
        return _ext(_Extension.TUPLE if isinstance(value, tuple) else _Extension.SET, written)

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        hid, self._hides = self._hides, False  # names tell nothing
        keys = [self.value(key) for key in value]
        self._hides = hid
        pairs = [(key, self._entry(name, item)) for key, (name, item) in zip(keys, value.items(), strict=True)]
        plain = all(type(key) in (str, int, float, bool, type(None)) for key, _ in pairs)
        return dict(pairs) if plain else _ext(_Extension.MAPPING, pairs)

    def _entry(self, key: Any, value: Any) -> Any:
        """One value, whose name may say that it is secret. A template that only names another variable isn't."""
        hid = self._hides
        if self._hiding and type(key) is str and is_secret_name(key):
            self._hides |= not (isinstance(value, Template) and re.fullmatch(_ONLY_NAMES, value.text))
        try:
            return self.value(value)
        finally:
            self._hides = hid

    # Text, and what is secret.

    def _shown(self, text: str) -> str:
        if self._hiding is None:
            return text
        return MASK if self._hides else self._hiding.shown(text)

    def _text(self, text: str, shown: str) -> Any:
        written = text if _is_unicode(text) else _ext(_Extension.TEXT, text.encode(errors="surrogatepass"))
        return written if shown == text else self._hidden(shown, written)

    def _hidden(self, shown: str, written: Any) -> Any:
        told = self._text(shown, shown)
        close = self._hiding.close if self._hiding else None
        return told if close is None else _ext(_Extension.HIDDEN, (told, close(_pack(written))))


@cache
def _fields_of(kind: type[Struct]) -> list[tuple[str, Any, bool]]:
    """The fields with their defaults, and whether they hold data of any type."""
    return [
        (
            field.name,
            field.default if field.default_factory is NODEFAULT else field.default_factory(),
            field.type is Any,
        )
        for field in structs.fields(kind)
    ]


def _is_quiet(task: Task) -> bool:
    return task.no_log is not False


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Reader:
    """Makes a struct again of what the writer made of it."""

    def __init__(self, open_: Callable[[bytes], bytes] | None) -> None:
        self._open = open_
        self._shared: list[Any] = []
        self._unpack = Decoder(ext_hook=self._extension).decode

    def read(self, kind: type[T], data: bytes) -> T:
        """The struct, checked against its type."""
        shared, root = _read(tuple[list[bytes], bytes], data)
        for written in shared:
            number, value = self._unpack(written)
            self._shared.append(tuple(value) if number == -1 else convert(value, _SHARED[number]))
        return convert(self._unpack(root), kind)

    def _extension(self, number: int, data: memoryview) -> Any:
        value = self._unpack(data)
        if number == _Extension.SHARED:
            return self._shared[value]
        if number == _Extension.HIDDEN:
            return self._revealed(*value)
        return _READ[number](value)

    def _revealed(self, shown: str, token: bytes) -> Any:
        if self._open is None:
            return shown
        try:
            data = self._open(token)
        except LookupError:  # the key was destroyed
            return shown
        return self._unpack(data)
