"""The engine's promises, for any plan, any failures, any delays, any order of completion."""

from __future__ import annotations

from typing import get_args

from hypothesis import given, settings
from support.worlds import World, worlds

from drumline.engine.instructions import Announce
from drumline.engine.policy import FAILURE
from drumline.engine.state import RunState
from drumline.model.event import (
    BarrierPassed,
    Event,
    FailuresSettled,
    Input,
    InterruptRequested,
    JobFinished,
    JobsAbandoned,
    JobsLate,
    JobsStarted,
    JobStaged,
    PlayStopped,
    RunFinished,
    Urgency,
    WaveEnded,
    WaveReleased,
)
from drumline.model.outcome import FINAL, Status
from drumline.model.plan import Job, Step, places_of
from drumline.model.playbook import Late, Strategy, TriggerRule

EXAMPLES = settings(max_examples=70, deadline=None)


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_every_run_keeps_every_promise(world: World) -> None:
    world.run()
    every_run_ends_with_every_job_in_a_final_status(world)
    no_job_starts_twice_and_each_intent_comes_first(world)
    no_job_starts_before_its_needs_allow_it(world)
    no_wave_starts_before_the_barrier_of_the_one_before(world)
    every_released_wave_ends_once_and_after_its_last_job(world)
    limits_on_hosts_and_sessions_hold_at_every_moment(world)
    replaying_the_inputs_gives_the_same_state_and_the_same_events(world)


def every_run_ends_with_every_job_in_a_final_status(world: World) -> None:
    assert all(status in FINAL for status in all_statuses(world).values())
    [finished] = [event for event in world.announced if isinstance(event, RunFinished)]
    assert finished.exit_status == world.exit_status
    needed = [status for status in all_statuses(world).values() if status is not Status.UNNEEDED]
    assert sum(finished.counts.values()) == len(needed)


def no_job_starts_twice_and_each_intent_comes_first(world: World) -> None:
    assert len(set(world.started)) == len(world.started)
    # A job that says that it adds to the plan ends once more if nothing can be added for it.
    ran = {entry.job for entry in world.log if isinstance(entry, JobFinished)}
    assert sorted(ran) == sorted(world.started)


def no_job_starts_before_its_needs_allow_it(world: World) -> None:
    """Promise 3, checked against a slow and literal reading of the rules at the moment of each start."""
    statuses: dict[Job, Status] = {}
    ignored: set[Job] = set()
    said: list[Event] = []
    for entry in world.log:
        if isinstance(entry, JobFinished):
            statuses[entry.job] = entry.status
            if entry.ignored:
                ignored.add(entry.job)
        elif isinstance(entry, Announce) and isinstance(entry.event, JobsAbandoned):
            statuses |= dict.fromkeys(entry.event.jobs, entry.event.status)
        elif isinstance(entry, Announce):
            said.append(entry.event)
            if isinstance(entry.event, FailuresSettled) and entry.event.rescued:
                statuses |= dict.fromkeys(entry.event.jobs, Status.RESCUED)
        elif isinstance(entry, JobsStarted):
            for job in entry.jobs:
                assert_needs_hold(world, job, statuses, ignored, said)


def no_wave_starts_before_the_barrier_of_the_one_before(world: World) -> None:
    passed: set[tuple[int, int, int]] = set()
    released: set[tuple[int, int, int]] = set()
    halted: set[int] = set()
    for entry in world.log:
        if isinstance(entry, Announce) and isinstance(entry.event, BarrierPassed):
            passed.add((entry.event.play, entry.event.batch, entry.event.wave))
        elif isinstance(entry, Announce) and isinstance(entry.event, WaveReleased):
            event = entry.event
            released.add((event.play, event.batch, event.wave))
            planned = len(world.plan.plays[event.play].batches[event.batch].level(event.wave)) == 1
            if planned and event.wave and world.plan.plays[event.play].play.strategy is Strategy.WAVES:
                stopped = world.plan.plays[event.play].play.force_handlers and event.play in halted
                assert stopped or (event.play, event.batch, event.wave - 1) in passed
        elif isinstance(entry, Announce) and isinstance(entry.event, PlayStopped):
            halted.add(entry.event.play)
        elif isinstance(entry, JobsStarted):
            steps = [world.plan.steps[job.step] for job in entry.jobs]
            assert {(step.play, step.batch, step.wave) for step in steps} <= released


def every_released_wave_ends_once_and_after_its_last_job(world: World) -> None:
    open_: dict[tuple[int, int, int], int] = {}
    ended: list[tuple[int, int, int]] = []
    finished: set[Job] = set()
    for entry in world.log:
        event = entry.event if isinstance(entry, Announce) else entry
        match event:
            case WaveReleased():
                open_[event.play, event.batch, event.wave] = event.jobs
            case JobFinished(job=job):
                # One that waited to add something, and then had nothing to add, says so once more.
                open_[place(world, job)] -= job not in finished
                finished.add(job)
            case JobsAbandoned(jobs=jobs):
                for job in jobs:
                    open_[place(world, job)] = open_.get(place(world, job), 0) - 1
            case WaveEnded():
                ended.append((event.play, event.batch, event.wave))
                assert open_[ended[-1]] == 0
    assert sorted(ended) == sorted(key for key, count in open_.items() if count == 0)


def place(world: World, job: Job) -> tuple[int, int, int]:
    step = world.plan.steps[job.step]
    return step.play, step.batch, step.wave


def limits_on_hosts_and_sessions_hold_at_every_moment(world: World) -> None:
    running: set[Job] = set()
    for entry in world.log:
        if isinstance(entry, JobsStarted):
            running |= set(entry.jobs)
        elif isinstance(entry, JobFinished):
            running.discard(entry.job)
        elif isinstance(entry, JobStaged):
            running.discard(entry.job)  # it waits for the go signal, and needs no place
        hosts = [job.host for job in running]
        assert len(set(hosts)) <= world.forks
        assert all(hosts.count(host) <= world.sessions for host in hosts)


@EXAMPLES
@given(worlds())
def test_nothing_is_released_after_an_interrupt(world: World) -> None:
    world.together = 1  # so that the log tells what came before the interrupt and what after it
    world.run()
    index = next((at for at, entry in enumerate(world.log) if isinstance(entry, InterruptRequested)), None)
    if index is not None:
        assert world.exit_status == 130
        after = [entry.event for entry in world.log[index:] if isinstance(entry, Announce)]
        assert not [event for event in after if isinstance(event, WaveReleased)]


@EXAMPLES
@given(worlds())
def test_after_an_urgent_interrupt_nothing_starts(world: World) -> None:
    world.interrupts = dict.fromkeys(world.interrupts, Urgency.NOW)
    world.run()
    interrupted = False
    for entry in world.log:
        interrupted = interrupted or isinstance(entry, InterruptRequested)
        assert not (interrupted and isinstance(entry, JobsStarted))


def replaying_the_inputs_gives_the_same_state_and_the_same_events(world: World) -> None:
    """Promise 1, without a database; the journal's own test has one."""
    inputs = [entry for entry in world.log if isinstance(entry, get_args(Input))]
    again = RunState(world.first, forks=world.forks, sessions=world.sessions)
    instructions = again.handle(*inputs)
    assert [item.event for item in instructions if isinstance(item, Announce)] == world.announced
    assert again.counts() == world.state.counts()


def all_statuses(world: World) -> dict[Job, Status]:
    jobs: dict[Job, Status] = {}
    for step in world.plan.steps:
        found = {Job(step.index, host): world.state.status(Job(step.index, host)) for host in step.hosts}
        if step.task.run_once:
            found = {job: status for job, status in found.items() if status is not Status.PENDING}
            assert len(found) == min(1, len(step.hosts))
        jobs |= found
    return jobs


def assert_needs_hold(
    world: World, job: Job, statuses: dict[Job, Status], ignored: set[Job], said: list[Event]
) -> None:
    step = world.plan.steps[job.step]
    pool: list[str] = []
    grown = False  # what a needed job added has failed, which may count as its own failure
    made_up = False  # a rescue may have made up for what was abandoned: it counts as skipped then
    for need in step.needs:
        if need.block is not None:
            assert_block_allows(world, step, need.block, job.host, statuses, ignored)
            continue
        if need.step is None:
            assert need.play is not None
            pool += play_outcomes(world, need.play, job.host, statuses, ignored, said)
            continue
        needed = world.plan.steps[need.step]
        here = Job(need.step, job.host)
        jobs = (
            [here]
            if here in statuses or (job.host in needed.hosts and not needed.task.run_once)
            else [Job(need.step, host) for host in needed.hosts]
        )
        if needed.task.run_once:
            jobs = [found for found in jobs if found in statuses][:1] or jobs[:1]
        found_kinds = ["ok" if found in ignored else kind(statuses.get(found)) for found in jobs]
        pool += [name for name in found_kinds if name != "unneeded"]
        made_up = made_up or needed.inside is not None
        grown = grown or any(
            kind(statuses.get(Job(added.index, host))) == "failed"
            for added in world.plan.steps
            if added.added_by == need.step
            for host in added.hosts
        )
    rule = step.task.trigger_rule
    some = (TriggerRule.ONE_SUCCESS, TriggerRule.ONE_FAILED, TriggerRule.ALL_FAILED)
    if rule in some and any(need.block is not None for need in step.needs):
        return  # how a block counts as a whole has tests of its own
    if made_up and any(status is Status.RESCUED for status in statuses.values()):
        pool = [name for name in pool if name != "failed"]
    if grown:
        assert RULES[rule](pool) or RULES[rule](["failed" if name == "ok" else name for name in pool]), (rule, pool)
        return
    # A host that failed before a task that another one did for it (run_once) counts as failed there.
    assert not pool or RULES[rule](pool) or RULES[rule]([*pool, "failed"]), (rule, pool)


def assert_block_allows(
    world: World, step: Step, block: int, host: str, statuses: dict[Job, Status], ignored: set[Job]
) -> None:
    """Where a rule waits for all needs, the block has ended on the host, and nothing failed there that counts."""
    inside = [
        other
        for other in world.plan.steps
        if any(place.block == block for place in places_of(world.plan, other.inside))
    ]
    if step.task.trigger_rule in (TriggerRule.ONE_SUCCESS, TriggerRule.ONE_FAILED):
        return
    jobs = [Job(other.index, host) for other in inside if host in other.hosts and not other.task.run_once]
    failed = {job for job in jobs if statuses.get(job) in (Status.FAILED, Status.UNREACHABLE)} - ignored
    if step.task.trigger_rule in (TriggerRule.NONE_FAILED, TriggerRule.ALL_SUCCESS):
        assert not failed
    if step.task.trigger_rule is not TriggerRule.ALL_FAILED:
        assert all(job in statuses for job in jobs)


def play_outcomes(
    world: World, play: int, host: str, statuses: dict[Job, Status], ignored: set[Job], said: list[Event]
) -> list[str]:
    steps = [step for step in world.plan.steps if step.play == play]
    jobs = {job: status for job, status in statuses.items() if world.plan.steps[job.step].play == play}
    for step in steps:
        expected = 1 if step.task.run_once and step.hosts else len(step.hosts)
        if sum(job.step == step.index for job in jobs) != expected:
            return ["open"]
    hosts = {name for step in steps for name in step.hosts}
    failed = {job.host for job, status in jobs.items() if status in FAILURE and job not in ignored}
    if Status.RESCUED in jobs.values():
        failed = world.state.jobs.ledger.plays[play].failed  # what was abandoned may have been made up for
    if any(isinstance(event, PlayStopped) and event.play == play for event in said):
        failed = hosts
    late = [event for event in said if isinstance(event, JobsLate) and event.play == play and event.late is Late.DROP]
    dropped = {job.host for event in late for job in event.jobs}
    concerned = {host} if host in hosts else hosts
    return ["failed" if name in failed else "skipped" if name in dropped else "ok" for name in concerned]


def kind(status: Status | None) -> str:
    if status is None:
        return "open"
    if status in FAILURE:
        return "failed"
    return "skipped" if status is Status.SKIPPED else "unneeded" if status is Status.UNNEEDED else "ok"


RULES = {
    TriggerRule.NONE_FAILED: lambda pool: not {"failed", "open"} & set(pool),
    TriggerRule.ALL_SUCCESS: lambda pool: set(pool) == {"ok"},
    TriggerRule.ALL_DONE: lambda pool: "open" not in pool,
    TriggerRule.ONE_SUCCESS: lambda pool: "ok" in pool,
    TriggerRule.ONE_FAILED: lambda pool: "failed" in pool,
    TriggerRule.ALL_FAILED: lambda pool: set(pool) == {"failed"},
}
