"""Failures that are pending, rescued or counted, and what was not needed, in what reports keep."""

from __future__ import annotations

from support.worlds import P, T, World, build

from drumline.engine.instructions import Announce
from drumline.model.event import Event
from drumline.model.outcome import Status
from drumline.model.playbook import BlockPart
from drumline.reporting.recap import recap_lines
from drumline.reporting.tracker import Tracker

HOSTS = ["a", "b"]
PLAN = build(
    P(
        [T(HOSTS, inside=(0, BlockPart.TASKS)), T(HOSTS, inside=(0, BlockPart.RESCUE)), T(HOSTS, needs_blocks=[0])],
        blocks=[None],
    )
)


def tracked(outcomes: dict[tuple[str, str], Status]) -> Tracker:
    tracker = Tracker(PLAN)
    for entry in World(PLAN, outcomes=outcomes).run().log:
        event = entry.event if isinstance(entry, Announce) else entry
        if isinstance(event, Event):
            tracker.handle(event)
    return tracker


def test_what_was_rescued_is_counted_apart_and_is_no_failure() -> None:
    tracker = tracked({("t0", "a"): Status.FAILED})
    assert {status: count for status, count in tracker.counts.items() if count} == {Status.OK: 4, Status.RESCUED: 1}
    assert not tracker.causes
    assert not tracker.failures()
    [rescue] = [wave for wave in tracker.waves.values() if wave.key[2] == 1]
    assert (rescue.jobs, rescue.finished) == (1, 1)


def test_where_the_rescue_failed_both_are_causes() -> None:
    tracker = tracked({("t0", "a"): Status.FAILED, ("t1", "a"): Status.FAILED})
    assert tracker.causes == {(1, Status.FAILED): ["a"], (0, Status.FAILED): ["a"]}
    assert {fold.step for fold in tracker.failures()} == {0, 1}
    assert recap_lines(tracker, None)
