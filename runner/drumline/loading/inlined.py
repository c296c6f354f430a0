"""A playbook with what its tasks will add in their places, as far as it is known: as if that were imported.

A run doesn't run it: there each host adds what it comes to add. It is for whoever wants to know before the run how long
that takes. Whatever is added has the id that it has in a run, and stands in a block after the task that adds it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from drumline.diagnostics import Position
from drumline.loading.foreseen import Added, Foresight
from drumline.loading.ids import added_id
from drumline.model.playbook import BlockPart, Play, Playbook, Task, TaskBlock, Within


def inlined(playbook: Playbook, foreseen: Foresight) -> Playbook:
    """The playbook; it is the same one where nothing is known to be added."""
    if not foreseen.added:
        return playbook
    return replace(playbook, plays=tuple(_Inliner(play, foreseen).inlined() for play in playbook.plays))


#: The end of the id of the first block that stands for what a task adds.
FIRST = "added-1"


class _Inliner:
    """Goes through the tasks of a play."""

    def __init__(self, play: Play, foreseen: Foresight) -> None:
        self._play = play
        self._tasks: list[Task] = []
        self._blocks = list(play.blocks)
        self._parts = _by_use(foreseen.added.get(play.id, ()))
        for position in foreseen.unknown:  # of these not all is known
            self._parts.pop(position, None)

    def inlined(self) -> Play:
        """The play with all of it."""
        for task in self._play.tasks:
            self._add(task)
        return replace(self._play, tasks=tuple(self._tasks), blocks=tuple(self._blocks))

    def _add(self, task: Task) -> None:
        self._tasks.append(task)
        uses = self._parts.get(task.position, []) if task.traits.adds is not None else []
        for number, part in enumerate(next(iter(uses), ())):
            self._add_part(task, part, number)
        if len(uses) > 1:  # the next use of the same file has its own
            uses.pop(0)

    def _add_part(self, include: Task, part: Added, number: int) -> None:
        within = Within(len(self._blocks), BlockPart.TASKS)
        name = added_id(include.id, f"added-{number + 1}")
        self._blocks.append(
            TaskBlock(
                id=name, name=include.name, position=include.position, within=include.within, section=include.section
            )
        )
        first = len(self._blocks)
        known = {element.id for element in part.play.elements}

        def moved(place: Within | None) -> Within:
            return within if place is None else Within(first + place.block, place.part)

        def needs(element: Task | TaskBlock) -> tuple[str, ...] | None:
            names = element.needs
            return names and tuple(added_id(include.id, name) if name in known else name for name in names)

        for block in part.play.blocks:
            own = added_id(include.id, block.id)
            self._blocks.append(replace(block, id=own, within=moved(block.within), needs=needs(block)))
        for task in part.play.tasks:
            self._add(replace(task, id=added_id(include.id, task.id), within=moved(task.within), needs=needs(task)))


def _by_use(added: Sequence[Added]) -> dict[Position, list[list[Added]]]:
    """What is added, by the place of the task that adds it, for each time that this task stands in the play."""
    uses: dict[int, list[Added]] = {}
    for part in added:
        uses.setdefault(id(part.include), []).append(part)
    found: dict[Position, list[list[Added]]] = {}
    for parts in uses.values():
        found.setdefault(parts[0].include.position, []).append(parts)
    return found
