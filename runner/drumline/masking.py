"""The secrets of a run, and the mask that keeps them out of journals, reports and messages.

Text is masked before it is cut, since half a secret can't be recognised. If output comes in pieces, :class:`StreamMask`
holds back the end of each until the next one shows whether a secret continues there.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from drumline.secret import MASK, Secret, is_secret_name

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

#: Shorter values are not masked inside other text: replacing every "a" or "42" would destroy the report.
SHORTEST = 3
_MASK = MASK.encode()
#: Line ends that may stand inside encoded text: programs break it after 60, 64 or 76 letters.
_BREAK = rb"(?<=[A-Za-z0-9+/_-])\r?\n(?=[A-Za-z0-9+/_= -])"

#: Halves of surrogate pairs that don't represent a byte.
_HALF = "[\ud800-\udc7f\udd00-\udfff]"

#: Places of secrets: start (inclusive) and end (exclusive), ascending and disjoint.
Spans = list[tuple[int, int]]


class _Matcher(Struct, frozen=True):
    automaton: BytesAhoCorasick
    longest: int  #: Bytes of the longest form.


class Secrets:
    """The values registered as secret in one run; masks them in text and nested data. Thread-safe.

    A value is masked in every form that :mod:`drumline.secret_forms` knows; a value of several lines also line by line.
    """

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._order: list[str] = []  # the same, as they became known
        self._matcher: _Matcher | None = None
        self._lock = threading.Lock()

    def add(self, value: str | Secret) -> None:
        """Register a value. Text that is too short to mask safely is ignored."""
        text = (value.reveal() if isinstance(value, Secret) else value).strip("\r\n")
        if len(text) >= SHORTEST and text not in self._values:
            with self._lock:
                if text not in self._values:
                    self._values.add(text)
                    self._order.append(text)
                self._matcher = None  # built on use: there may be thousands of values to add

    def __len__(self) -> int:
        """How many values there are to mask."""
        return len(self._order)

    def after(self, count: int) -> list[str]:
        """The unmasked values, in the order in which they became known, without the first ones."""
        return self._order[count:]

    @property
    def longest(self) -> int:
        """The length in bytes of the longest form of any value; 0 without values."""
        return self._made_matcher().longest if self._values else 0

    def mask(self, text: str) -> str:
        """The text with every registered value, in whatever form, replaced by asterisks."""
        if not self._values:
            return text
        try:
            data, errors = text.encode(), "replace"
        except UnicodeEncodeError:  # bytes from a host that aren't UTF-8, or half a surrogate pair
            errors = "surrogatepass" if re.search(_HALF, text) else "surrogateescape"
            data = text.encode(errors=errors)
        spans = self.find(data)
        return _masked(data, spans).decode(errors=errors) if spans else text

    def mask_bytes(self, data: bytes) -> bytes:
        """Like :meth:`mask`, for bytes that may not be text."""
        return _masked(data, self.find(data))

    def mask_all(self, value: Any) -> Any:
        """Like :meth:`mask`, for strings inside dicts, lists and tuples, and numbers that are registered as text.

        A ``Secret`` becomes asterisks.
        """
        if isinstance(value, Secret):
            return MASK
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self.mask_all(key): self.mask_all(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.mask_all(item) for item in value]
        if type(value) in (int, float) and str(value) in self._values:
            return MASK
        return value

    def find(self, data: bytes) -> Spans:
        """The places of secrets in the data, including encoded ones that are broken by line ends."""
        if not self._values:
            return []
        automaton = self._made_matcher().automaton
        found = [(start, end) for _, start, end in automaton.find_matches_as_indexes(data, overlapping=True)]
        if b"\n" in data and (breaks := [match.span() for match in re.finditer(_BREAK, data)]):
            joined = re.sub(_BREAK, b"", data)
            matches = automaton.find_matches_as_indexes(joined, overlapping=True)
            found += _moved_back([(start, end) for _, start, end in matches], breaks)
        return merged(found)

    def _made_matcher(self) -> _Matcher:
        matcher = self._matcher
        if matcher is None:
            from ahocorasick_rs import BytesAhoCorasick

            from drumline.secret_forms import forms

            with self._lock:
                found = {form for known in self._values for form in forms(known)}
                matcher = self._matcher = _Matcher(BytesAhoCorasick(found), max(map(len, found)))
        return matcher


class StreamMask:
    """Masks output that comes in pieces. It holds back at most the length of the longest secret form."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._held = b""
        self._covered = 0  # bytes at the start of what is held that are already covered by a mask in the output

    def feed(self, data: bytes) -> bytes:
        """Add the next piece; returns the part that is certain by now, masked."""
        self._held += data
        return self._give(max(0, len(self._held) - 2 * self._secrets.longest))

    def finish(self) -> bytes:
        """The rest, masked; nothing more follows."""
        return self._give(len(self._held))

    def _give(self, size: int) -> bytes:
        if size <= 0:
            return b""
        spans = merged([(0, self._covered), *self._secrets.find(self._held)])
        goes_on = bool(self._covered)
        within = [(start, min(end, size)) for start, end in spans if start < size and end > start]
        given = _masked(self._held[:size], within)
        self._covered = max((end - size for start, end in spans if start < size < end), default=0)
        self._held = self._held[size:]
        return given[len(_MASK) :] if goes_on and within and within[0][0] == 0 else given


def merged(spans: Iterable[tuple[int, int]]) -> Spans:
    """Sort spans, merge those that overlap, and drop empty ones."""
    found: Spans = []
    for start, end in sorted(spans):
        if start == end:
            continue
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _masked(data: bytes, spans: Spans) -> bytes:
    pieces, last = [], 0
    for start, end in spans:
        pieces += [data[last:start], _MASK]
        last = end
    return b"".join([*pieces, data[last:]])


def _moved_back(spans: Iterable[tuple[int, int]], breaks: Spans) -> Spans:
    """Convert spans in the data without line breaks to spans in the data with them."""
    removed, places = [0], []  # bytes of the first n breaks; their places in the data without breaks
    for start, end in breaks:
        places.append(start - removed[-1])
        removed.append(removed[-1] + end - start)
    return [
        (start + removed[bisect_right(places, start)], end + removed[bisect_left(places, end)]) for start, end in spans
    ]


#: Numbers under secret-sounding names are secret from this value up; smaller ones are lengths, counts and the like.
_SECRET_NUMBER = 10_000


def secrets_in(value: Any, *, secret: bool = False) -> Iterator[str | Secret]:
    """Texts under secret-sounding names. Values of templates become known only when they are used."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from secrets_in(item, secret=secret or is_secret_name(str(key)))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from secrets_in(item, secret=secret)
    elif isinstance(value, Secret) or (secret and isinstance(value, str)):
        yield value
    elif secret and type(value) is int and abs(value) >= _SECRET_NUMBER:
        yield str(value)
