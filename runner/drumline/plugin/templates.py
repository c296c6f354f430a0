"""What a plugin offers to templates: filters, tests, lookups, and the secrets that they refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from drumline.secret import Secret

#: A filter, test or lookup of templates: a function, or ``"package.module:function"``, imported when it is used.
#: Filters and tests are called with what stands before them and their arguments, lookups with a :class:`LookupCall`.
TemplateFunction: TypeAlias = Callable[..., Any] | str


class LookupCall(Struct, frozen=True, kw_only=True):
    """One term of one lookup in a template: ``lookup('name', term, option=value)``."""

    term: str
    options: Mapping[str, Any] = {}
    #: As that of :class:`Call`.
    find_file: Callable[[str, str], Path] = lambda src, _directory: Path(src)


class SecretUnavailable(Exception):
    """Raised by a store that hasn't a secret, with a sentence that says why and has no part of any secret."""


class SecretStore(Struct, frozen=True, kw_only=True):
    """Where secrets are kept that are referred to as ``NAME:…``, as in ``lookup('secret', 'env:DB_PASSWORD')``."""

    name: str  #: What stands before the colon: letters, digits, ``_`` and ``-``.
    #: Gives the secret by what stands after the colon, or raises ``SecretUnavailable``. Called once in a run for each
    #: reference, on a thread of its own. It must end by itself, but it may wait for people.
    resolve: Callable[[str], str | Secret]
    help: str = ""  #: One sentence: what stands after the colon.
