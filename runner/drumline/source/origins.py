"""Where variables are defined: noted while files are read, but only for those who ask for it (``explain``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from drumline.diagnostics import Position
from drumline.source.yaml import Node

#: The stage of what stands in the sources of an inventory.
SOURCES = "sources"


class Owner(NamedTuple):
    """Whose variables they are: ``kind`` is ``group``, ``host``, …; ``stage`` tells apart where those of one stand."""

    kind: str
    name: str
    stage: str = ""


class Origin(NamedTuple):
    """One definition of a variable. A value that hasn't a place, of a plugin for example, has its origin's name."""

    owner: Owner
    value: Any
    position: Position | None


class Origins:
    """All that were noted, by owner and name of the variable, in the order in which they were read."""

    def __init__(self) -> None:
        self._found: dict[tuple[Owner, str], list[Origin]] = {}
        #: The owners in an inventory of what a host has, the weakest first.
        self.owners_of: Callable[[str], Iterable[Owner]] = lambda host: ()

    def note(self, owner: Owner, variables: Mapping[str, Any], place: Position | Mapping[str, Position] | None) -> None:
        for name, value in variables.items():
            position = place.get(name) if isinstance(place, Mapping) else place
            self._found.setdefault((owner, name), []).append(Origin(owner, value, position))

    def of(self, owners: Iterable[Owner], name: str) -> Iterator[Origin]:
        """Those of a variable that these owners have, in their order."""
        for owner in owners:
            yield from self._found.get((owner, name), ())

    def names(self, owners: Iterable[Owner]) -> list[str]:
        """All variables that these owners have."""
        wanted = set(owners)
        return sorted({name for owner, name in self._found if owner in wanted})


_noted: Origins | None = None


@contextmanager
def origins_noted() -> Iterator[Origins]:
    """Within this context, definitions are noted."""
    global _noted
    before, _noted = _noted, Origins()
    try:
        yield _noted
    finally:
        _noted = before


def noted_origins() -> Origins | None:
    """What notes them now; None: nothing does, as in almost all calls of the program."""
    return _noted


def places_in(node: Node) -> Mapping[str, Position] | None:
    """Where each key of a dictionary stands; None where no one asks."""
    if _noted is None or not isinstance(node.value, dict):
        return None
    return {name: entry.key_position for name, entry in node.value.items()}
