"""Small worlds end as the engine says."""

from __future__ import annotations

from support.worlds import P, T, build

from drumline.lint.worlds import End, SmallWorld, needed_steps
from drumline.model.outcome import Status
from drumline.model.playbook import Start, Strategy


def statuses(world: SmallWorld, **ends: End | None) -> list[list[str]]:
    """How the jobs of each step end when those named (``t0``) end so."""
    ran = world.run(lambda index: ends.get(f"t{index}", End()))
    return [[str(status) for status in ran.statuses(step)] for step in range(len(world.plan.steps))]


def test_a_world_has_what_a_step_needs_and_nothing_else() -> None:
    first = P([T(["a", "b"]), T(["a"])])
    second = P([T(["a"], needs=[]), T(["a"]), T(["a"], needs=[0])], needs=[0])
    assert needed_steps(build(first, second), 4) == {0, 1, 2, 4}
    assert needed_steps(build(first, second), 1) == {1}


def test_hosts_that_are_left_out_have_no_say() -> None:
    plan = build(P([T(["a", "b"]), T(["c"], needs=[0])]))
    assert statuses(SmallWorld(plan, {0, 1}, ["a", "c"])) == [["ok"], ["ok"]]
    assert statuses(SmallWorld(plan, {0, 1}, ["a", "c"]), t0=End(Status.FAILED)) == [["failed"], ["abandoned"]]
    assert statuses(SmallWorld(plan, {0, 1}, ["c"]), t0=End(Status.FAILED)) == [[], ["ok"]]


def test_what_is_ignored_did_not_fail() -> None:
    world = SmallWorld(build(P([T(["a"]), T(["a"], needs=[0])])), {0, 1}, ["a"])
    assert statuses(world, t0=End(Status.FAILED, ignored=True)) == [["failed"], ["ok"]]


def test_what_never_ends_is_dropped_at_its_barrier() -> None:
    plan = build(P([T(["a", "b"]), T(["a"], needs=[0]), T(["b"], needs=[])]))
    world = SmallWorld(plan, {0, 1, 2}, ["a", "b"], dropping={0})
    assert statuses(world, t0=None) == [["skipped", "skipped"], ["skipped"], ["ok"]]


def test_shares_of_a_fleet_do_not_count() -> None:
    """That one of two hosts failed says nothing of a fleet; that none may fail does."""
    plays = [P([T(["a", "b"]), T(["b"], needs=[0])], max_fail_percentage=10), P([T(["a"])], batches=1)]
    world = SmallWorld(build(*plays), {0, 1, 2}, ["a", "b"])
    assert statuses(world, t0=End(Status.FAILED))[2] == ["ok"]
    fatal = SmallWorld(build(P([T(["a", "b"])], batches=2)), {0, 1}, ["a", "b"])
    assert statuses(fatal, t0=End(Status.FAILED)) == [["failed"], ["ok"]]  # the batch has others that are well
    canary = SmallWorld(build(P([T(["a", "b"])], batches=2, canary=True)), {0, 1}, ["a", "b"])
    assert statuses(canary, t0=End(Status.FAILED)) == [["failed"], ["abandoned"]]


def test_synchronised_and_throttled_tasks_are_like_others() -> None:
    plan = build(P([T(["a"], start=Start(at=50.0)), T(["a"], throttle=1)], strategy=Strategy.FREE))
    assert statuses(SmallWorld(plan, {0, 1}, ["a"])) == [["ok"], ["ok"]]
