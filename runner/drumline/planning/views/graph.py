"""What waits for what, as a graph for drawings: over tasks, jobs, hosts, or plays and the rows that they are from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from drumline.diagnostics import counted
from drumline.model.plan import Batch, Need, Plan, PlannedPlay, Step, places_of
from drumline.model.playbook import Strategy
from drumline.model.titles import origin_text, play_title
from drumline.planning.views.words import (
    barrier_text,
    folded,
    hosts_of_jobs,
    jobs_of,
    keep_texts,
    stop_text,
    timing_texts,
)


class By(StrEnum):
    """What a node stands for."""

    TASK = "task"  #: A task in a batch, on all its hosts.
    JOB = "job"  #: A task on one host.
    HOST = "host"  #: All jobs of a host.
    ROW = "row"  #: A play, and so the rows of a table that it is from.


class GraphNode(Struct, frozen=True, kw_only=True):
    """One node. ``note`` says more about it, where there is room."""

    key: str
    name: str  #: In text.
    label: str  #: In drawings; it may have several lines.
    note: str = ""
    play: int | None = None


class GraphBox(Struct, frozen=True, kw_only=True):
    """What belongs together."""

    key: str
    label: str
    content: tuple[GraphBox | GraphNode, ...]


class Edge(Struct, frozen=True):
    """``after`` waits for ``before``. ``whole`` is the box, if all of it is meant."""

    before: str
    after: str
    whole: str | None = None


class Graph(Struct, frozen=True, kw_only=True):
    """A graph. ``title`` says of what."""

    title: str
    content: tuple[GraphBox | GraphNode, ...]
    edges: tuple[Edge, ...]

    def nodes(self) -> Iterator[GraphNode]:
        """All nodes, in order."""
        return _nodes(self.content)


def _nodes(content: Iterable[GraphBox | GraphNode]) -> Iterator[GraphNode]:
    for each in content:
        if isinstance(each, GraphNode):
            yield each
        else:
            yield from _nodes(each.content)


def graph_of(plan: Plan, by: By = By.TASK) -> Graph:
    """The graph of a plan."""
    return _FOLDS[by](plan)


# By task.


def _by_task(plan: Plan) -> Graph:
    content: list[GraphBox] = []
    for index, planned in enumerate(plan.plays):
        stops = [stop_text(planned, planned.batches[0])] if len(planned.batches) == 1 else []
        origin = [origin_text(planned.play.origin)] if planned.play.origin else []
        label = "\n".join([play_title(planned.play), *origin, *keep_texts(planned), *stops])
        content.append(GraphBox(key=f"play{index}", label=label, content=tuple(_batches(plan, index))))
    last = _LastSteps(plan)
    edges = (edge for step in plan.steps for need in step.needs for edge in _edges_of_step(last, need, step))
    return Graph(title="tasks", content=tuple(content), edges=tuple(edges))


def _batches(plan: Plan, play: int) -> Iterator[GraphBox]:
    planned = plan.plays[play]
    for at, batch in enumerate(planned.batches):
        waves = _waves(plan, planned, batch, f"{play}_{at}")
        if len(planned.batches) == 1:
            yield from waves
        else:
            name = f"batch {at + 1}{', the canary' if batch.canary else ''}"
            label = f"{name}: {folded(batch.hosts)}\n{stop_text(planned, batch)}"
            yield GraphBox(key=f"batch{play}_{at}", label=label, content=tuple(waves))


def _waves(plan: Plan, planned: PlannedPlay, batch: Batch, prefix: str) -> Iterator[GraphBox]:
    is_free = planned.play.strategy is Strategy.FREE
    for number, (wave, barrier) in enumerate(zip(batch.waves, batch.barriers, strict=True)):
        steps = [plan.steps[index] for index in wave]
        passes = "" if is_free else barrier_text(barrier, sum(map(jobs_of, steps)))
        label = f"{'level' if is_free else 'wave'} {number + 1}" + (f"\nbarrier: {passes}" if passes else "")
        content = tuple(_task_node(planned, step) for step in steps)
        yield GraphBox(key=f"wave{prefix}_{number}", label=label, content=content)


def _task_node(planned: PlannedPlay, step: Step) -> GraphNode:
    label = "\n".join([step.task.id, folded(step.hosts), *timing_texts(planned, step)])
    batch = f" (batch {step.batch + 1})" if len(planned.batches) > 1 else ""
    name = f"{planned.play.id}.{step.task.id}{batch}"
    return GraphNode(key=f"s{step.index}", name=name, label=label, note=str(step.task.position), play=step.play)


def _edges_of_step(last: _LastSteps, need: Need, step: Step) -> Iterator[Edge]:
    """Edges from the needed step; for a needed play or block, from its last steps."""
    whole = None if need.step is not None or need.play is None else f"play{need.play}"
    yield from (Edge(f"s{before.index}", f"s{step.index}", whole) for before in last.of(need))


class _LastSteps:
    """Finds the steps that a need stands for: of a play or a block those that nothing else in it needs."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._members: dict[tuple[str, int], list[Step]] = {}
        for step in plan.steps:
            self._members.setdefault(("play", step.play), []).append(step)
            for place in places_of(plan, step.inside):
                self._members.setdefault(("block", place.block), []).append(step)
        self._known: dict[tuple[str, int], list[Step]] = {}

    def of(self, need: Need) -> Sequence[Step]:
        if need.step is not None:
            return [self._plan.steps[need.step]]
        key = ("play", need.play) if need.play is not None else ("block", need.block or 0)
        if key not in self._known:
            members = self._members.get(key, [])
            inner = {before.step for other in members for before in other.needs}
            self._known[key] = [step for step in members if step.index not in inner]
        return self._known[key]


# By job and by host.

_Job: TypeAlias = tuple[int, str]  # a step and a host


def _waits(plan: Plan) -> Iterator[tuple[_Job, _Job]]:
    """What each job waits for: of what a step needs the job on the same host, else all of its jobs."""
    last = _LastSteps(plan)
    for step in plan.steps:
        for need in step.needs:
            needed = last.of(need)
            there = {host for before in needed for host in hosts_of_jobs(before)}
            for host in hosts_of_jobs(step):
                for before in needed:
                    hosts = hosts_of_jobs(before)
                    for other in hosts if host not in there else (host,) if host in hosts else ():
                        yield (before.index, other), (step.index, host)


def _by_job(plan: Plan) -> Graph:
    hosts = dict.fromkeys(host for step in plan.steps for host in step.hosts)
    places = {host: number for number, host in enumerate(hosts)}

    def key(job: _Job) -> str:
        return f"s{job[0]}h{places[job[1]]}"

    boxes = {number: list[GraphNode]() for number in range(len(plan.plays))}
    for step in plan.steps:
        play = plan.plays[step.play].play
        for host in hosts_of_jobs(step):
            name = f"{play.id}.{step.task.id} on {host}"
            label = f"{step.task.id}\n{host}"
            place = str(step.task.position)
            node = GraphNode(key=key((step.index, host)), name=name, label=label, note=place, play=step.play)
            boxes[step.play].append(node)
    content = tuple(
        GraphBox(key=f"play{number}", label=play_title(plan.plays[number].play), content=tuple(nodes))
        for number, nodes in boxes.items()
        if nodes
    )
    edges = dict.fromkeys(Edge(key(before), key(after)) for before, after in _waits(plan))
    return Graph(title="jobs", content=content, edges=tuple(edges))


def _by_host(plan: Plan) -> Graph:
    jobs: dict[str, int] = {}
    for step in plan.steps:
        for host in hosts_of_jobs(step):
            jobs[host] = jobs.get(host, 0) + 1
    keys = {host: f"h{number}" for number, host in enumerate(jobs)}
    nodes = (
        GraphNode(key=keys[host], name=host, label=f"{host}\n{counted(count, 'job')}") for host, count in jobs.items()
    )
    pairs = dict.fromkeys((before, after) for (_, before), (_, after) in _waits(plan) if before != after)
    edges = (Edge(keys[before], keys[after]) for before, after in pairs)
    return Graph(title="hosts", content=tuple(nodes), edges=tuple(edges))


# By row.


def _by_row(plan: Plan) -> Graph:
    needed: Mapping[int, dict[int, None]] = {
        number: dict.fromkeys(planned.needs) for number, planned in enumerate(plan.plays)
    }
    for step in plan.steps:
        for need in step.needs:
            if need.step is not None and plan.steps[need.step].play != step.play:
                needed[step.play][plan.steps[need.step].play] = None
    edges = (Edge(f"p{before}", f"p{after}") for after, plays in needed.items() for before in plays)
    nodes = (_row_node(number, planned) for number, planned in enumerate(plan.plays))
    return Graph(title="plays and rows", content=tuple(nodes), edges=tuple(edges))


def _row_node(number: int, planned: PlannedPlay) -> GraphNode:
    play = planned.play
    origin = play.origin
    note = str(play.position) if origin is None else origin_text(origin)
    hosts = folded(planned.hosts) if planned.hosts else "no hosts"
    return GraphNode(key=f"p{number}", name=play.id, label=f"{play.id}\n{hosts}", note=note, play=number)


_FOLDS: Mapping[By, Callable[[Plan], Graph]] = {
    By.TASK: _by_task,
    By.JOB: _by_job,
    By.HOST: _by_host,
    By.ROW: _by_row,
}
