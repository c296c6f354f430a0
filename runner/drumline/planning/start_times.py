"""Starts at a given time: how far away they are, and whether the time has passed."""

from __future__ import annotations

from drumline.diagnostics import Diagnostics
from drumline.model.plan import Plan
from drumline.times import in_words, moment

#: Units in seconds: a time that is at least one away is shown in whole units.
_ROUNDED = ((86_400, 3_600), (3_600, 60), (1, 1))


def check_start_times(plan: Plan, now: float) -> Diagnostics:
    """Mistakes: tasks that start before ``now`` (seconds since the epoch), or can't all start at their time."""
    found = Diagnostics()
    for play, task in {(step.play, step.task.id): (step.play, step.task) for step in plan.steps}.values():
        at = task.start.at if task.start else None
        if at is None:
            continue
        place = task.positions.get("start.at", task.positions.get("start", task.position))
        batches = len(plan.plays[play].batches)
        if at <= now:
            detail = f"'{task.id}' starts at {moment(at)}: {how_far(at, now)}. Give a time in the future."
            found.add("This time has passed", detail=detail, position=place)
        elif batches > 1:
            detail = (
                f"'{task.id}' starts at {moment(at)}, and its play has {batches} batches, one after the other: it "
                "would be late in all but the first. Move the task to a play of its own, without batches."
            )
            found.add("One time for several batches", detail=detail, position=place)
    return found


def how_far(at: float, now: float) -> str:
    """A point in time as seen from now: ``in 8 d 7 h``, ``it was 2 h ago``."""
    seconds = abs(at - now)
    unit = next((unit for least, unit in _ROUNDED if seconds >= least), 1)
    words = in_words(seconds // unit * unit) if seconds >= 1 else "less than 1 s"
    return f"in {words}" if at > now else f"it was {words} ago"
