"""Plans as JSON and back: all that the state of a run and its report need, and nothing of a task's arguments
but what the title of a task without a name takes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec import convert, to_builtins

from drumline.diagnostics import Position
from drumline.model.plan import Batch, Keep, Need, Plan, PlannedPlay, Step
from drumline.model.playbook import Amount, Barrier, Late, Play, Playbook, Start, Strategy, Task, TriggerRule
from drumline.model.titles import play_title, task_title
from drumline.model.traits import Traits


def encode_plan(plan: Plan) -> str:
    """A plan as JSON; each tuple of hosts that steps share is written once."""
    hosts: dict[tuple[str, ...], int] = {}

    def number(names: tuple[str, ...]) -> int:
        return hosts.setdefault(names, len(hosts))

    plays = [_play_fields(play, number) for play in plan.plays]
    steps = [_step_fields(step, number) for step in plan.steps]
    return json.dumps({"path": plan.playbook.path, "plays": plays, "steps": steps, "hosts": list(hosts)})


class DamagedPlan(ValueError):
    """What the journal holds is no plan."""


def decode_plan(text: str) -> Plan:
    """The plan that ``encode_plan`` wrote; tasks have no arguments and no conditions any more.

    Journals of schema 1 have one batch per play, without barriers of its own, and ``any_errors_fatal`` of plays.
    Raises ``DamagedPlan``.
    """
    try:
        plan = _read_plan(json.loads(text))
        _check(plan)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise DamagedPlan(f"{type(error).__name__}: {error}") from error
    return plan


def _check(plan: Plan) -> None:
    """What refers to something by its number must find it. Raises ``IndexError`` and ``TypeError``."""
    for step in plan.steps:
        _at(plan.plays[_at(plan.plays, step.play)].batches, step.batch)
        for need in step.needs:
            if need.step is not None:
                _at(plan.steps, need.step)
            if need.play is not None:
                _at(plan.plays, need.play)
        ",".join((*step.hosts, step.task.id, step.task.action, str(step.task.name)))
    for play in plan.plays:
        ",".join((*play.hosts, play.play.id, str(play.play.name)))
        for number in play.needs:
            _at(plan.plays, number)
        for batch in play.batches:
            ",".join(batch.hosts)
            for index in (index for wave in batch.waves for index in wave):
                _at(plan.steps, index)


def _at(items: Sequence[Any], number: Any) -> int:
    if not isinstance(number, int) or not 0 <= number < len(items):
        raise IndexError(f"there is no number {number!r}")
    return number


def _read_plan(fields: Any) -> Plan:
    hosts = [tuple(names) for names in fields["hosts"]]
    plays = tuple(_read_play(play, hosts) for play in fields["plays"])
    playbook = Playbook(path=fields["path"], plays=tuple(planned.play for planned in plays))
    fatal = [play.get("any_errors_fatal", False) for play in fields["plays"]]
    steps = tuple(_read_step(index, step, hosts, fatal) for index, step in enumerate(fields["steps"]))
    return Plan(playbook=playbook, plays=plays, steps=steps)


def _play_fields(planned: PlannedPlay, number: Any) -> dict[str, Any]:
    play = planned.play
    return {
        "id": play.id,
        "name": play_title(play),
        "position": play.position,
        "strategy": play.strategy,
        "hosts": number(planned.hosts),
        "needs": planned.needs,
        "max_fail_percentage": play.max_fail_percentage,
        "batches": [_batch_fields(batch, number) for batch in planned.batches],
        "keep": [(keep.group, keep.least, number(keep.hosts)) for keep in planned.keep],
    }


def _batch_fields(batch: Batch, number: Any) -> dict[str, Any]:
    barriers = [_barrier_fields(barrier) for barrier in batch.barriers]
    return {"hosts": number(batch.hosts), "waves": batch.waves, "barriers": barriers, "canary": batch.canary}


def _barrier_fields(barrier: Barrier) -> tuple[float, bool, float | None, Late] | None:
    """None for the plain one, which most are."""
    if barrier == Barrier():
        return None
    return barrier.quorum.value, barrier.quorum.percent, barrier.deadline, barrier.late


def _read_play(fields: dict[str, Any], hosts: list[tuple[str, ...]]) -> PlannedPlay:
    play = Play(
        id=fields["id"],
        name=fields["name"],
        hosts="",
        position=Position(*fields["position"]),
        strategy=Strategy(fields["strategy"]),
        max_fail_percentage=fields.get("max_fail_percentage"),
    )
    return PlannedPlay(
        play=play,
        hosts=hosts[fields["hosts"]],
        batches=tuple(_read_batch(batch, hosts) for batch in fields["batches"]),
        needs=tuple(fields["needs"]),
        keep=tuple(Keep(group=name, least=least, hosts=hosts[at]) for name, least, at in fields.get("keep", ())),
    )


def _read_batch(fields: dict[str, Any], hosts: list[tuple[str, ...]]) -> Batch:
    return Batch(
        hosts=hosts[fields["hosts"]],
        waves=tuple(tuple(wave) for wave in fields["waves"]),
        barriers=tuple(_read_barrier(barrier) for barrier in fields.get("barriers", ())),
        canary=fields.get("canary", False),
    )


def _read_barrier(fields: tuple[float, bool, float | None, str] | None) -> Barrier:
    if fields is None:
        return Barrier()
    value, percent, deadline, late = fields
    return Barrier(quorum=Amount(value, percent), deadline=deadline, late=Late(late))


def _step_fields(step: Step, number: Any) -> dict[str, Any]:
    task = step.task
    return {
        "task": task.id,
        "name": task_title(task),
        "action": task.action,
        "traits": to_builtins(task.traits),
        "position": task.position,
        "trigger_rule": task.trigger_rule,
        "run_once": task.run_once,
        "any_errors_fatal": task.any_errors_fatal,
        "throttle": task.throttle,
        "start": None if task.start is None else (task.start.max_skew, task.start.at),
        "play": step.play,
        "batch": step.batch,
        "wave": step.wave,
        "hosts": number(step.hosts),
        "needs": step.needs,
    }


def _read_step(index: int, fields: dict[str, Any], hosts: list[tuple[str, ...]], fatal: list[bool]) -> Step:
    start = fields.get("start")
    task = Task(
        id=fields["task"],
        name=fields["name"],
        action=fields["action"],
        traits=convert(fields.get("traits", {}), Traits),
        position=Position(*fields["position"]),
        trigger_rule=TriggerRule(fields["trigger_rule"]),
        run_once=fields["run_once"],
        any_errors_fatal=fields.get("any_errors_fatal", fatal[fields["play"]]),
        throttle=fields.get("throttle", 0),
        start=None if start is None else Start(max_skew=start[0], at=start[1]),
    )
    return Step(
        index=index,
        task=task,
        play=fields["play"],
        batch=fields["batch"],
        wave=fields["wave"],
        hosts=hosts[fields["hosts"]],
        needs=tuple(Need(*need) for need in fields["needs"]),
    )
