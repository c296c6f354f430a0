"""From a playbook and an inventory to the plan of a run: which hosts take part, in which order and wave. Pure.

1. Patterns become hosts, over the whole inventory after ``--limit``. A play's hosts become batches. A task's hosts
   that belong to its play are narrowed to the batch; its other hosts stay. Without a pattern, the task runs on the
   batch.
2. Tasks excluded by tags, tasks without hosts (in this batch or in all) and plays without hosts are dropped. Whatever
   needed one of them needs what it needed instead, so that the order is kept.
3. The remaining tasks of a play in a batch are its steps. A step's wave is its level within the batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from drumline.diagnostics import Diagnostic, Diagnostics, Position
from drumline.errors import FilesError
from drumline.inventory.patterns import NO_MATCH, select
from drumline.inventory.sources import members
from drumline.loading.handlers import is_bare
from drumline.loading.needs import in_order_of_parts, needs_of, needs_of_plays
from drumline.model.host import Inventory
from drumline.model.plan import Batch, Block, Inside, Keep, Need, Plan, PlannedPlay, Step
from drumline.model.playbook import Barrier, Play, Playbook, Task, TaskPath, Within
from drumline.model.value import Value
from drumline.planning.batches import Hosts, Shuffle, in_batches, put_in_order
from drumline.planning.graph import without
from drumline.planning.keeping import HostScope, keep_of, values_of
from drumline.planning.paths import tasks_of
from drumline.planning.tags import selected
from drumline.templating.failures import TemplateFailed

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
    host_scope: HostScope,
    shuffle: Shuffle,
    warnings: Diagnostics | None = None,
    later: Collection[str] = (),
) -> Plan:
    """The plan of a run. Raises ``FilesError`` with every mistake that the playbook shows with this inventory.

    A play whose hosts ``limit`` excludes is kept, without batches. ``tags`` and ``skip_tags`` work as in Ansible.
    Parts of host patterns that match nothing are noted in ``warnings``. ``host_scope`` finds the values of
    ``spread_by``; ``shuffle`` draws the order of hosts for ``order: shuffle``. ``later`` are the ids of plays that are
    planned when they open: their patterns may match nothing yet.
    """
    noted = Diagnostics() if warnings is None else warnings
    chosen = _Chosen(playbook, inventory, limit, render_pattern, noted, later=later)
    batches = _all_batches(playbook, chosen, inventory, host_scope, shuffle)
    kept = {
        path: task
        for path, task in tasks_of(playbook)
        if chosen.of(path) and batches.of[path.play] and selected(task, tags, skip_tags) and not is_bare(task)
    }
    plan = _Expansion(playbook, chosen, batches, kept, later).plan()
    plays = tuple(replace(play, later=True) if play.play.id in later else play for play in plan.plays)
    return replace(plan, plays=plays) if later else plan


def expand_added(
    play: Play,
    group: Hosts,
    hosts: Hosts,
    inventory: Inventory,
    *,
    limit: str | None = None,
    tags: Collection[str] = (),
    skip_tags: Collection[str] = (),
    render_pattern: RenderPattern,
) -> Plan:
    """The plan of tasks that some hosts of a play add to it, as if these were all of the play, and went together.

    ``play`` has these tasks alone, ``hosts`` are all that take part in it. Raises ``FilesError``.
    """
    playbook = Playbook(path=play.position.path, plays=(play,))
    chosen = _Chosen(playbook, inventory, limit, render_pattern, Diagnostics(), {play.id: hosts})
    batches = _Batches(hosts={play.id: group}, keep={play.id: ()}, of={play.id: (group,)})
    kept = {path: task for path, task in tasks_of(playbook) if chosen.of(path) and selected(task, tags, skip_tags)}
    return _Expansion(playbook, chosen, batches, kept).plan()


def matches_any(play: Play, inventory: Inventory, render_pattern: RenderPattern) -> bool:
    """Whether the pattern of a play matches any host."""
    try:
        return bool(select(render_pattern(play.hosts, play), inventory))
    except (FilesError, TemplateFailed):
        return False


def check_patterns(playbook: Playbook, inventory: Inventory, render_pattern: RenderPattern) -> None:
    """Raise ``FilesError`` with what is wrong with the host patterns of a playbook."""
    _Chosen(playbook, inventory, None, render_pattern, Diagnostics())


class _Chosen:
    """The hosts that each play and each task of a playbook names."""

    def __init__(
        self,
        playbook: Playbook,
        inventory: Inventory,
        limit: str | None,
        render: RenderPattern,
        warnings: Diagnostics,
        plays: Mapping[str, Hosts] | None = None,
        later: Collection[str] = (),
    ) -> None:
        """``plays``: the hosts of the plays where they are known already. ``later``: see :func:`make_plan`."""
        self._later = later
        self._inventory = inventory
        self._render = render
        self._warnings = warnings
        self._found = Diagnostics()
        self._by_pattern: dict[str, Hosts] = {}
        self._limit = None if limit is None else _limit_hosts(limit, inventory, warnings)
        #: By the ids of plays.
        self.plays = plays or {play.id: self._hosts(play.hosts, play, play) for play in playbook.plays}
        self._tasks = {
            play.path_of(task): self._hosts(task.hosts, task, play)
            for play in playbook.plays
            for task in play.tasks
            if task.hosts is not None
        }
        if self._found:
            raise FilesError(self._found)

    def of(self, path: TaskPath) -> Hosts:
        """All hosts of a task, whatever the batch."""
        return self._tasks.get(path, self.plays[path.play])

    def own(self, path: TaskPath) -> Hosts | None:
        """The hosts that the task itself names; None without ``hosts``."""
        return self._tasks.get(path)

    def _hosts(self, value: Value, owner: Play | Task, play: Play) -> Hosts:
        position = owner.positions.get("hosts", owner.position)
        try:
            return self._limited(self._render(value, play), position)
        except FilesError as error:
            if play.id not in self._later or any(one.summary != NO_MATCH for one in error.diagnostics):
                self._found.extend(error.diagnostics)
        except TemplateFailed as error:
            if play.id in self._later:
                return ()
            self._found.add("A host pattern can't be rendered", detail=error.summary, position=error.position)
        return ()

    def _limited(self, pattern: str, position: Position) -> Hosts:
        if pattern not in self._by_pattern:
            hosts = select(pattern, self._inventory, position=position, warnings=self._warnings)
            if self._limit is not None:
                hosts = tuple(host for host in hosts if host in self._limit)
            self._by_pattern[pattern] = hosts
        return self._by_pattern[pattern]


def _limit_hosts(limit: str, inventory: Inventory, warnings: Diagnostics) -> frozenset[str]:
    """The hosts that ``--limit`` allows. Its mistakes have no place in a file, so they name the option."""
    noted = Diagnostics()
    try:
        hosts = frozenset(select(limit, inventory, warnings=noted))
    except FilesError as error:
        raise FilesError(_of_limit(error.diagnostics)) from None
    warnings.extend(_of_limit(noted))
    return hosts


def _of_limit(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    return [replace(diagnostic, detail=f"--limit: {diagnostic.detail}") for diagnostic in found]


class _Batches(Struct, frozen=True):
    """The ordered hosts of each play, its batches, and what has to stay available; by the ids of plays."""

    hosts: Mapping[str, Hosts]
    keep: Mapping[str, tuple[Keep, ...]]
    of: Mapping[str, tuple[Hosts, ...]]


def _all_batches(
    playbook: Playbook, chosen: _Chosen, inventory: Inventory, scope: HostScope, shuffle: Shuffle
) -> _Batches:
    found = Diagnostics()
    groups = members(inventory)
    ordered = {play.id: put_in_order(chosen.plays[play.id], play.order, shuffle) for play in playbook.plays}
    keep: dict[str, tuple[Keep, ...]] = {}
    values: dict[str, tuple[str, ...] | None] = {}
    for play in playbook.plays:
        hosts = ordered[play.id]
        keep[play.id] = keep_of(play, frozenset(hosts), groups, found)
        values[play.id] = values_of(play, hosts, inventory, scope, found)
    if found:
        raise FilesError(found)
    batches = {
        play.id: in_batches(
            ordered[play.id],
            serial=play.serial,
            canary=play.canary,
            values=values[play.id],
            keep=keep[play.id],
        )
        for play in playbook.plays
    }
    return _Batches(ordered, keep, batches)


class _Narrowing:
    """The hosts that a task names, narrowed to the batches of its play."""

    def __init__(self, hosts: Hosts, play: Hosts) -> None:
        self._hosts = hosts
        self._places = {host: place for place, host in enumerate(hosts)}
        own = frozenset(play)
        self._outside = tuple(host for host in hosts if host not in own)

    def to(self, batch: Hosts) -> Hosts:
        """The task's hosts that are in the batch or not in the play, in their own order."""
        inside = [host for host in batch if host in self._places]
        if not inside:
            return self._outside
        if len(inside) + len(self._outside) == len(self._hosts):
            return self._hosts
        return tuple(sorted((*self._outside, *inside), key=self._places.__getitem__))


class _Place(Struct, frozen=True):
    """One task, or block, in one batch of its play."""

    path: TaskPath
    batch: int

    def around(self) -> Iterator[_Place]:
        """The blocks that it stands in, the outermost first."""
        names = self.path.names
        return (_Place(TaskPath(self.path.play, names[:end]), self.batch) for end in range(1, len(names)))


class _Expansion:
    """Steps and waves of the tasks that are kept."""

    def __init__(
        self,
        playbook: Playbook,
        chosen: _Chosen,
        batches: _Batches,
        kept: Mapping[TaskPath, Task],
        later: Collection[str] = (),
    ) -> None:
        self._later = {play.id for play in playbook.plays if play.id in later}  # they may get steps
        self._playbook = playbook
        self._batches = batches
        self._kept = kept
        self._numbers = {play.id: number for number, play in enumerate(playbook.plays)}
        self._by_play: dict[str, list[TaskPath]] = {}
        for path in kept:
            self._by_play.setdefault(path.play, []).append(path)
        graph = needs_of(playbook.plays)
        whole = {TaskPath(path.play, path.names[:end]) for path in kept for end in range(len(path.names))}
        left_out = graph.keys() - kept.keys() - whole
        self._graph = without(graph, left_out)
        order = in_order_of_parts(playbook.plays, graph)
        self._order = self._graph if order is graph else without(order, left_out)
        self._blocks = {play.path_of(block): block for play in playbook.plays for block in play.blocks}
        self._hosts = self._find_hosts(chosen)
        self._places = list(self._hosts)
        self._indices = {place: index for index, place in enumerate(self._places)}
        self._members: dict[_Place, list[_Place]] = {}  # of blocks, the outer ones first: their tasks
        for place in self._places:
            for block in place.around():
                self._members.setdefault(block, []).append(place)
        self._block_indices = {place: index for index, place in enumerate(self._members)}
        self._needs: dict[_Place, tuple[Need, ...]] = {}  # also of places without a step, which pass on what they need
        self._waves: dict[_Place, int] = {}
        for path in TopologicalSorter(self._order).static_order():
            if not path.is_play:
                self._connect(path)

    def plan(self) -> Plan:
        needed = dict(enumerate(needs_of_plays(self._playbook.plays)))
        standing = without(needed, needed.keys() - {self._numbers[play] for play in (*self._by_play, *self._later)})
        steps = tuple(self._step(place, index) for place, index in self._indices.items())
        by_batch: defaultdict[tuple[int, int], list[Step]] = defaultdict(list)
        for step in steps:
            by_batch[step.play, step.batch].append(step)
        found = Diagnostics()
        plays = tuple(
            PlannedPlay(
                play=play,
                hosts=self._batches.hosts[play.id],
                batches=tuple(
                    _batch(play, number, hosts, by_batch[index, number], found)
                    for number, hosts in enumerate(self._batches.of[play.id])
                ),
                needs=standing.get(index, needed[index]),
                keep=self._batches.keep[play.id],
            )
            for index, play in enumerate(self._playbook.plays)
        )
        if found:
            raise FilesError(found)
        blocks = tuple(self._block(place, index) for place, index in self._block_indices.items())
        return Plan(playbook=self._playbook, plays=plays, steps=steps, blocks=blocks)

    def _find_hosts(self, chosen: _Chosen) -> dict[_Place, Hosts]:
        """The hosts of every step, in the order of the plan: by play, batch, then place in the file."""
        found: dict[_Place, Hosts] = {}
        for play, paths in self._by_play.items():
            named = {path: chosen.own(path) for path in paths}
            narrowed = {
                path: _Narrowing(hosts, chosen.plays[play]) for path, hosts in named.items() if hosts is not None
            }
            notifying = [narrowed[path] for path in paths if path in narrowed and self._kept[path].notify]
            for number, batch in enumerate(self._batches.of[play]):
                others = (host for narrowing in notifying for host in narrowing.to(batch))
                notified = tuple(dict.fromkeys((*batch, *others))) if notifying else batch
                for path in paths:
                    hosts = narrowed[path].to(batch) if path in narrowed else batch
                    if self._kept[path].handler is not None:
                        hosts = notified
                    if hosts:
                        found[_Place(path, number)] = hosts
        return found

    def _connect(self, path: TaskPath) -> None:
        """Find the needs and the wave of a task in each batch; what it needs comes before. A block has no wave."""
        for batch in range(len(self._batches.of[path.play])):
            needs = (need for other in self._graph[path] for need in self._as_needs(other, path.play, batch))
            place = _Place(path, batch)
            self._needs[place] = tuple(dict.fromkeys(needs))
            if path not in self._blocks:
                self._waves[place] = max(map(self._waves.__getitem__, self._before(place)), default=-1) + 1

    def _before(self, place: _Place) -> Iterator[_Place]:
        """The steps of the same batch after which it comes: those that it needs, and those of parts before its own."""
        for need in self._needs[place]:
            if need.step is not None:
                other = self._places[need.step]
                if (other.path.play, other.batch) == (place.path.play, place.batch):
                    yield other
        for path in self._order[place.path]:
            other = _Place(path, place.batch)
            if path.play == place.path.play and (other in self._indices or other in self._members):
                yield from self._members.get(other, (other,))

    def _as_needs(self, needed: TaskPath, play: str, batch: int) -> Iterable[Need]:
        if needed.is_play:
            yield Need(play=self._numbers[needed.play])
            return
        batches = (batch,) if needed.play == play else range(len(self._batches.of[needed.play]))
        for place in (_Place(needed, other) for other in batches):
            if place in self._indices:
                yield Need(step=self._indices[place])
            elif place in self._block_indices:
                yield Need(block=self._block_indices[place])
            else:
                yield from self._needs[place]

    def _step(self, place: _Place, index: int) -> Step:
        return Step(
            index=index,
            task=self._kept[place.path],
            play=self._numbers[place.path.play],
            batch=place.batch,
            wave=self._waves[place],
            hosts=self._hosts[place],
            needs=self._needs[place],
            inside=self._inside(place, self._kept[place.path].within),
        )

    def _block(self, place: _Place, index: int) -> Block:
        block = self._blocks[place.path]
        inside = self._inside(place, block.within)
        is_role = block.role_use is not None
        return Block(index=index, id=block.id, play=self._numbers[place.path.play], inside=inside, is_role=is_role)

    def _inside(self, place: _Place, within: Within | None) -> Inside | None:
        if within is None:
            return None
        *_, around = place.around()
        return Inside(self._block_indices[around], within.part)


def _batch(play: Play, number: int, hosts: Hosts, steps: Sequence[Step], found: Diagnostics) -> Batch:
    waves: list[list[Step]] = [[] for _ in range(max((step.wave + 1 for step in steps), default=0))]
    for step in steps:
        waves[step.wave].append(step)
    return Batch(
        hosts=hosts,
        waves=tuple(tuple(step.index for step in wave) for wave in waves),
        barriers=tuple(_barrier(play, wave, found) for wave in waves),
        canary=play.canary is not None and number == 0,
    )


def _barrier(play: Play, wave: Iterable[Step], found: Diagnostics) -> Barrier:
    """The barrier of the wave: that of one of its tasks, else that of the play."""
    first: tuple[Task, Barrier] | None = None
    for task in (step.task for step in wave):
        if task.barrier is None:
            continue
        if first is None:
            first = task, task.barrier
        elif task.barrier != first[1]:
            detail = (
                f"'{first[0].id}' (line {first[0].position.line}) and '{task.id}' are in the same wave, which has one "
                "barrier. Set it on one of them, or set the same on both."
            )
            found.add(
                "Barriers contradict each other", detail=detail, position=task.positions.get("barrier", task.position)
            )
    return first[1] if first else play.barrier
