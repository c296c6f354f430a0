"""A plan for programs: JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from drumline.model.plan import Batch, Plan, PlannedPlay, Step
from drumline.model.playbook import Barrier, GeneratedFrom, Start, Strategy, Task
from drumline.model.traits import ApprovalArguments
from drumline.model.value import Template, text_of
from drumline.planning.views.words import hosts_of_jobs, jobs_of, most_failures, needs_text, quorum
from drumline.times import moment


def as_json(plan: Plan) -> str:
    """``{"plays": [{"name", "batches": [{"hosts", "waves": [{"jobs": [{"task", "host"}]}]}]}]}``, with ids and needs.

    ``task`` is the task's id. A task with ``run_once`` is one job, on its first host. Amounts are text
    as in the playbook; durations are seconds; a time is ``{"epoch", "utc"}``.
    """
    return json.dumps({"plays": [_play_data(plan, play) for play in plan.plays]}, ensure_ascii=False)


def _play_data(plan: Plan, planned: PlannedPlay) -> dict[str, Any]:
    play = planned.play
    return {
        "name": play.name,
        "id": play.id,
        "strategy": str(play.strategy),
        "facts": play.facts or None,
        "later": planned.later,
        "origin": play.origin and origin_data(play.origin),
        "needs": [plan.plays[need].play.id for need in planned.needs],
        "order": str(play.order),
        "serial": [str(amount) for amount in play.serial],
        "canary": str(play.canary) if play.canary else None,
        "spread_by": play.spread_by,
        "keep_available": [
            {"group": keep.group, "least": keep.least, "hosts": len(keep.hosts)} for keep in planned.keep
        ],
        "max_fail_percentage": play.max_fail_percentage,
        "batches": [_batch_data(plan, planned, batch) for batch in planned.batches],
    }


def origin_data(origin: GeneratedFrom) -> dict[str, Any]:
    """From which rows and which pattern a play was generated. Places are text, as in messages."""
    return {
        "rows": [{"table": row.table, "key": row.key, "position": str(row.position)} for row in origin.rows],
        "pattern": origin.pattern,
        "position": str(origin.position),
    }


def _batch_data(plan: Plan, planned: PlannedPlay, batch: Batch) -> dict[str, Any]:
    has_barriers = planned.play.strategy is not Strategy.FREE
    return {
        "hosts": list(batch.hosts),
        "canary": batch.canary,
        "stops_after": most_failures(planned, batch),
        "waves": [
            _wave_data(plan, wave, barrier if has_barriers else None)
            for wave, barrier in zip(batch.waves, batch.barriers, strict=True)
        ],
    }


def _wave_data(plan: Plan, wave: Sequence[int], barrier: Barrier | None) -> dict[str, Any]:
    steps = [plan.steps[index] for index in wave]
    return {
        "barrier": barrier and _barrier_data(barrier, sum(map(jobs_of, steps))),
        "tasks": [_task_data(plan, step) for step in steps],
        "jobs": [{"task": step.task.id, "host": host} for step in steps for host in hosts_of_jobs(step)],
    }


def _barrier_data(barrier: Barrier, jobs: int) -> dict[str, Any]:
    return {
        "quorum": str(barrier.quorum),
        "jobs": quorum(barrier, jobs),
        "deadline": barrier.deadline,
        "late": str(barrier.late),
    }


def _task_data(plan: Plan, step: Step) -> dict[str, Any]:
    task = step.task
    return {
        "id": task.id,
        "name": text_of(task.name),
        "action": task.action,
        "by": task.traits.by or None,
        "needs": needs_text(plan, step, lambda play: plan.plays[play].play.id),
        "block": step.inside and {"id": plan.blocks[step.inside.block].id, "part": step.inside.part.name.lower()},
        "any_errors_fatal": task.any_errors_fatal,
        "throttle": task.throttle,
        "start": task.start and _start_data(task.start),
        "adds": None if task.traits.adds is None else text_of(task.arguments.get(task.traits.adds.name)),
        "approval": _approval_data(task, task.traits.asks) if task.traits.asks else None,
    }


def _approval_data(task: Task, asks: ApprovalArguments) -> dict[str, Any]:
    """The arguments as written; templates as text."""
    names = {"message": asks.message, "timeout": asks.timeout, "default": asks.default}
    written = {name: task.arguments.get(argument) for name, argument in names.items()}
    return {name: value.text if isinstance(value, Template) else value for name, value in written.items()}


def _start_data(start: Start) -> dict[str, Any]:
    at = None if start.at is None else {"epoch": start.at, "utc": moment(start.at)}
    return {"max_skew": start.max_skew, "at": at}
