"""Values as written in files: plain data, except where a person wrote a template.

Only the loader makes a :class:`Template`, and only from text in the author's files. Every other string, whatever
braces it holds, is data: text from a host can therefore never be evaluated (promise 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from msgspec import Meta, Struct

from drumline.diagnostics import Position


class Octal(int):
    """A whole number that was written in octal, as YAML 1.1 has it: ``0644``. Like any other number but for that."""

    __slots__ = ()


class Template(Struct, frozen=True, eq=False, gc=False):
    """A string of the author's that holds ``{{``, ``{%`` or ``{#``; equal by its text.

    ``bare`` is a condition (``when: a == b``): an expression without braces.
    """

    text: str
    position: Position
    bare: bool = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.text == other.text and self.bare == other.bare

    def __hash__(self) -> int:
        return hash((self.text, self.bare))


class SecretTemplate(Template, frozen=True, eq=False, gc=False):
    """One that was encrypted: what it gives is secret."""


#: None, bool, int, float, str, Template, Secret, or lists and dicts of these.
Value: TypeAlias = Any
Variables: TypeAlias = Mapping[str, Value]

#: A time that has passed or is left, or a moment: seconds since the epoch, of which a calendar can be made.
Seconds: TypeAlias = Annotated[float, Meta(gt=-1e11, lt=1e11)]


def text_of(value: Value) -> str:
    """The value as its author wrote it: a template's source, anything else as text."""
    return value.text if isinstance(value, Template) else str(value)
