"""Lists of tasks, in which a block stands for a list of its own: all of a play's, read into one row of tasks.

What a block says holds for all that stands in it, as in Ansible: conditions come before the tasks' own, ``vars`` are
weaker than theirs, tags are united. Where each task stands is kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from drumline.diagnostics import Diagnostics, Position
from drumline.loading import keywords
from drumline.loading.ids import slug
from drumline.loading.keywords import KeywordReader
from drumline.loading.tasks import pass_on, read_for_below, read_task
from drumline.model.playbook import BlockPart, Section, Task, TaskBlock, Within
from drumline.plugin.actions import Action
from drumline.source.yaml import Entry, Node

#: The keyword of each part, in their order.
_PARTS = {"block": BlockPart.TASKS, "rescue": BlockPart.RESCUE, "always": BlockPart.ALWAYS}


class ListReader:
    """Reads the lists of one play."""

    def __init__(self, actions: Mapping[str, Action], found: Diagnostics) -> None:
        self.tasks: list[Task] = []
        self.blocks: list[TaskBlock] = []
        self.section = Section.TASKS  #: Of what is read next.
        self._actions = actions
        self._found = found

    @property
    def elements(self) -> list[Task | TaskBlock]:
        """What was read: blocks, then tasks."""
        return [*self.blocks, *self.tasks]

    def read(self, nodes: list[Node], inherited: Mapping[str, Any], within: Within | None = None) -> None:
        """Read one list, whose tasks take what ``inherited`` says; it is a part of a block where ``within`` says so."""
        for node in nodes:
            entries = node.value
            if isinstance(entries, dict) and not _PARTS.keys().isdisjoint(entries):
                self._block(entries, node.position, inherited, within)
            else:
                task = read_task(node, inherited, self._actions, self._found, within)
                if task is not None:
                    self.tasks.append(task if task.section is self.section else replace(task, section=self.section))

    def _block(
        self, entries: Mapping[str, Entry], position: Position, inherited: Mapping[str, Any], within: Within | None
    ) -> None:
        reader = KeywordReader(entries, self._found)
        keywords.check_known(entries, keywords.BLOCK, "A block", self._found)
        if "block" not in reader:
            detail = "'rescue' and 'always' stand beside 'block', which has the tasks that they are for."
            self._found.add("A block without tasks", detail=detail, position=position)
        name = reader.value("name", reader.text, "")
        number = len(self.blocks)
        self.blocks.append(
            TaskBlock(
                id=reader.value("id", reader.id) or slug(name) or "block",
                name=name or "block",
                position=position,
                positions=reader.positions(),
                needs=reader.value("needs", reader.names),
                within=within,
                section=self.section,
            )
        )
        below = pass_on(inherited, read_for_below(reader))
        for keyword, part in _PARTS.items():
            node = reader.node(keyword)
            if node is not None and isinstance(node.value, list):
                self.read(node.value, below, Within(number, part))
            elif node is not None:
                reader.wrong(keyword, "a list of tasks", node)
