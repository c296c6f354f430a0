"""Plans as JSON and back: all that the state of a run and its report need, and nothing that a task's arguments hold."""

from __future__ import annotations

import json
from typing import Any

from drumline.diagnostics import Position
from drumline.model.plan import Batch, Need, Plan, PlannedPlay, Step
from drumline.model.playbook import Play, Playbook, Strategy, Task, TriggerRule
from drumline.model.value import Template


def encode_plan(plan: Plan) -> str:
    """A plan as JSON; each tuple of hosts that steps share is written once."""
    hosts: dict[tuple[str, ...], int] = {}

    def number(names: tuple[str, ...]) -> int:
        return hosts.setdefault(names, len(hosts))

    plays = [_play_fields(play, number) for play in plan.plays]
    steps = [_step_fields(step, number) for step in plan.steps]
    return json.dumps({"path": plan.playbook.path, "plays": plays, "steps": steps, "hosts": list(hosts)})


def decode_plan(text: str) -> Plan:
    """The plan that ``encode_plan`` wrote; tasks have no arguments and no conditions any more."""
    fields = json.loads(text)
    hosts = [tuple(names) for names in fields["hosts"]]
    plays = tuple(_read_play(play, hosts) for play in fields["plays"])
    playbook = Playbook(path=fields["path"], plays=tuple(planned.play for planned in plays))
    steps = tuple(_read_step(index, step, hosts) for index, step in enumerate(fields["steps"]))
    return Plan(playbook=playbook, plays=plays, steps=steps)


def _play_fields(planned: PlannedPlay, number: Any) -> dict[str, Any]:
    play = planned.play
    return {
        "id": play.id,
        "name": play.name,
        "position": play.position,
        "strategy": play.strategy,
        "hosts": number(planned.hosts),
        "needs": planned.needs,
        "batches": [{"hosts": number(batch.hosts), "waves": batch.waves} for batch in planned.batches],
    }


def _read_play(fields: dict[str, Any], hosts: list[tuple[str, ...]]) -> PlannedPlay:
    play = Play(
        id=fields["id"],
        name=fields["name"],
        hosts="",
        position=Position(*fields["position"]),
        strategy=Strategy(fields["strategy"]),
    )
    batches = tuple(
        Batch(hosts=hosts[batch["hosts"]], waves=tuple(tuple(wave) for wave in batch["waves"]))
        for batch in fields["batches"]
    )
    return PlannedPlay(play=play, hosts=hosts[fields["hosts"]], batches=batches, needs=tuple(fields["needs"]))


def _step_fields(step: Step, number: Any) -> dict[str, Any]:
    task = step.task
    return {
        "task": task.id,
        "name": task.name.text if isinstance(task.name, Template) else str(task.name),
        "action": task.action,
        "position": task.position,
        "trigger_rule": task.trigger_rule,
        "run_once": task.run_once,
        "any_errors_fatal": task.any_errors_fatal,
        "play": step.play,
        "batch": step.batch,
        "wave": step.wave,
        "hosts": number(step.hosts),
        "needs": step.needs,
    }


def _read_step(index: int, fields: dict[str, Any], hosts: list[tuple[str, ...]]) -> Step:
    task = Task(
        id=fields["task"],
        name=fields["name"],
        action=fields["action"],
        position=Position(*fields["position"]),
        trigger_rule=TriggerRule(fields["trigger_rule"]),
        run_once=fields["run_once"],
        any_errors_fatal=fields.get("any_errors_fatal", False),
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
