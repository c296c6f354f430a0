"""Values that templates take and give as they are."""

from __future__ import annotations

#: Types that are data already.
ATOMS = frozenset({str, int, float, bool, type(None), bytes})


class Omit:
    """The value of ``omit``: an entry that has it is left out."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "omit"


OMIT = Omit()
