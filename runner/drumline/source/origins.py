"""Where variables are defined: noted while files are read, but only for those who ask.

What stands in an inventory has an owner, a group or a host. What stands in a playbook and its roles is found again by
its value, since it is merged into layers there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from drumline.diagnostics import Position
from drumline.source.nodes import Node

#: The stage of what stands in the sources of an inventory.
SOURCES = "sources"
#: All stages of an inventory, the weakest first.
STAGES = (SOURCES, "inventory", "playbook")
#: The kind of owner of what stands in a playbook, in a role, or in a file that one of these names.
FILE = "file"


class Owner(NamedTuple):
    """Whose variables they are: ``kind`` is ``group``, ``host``, …; ``stage`` tells apart where those of one stand."""

    kind: str
    name: str
    stage: str = ""


class Origin(NamedTuple):
    """One definition of a variable."""

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
        """Note variables of an owner; ``place`` is that of all of them, or says where each stands."""
        for name, value in variables.items():
            position = place.get(name) if isinstance(place, Mapping) else place
            self._found.setdefault((owner, name), []).append(Origin(owner, value, position))

    def variables_of(self, kind: str) -> dict[str, dict[str, Any]]:
        """The variables of each owner of a kind by its name, all stages of it together; later ones win."""
        found: dict[str, dict[str, Any]] = {}
        for stage in STAGES:
            for (owner, name), origins in self._found.items():
                if (owner.kind, owner.stage) == (kind, stage):
                    found.setdefault(owner.name, {})[name] = origins[-1].value
        return found

    def of(self, owners: Iterable[Owner], name: str) -> Iterator[Origin]:
        """Those of a variable that these owners have, in their order."""
        for owner in owners:
            yield from self._found.get((owner, name), ())

    def place_of(self, name: str, value: Any, within: str) -> Position | None:
        """Where a variable of a playbook has this value, in the file or directory ``within`` if it can be."""
        found = [
            origin
            for (owner, of), all_of in self._found.items()
            if of == name and owner.kind == FILE
            for origin in all_of
        ]
        same = [origin for origin in found if origin.value is value] or [one for one in found if one.value == value]
        there = [origin for origin in same if origin.position and origin.position.path.startswith(within)]
        return (there or same)[-1].position if same else None


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


def note_variables(node: Node, variables: Mapping[str, Any]) -> None:
    """Note where the variables of a playbook or a role stand, of which the dictionary has been read."""
    if _noted is not None:
        _noted.note(Owner(FILE, node.position.path), variables, places_in(node))
