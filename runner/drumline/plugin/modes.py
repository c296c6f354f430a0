"""The type of arguments that say who may use a file."""

from __future__ import annotations


class Mode(str):
    """Permissions as ``chmod`` takes them, octal (``0644``) or symbolic (``u=rw,go=r``), or the word ``preserve``.

    A number counts as octal only when it was written so: ``755`` without a leading zero would be 1363 in octal, which
    is hardly meant, and is refused.
    """

    __slots__ = ()
