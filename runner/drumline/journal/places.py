"""Plans and events in which everything that they refer to by its number is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from drumline.journal.codec import Damaged, decode
from drumline.model.event import Event, PlanGrown
from drumline.model.plan import Job, Plan


def read_plan(data: bytes, open_: Callable[[bytes], bytes] | None = None) -> Plan:
    """The plan that ``encode`` wrote. Raises ``Damaged``."""
    plan = decode(Plan, data, open_)
    _check(plan)
    return plan


def _check(plan: Plan) -> None:
    for index, step in enumerate(plan.steps):
        _require(step.index == index, "step", step.index)
        _require_batch(plan, step.play, step.batch)
        _require(step.inside is None or _is_at(plan.blocks, step.inside.block), "block", step.inside)
        for need in step.needs:
            _require(need.step is None or _is_at(plan.steps, need.step), "step", need.step)
            _require(need.play is None or _is_at(plan.plays, need.play), "play", need.play)
            _require(need.block is None or _is_at(plan.blocks, need.block), "block", need.block)
        _require(step.inside is None or _is_at(plan.blocks, step.inside.block), "block", step.inside)
    for index, block in enumerate(plan.blocks):
        # Outer blocks come first: so none stands in itself.
        _require(block.index == index, "block", block.index)
        _require(block.inside is None or 0 <= block.inside.block < index, "block", block.inside)
    for play in plan.plays:
        for number in play.needs:
            _require(_is_at(plan.plays, number), "play", number)
        for batch in play.batches:
            for index in (index for wave in batch.waves for index in wave):
                _require(_is_at(plan.steps, index), "step", index)


def grown(plan: Plan, event: PlanGrown) -> Plan:
    """The plan with what was added. Raises ``Damaged``."""
    try:
        found = plan.grown(event.growth)
    except ValueError as error:
        raise Damaged(str(error)) from error
    _check(found)
    return found


def check_event(event: Event, plan: Plan) -> None:
    """Raise ``Damaged`` unless the plan has the jobs, the step and the wave that an event is about."""
    for job in _jobs_of(event):
        _require(_is_at(plan.steps, job.step), "step", job.step)
    step, play = getattr(event, "step", None), getattr(event, "play", None)
    _require(step is None or _is_at(plan.steps, step), "step", step)
    if play is not None:
        batch, wave = getattr(event, "batch", 0), getattr(event, "wave", 0)
        _require_batch(plan, play, batch)
        waves = plan.plays[play].batches[batch].waves
        _require(wave == 0 or _is_at(waves, wave), "wave", wave)


def _jobs_of(event: Event) -> Iterator[Job]:
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, Job):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Job))


def _require_batch(plan: Plan, play: int, batch: int) -> None:
    _require(_is_at(plan.plays, play), "play", play)
    _require(_is_at(plan.plays[play].batches, batch), "batch", batch)


def _require(found: bool, what: str, number: Any) -> None:
    if not found:
        raise Damaged(f"the plan has no {what} {number}")


def _is_at(items: Sequence[Any], number: int) -> bool:
    return 0 <= number < len(items)
