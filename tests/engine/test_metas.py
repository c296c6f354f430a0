"""What ``meta`` asks of a run: hosts leave a play, a role or a batch without having failed; failures are forgotten."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.worlds import Hand, P, T, World, build, worlds

from drumline.model.event import JobFinished, JobsAbandoned, JobsStarted, RunFinished
from drumline.model.outcome import FINAL, Status
from drumline.model.plan import Job, Plan
from drumline.model.playbook import BlockPart, MetaTask, Strategy

AB = ("a", "b")


def plan_of(*plays: P, **metas: MetaTask) -> Plan:
    """A plan in which these tasks have these metas."""
    plan = build(*plays)
    steps = tuple(
        replace(
            step,
            task=replace(step.task, meta=metas.get(step.task.id), run_once=_once(metas.get(step.task.id))),
        )
        for step in plan.steps
    )
    return replace(plan, steps=steps)


def _once(meta: MetaTask | None) -> bool:
    return meta is not None and meta.once


def chain(hosts: tuple[str, ...] = AB, **fields: object) -> P:
    """``t0``, ``t1`` and ``t2`` one after the other, of which ``t0`` notifies the handler ``t3`` at the end."""
    tasks = [T(hosts, notify=[0]), T(hosts, [0]), T(hosts, [1]), T(hosts, [2], handler=0)]
    return P(tasks, **fields)  # type: ignore[arg-type]


def test_a_host_leaves_its_play_and_is_there_for_the_next() -> None:
    for strategy in Strategy:
        run = Hand(plan_of(chain(strategy=strategy), P([T(AB)], needs=[0]), t1=MetaTask.END_HOST))
        run.end(1, "t0", *AB, status=Status.CHANGED)
        run.end(2, "t1", "a")
        run.end(2, "t1", "b", status=Status.SKIPPED)
        assert run.status("t2", *AB) == "unneeded running"
        run.end(3, "t2", "b")
        assert run.status("t3", "a") == "unneeded"
        run.end(4, "t3", "b")
        assert {job.host for start in run.starts for job in start.jobs if job.step == 4} == {"a", "b"}
        assert run.state.counts() == {"ok": 3, "changed": 2, "skipped": 1, "running": 2}


def test_end_batch_ends_one_batch() -> None:
    run = Hand(plan_of(chain(batches=2), t1=MetaTask.END_BATCH))
    run.end(1, "t0", "a")
    run.end(2, "t1", "a")
    assert run.status("t2", "a") == "unneeded"
    run.end(3, "t0", "b")
    run.end(4, "t1", "b", status=Status.SKIPPED)
    assert run.status("t2", "b") == "running"


def test_end_play_ends_all_batches_and_has_not_failed() -> None:
    run = Hand(plan_of(chain(batches=2), t1=MetaTask.END_PLAY))
    run.end(1, "t0", "a")
    run.end(2, "t1", "a")
    assert run.status("t0", "b") == run.status("t3", "b") == "unneeded"
    assert [event.exit_status for event in run.heard(RunFinished)] == [0]
    assert {event.status for event in run.heard(JobsAbandoned)} == {Status.UNNEEDED}


def test_end_role_ends_the_innermost_role_on_a_host() -> None:
    inner = (1, BlockPart.TASKS)
    tasks = [T(AB, inside=inner), T(AB, [0], inside=inner), T(AB, [1], inside=(0, BlockPart.TASKS))]
    plan = plan_of(P(tasks, blocks=[None, (0, BlockPart.TASKS)]), t0=MetaTask.END_ROLE)
    run = Hand(replace(plan, blocks=tuple(replace(block, is_role=True) for block in plan.blocks)))
    run.end(1, "t0", "a")
    run.end(1, "t0", "b", status=Status.SKIPPED)
    assert run.status("t1", *AB) == "unneeded running"
    run.end(2, "t1", "b")
    assert run.status("t2", *AB) == "running running"


def test_outside_roles_end_role_ends_nothing() -> None:
    run = Hand(plan_of(chain(), t0=MetaTask.END_ROLE))
    run.end(1, "t0", *AB)
    assert run.status("t1", *AB) == "running running"


def test_what_failed_is_forgotten_for_later_plays_and_the_exit_status() -> None:
    run = Hand(plan_of(chain(), P([T(AB)], needs=[0]), t1=MetaTask.CLEAR_HOST_ERRORS))
    run.end(1, "t0", "a", status=Status.FAILED)
    run.end(1, "t0", "b")
    run.end(2, "t1", "b")
    assert run.status("t2", *AB) == "abandoned running"
    run.end(3, "t2", "b")
    assert {job.host for start in run.starts for job in start.jobs if job.step == 4} == {"a", "b"}
    run.feed(*[JobFinished(at=4.0, job=job, status=Status.OK) for job in run.state.running])
    assert run.heard(RunFinished)[0].exit_status == 0


def test_what_fails_afterwards_counts() -> None:
    run = Hand(plan_of(chain(), P([T(AB)], needs=[0]), t1=MetaTask.CLEAR_HOST_ERRORS))
    run.end(1, "t0", *AB)
    run.end(2, "t1", "a")
    run.end(3, "t2", "a", status=Status.FAILED)
    run.end(3, "t2", "b")
    assert {job.host for start in run.starts for job in start.jobs if job.step == 4} == {"b"}


_ENDING = {MetaTask.END_HOST, MetaTask.END_BATCH, MetaTask.END_PLAY}


@settings(max_examples=60, deadline=None)
@given(worlds(), st.lists(st.sampled_from([None, None, *MetaTask]), min_size=1, max_size=6))
def test_after_its_end_nothing_starts_on_a_host(world: World, metas: list[MetaTask | None]) -> None:
    world.together = 1
    steps = [
        replace(step, task=replace(step.task, meta=metas[step.index % len(metas)], start=None, run_once=False))
        for step in world.plan.steps
    ]
    world.plan = replace(world.plan, steps=tuple(steps))
    world.run()
    left: set[tuple[int, str]] = set()
    for entry in world.log:
        if isinstance(entry, JobFinished) and entry.status is Status.OK:
            step = world.plan.steps[entry.job.step]
            if step.task.meta in _ENDING and not entry.adds:
                left.add((step.play, entry.job.host))
        elif isinstance(entry, JobsStarted):
            assert not {(world.plan.steps[job.step].play, job.host) for job in entry.jobs} & left
    statuses = {status for state in world.state.jobs.ledger.steps for status in state.statuses.values()}
    assert statuses <= FINAL


def test_hosts_that_are_gone_from_the_inventory_leave_all_open_plays() -> None:
    run = Hand(plan_of(chain(), P([T(AB), T(AB, [0]), T(AB, [0])], needs=[]), t1=MetaTask.REFRESH_INVENTORY))
    run.end(1, "t0", *AB, status=Status.CHANGED)
    anew = run.job("t1", "a")
    run.feed(JobFinished(at=2, job=anew, status=Status.OK, gone=("b", "unknown")))
    assert run.status("t2", *AB) == "running unneeded"
    run.end(3, "t2", "a")
    assert run.status("t3", *AB) == "running unneeded"
    first, _, last = [step.index for step in run.plan.steps if step.play == 1]
    run.feed(
        JobFinished(at=4, job=Job(first, "a"), status=Status.OK),
        JobFinished(at=4, job=Job(first, "b"), status=Status.OK),
    )
    assert run.state.status(Job(last, "b")) is Status.UNNEEDED
    assert run.state.status(Job(last, "a")) is Status.RUNNING
