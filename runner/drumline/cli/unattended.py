"""What commands share that have drumline run where no one is watching."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from drumline.errors import UsageError
from drumline.secret import mask_assignments

if TYPE_CHECKING:
    from drumline.scheduling.moments import Times


#: A value that is nothing but a reference to a secret.
_REFERENCE = re.compile(
    r"""(?<=[=:])\s*(["']?)\{\{\s*lookup\(\s*(["'])secret\2\s*,\s*(["'])[^"'{}]*\3\s*\)\s*\}\}\1(?=\s*(?:[,}]|\s\w+=|$))"""
)


def refuse_secrets(words: Iterable[str]) -> None:
    """Raise ``UsageError`` for words of a command line that can't be kept in a file."""
    for word in words:
        if "\n" in word or "\0" in word:
            raise UsageError("A word of the command line has several lines", "It can't be kept for later runs.")
        without = _REFERENCE.sub("", word)
        if mask_assignments(without)[0] != without:
            detail = (
                f"'{mask_assignments(word)[0]}' would stand in files that others can read. Put it into a file that "
                "is given by -e @FILE, or into a secret store, named by {{ lookup('secret', 'KIND:NAME') }} alone."
            )
            raise UsageError("A secret can't be scheduled", detail)


def times_given(at: str | None, every: str | None) -> Times:
    """The times that ``--at`` or ``--every`` says. Raises ``UsageError``."""
    from drumline.scheduling.moments import times_at, times_every

    if (at is None) == (every is None):
        raise UsageError("When to run isn't clear", "Give either --at TIME or --every DURATION.")
    return times_every(every) if every is not None else times_at(str(at), datetime.now())
