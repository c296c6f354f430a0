"""Events as JSON, for readers who don't have the plan. The field names are the ones of :mod:`drumline.model.event`."""

from __future__ import annotations

import json
from typing import Any

from drumline.model.cause import Cause
from drumline.model.event import SCHEMA, Event
from drumline.model.plan import Growth, Job, Plan, Step

#: Numbers of more bits aren't turned into text, and what is nested deeper neither.
_MOST_BITS, _DEEPEST = 14_000, 100

# One encoder, made once: json.dumps makes a new one for every call that isn't all defaults. What a set_fact holds and
# JSON doesn't know is shown as text. ASCII alone: a host may say half a surrogate pair, which UTF-8 can't hold.
_plain = json.JSONEncoder(default=str, separators=(",", ":")).encode


def _encode(value: Any) -> str:
    try:
        return _plain(value)
    except (TypeError, ValueError, RecursionError):  # odd keys, numbers of thousands of digits, a value within itself
        return _plain(_tame(value))


def _tame(value: Any, depth: int = 0) -> Any:
    """The same, with words in the place of what JSON can't hold."""
    if depth > _DEEPEST:
        return "(nested too deeply)"
    if isinstance(value, dict):
        return {str(key): _tame(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_tame(item, depth + 1) for item in value]
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"(a number of {value.bit_length()} bits)"
    return value


def describe(event: Event, plan: Plan) -> dict[str, Any]:
    """An event for readers who don't have the plan: jobs as ``{"task", "host"}``, plays by id."""
    fields: dict[str, Any] = {"event": type(event).__name__}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, (Job, Cause)):
            value = _described(value, plan)
        elif isinstance(value, Growth):
            name, value = "steps", [_described_step(step) for step in value.steps]
        elif isinstance(value, tuple):
            value = [item if isinstance(item, str) else _described(item, plan) for item in value]
        elif name == "play":
            fields["play_id"] = plan.plays[value].play.id
        elif name == "step":
            fields["task"] = plan.steps[value].task.id
        fields[name] = value
    return fields


def _described_step(step: Step) -> dict[str, Any]:
    """What was added: no more of it than of the plan, of which this stream says nothing else."""
    return {"step": step.index, "task": step.task.id, "wave": step.wave, "hosts": list(step.hosts)}


def to_line(event: Event, plan: Plan, number: int) -> str:
    """``describe`` as one line of JSON, with the number of the event and of the schema."""
    return _encode({"schema": SCHEMA, "seq": number, **describe(event, plan)})


def _described(value: Job | Cause, plan: Plan) -> dict[str, Any]:
    if isinstance(value, Cause):
        return _described_cause(value, plan)
    step = plan.steps[value.step]
    return {"play": plan.plays[step.play].play.id, "task": step.task.id, "host": value.host, "step": value.step}


def _described_cause(cause: Cause, plan: Plan) -> dict[str, Any]:
    """``kind``, and of the rest what it has: a play, batch and wave; the fields of a job; ``by``."""
    fields: dict[str, Any] = {"kind": cause.kind}
    fields |= zip(("play", "batch", "wave"), cause.place, strict=False)
    if cause.place:
        fields["play"] = plan.plays[cause.place[0]].play.id
    if cause.job is not None:
        fields |= _described(cause.job, plan)
    return fields | ({"by": cause.by} if cause.by else {})
