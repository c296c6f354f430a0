"""What holds of a run's state between two events, worked out from scratch. For tests: it costs as much as the plan.

Beside the status of each job the state keeps counts, queues and slots, so that an event costs the same for ten hosts
and ten thousand. Here all of them are derived once more from the statuses, and what differs is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from drumline.engine.blocks import BlockState, OpenJobs
from drumline.engine.dispatch import Dispatch
from drumline.engine.growth import Growths, GrowthState, has_failed
from drumline.engine.ledger import Ledger
from drumline.engine.policy import FAILURE, FAULT, Tally
from drumline.engine.records import BatchState, Chain, PlayState, StepState, WaveState
from drumline.engine.transitions import UNDER_WAY, Lateness, PlayPhase, StartPhase, WavePhase
from drumline.errors import DrumlineError
from drumline.model.outcome import FINAL, Status
from drumline.model.plan import Job
from drumline.model.playbook import BlockPart

if TYPE_CHECKING:
    from drumline.engine.board import Jobs
    from drumline.engine.starts import StartState
    from drumline.engine.state import RunState

#: How many faults are named.
_MOST = 20


class InvalidState(DrumlineError):
    """A state that contradicts itself; this is a fault in drumline."""


def validate(state: RunState) -> None:
    """Raise ``InvalidState`` with what contradicts itself."""
    found = list(islice(faults(state), _MOST))
    if found:
        raise InvalidState("A run's state contradicts itself; this is a fault in drumline", "\n".join(found))


def faults(state: RunState) -> Iterator[str]:
    """Everything that contradicts itself, in sentences."""
    jobs, ledger = state.jobs, state.jobs.ledger
    for step in ledger.steps:
        yield from _of_step(step)
    for play in ledger.plays:
        yield from _of_play(ledger, play)
        for batch in play.batches:
            yield from _of_batch(ledger, play, batch)
            yield from _of_behind(ledger, batch)
            for wave in batch.waves:
                yield from _of_wave(ledger, wave)
    for block in ledger.blocks:
        yield from _of_block(ledger, block)
    yield from _of_lost(ledger)
    yield from _of_board(jobs)
    yield from _of_queues(jobs)
    yield from _of_slots(jobs)
    yield from _of_gates(jobs)
    for start in state.starts.active.values():
        yield from _of_start(jobs, start)
    yield from _of_growth(state.growths, jobs)
    yield from _of_readiness(state)
    yield from _of_run(state)


def _differ(what: str, kept: Any, found: Any) -> Iterator[str]:
    if kept != found:
        yield f"{what}: kept as {kept}, found to be {found}"


def _jobs_in(ledger: Ledger, *statuses: Status) -> list[Job]:
    return [
        Job(state.step.index, host)
        for state in ledger.steps
        for host, status in state.statuses.items()
        if status in statuses
    ]


# Steps.


def _of_step(state: StepState) -> Iterator[str]:
    step, statuses = state.step, state.statuses
    name = f"step {step.index}"
    if state.released and not step.task.run_once:
        yield from _differ(f"{name}: hosts with a job", list(statuses), list(step.hosts))
    elif len(statuses) > state.released or not statuses.keys() <= set(step.hosts):
        yield f"{name}: jobs on {list(statuses)}"
    yield from _differ(f"{name}: jobs by how they count", state.tally, _tally(state))
    under_way = sum(status in UNDER_WAY for status in statuses.values())
    yield from _differ(f"{name}: jobs that are ready or running", state.under_way, under_way)
    failed = {host for host, status in statuses.items() if status in FAULT}
    if not state.ignored <= failed:
        yield f"{name}: ignored on {sorted(state.ignored - failed)}, where it didn't fail"
    yield from _differ(f"{name}: hosts that failed", set(state.failures), failed - state.ignored)
    kept_from_running = (Status.ABANDONED, Status.CANCELLED)
    kept = (host for host in state.causes if state.counts_as.get(host) is not Status.FAILED)
    if any(statuses.get(host) not in kept_from_running for host in kept):
        yield f"{name}: a cause on {list(state.causes)}, where it wasn't kept from running"


def _tally(state: StepState) -> Tally:
    found = Tally()
    for host, status in state.statuses.items():
        found.count(state.counts_as.get(host) or (Status.OK if host in state.ignored else status))
    if state.released and not state.statuses and state.step.hosts:  # run_once, and no host was chosen yet
        found.open += 1
    return found


# Plays, batches, waves.


def _of_play(ledger: Ledger, play: PlayState) -> Iterator[str]:
    name, states = f"play {play.number}", [ledger.steps[index] for index in play.steps]
    endings = [(host, status, state) for state in states for host, status in state.statuses.items()]
    counted = [
        (host, status)
        for host, status, state in endings
        if host not in state.ignored
        and host not in state.counts_as
        and Job(state.step.index, host) not in ledger.unsettled
    ]
    failed = {
        host
        for host, status, state in endings
        if status in FAILURE
        and Job(state.step.index, host) not in ledger.unsettled
        and not _is_cleared(ledger, play, Job(state.step.index, host), status)
        and host not in state.ignored
        and host not in state.counts_as
    }
    yield from _differ(f"{name}: hosts that failed", play.failed, failed)
    unreachable = {host for host, end in counted if end is Status.UNREACHABLE}
    yield from _differ(f"{name}: hosts that can't be reached", set(play.unreachable), unreachable)
    if play.over and (play.batch < len(play.batches) or any(state.tally.open for state in states)):
        yield f"{name}: {play.phase.value}, with open jobs or batches"
    if play.phase is PlayPhase.WAITING and any(state.released for state in states):
        yield f"{name}: waits for other plays, with jobs that are released"
    for batch in play.batches:
        phases = {wave.phase for wave in batch.waves}
        if batch.number < play.batch and not phases <= {WavePhase.PASSED, WavePhase.ENDED}:
            yield f"{name}: batch {batch.number} was left too early"
        if batch.number > play.batch and not (phases <= {WavePhase.HELD} or phases <= {WavePhase.ENDED}):
            yield f"{name}: batch {batch.number} was begun too early"


def _is_cleared(ledger: Ledger, play: PlayState, job: Job, status: Status) -> bool:
    """Whether a failure doesn't count any more, or is only a consequence of such ones."""
    return job in ledger.cleared if status in FAULT else job.host in play.cleared


def _of_batch(ledger: Ledger, play: PlayState, batch: BatchState) -> Iterator[str]:
    name = _named(batch)
    for chain in batch.chains:
        yield from _of_chain(name, play, chain)
    found = {host for wave in batch.waves for index in wave.steps for host in _counted_failures(ledger, index)}
    yield from _differ(f"{name}: its hosts that failed", set(batch.failures.hosts), found & batch.hosts)
    yield from _differ(f"{name}: whether something failed", batch.failures.first is not None, bool(found))


def _of_chain(name: str, play: PlayState, chain: Chain) -> Iterator[str]:
    phases = [wave.phase for wave in chain.waves]
    over, under_way, held = phases[: chain.passed], phases[chain.passed : chain.released], phases[chain.released :]
    ended = phases.count(WavePhase.ENDED)
    forced = play.halted and play.forces_handlers  # handlers between what has ended run all the same
    if not (
        chain.passed <= chain.released
        and set(over) <= {WavePhase.PASSED, WavePhase.ENDED}
        and set(under_way) <= {WavePhase.RELEASED, WavePhase.ENDED}
        and set(held) <= ({WavePhase.HELD, WavePhase.ENDED} if forced else {WavePhase.HELD})
        and (play.free or under_way.count(WavePhase.RELEASED) <= 1)
        and (forced or set(phases[len(phases) - ended :]) <= {WavePhase.ENDED})
    ):
        listed = ", ".join(phase.value for phase in phases)
        yield f"{name}: {chain.released} waves released, {chain.passed} passed, and they are {listed}"


def _counted_failures(ledger: Ledger, index: int) -> set[str]:
    """The hosts of a step on which it failed by itself, where that isn't pending."""
    return {host for host in ledger.steps[index].failures if Job(index, host) not in ledger.unsettled}


def _named(batch: BatchState) -> str:
    return f"batch {batch.number} of play {batch.play}"


def _of_wave(ledger: Ledger, wave: WaveState) -> Iterator[str]:
    states = [ledger.steps[index] for index in wave.steps]
    yield from _differ(f"{wave}: open jobs", wave.open, sum(state.tally.open for state in states))
    aside = [job for job in _open_jobs(ledger, wave) if job.host in wave.aside]
    aside = [job for job in aside if not ledger.steps[job.step].step.task.run_once]
    yield from _differ(f"{wave}: open jobs that the barrier doesn't count", wave.open_aside, len(aside))
    released = wave.phase is not WavePhase.HELD
    if any(state.released is not released for state in states):
        yield f"{wave}: {wave.phase.value}, and some of its steps aren't"
    if wave.phase is WavePhase.ENDED and wave.open:
        yield f"{wave}: ended, with {wave.open} open jobs"
    if wave.phase in (WavePhase.HELD, WavePhase.ENDED) and wave.lateness is not Lateness.NEVER:
        yield f"{wave}: never released, and {wave.lateness.value}"
    if wave.lateness is Lateness.AT_DEADLINE and wave.deadline is None:
        yield f"{wave}: late at a deadline that it hasn't"


def _open_jobs(ledger: Ledger, wave: WaveState) -> list[Job]:
    return [
        Job(index, host)
        for index in wave.steps
        for host, status in ledger.steps[index].statuses.items()
        if status not in FINAL
    ]


def _of_behind(ledger: Ledger, batch: BatchState) -> Iterator[str]:
    """A host is behind in each wave that has passed without it, and in later ones from their release on."""
    found: dict[str, dict[tuple[int, ...], int]] = {}
    for wave in batch.waves:
        for job in _open_jobs(ledger, wave):
            counted = job.host in wave.aside
            if ledger.steps[job.step].step.task.run_once:  # its host was chosen later: was it behind then?
                counted = wave.level in batch.behind.get(job.host, {})
            if wave.phase is WavePhase.PASSED or counted:
                held = found.setdefault(job.host, {})
                held[wave.level] = held.get(wave.level, 0) + 1
    yield from _differ(f"{_named(batch)}: hosts that are behind", batch.behind, found)


def _of_lost(ledger: Ledger) -> Iterator[str]:
    jobs = (
        Job(state.step.index, host) for state in ledger.steps for host in _counted_failures(ledger, state.step.index)
    )
    failed = {job.host for job in jobs if job not in ledger.cleared}
    dropped = {host for play in ledger.plays for host in play.dropped}
    yield from _differ("hosts that were lost", set(ledger.lost), failed | dropped)


# Blocks.


def _of_block(ledger: Ledger, block: BlockState) -> Iterator[str]:
    name = f"block {block.block.index}"
    for part in BlockPart:
        found = OpenJobs()
        for index in block.steps_of(part):
            found.enter(ledger.steps[index].step)
            for host, status in ledger.steps[index].statuses.items():
                if status in FINAL:
                    found.leave(ledger.steps[index].step, host)
        yield from _differ(f"{name}: open jobs of its {part.name.lower()}", block.part(part), found)
    if not block.pending.keys() <= block.entered.keys():
        yield f"{name}: failures are pending on {list(block.pending)}, of which some didn't enter the rescue"
    for host in block.pending:
        if block.tasks.is_over(host) and block.rescue.is_over(host):
            yield f"{name}: failures are pending on {host}, and its rescue has ended"
    unsettled = {job for jobs in block.pending.values() for job in jobs}
    awaited = {job for job, index in ledger.unsettled.items() if index == block.block.index}
    yield from _differ(f"{name}: failures that are pending", unsettled, awaited)
    if any(not has_failed(ledger.steps[job.step], job.host, ledger.status(job)) for job in unsettled):
        yield f"{name}: {sorted(unsettled)} are pending, and not all failed"


# What was added.


def _of_growth(growths: Growths, jobs: Jobs) -> Iterator[str]:
    ledger = jobs.ledger
    yield from _differ("jobs that hold", set(growths.holding), set(_jobs_in(ledger, Status.HOLDING)))
    for step in ledger.steps:
        if step.step.added_by is not None and step.step.index not in growths.around:
            yield f"step {step.step.index}: it was added, and no job knows of it"
    for growth in {id(growth): growth for growth in growths.around.values()}.values():
        found = GrowthState(growth.parent, growth.hosts, growth.steps)
        for index in growth.steps:
            found.enter(ledger.steps[index].step)
            for host, status in ledger.steps[index].statuses.items():
                if status in FINAL:
                    found.leave(ledger.steps[index].step, host)
        yield from _differ(f"what step {growth.parent} added: open jobs", growth.open, found.open)
    if not growths.awaited.keys() <= growths.holding.keys():
        yield f"what they add is awaited, and they don't hold: {list(growths.awaited)}"
    for job in growths.holding:
        if job not in growths.awaited and all(growth.is_over(job.host) for growth in growths.of[job]):
            yield f"step {job.step} on {job.host}: it holds, and all that it added has ended"


# Jobs and slots.


def _of_board(jobs: Jobs) -> Iterator[str]:
    running = set(_jobs_in(jobs.ledger, Status.RUNNING))
    yield from _differ("running jobs", set(jobs.running), running)
    for what, some in (("told to stop", jobs.stopping), ("without a slot", jobs.placeless)):
        if not set(some) <= running:
            yield f"{what} without running: {sorted(set(some) - running)}"
    if jobs.ended or jobs.without_running or jobs.ledger.emptied:
        yield "some jobs ended, and what follows from it was not looked at"


def _of_queues(jobs: Jobs) -> Iterator[str]:
    """Every ready job waits in one place."""
    dispatch = jobs.dispatch
    waiting = [job for queue in dispatch.queues.values() for job in queue]
    waiting += [job for gate in dispatch.gates.values() for job in gate.queue]
    waiting += jobs.sending
    yield from _differ("ready jobs", sorted(waiting), sorted(_jobs_in(jobs.ledger, Status.READY)))
    if not all(queue and {job.host for job in queue} == {host} for host, queue in dispatch.queues.items()):
        yield "a queue is empty, or holds another host's jobs"
    yield from _differ("hosts that wait", set(dispatch.waiting), dispatch.queues.keys() - dispatch.active.keys())


def _of_slots(jobs: Jobs) -> Iterator[str]:
    dispatch = jobs.dispatch
    holders = [job for job in jobs.running if job not in jobs.placeless] + list(jobs.sending)
    yield from _differ("jobs with a slot, by host", dispatch.active, dict(Counter(job.host for job in holders)))
    if len(dispatch.active) > dispatch.forks or max(dispatch.active.values(), default=0) > dispatch.sessions:
        yield f"more slots than there are: {dispatch.active}"
    yield from _free_slots(dispatch)


def _free_slots(dispatch: Dispatch) -> Iterator[str]:
    """Nothing waits for a slot that is free."""
    if dispatch.waiting and len(dispatch.active) < dispatch.forks:
        yield f"{next(iter(dispatch.waiting))} waits, and there is a fork"
    for host in dispatch.queues.keys() & dispatch.active.keys():
        if dispatch.active[host] < dispatch.sessions:
            yield f"a job waits on {host}, and there is a session"


def _of_gates(jobs: Jobs) -> Iterator[str]:
    dispatch = jobs.dispatch
    for step, gate in dispatch.gates.items():
        queued = {job for queue in dispatch.queues.values() for job in queue}
        asking = queued | set(jobs.sending) | (set(jobs.running) - jobs.placeless)
        yield from _differ(f"gate of step {step}: inside", gate.inside, _of(step, asking))
        if len(gate.inside) > gate.most or (gate.queue and len(gate.inside) < gate.most):
            yield f"gate of step {step}: {len(gate.inside)} of {gate.most} inside, {len(gate.queue)} wait"


def _of(step: int, jobs: Iterable[Job]) -> set[Job]:
    return {job for job in jobs if job.step == step}


# Starts, readiness, the run.


def _of_start(jobs: Jobs, start: StartState) -> Iterator[str]:
    index = start.step.index
    name, state = f"start of step {index}", jobs.ledger.steps[index]
    if not state.released or not state.tally.open:
        yield f"{name}: it is under way, and the step isn't"
    if not _of(index, start.staged) <= jobs.placeless | _ended_of(state):
        yield f"{name}: {list(start.staged)} are staged, and have a slot"
    gate = jobs.dispatch.gates.get(index)
    held = gate is not None and gate.most == 0
    yield from _differ(f"{name}: whether it is held", start.phase is StartPhase.HELD, held)
    if start.phase in (StartPhase.STAGED, StartPhase.RELEASING) and not start.staged:
        yield f"{name}: {start.phase.value}, and no job is staged"


def _ended_of(state: StepState) -> set[Job]:
    return {Job(state.step.index, host) for host, status in state.statuses.items() if status in FINAL}


def _of_readiness(state: RunState) -> Iterator[str]:
    """No job waits whose needs are decided."""
    for step in state.jobs.ledger.steps:
        if step.released and step.step.task.run_once and not step.statuses and step.step.hosts:
            decisions = {state.judge.decision(step, host) for host in step.step.hosts}
            if Status.READY in decisions or Status.PENDING not in decisions:
                yield f"step {step.step.index}: it may run on one of its hosts, and none was chosen"
        for host, status in step.statuses.items():
            if status is Status.PENDING and state.judge.decision(step, host) is not Status.PENDING:
                yield f"step {step.step.index} on {host}: pending, and to be {state.judge.decision(step, host)}"


def _of_run(state: RunState) -> Iterator[str]:
    plays = state.jobs.ledger.plays
    begun = any(play.phase is not PlayPhase.WAITING for play in plays)
    if begun:
        yield from _differ("whether the run is finished", state.finished, all(play.over for play in plays))
    if not set(state.asking) <= state.jobs.running.keys():
        yield f"asking without running: {list(state.asking)}"
    if state.starts.touched:
        yield f"starts that were not looked at: {list(state.starts.touched)}"
    if (
        begun
        and not (state.finished or state.awaited or state.planning)
        and state.jobs.is_idle()
        and state.wake_at is None
    ):
        yield "the run stands still"
