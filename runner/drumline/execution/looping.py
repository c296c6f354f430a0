"""The variables of each item of a loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from drumline.execution.task_values import TaskValues
from drumline.model.playbook import Loop
from drumline.model.value import Variables


def variables_of(loop: Loop, items: Sequence[Any], task: TaskValues) -> Iterator[Variables]:
    """What each item has beside the variables of its task, in the order of the items."""
    extended = task.flag(loop.extended, "loop_control")
    in_all = {"allitems": items} if extended and task.flag(loop.all_items, "loop_control") else {}
    names = {"ansible_loop_var": loop.variable}
    if loop.index_variable:
        names["ansible_index_var"] = loop.index_variable
    for index, item in enumerate(items):
        own = {**names, loop.variable: item}
        if loop.index_variable:
            own[loop.index_variable] = index
        if extended:
            own["ansible_loop"] = {**_about(index, items), **in_all}
        yield own


def _about(index: int, items: Sequence[Any]) -> dict[str, Any]:
    """``ansible_loop`` of one item."""
    count = len(items)
    about = {
        "index": index + 1,
        "index0": index,
        "first": index == 0,
        "last": index + 1 == count,
        "length": count,
        "revindex": count - index,
        "revindex0": count - index - 1,
    }
    if index + 1 < count:
        about["nextitem"] = items[index + 1]
    if index:
        about["previtem"] = items[index - 1]
    return about
