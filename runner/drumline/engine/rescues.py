"""What follows from ends of jobs in blocks: hosts enter a rescue, failures are pending, and then rescued or counted.

A failure belongs to the innermost block around it that may rescue it: the job stands in its tasks, and the block has a
rescue on that host. When that rescue fails too, both belong to the next block further out; when none is left,
they count, for limits, for the play and for the exit status.

Example: a block of ``stop`` and ``copy`` with the rescue ``restore``, on one host; ``stop`` fails::

    JobFinished stop failed   -> Announce(FailuresPending stop), Announce(JobsAbandoned copy), Start(restore)
    JobFinished restore ok    -> Announce(FailuresSettled stop, rescued)
    JobFinished restore fails -> Announce(FailuresSettled stop, not rescued), and both count
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from drumline.engine.blocks import BlockState
from drumline.engine.board import Jobs
from drumline.engine.policy import FAILURE, FAULT
from drumline.engine.readiness import Judge
from drumline.engine.records import StepState
from drumline.engine.starts import Starts
from drumline.model.cause import Because, Cause
from drumline.model.event import FailuresPending, FailuresSettled
from drumline.model.outcome import Status
from drumline.model.plan import Inside, Job
from drumline.model.playbook import BlockPart


class Rescues:
    """All blocks of a run. ``count`` is called for a failure that nothing makes up for."""

    def __init__(self, jobs: Jobs, judge: Judge, starts: Starts, count: Callable[[Job, Status], None]) -> None:
        self._jobs = jobs
        self._ledger = jobs.ledger
        self._judge = judge
        self._starts = starts
        self._count = count

    def note_end(self, job: Job, status: Status) -> None:
        """A job that stands in a block has ended, whether it ran or not."""
        state = self._ledger.steps[job.step]
        if state.counts_as.get(job.host, status) in FAILURE and job.host not in state.ignored:
            self._failed(job, status, state)
        for place in state.around:
            self._leave(self._ledger.blocks[place.block], place, job)

    def _hosts(self, job: Job) -> Sequence[str]:
        """The hosts for which a job stands."""
        step = self._ledger.steps[job.step].step
        return step.hosts if step.task.run_once else (job.host,)

    # Failures.

    def _failed(self, job: Job, status: Status, state: StepState) -> None:
        origin = state.causes.get(job.host) if status in FAILURE - FAULT else job
        pending = self._place(job, state.around, origin, self._hosts(job))
        if pending and status in FAULT:
            self._jobs.announce_ends()  # it may have failed without running
            self._jobs.announce(FailuresPending(at=self._jobs.at, jobs=(job,), cause=self._jobs.trigger))

    def _place(self, job: Job, around: Sequence[Inside], origin: Job | None, hosts: Iterable[str]) -> bool:
        """Find the block whose rescue may make up for a failure; whether there is one. Else it counts."""
        for place in around:
            block = self._ledger.blocks[place.block]
            from_within = origin is not None and block.steps.get(origin.step) == (place.block, BlockPart.TASKS)
            if place.part is BlockPart.TASKS and from_within and self._may_rescue(block, job):
                assert origin is not None
                self._enter(block, job, origin, hosts)
                block.pending[job.host].append(job)
                self._ledger.unsettled[job] = place.block
                return True
            block.failed.update(hosts)
            if place.part is BlockPart.RESCUE:
                block.rescue_failed.update(hosts)
            elif place.part is BlockPart.TASKS and not from_within:
                block.barred.update(dict.fromkeys(hosts, origin))
        self._ledger.unsettled.pop(job, None)
        status = self._ledger.status(job)
        if status in FAILURE:  # else only something that it added has failed, perhaps on other hosts
            self._ledger.plays[self._ledger.steps[job.step].step.play].note_failure(job.host, status)
        if status in FAULT:
            self._count(job, status)
        return False

    def _may_rescue(self, block: BlockState, job: Job) -> bool:
        lost = self._ledger.status(job) is Status.UNREACHABLE or self._is_gone(block, job.host)
        return block.rescue.has(job.host) and not lost

    def _is_gone(self, block: BlockState, host: str) -> bool:
        play = self._ledger.plays[self._ledger.steps[next(iter(block.steps))].step.play]
        return host in play.unreachable or host in play.dropped

    def _enter(self, block: BlockState, job: Job, origin: Job, hosts: Iterable[str]) -> None:
        """The job's host enters the rescue, and so do others where it failed for all."""
        if self._ledger.steps[job.step].step.task.any_errors_fatal and origin == job:
            hosts = sorted(block.tasks.hosts())
        for host in dict.fromkeys((job.host, *hosts)):
            may = host == job.host or self._may_still_enter(block, host)
            if may and host not in block.entered:
                block.entered[host] = origin
                block.pending[host] = []
                self._abandon_rest(block, host, origin)

    def _may_still_enter(self, block: BlockState, host: str) -> bool:
        return block.rescue.has(host) and host not in block.begun and not self._is_gone(block, host)

    def _abandon_rest(self, block: BlockState, host: str, origin: Job) -> None:
        """What is left of the tasks on a host that has entered the rescue ends."""
        cause = Cause(Because.FAILURE, origin)
        left = frozenset(index for index in block.steps_of(BlockPart.TASKS) if not self._is_shielded(block, index))
        ready = self._jobs.withdraw(left, host)
        self._jobs.end(ready, Status.ABANDONED, cause)
        self._starts.lose(ready, origin)
        for index in left:
            self._judge.judge_on(self._ledger.steps[index], host, cause)

    def _is_shielded(self, block: BlockState, index: int) -> bool:
        """Whether a step stands in the always part of a block within this one: it runs all the same."""
        for place in self._ledger.steps[index].around:
            if place.block == block.block.index:
                return False
            if place.part is BlockPart.ALWAYS:
                return True
        return False

    # Ends of parts.

    def _leave(self, block: BlockState, place: Inside, job: Job) -> None:
        step = self._ledger.steps[job.step].step
        part = block.part(place.part)
        part.leave(step, job.host)
        if place.part is not BlockPart.TASKS:
            block.begun.update(self._hosts(job))
        last_of_all = step.task.run_once and not part.shared
        for host in part.candidates if last_of_all else (job.host,):
            if block.tasks.is_over(host):
                self._go_on(block, host, job)

    def _go_on(self, block: BlockState, host: str, job: Job) -> None:
        """The tasks have ended on a host: look at what comes after them."""
        cause = Cause(Because.RESCUE, job)
        if host in block.pending and block.rescue.is_over(host):
            self._settle(block, host, cause)
        for index in block.steps_of(BlockPart.RESCUE, BlockPart.ALWAYS):
            self._judge.judge_on(self._ledger.steps[index], host, cause)
        if block.is_over(host):
            self._look_at_dependents(block, host, cause)

    def _look_at_dependents(self, block: BlockState, host: str, cause: Cause) -> None:
        for index in block.dependents:
            state = self._ledger.steps[index]
            if host in state.statuses or state.step.task.run_once:
                self._judge.judge_on(state, host, cause)
            if state.released and not block.covers(state.step):
                self._judge.judge(state, cause)

    def _settle(self, block: BlockState, host: str, cause: Cause) -> None:
        """The rescue has ended on a host: the failures that waited for it are rescued, or belong further out."""
        jobs = block.pending.pop(host)
        statuses = {job: self._ledger.status(job) for job in jobs}
        failures = tuple(job for job in jobs if statuses[job] in FAULT)
        rescued = host not in block.rescue_failed and not self._is_gone(block, host)
        if rescued:
            for job in jobs:
                del self._ledger.unsettled[job]
                self._ledger.rescue(job)
            for index in block.inner:
                self._ledger.blocks[index].failed.discard(host)
            self._announce_settled(failures, rescued=True)
        else:
            block.failed.add(host)
            origin = block.entered[host]
            counted = [job for job in jobs if not self._place(job, block.around, origin, (host,))]
            self._announce_settled((job for job in counted if job in failures), rescued=False)
        for job in jobs:
            self._judge.look_at_dependents(job, statuses[job])
        for index in block.inner:
            self._look_at_dependents(self._ledger.blocks[index], host, cause)

    def _announce_settled(self, jobs: Iterable[Job], *, rescued: bool) -> None:
        settled = tuple(jobs)
        if settled:
            self._jobs.announce_ends()
            event = FailuresSettled(at=self._jobs.at, jobs=settled, rescued=rescued, cause=self._jobs.trigger)
            self._jobs.announce(event)
