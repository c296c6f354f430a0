"""Plays that are planned when they open, since a task before them may change which hosts there are (``add_host``)."""

from __future__ import annotations

from collections.abc import Callable

from drumline.loading.foreseen import Foresight
from drumline.model.playbook import Play, Playbook, Task


def later_plays(
    playbook: Playbook, foreseen: Foresight, chosen: Callable[[Task], bool], matches: Callable[[Play], bool]
) -> frozenset[str]:
    """The ids of all plays after the first that changes the inventory.

    What adds unknown tasks may change it too: that counts where the pattern of a play matches nothing otherwise.
    """
    changed = maybe = False
    found: list[str] = []
    for play in playbook.plays:
        changed = changed or (maybe and not matches(play))
        if changed:
            found.append(play.id)
        tasks = [*play.tasks, *(task for added in foreseen.added.get(play.id, ()) for task in added.play.tasks)]
        changed = changed or any(task.traits.inventory and chosen(task) for task in tasks)
        maybe = maybe or any(task.position in foreseen.unknown and chosen(task) for task in tasks)
    return frozenset(found)
