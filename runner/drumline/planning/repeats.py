"""Roles that are used twice in a play: of equal uses only the first one runs, as in Ansible.

Uses are equal if they say the same themselves: parameters, variables, conditions and tags. A use none of whose tasks is
chosen by tags doesn't count. ``allow_duplicates`` lets all of them run.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from drumline.model.playbook import Play, Playbook, Task


def without_repeats(playbook: Playbook, chosen: Callable[[Task], bool]) -> Playbook:
    """The playbook, in which tasks of repeated uses of roles say so. ``chosen``: the tasks that take part."""
    return replace(playbook, plays=tuple(_marked(play, chosen) for play in playbook.plays))


def _marked(play: Play, chosen: Callable[[Task], bool]) -> Play:
    uses = [block.role_use for block in play.blocks if block.role_use is not None]
    if len({use.use for use in uses}) == len(uses):
        return play
    taking_part = {id(task.role) for task in play.tasks if task.role is not None and chosen(task)}
    seen: set[int] = set()
    repeated: set[int] = set()
    for use in uses:
        if use.once and use.use in seen:
            repeated.add(id(use))
        elif id(use) in taking_part:
            seen.add(use.use)
    tasks = (replace(task, repeated=True) if id(task.role) in repeated else task for task in play.tasks)
    return replace(play, tasks=tuple(tasks))
