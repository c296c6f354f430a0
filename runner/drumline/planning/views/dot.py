"""A plan for Graphviz."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from drumline.model.plan import Batch, Need, Plan, PlannedPlay, Step, places_of
from drumline.model.playbook import Strategy
from drumline.model.titles import play_title
from drumline.planning.views.words import barrier_text, folded, jobs_of, keep_texts, stop_text, timing_texts


def as_dot(plan: Plan) -> str:
    """The plan for Graphviz: a box per play, batch and wave, a node per task, an edge from each need."""
    lines = ["digraph plan {", "  rankdir=LR;", "  compound=true;", "  node [shape=box];"]
    for index, planned in enumerate(plan.plays):
        stops = [stop_text(planned, planned.batches[0])] if len(planned.batches) == 1 else []
        label = "\n".join([play_title(planned.play), *keep_texts(planned), *stops])
        lines += _cluster(f"play{index}", label, _batch_clusters(plan, index), 1)
    for step in plan.steps:
        lines += [f"  {edge};" for need in step.needs for edge in _edges(plan, need, step)]
    return "\n".join([*lines, "}"])


def _batch_clusters(plan: Plan, play: int) -> Iterator[str]:
    planned = plan.plays[play]
    for at, batch in enumerate(planned.batches):
        waves = _wave_clusters(plan, planned, batch, f"{play}_{at}")
        if len(planned.batches) == 1:
            yield from waves
        else:
            name = f"batch {at + 1}{', the canary' if batch.canary else ''}"
            label = f"{name}: {folded(batch.hosts)}\n{stop_text(planned, batch)}"
            yield from _cluster(f"batch{play}_{at}", label, waves, 1)


def _wave_clusters(plan: Plan, planned: PlannedPlay, batch: Batch, prefix: str) -> Iterator[str]:
    is_free = planned.play.strategy is Strategy.FREE
    for number, (wave, barrier) in enumerate(zip(batch.waves, batch.barriers, strict=True)):
        steps = [plan.steps[index] for index in wave]
        passes = "" if is_free else barrier_text(barrier, sum(map(jobs_of, steps)))
        label = f"{'level' if is_free else 'wave'} {number + 1}" + (f"\nbarrier: {passes}" if passes else "")
        nodes = [f"s{step.index} [label={_quoted(_node_label(planned, step))}];" for step in steps]
        yield from _cluster(f"wave{prefix}_{number}", label, nodes, 0)


def _cluster(name: str, label: str, content: Iterable[str], depth: int) -> list[str]:
    pad = "  " * depth
    inner = [f"{pad}  {line}" for line in content]
    return [f"{pad}subgraph cluster_{name} {{", f"{pad}  label={_quoted(label)};", *inner, f"{pad}}}"]


def _node_label(planned: PlannedPlay, step: Step) -> str:
    return "\n".join([step.task.id, folded(step.hosts), *timing_texts(planned, step)])


def _edges(plan: Plan, need: Need, step: Step) -> Iterator[str]:
    """Edges from the needed step; for a needed play or block, from its last steps."""
    if need.step is not None:
        yield f"s{need.step} -> s{step.index}"
        return
    tail = "" if need.play is None else f" [ltail=cluster_play{need.play}]"
    needed = [other for other in plan.steps if _belongs(plan, other, need)]
    inner = {before.step for other in needed for before in other.needs}
    for last in (other.index for other in needed if other.index not in inner):
        yield f"s{last} -> s{step.index}{tail}"


def _belongs(plan: Plan, step: Step, need: Need) -> bool:
    """Whether a step is of the play, or the block, that is needed."""
    if need.play is not None:
        return step.play == need.play
    return any(place.block == need.block for place in places_of(plan, step.inside))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
