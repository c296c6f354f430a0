"""A plan's barriers, limits and starts in plain words."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from drumline.diagnostics import counted
from drumline.model.hostnames import fold_hosts
from drumline.model.plan import Batch, Need, Plan, PlannedPlay, Step, places_of
from drumline.model.playbook import Barrier, BlockPart, Late, Order, Start
from drumline.model.traits import ApprovalArguments
from drumline.model.value import Template, Value, text_of
from drumline.planning.start_times import how_far
from drumline.source.moments import duration
from drumline.times import in_words, moment

_LATE = {
    Late.FAIL: "late jobs are stopped and fail",
    Late.DROP: "late jobs are stopped and their hosts leave the play",
    Late.CATCH_UP: "late jobs go on and their hosts catch up",
}


#: Cached because the steps of a play share its hosts, of which there may be many.
folded = lru_cache(maxsize=64)(fold_hosts)


def part_of_block(plan: Plan, step: Step) -> tuple[str, str] | None:
    """The block of a step that is there for a failure in it, or for its end, and that part: ``("b", "rescue")``."""
    for place in places_of(plan, step.inside):
        if place.part is not BlockPart.TASKS:
            return plan.blocks[place.block].id, place.part.name.lower()
    return None


def hosts_of_jobs(step: Step) -> tuple[str, ...]:
    """The hosts of the step's jobs; with ``run_once`` only the first host, as far as a plan can know."""
    return step.hosts[:1] if step.task.run_once else step.hosts


def jobs_of(step: Step) -> int:
    """How many jobs the step has."""
    return len(hosts_of_jobs(step))


def needs_text(plan: Plan, step: Step, play_text: Callable[[int], str]) -> list[str]:
    """What the step needs, without repetitions: ids of tasks (``play.task`` in other plays), and plays."""
    return list(dict.fromkeys(_need_text(plan, need, step, play_text) for need in step.needs))


def _need_text(plan: Plan, need: Need, step: Step, play_text: Callable[[int], str]) -> str:
    if need.block is not None:
        block = plan.blocks[need.block]
        return block.id if block.play == step.play else f"{plan.plays[block.play].play.id}.{block.id}"
    if need.step is None:
        assert need.play is not None
        return play_text(need.play)
    other = plan.steps[need.step]
    return other.task.id if other.play == step.play else f"{plan.plays[other.play].play.id}.{other.task.id}"


def quorum(barrier: Barrier, jobs: int) -> int:
    """How many of the wave's jobs must have ended before the barrier passes."""
    return min(jobs, barrier.quorum.at_least(jobs))


def barrier_text(barrier: Barrier, jobs: int) -> str:
    """When the barrier of a wave with this many jobs passes; ``""`` if it simply waits for all of them."""
    needed = quorum(barrier, jobs)
    if needed == jobs and barrier.deadline is None:
        return ""
    passes = (
        f"passes when {needed} of {counted(jobs, 'job')} have ended"
        if needed < jobs
        else "passes when all jobs have ended"
    )
    if barrier.deadline is None:
        return f"{passes}; {_LATE[barrier.late]}"
    return f"{passes}, or {in_words(barrier.deadline)} after the release; {_LATE[barrier.late]}"


def is_fatal(planned: PlannedPlay) -> bool:
    """Whether any failure ends the play."""
    tasks = planned.play.tasks
    return bool(tasks) and all(task.any_errors_fatal for task in tasks)


def most_failures(planned: PlannedPlay, batch: Batch) -> int:
    """How many failed hosts of the batch stop the play."""
    hosts = len(batch.hosts)
    if batch.canary or is_fatal(planned):
        return 1
    most = planned.play.max_fail_percentage
    return hosts if most is None else min(hosts, math.floor(round(hosts * most / 100, 9)) + 1)


def stop_text(planned: PlannedPlay, batch: Batch) -> str:
    """When failures in the batch end the play."""
    if batch.canary:
        return "stops if anything fails"
    return f"stops after {counted(most_failures(planned, batch), 'failed host')} of {len(batch.hosts)}"


def batching_text(planned: PlannedPlay) -> str:
    """The number of batches and the keywords that make them; ``""`` for a single batch."""
    play = planned.play
    parts = [
        f"canary: {play.canary}" if play.canary else "",
        f"serial: {', '.join(map(str, play.serial))}" if play.serial else "",
        f"spread_by: {play.spread_by}" if play.spread_by else "",
    ]
    written = ", ".join(filter(None, parts))
    if play.spread_by and not (play.serial or play.canary or play.keep_available):
        return f"1 ({written} has no effect without serial: all hosts go at once)"
    return f"{len(planned.batches)} ({written})" if written else ""


def order_text(order: Order) -> str:
    """``""`` for the inventory's order."""
    if order is Order.INVENTORY:
        return ""
    return f"{order} (drawn anew in every run)" if order is Order.SHUFFLE else str(order)


def keep_texts(planned: PlannedPlay) -> list[str]:
    """For each group of ``keep_available``, how many of its hosts stay available."""
    return [
        f"{keep.group}: at least {keep.least} of {counted(len(keep.hosts), 'host')} stay available"
        for keep in planned.keep
    ]


def timing_texts(planned: PlannedPlay, step: Step, now: float | None = None) -> list[str]:
    """What is special about how the step's jobs start and stop. ``now`` adds how far away a start is."""
    task, jobs = step.task, jobs_of(step)
    parts = [start_text(task.start, jobs, now)] if task.start else []
    if 0 < task.throttle < jobs:
        parts.append(f"at most {task.throttle} at once")
    if task.traits.asks is not None:
        parts.append(_approval_text(step, task.traits.asks))
    if task.any_errors_fatal and not is_fatal(planned):
        parts.append("a failure stops the play")
    return parts


def start_text(start: Start, jobs: int, now: float | None) -> str:
    """When this many jobs start, and how closely together."""
    text = f"starts together on {counted(jobs, 'host')}"
    if start.at is not None:
        text += f" at {moment(start.at)}" + (f" ({how_far(start.at, now)})" if now is not None else "")
    return text if start.max_skew is None else f"{text}, within {in_words(start.max_skew)} or not at all"


def _approval_text(step: Step, asks: ApprovalArguments) -> str:
    arguments = step.task.arguments
    message = " ".join(text_of(arguments.get(asks.message)).split())
    timeout = arguments.get(asks.timeout)
    if timeout is None:
        return f'asks "{message}", for as long as there is no answer'
    default = arguments.get(asks.default)
    if isinstance(default, Template):
        return f'asks "{message}"; after {_duration_text(timeout)} without an answer, {asks.default} decides'
    decision = "approved" if default == asks.approval else "rejected"
    return f'asks "{message}"; {decision} after {_duration_text(timeout)} without an answer'


def _duration_text(value: Value) -> str:
    """A duration as an action takes it: text with units, or seconds."""
    try:
        return in_words(duration(value) if isinstance(value, str) else float(value))
    except (TypeError, ValueError):  # a template
        return text_of(value)
