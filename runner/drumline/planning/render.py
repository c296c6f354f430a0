"""A plan for people (text), programs (JSON) and Graphviz (DOT)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from drumline.model.hostnames import fold_hosts
from drumline.model.plan import Batch, Need, Plan, PlannedPlay, Step
from drumline.model.playbook import Strategy, TriggerRule
from drumline.model.value import text_of

#: Steps of one play share their hosts, of which there may be many.
_folded = lru_cache(maxsize=64)(fold_hosts)


def as_text(plan: Plan) -> str:
    """The plan as lines: per wave its tasks, their hosts, what each waits for, and when the run stops on failure."""
    lines: list[str] = []
    for index in range(len(plan.plays)):
        lines += [*_play_lines(plan, index), ""]
    jobs = sum(_jobs(step) for step in plan.steps)
    waves = sum(len(batch.waves) for play in plan.plays for batch in play.batches)
    lines.append(f"{_count(len(plan.plays), 'play')}, {_count(waves, 'wave')}, {_count(jobs, 'job')}")
    return "\n".join(lines)


def _play_lines(plan: Plan, index: int) -> Iterator[str]:
    planned = plan.plays[index]
    yield f"play {index + 1}: {planned.play.name}"
    if planned.needs:
        yield f"  waits for {_joined(f'play {need + 1}' for need in planned.needs)}"
    if not planned.batches:
        yield "  none of its hosts take part"
        return
    yield f"  hosts: {_folded(planned.hosts)} ({len(planned.hosts)})"
    yield f"  {_strategy(planned)}"
    yield f"  {_stop(planned)}"
    yield from _left_out(plan, index)
    for at, batch in enumerate(planned.batches):
        if len(planned.batches) > 1:
            yield f"  batch {at + 1} of {len(planned.batches)}: {_folded(batch.hosts)} ({len(batch.hosts)})"
        yield from _wave_lines(plan, planned, batch)


def _strategy(planned: PlannedPlay) -> str:
    if planned.play.strategy is Strategy.FREE:
        return "strategy: free (each task starts on a host as soon as its own needs are satisfied)"
    return "strategy: waves (each starts when the one before it is over)"


def _stop(planned: PlannedPlay) -> str:
    count = len(planned.hosts)
    if planned.play.tasks and all(task.any_errors_fatal for task in planned.play.tasks):
        return f"on failure: stops after 1 failed of {count}"
    return f"on failure: leaves out what depends on it; stops after {count} failed of {count}"


def _left_out(plan: Plan, index: int) -> Iterator[str]:
    kept = {step.task.id for step in plan.steps if step.play == index}
    gone = [task.id for task in plan.plays[index].play.tasks if task.id not in kept]
    if gone:
        yield f"  left out by tags or limit: {_joined(gone)}"


def _wave_lines(plan: Plan, planned: PlannedPlay, batch: Batch) -> Iterator[str]:
    if not batch.waves:
        yield "  nothing to do"
    for number, wave in enumerate(batch.waves):
        steps = [plan.steps[index] for index in wave]
        hosts = len({host for step in steps for host in step.hosts})
        jobs = sum(map(_jobs, steps))
        name = "level" if planned.play.strategy is Strategy.FREE else "wave"
        yield f"  {name} {number + 1}: {_count(hosts, 'host')}, {_count(jobs, 'job')}"
        width = max(len(step.task.id) for step in steps)
        for step in steps:
            yield f"    {step.task.id:<{width}}  {_step_text(plan, step)}".rstrip()


def _step_text(plan: Plan, step: Step) -> str:
    hosts = _folded(step.hosts)
    parts = [f"on the first of {hosts} that may" if step.task.run_once and len(step.hosts) > 1 else f"on {hosts}"]
    if step.task.delegate_to is not None:
        parts.append(f"carried out on {text_of(step.task.delegate_to)}")
    if step.needs:
        rule = "" if step.task.trigger_rule is TriggerRule.NONE_FAILED else f" ({step.task.trigger_rule})"
        parts.append(f"waits for {_joined(_need_text(plan, need, step) for need in step.needs)}{rule}")
    return "; ".join(parts)


def _need_text(plan: Plan, need: Need, step: Step) -> str:
    if need.step is None:
        assert need.play is not None
        return f"play {need.play + 1}"
    other = plan.steps[need.step]
    return other.task.id if other.play == step.play else f"{plan.plays[other.play].play.id}.{other.task.id}"


def as_json(plan: Plan) -> str:
    """``{"plays": [{"name", "batches": [{"hosts", "waves": [{"jobs": [{"task", "host"}]}]}]}]}``, with ids and needs.

    ``task`` is the task's id. A task with ``run_once`` is one job, on the first host that may run it.
    """
    return json.dumps({"plays": [_play_data(plan, play) for play in plan.plays]}, ensure_ascii=False)


def _play_data(plan: Plan, planned: PlannedPlay) -> dict[str, Any]:
    return {
        "name": planned.play.name,
        "id": planned.play.id,
        "strategy": str(planned.play.strategy),
        "needs": [plan.plays[need].play.id for need in planned.needs],
        "batches": [
            {"hosts": list(batch.hosts), "waves": [_wave_data(plan, wave) for wave in batch.waves]}
            for batch in planned.batches
        ],
    }


def _wave_data(plan: Plan, wave: Sequence[int]) -> dict[str, Any]:
    steps = [plan.steps[index] for index in wave]
    return {
        "tasks": [
            {
                "id": step.task.id,
                "name": text_of(step.task.name),
                "action": step.task.action,
                "needs": [_need_id(plan, need, step) for need in step.needs],
            }
            for step in steps
        ],
        "jobs": [{"task": step.task.id, "host": host} for step in steps for host in _job_hosts(step)],
    }


def _need_id(plan: Plan, need: Need, step: Step) -> str:
    if need.step is None:
        assert need.play is not None
        return plan.plays[need.play].play.id
    return _need_text(plan, need, step)


def as_dot(plan: Plan) -> str:
    """The plan for Graphviz: a box per play, batch and wave, a node per task, an edge to each from its needs."""
    lines = ["digraph plan {", "  rankdir=LR;", "  compound=true;", "  node [shape=box];"]
    for index, planned in enumerate(plan.plays):
        lines += _cluster(f"play{index}", planned.play.name, _batch_clusters(plan, index), 1)
    for step in plan.steps:
        lines += [f"  {edge};" for need in step.needs for edge in _edges(plan, need, step)]
    return "\n".join([*lines, "}"])


def _batch_clusters(plan: Plan, play: int) -> Iterator[str]:
    batches = plan.plays[play].batches
    for at, batch in enumerate(batches):
        waves = _wave_clusters(plan, batch, f"{play}_{at}")
        if len(batches) == 1:
            yield from waves
        else:
            yield from _cluster(f"batch{play}_{at}", f"batch {at + 1}: {_folded(batch.hosts)}", waves, 1)


def _wave_clusters(plan: Plan, batch: Batch, prefix: str) -> Iterator[str]:
    for number, wave in enumerate(batch.waves):
        nodes = [f"s{index} [label={_quoted(_node_label(plan.steps[index]))}];" for index in wave]
        yield from _cluster(f"wave{prefix}_{number}", f"wave {number + 1}", nodes, 0)


def _cluster(name: str, label: str, content: Iterable[str], depth: int) -> list[str]:
    pad = "  " * depth
    inner = [f"{pad}  {line}" for line in content]
    return [f"{pad}subgraph cluster_{name} {{", f"{pad}  label={_quoted(label)};", *inner, f"{pad}}}"]


def _node_label(step: Step) -> str:
    return f"{step.task.id}\n{_folded(step.hosts)}"


def _edges(plan: Plan, need: Need, step: Step) -> Iterator[str]:
    """From the needed step; for a whole play from its last steps."""
    if need.step is not None:
        yield f"s{need.step} -> s{step.index}"
        return
    needed = [other for other in plan.steps if other.play == need.play]
    inner = {before.step for other in needed for before in other.needs}
    for last in (other.index for other in needed if other.index not in inner):
        yield f"s{last} -> s{step.index} [ltail=cluster_play{need.play}]"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _job_hosts(step: Step) -> tuple[str, ...]:
    return step.hosts[:1] if step.task.run_once else step.hosts


def _jobs(step: Step) -> int:
    return len(_job_hosts(step))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _joined(words: Iterable[str]) -> str:
    *first, last = list(words)
    return f"{', '.join(first)} and {last}" if first else last


#: What ``drumline plan --format`` takes.
FORMATS = {"text": as_text, "json": as_json, "dot": as_dot}
