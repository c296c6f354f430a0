"""Valid names. Ids of tasks and plays are as written, else made from their names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from drumline.model.value import Value, text_of

#: Valid ids. A dot would make ``play.task`` ambiguous.
ID = re.compile(r"[A-Za-z0-9_-]+\Z")
#: Valid names of variables.
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_GAP = re.compile(r"[^a-z0-9_]+")


def slug(name: Value) -> str:
    """The name as an id: ``"Stop the app!"`` gives ``stop-the-app``; ``""`` if nothing is left of it."""
    plain = unicodedata.normalize("NFKD", text_of(name).casefold()).encode("ascii", "ignore").decode()
    return _GAP.sub("-", plain).strip("-")


def in_role(role: str, name: str) -> str:
    """The id of a task or block of a role, whose own id is given; without one, the name itself."""
    return f"{role}.{name}" if role else name


def role_of(name: str) -> str:
    """The id of the role in which a task or block with this id stands; empty for none."""
    return name.rpartition(".")[0]


def unique_ids(written: Sequence[str | None], slugs: Sequence[str]) -> list[str]:
    """An id for each: as written, else its slug with the first free number (``ping``, ``ping-2``, …)."""
    taken = {text for text in written if text is not None}
    following: dict[str, int] = {}
    return [
        text if text is not None else _free(base, taken, following) for text, base in zip(written, slugs, strict=True)
    ]


def _free(base: str, taken: set[str], following: dict[str, int]) -> str:
    candidate, number = base, following.get(base, 1)
    while candidate in taken:
        number += 1
        candidate = f"{base}-{number}"
    following[base] = number
    taken.add(candidate)
    return candidate


def added_id(parent: str, own: str) -> str:
    """The id of something that was added by ``parent``, and has the id ``own`` in its file."""
    return f"{parent}.{own}"
