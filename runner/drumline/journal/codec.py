"""Events as JSON and back. The field names are the ones of :mod:`drumline.model.event`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args

from drumline.model.event import SCHEMA, Event, Urgency
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan
from drumline.model.playbook import Late

#: Seconds since the epoch beyond which no calendar goes.
LATEST = 1e11
_TYPES: dict[str, type[Any]] = {
    "str": str,
    "bool": bool,
    "Mapping[str, Any]": dict,
    "Status": Status,
    "Late": Late,
    "Urgency": Urgency,
}

#: Numbers of more bits aren't turned into text, and what is nested deeper neither.
_MOST_BITS, _DEEPEST = 14_000, 100

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}

#: How a field is read back where JSON has lost its type.
_READ: dict[str, Callable[[Any], Any]] = {
    "job": lambda value: Job(*value),
    "jobs": lambda value: tuple(Job(*item) for item in value) if isinstance(value, list) else value,
    "last": lambda value: Job(*value) if value else None,
    "cause": lambda value: Job(*value) if value else None,
    "worst": lambda value: Job(*value),
    "late": Late,
    "status": Status,
    "urgency": Urgency,
}


# One encoder, made once: json.dumps makes a new one for every call that isn't all defaults. What a set_fact holds and
# JSON doesn't know is shown as text. ASCII alone: a host may say half a surrogate pair, which UTF-8 can't hold.
_plain = json.JSONEncoder(default=str, separators=(",", ":")).encode


def _encode(value: Any) -> str:
    try:
        return _plain(value)
    except (ValueError, RecursionError):  # numbers of thousands of digits, a value within itself
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


def encode(event: Event) -> str:
    """The fields of an event as one JSON object; jobs are ``[step, host]``."""
    return _encode({name: getattr(event, name) for name in event.__struct_fields__})


class DamagedEvent(ValueError):
    """What the journal holds is no event."""


def decode(kind: str, text: str) -> Event:
    """The event of this kind (the name of its class) that ``encode`` wrote. Raises ``DamagedEvent``."""
    try:
        fields = {name: _READ[name](value) if name in _READ else value for name, value in json.loads(text).items()}
        event: Event = _KINDS[kind](**fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedEvent(f"{kind}: {error}") from error
    return event


def check(event: Event, plan: Plan) -> None:
    """Raise ``DamagedEvent`` unless every field holds what belongs there, and every number is one of the plan's."""
    for name, kind in type(event).__annotations__.items():
        value = getattr(event, name)
        if not _fits(value, kind):
            raise DamagedEvent(f"{type(event).__name__}: '{name}' is {value!r:.100}")
    for job in _jobs_of(event):
        if not 0 <= job.step < len(plan.steps):
            raise DamagedEvent(f"{type(event).__name__}: the plan has no step {job.step}")
    if hasattr(event, "step") and not 0 <= event.step < len(plan.steps):
        raise DamagedEvent(f"{type(event).__name__}: the plan has no step {event.step}")
    if hasattr(event, "play"):
        _check_place(event, plan)


def _check_place(event: Any, plan: Plan) -> None:
    try:
        batch = plan.plays[event.play].batches[event.batch]
        found = min(event.play, event.batch, getattr(event, "wave", 0)) >= 0
        found = found and getattr(event, "wave", 0) < max(1, len(batch.waves))
    except IndexError:
        found = False
    if not found:
        raise DamagedEvent(f"{type(event).__name__}: the plan has no such batch or wave")


def _jobs_of(event: Event) -> list[Job]:
    found: list[Job] = []
    for name in ("job", "jobs", "last", "cause", "worst"):
        value = getattr(event, name, None)
        found += [value] if isinstance(value, Job) else value if isinstance(value, tuple) else []
    return found


def _fits(value: Any, kind: str) -> bool:
    if kind.endswith(" | None"):
        return value is None or _fits(value, kind.removesuffix(" | None"))
    if kind == "float":
        return type(value) in (int, float) and abs(value) < LATEST
    if kind == "int":
        return type(value) is int
    if kind == "tuple[Job, ...]":
        return isinstance(value, tuple) and all(_fits(job, "Job") for job in value)
    if kind == "Job":
        return isinstance(value, Job) and type(value.step) is int and type(value.host) is str
    if kind == "Mapping[str, int]":
        return isinstance(value, dict) and all(type(count) is int for count in value.values())
    return isinstance(value, _TYPES[kind])


def describe(event: Event, plan: Plan) -> dict[str, Any]:
    """An event for readers who don't have the plan: jobs as ``{"task", "host"}``, plays by id."""
    fields: dict[str, Any] = {"event": type(event).__name__}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, Job):
            value = _described(value, plan)
        elif isinstance(value, tuple):
            value = [_described(job, plan) for job in value]
        elif name == "play":
            fields["play_id"] = plan.plays[value].play.id
        elif name == "step":
            fields["task"] = plan.steps[value].task.id
        fields[name] = value
    return fields


def to_line(event: Event, plan: Plan, number: int) -> str:
    """``describe`` as one line of JSON, with the number of the event and of the schema."""
    return _encode({"schema": SCHEMA, "seq": number, **describe(event, plan)})


def _described(job: Job, plan: Plan) -> dict[str, Any]:
    step = plan.steps[job.step]
    return {"play": plan.plays[step.play].play.id, "task": step.task.id, "host": job.host, "step": job.step}
