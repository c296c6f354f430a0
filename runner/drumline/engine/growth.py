"""What running jobs added to the plan: when it may run, and which jobs wait for its end.

The jobs that added *hold* once their own work is done: they stay open until all that they added has ended on their host
(and, of jobs that no host among them has, everywhere). What failed of it then counts for whoever needs them.

Jobs may also hold before anything was added: they say at their end that they add something, and it is added for many
hosts at once (:class:`.Grow`), when no other job of their step is ready or running any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from drumline.engine.blocks import OpenJobs
from drumline.engine.board import Jobs
from drumline.engine.policy import FAILURE, SUCCESS
from drumline.engine.readiness import Judge
from drumline.engine.records import StepState
from drumline.model.cause import Because, Cause
from drumline.model.event import JobFinished, PlanGrown
from drumline.model.outcome import Status
from drumline.model.plan import Job, Step


class GrowthState(Struct):
    """What some jobs of one step added at once."""

    parent: int  # the step
    hosts: dict[str, None]  # of the jobs that added it
    steps: tuple[int, ...]
    open: OpenJobs = field(default_factory=OpenJobs)  # those that count for no host of them in particular: shared
    common: set[int] = set()  # steps that have shared jobs

    def enter(self, step: Step) -> None:
        """The jobs of one of its steps are to come."""
        own = [host for host in step.hosts if self.is_own(step, host)]
        for host in own:
            self.open.own[host] = self.open.own.get(host, 0) + 1
        if len(own) < len(step.hosts):
            self.open.shared += 1 if step.task.run_once else len(step.hosts) - len(own)
            self.common.add(step.index)

    def is_own(self, step: Step, host: str) -> bool:
        """Whether only the job of the same host waits for this one."""
        return host in self.hosts and not step.task.run_once

    def leave(self, step: Step, host: str) -> Iterable[str]:
        """One of its jobs has ended; returns the hosts on which that may have been the last one."""
        if self.is_own(step, host):
            self.open.own[host] -= 1
            return (host,)
        self.open.shared -= 1
        return () if self.open.shared else self.hosts

    def is_over(self, host: str) -> bool:
        """Whether nothing of it is open for which a job on this host waits."""
        return not self.open.shared and not self.open.own.get(host)


class Growths:
    """All that was added to the plan of a run."""

    def __init__(self, jobs: Jobs, judge: Judge) -> None:
        self._jobs = jobs
        self._ledger = jobs.ledger
        self._judge = judge
        self.of: dict[Job, list[GrowthState]] = {}  # by the jobs that added something
        self.around: dict[int, GrowthState] = {}  # by the steps that were added
        self.holding: dict[Job, JobFinished] = {}
        self.asking: dict[int, list[Job]] = {}  # by step: jobs that hold for what they add, and wait for others
        self.awaited: dict[Job, None] = {}  # jobs that hold, and of which nothing was added yet

    def grown(self, event: PlanGrown) -> None:
        """Jobs have added steps, which the ledger knows by now."""
        steps = event.growth.steps
        hosts = dict.fromkeys(job.host for job in event.jobs)
        state = GrowthState(event.jobs[0].step, hosts, tuple(step.index for step in steps))
        for step in steps:
            state.enter(step)
            self.around[step.index] = state
        for job in event.jobs:
            self.of.setdefault(job, []).append(state)
            self.awaited.pop(job, None)

    def without_work(self, event: PlanGrown) -> Iterator[JobFinished]:
        """The ends of the jobs that hold although nothing of what was added is for their hosts."""
        for job in event.jobs:
            if self._is_done(job):
                yield self.holding.pop(job)

    def has_to_hold(self, event: JobFinished) -> bool:
        """Whether a job that has ended waits for what it added."""
        if event.status not in SUCCESS:
            return False
        return event.adds or any(not growth.is_over(event.job.host) for growth in self.of.get(event.job, ()))

    def hold(self, event: JobFinished) -> None:
        """The job's own work is done: what it added may run."""
        self.holding[event.job] = event
        if event.adds:
            self.awaited[event.job] = None
            self.asking.setdefault(event.job.step, []).append(event.job)
        self.look_at(event.job)

    def asked(self) -> Iterator[tuple[Job, ...]]:
        """The jobs, step by step, that have waited for the last one of their step."""
        for index in [index for index in self.asking if not self._ledger.steps[index].under_way]:
            jobs = tuple(job for job in self.asking.pop(index) if job in self.awaited)
            if jobs:
                yield jobs

    def give_up(self, event: JobFinished) -> None:
        """Nothing can be added for a job that holds for it."""
        del self.awaited[event.job], self.holding[event.job]
        self._ledger.move(event.job, event.status, ignored=event.ignored)
        self._jobs.ended.append((event.job, event.status))

    def look_at(self, job: Job) -> None:
        """A job that added something holds, or has ended: judge anew what it added."""
        cause = Cause(Because.GROWTH, job)
        for growth in self.of.get(job, ()):
            for index in growth.steps:
                state = self._ledger.steps[index]
                if index in growth.common:
                    self._judge.judge_released(state, cause)
                else:
                    self._judge.judge_on(state, job.host, cause)

    def note_end(self, job: Job) -> Iterator[JobFinished]:
        """A job that was added has ended; yields the ends of those that waited for no other."""
        growth = self.around[job.step]
        for host in growth.leave(self._ledger.steps[job.step].step, job.host):
            holder = Job(growth.parent, host)
            if self._is_done(holder):
                yield self.holding.pop(holder)

    def _is_done(self, job: Job) -> bool:
        """Whether a job holds for nothing any more."""
        if job not in self.holding or job in self.awaited:
            return False
        return all(growth.is_over(job.host) for growth in self.of[job])

    def let_go(self, event: JobFinished) -> None:
        """End a job that held: as it reported, but that what it added may have failed."""
        job = event.job
        state = self._ledger.steps[job.step]
        self._ledger.move(job, event.status, ignored=event.ignored)
        failed = next((added for growth in self.of[job] for added in self._failed(growth, job.host)), None)
        if failed is not None:
            state.counts_as[job.host] = Status.FAILED
            state.tally.recount(event.status, Status.FAILED)
            state.causes[job.host] = self._ledger.steps[failed.step].causes.get(failed.host, failed)
        self._jobs.ended.append((job, event.status))

    def _failed(self, growth: GrowthState, host: str) -> Iterator[Job]:
        """What failed of it for a host."""
        for index in growth.steps:
            state = self._ledger.steps[index]
            for other in state.statuses if index in growth.common else (host,):
                counts = other == host or not growth.is_own(state.step, other)
                if counts and other in state.statuses and has_failed(state, other, state.statuses[other]):
                    yield Job(index, other)


def has_failed(state: StepState, host: str, status: Status) -> bool:
    """Whether a job has failed for those that need it."""
    return host not in state.ignored and state.counts_as.get(host, status) in FAILURE
