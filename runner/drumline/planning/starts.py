"""Starts at a given time: how far away it is, and whether it is over."""

from __future__ import annotations

from drumline.clock import in_words, moment
from drumline.diagnostics import Diagnostics
from drumline.model.plan import Plan

#: Seconds; a time that is further away is told in whole hours, minutes, seconds.
_ROUNDED = ((86_400, 3_600), (3_600, 60), (1, 1))


def check_start_times(plan: Plan, now: float) -> Diagnostics:
    """The tasks that should have started before ``now`` (seconds since the epoch) already."""
    found = Diagnostics()
    for task in {(step.play, step.task.id): step.task for step in plan.steps}.values():
        at = task.start.at if task.start else None
        if at is not None and at <= now:
            position = next((task.positions[name] for name in ("start.at", "start") if name in task.positions), None)
            detail = f"'{task.id}' is to start at {moment(at)}: {how_far(at, now)}. Write a time that is still to come."
            found.add("This time is over", detail=detail, position=position or task.position)
    return found


def how_far(at: float, now: float) -> str:
    """A point in time as seen from now: ``in 8 d 7 h``, ``it was 2 h ago``."""
    seconds = abs(at - now)
    unit = next((unit for least, unit in _ROUNDED if seconds >= least), 1)
    words = in_words(seconds // unit * unit) if seconds >= 1 else "less than 1 s"
    return f"in {words}" if at > now else f"it was {words} ago"
