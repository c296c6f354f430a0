"""From a playbook and an inventory to the plan of a run: who takes part, in which order, in which wave. Pure.

1. Patterns become hosts, over the whole inventory after ``--limit``. A task's hosts that belong to its play are
   narrowed to the batch; others are always meant. Without a pattern the task runs on the batch.
2. Tasks that the tags leave out, tasks without hosts and plays without hosts drop out, and whoever needed one of them
   needs what it needed, so that order holds.
3. What is left of a play are the steps of each of its batches; a step's wave is its level within the play.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from drumline.diagnostics import Diagnostics, Position
from drumline.errors import FilesError
from drumline.loading.needs import Needs, Vertex, needs_of, needs_of_plays
from drumline.loading.patterns import select
from drumline.loading.templating import TemplateFailed
from drumline.model.host import Inventory
from drumline.model.plan import Batch, Need, Plan, PlannedPlay, Step
from drumline.model.playbook import Play, Playbook, Task
from drumline.model.value import Value
from drumline.planning.graph import levels, without
from drumline.planning.tags import selected

Hosts: TypeAlias = tuple[str, ...]
#: Turns the ``hosts`` of a play, or of one of its tasks, into the text of a pattern; may raise ``TemplateFailed``.
RenderPattern: TypeAlias = Callable[[Value, Play], str]


def make_plan(
    playbook: Playbook,
    inventory: Inventory,
    *,
    limit: str | None = None,
    tags: Collection[str] = (),
    skip_tags: Collection[str] = (),
    render_pattern: RenderPattern,
) -> Plan:
    """The plan of a run, or ``FilesError`` with every pattern that is wrong or matches nothing.

    A play whose hosts ``limit`` excludes is kept, without batches. ``tags`` and ``skip_tags`` work as in Ansible.
    """
    chosen = _Chosen(playbook, inventory, limit, render_pattern)
    kept = {
        vertex: task
        for vertex, task in _tasks(playbook)
        if chosen.of(vertex) and chosen.batches[vertex.play] and selected(task, tags, skip_tags)
    }
    return _Expansion(playbook, chosen, kept).plan()


def _tasks(playbook: Playbook) -> Iterable[tuple[Vertex, Task]]:
    return (
        (Vertex(index, at), task) for index, play in enumerate(playbook.plays) for at, task in enumerate(play.tasks)
    )


class _Chosen:
    """The hosts that each play and each task of a playbook means."""

    def __init__(self, playbook: Playbook, inventory: Inventory, limit: str | None, render: RenderPattern) -> None:
        self._inventory = inventory
        self._render = render
        self._found = Diagnostics()
        self._by_pattern: dict[str, Hosts] = {}
        self._limit = None if limit is None else _limit_hosts(limit, inventory)
        self.plays = [self._hosts(play.hosts, play, play) for play in playbook.plays]
        self._tasks = {
            vertex: self._hosts(task.hosts, task, playbook.plays[vertex.play])
            for vertex, task in _tasks(playbook)
            if task.hosts is not None
        }
        if self._found:
            raise FilesError(self._found)
        self.batches = [_batches(hosts) for hosts in self.plays]

    def of(self, vertex: Vertex) -> Hosts:
        """All hosts of a task, whatever the batch."""
        return self._tasks.get(vertex, self.plays[vertex.play])

    def in_batch(self, vertex: Vertex, batch: Hosts) -> Hosts:
        """The hosts of a task in one batch of its play."""
        hosts, own = self._tasks.get(vertex), self.plays[vertex.play]
        if hosts is None:
            return batch
        if len(batch) == len(own):
            return hosts
        left_out = set(own).difference(batch)
        return tuple(host for host in hosts if host not in left_out)

    def _hosts(self, value: Value, owner: Play | Task, play: Play) -> Hosts:
        position = owner.positions.get("hosts", owner.position)
        try:
            return self._limited(self._render(value, play), position)
        except FilesError as error:
            self._found.extend(error.diagnostics)
        except TemplateFailed as error:
            self._found.add("A host pattern can't be rendered", detail=error.summary, position=error.position)
        return ()

    def _limited(self, pattern: str, position: Position) -> Hosts:
        if pattern not in self._by_pattern:
            hosts = select(pattern, self._inventory, position=position)
            if self._limit is not None:
                hosts = tuple(host for host in hosts if host in self._limit)
            self._by_pattern[pattern] = hosts
        return self._by_pattern[pattern]


def _limit_hosts(limit: str, inventory: Inventory) -> frozenset[str]:
    """The hosts that ``--limit`` leaves; its mistakes stand in no file, so they name it."""
    try:
        return frozenset(select(limit, inventory))
    except FilesError as error:
        raise FilesError([replace(found, detail=f"--limit: {found.detail}") for found in error.diagnostics]) from None


def _batches(hosts: Hosts) -> tuple[Hosts, ...]:
    """The hosts of a play as they go through it together: all at once."""
    return (hosts,) if hosts else ()


class _Expansion:
    """Steps and waves of the tasks that are kept."""

    def __init__(self, playbook: Playbook, chosen: _Chosen, kept: Mapping[Vertex, Task]) -> None:
        self._playbook = playbook
        self._chosen = chosen
        self._kept = kept
        self._by_play: dict[int, list[Vertex]] = {}
        for vertex in kept:
            self._by_play.setdefault(vertex.play, []).append(vertex)
        graph = needs_of(playbook.plays)
        stays = {vertex for vertex in graph if vertex in kept or (vertex.task is None and vertex.play in self._by_play)}
        self._needs: Needs = without(graph, graph.keys() - stays)
        self._waves = _waves(self._needs)
        self._indices = self._number()

    def plan(self) -> Plan:
        needed = dict(enumerate(needs_of_plays(self._playbook.plays)))
        standing = without(needed, needed.keys() - self._by_play.keys())
        plays = tuple(
            PlannedPlay(
                play=play,
                hosts=self._chosen.plays[index],
                batches=tuple(self._batch(index, at) for at in range(len(self._chosen.batches[index]))),
                needs=standing.get(index, needed[index]),
            )
            for index, play in enumerate(self._playbook.plays)
        )
        return Plan(playbook=self._playbook, plays=plays, steps=tuple(map(self._step, self._indices)))

    def _number(self) -> dict[tuple[Vertex, int], int]:
        """The index of each task's step in each batch: by play, batch, then place in the file."""
        keys = [
            (vertex, batch)
            for play, vertices in self._by_play.items()
            for batch in range(len(self._chosen.batches[play]))
            for vertex in vertices
        ]
        return {key: index for index, key in enumerate(keys)}

    def _step(self, key: tuple[Vertex, int]) -> Step:
        vertex, batch = key
        return Step(
            index=self._indices[key],
            task=self._kept[vertex],
            play=vertex.play,
            batch=batch,
            wave=self._waves[vertex],
            hosts=self._chosen.in_batch(vertex, self._chosen.batches[vertex.play][batch]),
            needs=tuple(need for other in self._needs[vertex] for need in self._as_needs(other, vertex.play, batch)),
        )

    def _as_needs(self, needed: Vertex, play: int, batch: int) -> Iterable[Need]:
        if needed.task is None:
            return (Need(play=needed.play),)
        if needed.play == play:
            return (Need(step=self._indices[needed, batch]),)
        batches = range(len(self._chosen.batches[needed.play]))
        return (Need(step=self._indices[needed, other]) for other in batches)

    def _batch(self, play: int, batch: int) -> Batch:
        vertices = self._by_play.get(play, ())
        waves: list[list[int]] = [[] for _ in range(max((self._waves[vertex] + 1 for vertex in vertices), default=0))]
        for vertex in vertices:
            waves[self._waves[vertex]].append(self._indices[vertex, batch])
        return Batch(hosts=self._chosen.batches[play][batch], waves=tuple(map(tuple, waves)))


def _waves(needs: Needs) -> dict[Vertex, int]:
    """The level of each task among those of its play."""
    tasks = {vertex: needed for vertex, needed in needs.items() if vertex.task is not None}
    return levels(
        {
            vertex: tuple(need for need in needed if need.play == vertex.play and need.task is not None)
            for vertex, needed in tasks.items()
        }
    )
