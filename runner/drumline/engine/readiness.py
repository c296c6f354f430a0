"""Whether jobs may run: their needs, the hosts that dropped out, and the order of waves on hosts that are behind."""

from __future__ import annotations

from drumline.engine.blocks import standing
from drumline.engine.board import Jobs
from drumline.engine.policy import FAILURE, verdict
from drumline.engine.records import BatchState, StepState
from drumline.model.cause import Because, Cause
from drumline.model.outcome import FINAL, Status
from drumline.model.plan import Job, Step

#: Of a job that a check can't decide about.
_PERHAPS_NOTIFIED = "a task that a check can't know would notify it if it changes something"
_UNCLEAR = "its trigger rule asks what came of a task that a check can't know"


class Judge:
    """Makes released jobs ready, or ends them without running, as soon as that is certain."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._ledger = jobs.ledger

    def look_at_dependents(self, job: Job, status: Status) -> None:
        """A job has ended: judge anew what waited for it."""
        ended = self._ledger.steps[job.step]
        for index in ended.dependents:
            waiting = self._ledger.steps[index]
            if not waiting.released or not waiting.tally.open:
                continue
            # All jobs of the ended step decide for hosts that it hasn't. Steps with the same hosts share one tuple.
            others = waiting.step.hosts is not ended.step.hosts
            if not ended.tally.open or waiting.step.task.run_once or (others and self._may_decide(ended, job, status)):
                self.judge(waiting, Cause(Because.NEED, job))
            elif job.host in waiting.statuses:
                self._judge_job(waiting, job.host, Cause(Because.NEED, job))

    def _may_decide(self, ended: StepState, job: Job, status: Status) -> bool:
        """Whether one job of a step may decide what becomes of others before the step has ended."""
        failed = ended.counts_as.get(job.host, status) in FAILURE and job.host not in ended.ignored
        tally = ended.tally
        return failed or tally.success == 1 or tally.skipped == 1 or tally.unclear == 1

    def look_at_host(self, batch: BatchState, job: Job) -> None:
        """A host that was behind has come further by a job: judge anew what waits there, or may wait for it."""
        cause = Cause(Because.CATCH_UP, job)
        for wave in batch.released():
            for index in wave.steps if wave.open else ():
                state = self._ledger.steps[index]
                if state.step.task.run_once:
                    self.judge(state, cause)
                elif job.host in state.statuses:
                    self._judge_job(state, job.host, cause)

    def judge_on(self, state: StepState, host: str, cause: Cause) -> None:
        """Look at a step for what has changed on one host."""
        if not state.released or not state.tally.open:
            return
        if state.step.task.run_once:
            self._judge_once(state, cause)
        elif host in state.statuses:
            self._judge_job(state, host, cause)

    def judge_released(self, state: StepState, cause: Cause) -> None:
        """The same as ``judge`` for a step that may not be released yet, or may have ended."""
        if state.released and state.tally.open:
            self.judge(state, cause)

    def judge(self, state: StepState, cause: Cause) -> None:
        """Look at every pending job of a released step; ``cause`` is why they may have become ready."""
        if state.step.task.run_once:
            self._judge_once(state, cause)
            return
        for host, status in state.statuses.items():
            if status is Status.PENDING:
                self._judge_job(state, host, cause)

    def _judge_job(self, state: StepState, host: str, cause: Cause) -> None:
        if state.statuses[host] is Status.PENDING:
            self._decide(Job(state.step.index, host), self.decision(state, host), cause)

    def _judge_once(self, state: StepState, cause: Cause) -> None:
        """``run_once``: the first candidate that may run stands for all; when none may, the first one ends so."""
        if state.statuses or not state.step.hosts:
            return
        decisions = {host: self.decision(state, host) for host in state.step.hosts}
        chosen = next((host for host, decision in decisions.items() if decision is Status.READY), None)
        if chosen is None and Status.PENDING in decisions.values():
            return
        job = self._ledger.choose_host(state.step.index, chosen or state.step.hosts[0])
        self._decide(job, decisions[job.host], cause)

    def decision(self, state: StepState, host: str) -> Status:
        """Where a pending job stands by what has happened: still pending, ready, or ended without running."""
        play = self._ledger.plays[state.step.play]
        if state.step.task.handler is not None and not self._ledger.needs_handler(state, host):
            return self._unneeded(state, host)
        if host in play.left:
            return Status.UNNEEDED
        if host in play.unreachable:
            return Status.ABANDONED
        if host in play.dropped:
            return Status.SKIPPED
        if state.step.added_by is not None:
            allowed = self._allowed(state.step, host)
            if allowed is not None:
                return allowed
        if state.around:
            said = standing(self._ledger.blocks, state.around, host)
            if said is not None:
                return said
        decision = verdict(state.step.task.trigger_rule, self._ledger.needs_of(state.step, host))
        if decision is Status.READY:
            if state.step.task.handler is not None and self._ledger.failed_in_flush(state, host):
                return Status.ABANDONED
            wave = self._ledger.waves[state.step.index]
            if wave.batch.behind and wave.batch.is_behind(host, wave.level):
                return Status.PENDING
        return decision

    def _unneeded(self, state: StepState, host: str) -> Status:
        """Where a handler's job stands that its host hasn't notified: what it waits for may still do that."""
        waits = standing(self._ledger.blocks, state.around, host) is Status.PENDING
        if waits or self._ledger.needs_of(state.step, host).open:
            return Status.PENDING
        return Status.UNCLEAR if self._ledger.handlers.is_unclear(state.step, host) else Status.UNNEEDED

    def _allowed(self, step: Step, host: str) -> Status | None:
        """What those that added a step say of it: it waits until one of them holds; None: it may run."""
        parents = self._ledger.parents(step, host)
        statuses = {self._ledger.status(job) for job in parents}
        if any(job in self._ledger.late for job in parents):
            return Status.ABANDONED
        if Status.HOLDING in statuses:
            return None
        if not statuses <= FINAL:
            return Status.PENDING
        return Status.ABANDONED if statuses & FAILURE else Status.SKIPPED

    def _decide(self, job: Job, decision: Status, cause: Cause) -> None:
        if decision is Status.READY:
            self._ledger.move(job, Status.READY)
            self._ledger.use_up(job)
            self._jobs.dispatch.add(job, cause)
        elif decision is not Status.PENDING:
            self._end(job, decision, cause)

    def _end(self, job: Job, decision: Status, cause: Cause) -> None:
        """It will never run: because of a failure, of its host, or of what it needs."""
        play = self._ledger.plays[self._ledger.steps[job.step].step.play]
        if decision is Status.ABANDONED:
            failure = play.unreachable.get(job.host) or self._ledger.cause_of(job)
            self._jobs.end([job], decision, cause if failure is None else Cause(Because.FAILURE, failure))
        elif decision is Status.UNCLEAR:
            handler = self._ledger.steps[job.step].step.task.handler is not None
            self._jobs.end([job], decision, cause, _PERHAPS_NOTIFIED if handler else _UNCLEAR)
        elif job.host in play.dropped:
            self._jobs.end([job], decision, *play.dropped[job.host])
        else:
            self._jobs.end([job], decision, cause)
