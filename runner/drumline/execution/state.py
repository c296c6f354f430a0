"""The state of a run: events in, instructions out, nothing else.

``RunState.handle(*events)`` is the only thing that changes it. It knows no thread, clock, socket or random source:
time is what events carry. The same events in the same order give the same state and the same instructions, whoever
feeds them: a driver with real hosts, a simulation, the replay of a journal, a test that tries every order.

What order events may come in: ``RunStarted`` first; ``JobsStarted`` for jobs that a ``Start`` named, before their
``JobFinished``; ``InterruptRequested`` at any time. Anything else raises ``IllegalMove``.

How a run goes on. A play opens when the plays that it needs are over. Its batches follow one another. In a batch,
wave k+1 is *released* when no job of wave k is open (strategy ``waves``), or all waves are at once (``free``). A
released job becomes ready, or ends without running, as soon as its trigger rule says so (:mod:`.policy`), and starts
when there is a place for it.

Example: one play, tasks ``stop`` (web1, web2) and ``start`` (the same hosts), web2 fails in ``stop``::

    RunStarted             -> Announce(WaveReleased 0), Start(stop on web1, stop on web2)
    JobsStarted both       -> nothing
    JobFinished web1 ok    -> nothing: the wave is open
    JobFinished web2 fails -> Announce(BarrierPassed 0), Announce(WaveReleased 1),
                              Announce(JobsAbandoned start on web2), Start(start on web1)
    JobsStarted, JobFinished web1 -> Announce(BarrierPassed 1), Announce(RunFinished), Finish(2)
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

from drumline.execution.instructions import Announce, Finish, Instruction, Start, Stop
from drumline.execution.ledger import BatchState, Ledger, PlayState, StepState
from drumline.execution.policy import FAILURE, Dispatch, verdict
from drumline.model.event import (
    BarrierPassed,
    Event,
    InterruptRequested,
    JobFinished,
    JobsAbandoned,
    JobsStarted,
    RunFinished,
    RunStarted,
    Urgency,
    WaveReleased,
)
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan
from drumline.model.playbook import Strategy


class RunState:
    """The whole run. ``forks`` is the number of hosts at once, ``sessions`` of jobs at once on one host."""

    def __init__(self, plan: Plan, *, forks: int = 50, sessions: int = 4) -> None:
        self.plan = plan
        self.finished = False
        self.interrupted: Urgency | None = None
        self.wake_at: float | None = None  #: When to feed ``TimePassed`` (seconds since the epoch), if at all.
        self._ledger = Ledger(plan)
        self._dispatch = Dispatch(forks=forks, sessions=sessions)
        self._sending: dict[Job, None] = {}  # named by a Start; JobsStarted has not come yet
        self._running: dict[Job, None] = {}
        self._at = 0.0
        self._out: list[Instruction] = []
        self._ended: deque[tuple[Job, Status]] = deque()  # jobs whose dependents were not looked at yet
        self._without_running: defaultdict[tuple[Status, Job | None], list[Job]] = defaultdict(list)

    def status(self, job: Job) -> Status:
        """Where the job stands; ``pending`` before its wave."""
        return self._ledger.status(job)

    @property
    def running(self) -> tuple[Job, ...]:
        """Jobs that were sent and are not over, in the order in which they were sent."""
        return tuple(self._running)

    def counts(self) -> Mapping[str, int]:
        """Number of jobs per status, of all steps that were released."""
        return self._ledger.counts()

    def handle(self, *events: Event) -> list[Instruction]:
        """Take in what happened, in order; returns what to do now, in order. One call or several: it is the same."""
        self._out = []
        for event in events:
            self._at = event.at
            if isinstance(event, JobFinished):
                self._job_finished(event)
            elif isinstance(event, JobsStarted):
                self._jobs_started(event.jobs)
            elif isinstance(event, RunStarted):
                self._open_plays()
            elif isinstance(event, InterruptRequested):
                self._interrupt(event.urgency)
            self._settle()
            self._start_jobs()
        return self._out

    # What happened.

    def _jobs_started(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._ledger.move(job, Status.RUNNING)
            del self._sending[job]
            self._running[job] = None

    def _job_finished(self, event: JobFinished) -> None:
        job = event.job
        self._ledger.move(job, event.status, ignored=event.ignored)
        del self._running[job]
        self._dispatch.release(job)
        self._ended.append((job, event.status))
        self._time(job)
        if event.status in FAILURE and not event.ignored:
            self._note_failure(job, event.status)

    def _time(self, job: Job) -> None:
        """Note who came first and last at the barrier that is next."""
        step = self._ledger.steps[job.step].step
        batch = self._ledger.batch_of(step)
        if step.wave == batch.passed:
            batch.first_end = self._at if batch.first_end is None else batch.first_end
            batch.last = job

    def _note_failure(self, job: Job, status: Status) -> None:
        step = self._ledger.steps[job.step].step
        index, play = step.play, self._ledger.plays[step.play]
        if status is Status.UNREACHABLE:
            play.unreachable.setdefault(job.host, job)
            self._abandon_host(play, job)
        if step.task.any_errors_fatal and play.halted_by is None:
            play.halted_by = job
            if self._is_free(index):
                self._end_play(play, Status.ABANDONED, job)

    def _interrupt(self, urgency: Urgency) -> None:
        """Nothing more is released. Released jobs run to the barrier, except with ``NOW`` or without barriers."""
        self.interrupted = max(urgency, self.interrupted or urgency)
        if urgency is Urgency.NOW:
            self._take_back()
        for index, play in enumerate(self._ledger.plays):
            play.opened = True
            if urgency is Urgency.NOW or self._is_free(index):
                self._end_play(play, Status.CANCELLED, None)
            else:
                self._end_unreleased(play, Status.CANCELLED, None)
        if urgency is Urgency.NOW and self._running:
            self._out.append(Stop(self.running))

    def _take_back(self) -> None:
        """What was to be sent after an earlier event of the same call is not sent any more."""
        self._out = [item for item in self._out if not isinstance(item, Start)]
        for job in self._sending:
            self._dispatch.release(job)
        self._end(self._sending, Status.CANCELLED, None)
        self._sending.clear()

    # How the run goes on: plays, batches, waves.

    def _settle(self) -> None:
        """Follow what ended until nothing more follows from it."""
        while True:
            while self._ended:
                self._look_at_dependents(*self._ended.popleft())
            self._announce_ends()
            if not any(self._advance(index) for index, play in enumerate(self._ledger.plays) if play.opened):
                break
        if not self.finished and all(play.over for play in self._ledger.plays):
            self._finish()

    def _open_plays(self) -> None:
        for index, play in enumerate(self._ledger.plays):
            if not play.opened and all(self._ledger.plays[need].over for need in self.plan.plays[index].needs):
                play.opened = True

    def _advance(self, index: int) -> bool:
        """Take an open play one step further if it can go; returns whether it did."""
        play = self._ledger.plays[index]
        if play.over:
            return False
        if play.batch == len(play.batches):
            play.over = True
            self._open_plays()
            return True
        batch = play.batches[play.batch]
        if batch.passed == len(batch.batch.waves):
            play.batch += 1
        elif batch.passed < batch.released:
            if batch.open[batch.passed]:
                return False
            self._pass_barrier(index, play, batch)
        elif play.halted_by is not None:
            self._end_play(play, Status.ABANDONED, play.halted_by)
        else:
            self._release(index, play, batch)
        return True

    def _pass_barrier(self, index: int, play: PlayState, batch: BatchState) -> None:
        wave = batch.passed
        batch.passed += 1
        if not self._is_free(index) and (batch.stopped_at is None or wave < batch.stopped_at):
            waited = self._at - batch.first_end if batch.first_end is not None else 0.0
            passed = BarrierPassed(at=self._at, play=index, batch=play.batch, wave=wave, last=batch.last, waited=waited)
            self._out.append(Announce(passed))
        batch.first_end = batch.last = None

    def _release(self, index: int, play: PlayState, batch: BatchState) -> None:
        """Release the next wave, or all of them where the strategy is ``free``."""
        waves = range(batch.released, len(batch.batch.waves) if self._is_free(index) else batch.released + 1)
        batch.released = waves.stop
        for wave in waves:
            jobs = sum(self._ledger.open_step(step) for step in batch.batch.waves[wave])
            released = WaveReleased(at=self._at, play=index, batch=play.batch, wave=wave, jobs=jobs)
            self._out.append(Announce(released))
        for wave in waves:
            for step in batch.batch.waves[wave]:
                self._judge(self._ledger.steps[step])

    def _is_free(self, play: int) -> bool:
        return self.plan.plays[play].play.strategy is Strategy.FREE

    def _finish(self) -> None:
        self.finished = True
        counts = {str(status): count for status, count in sorted(self.counts().items())}
        status = self._exit_status()
        self._out.append(Announce(RunFinished(at=self._at, counts=counts, exit_status=status)))
        self._out.append(Finish(status))

    def _exit_status(self) -> int:
        """``semantics.md`` section 8."""
        if self.interrupted is not None:
            return 130
        causes = {
            state.statuses[host] for state in self._ledger.steps for host in state.failures if host in state.statuses
        }
        if Status.FAILED in causes:
            return 2
        return 4 if Status.UNREACHABLE in causes else 0

    # Whether a job may run.

    def _start_jobs(self) -> None:
        jobs = self._dispatch.take()
        if jobs:
            self._sending.update(dict.fromkeys(jobs))
            self._out.append(Start(tuple(jobs)))

    def _look_at_dependents(self, job: Job, status: Status) -> None:
        ended = self._ledger.steps[job.step]
        for index in ended.dependents:
            waiting = self._ledger.steps[index]
            if not waiting.released or not waiting.tally.open:
                continue
            # All jobs of the ended step decide for hosts that it hasn't. Steps with the same hosts share one tuple.
            others = waiting.step.hosts is not ended.step.hosts
            failed = status in FAILURE and job.host not in ended.ignored
            if not ended.tally.open or waiting.step.task.run_once or (others and (failed or ended.tally.success == 1)):
                self._judge(waiting)
            elif job.host in waiting.statuses:
                self._judge_job(waiting, job.host)

    def _judge(self, state: StepState) -> None:
        """Look at every pending job of a released step."""
        if state.step.task.run_once:
            self._judge_once(state)
            return
        for host, status in state.statuses.items():
            if status is Status.PENDING:
                self._judge_job(state, host)

    def _judge_job(self, state: StepState, host: str) -> None:
        if state.statuses[host] is Status.PENDING:
            self._decide(Job(state.step.index, host), self._decision(state, host))

    def _judge_once(self, state: StepState) -> None:
        """``run_once``: the first candidate that may run stands for all; when none may, the first one ends so."""
        if state.statuses or not state.step.hosts:
            return
        decisions = {host: self._decision(state, host) for host in state.step.hosts}
        chosen = next((host for host, decision in decisions.items() if decision is Status.READY), None)
        if chosen is None and Status.PENDING in decisions.values():
            return
        job = self._ledger.choose_host(state.step.index, chosen or state.step.hosts[0])
        self._decide(job, decisions[job.host])

    def _decision(self, state: StepState, host: str) -> Status:
        if host in self._ledger.plays[state.step.play].unreachable:
            return Status.ABANDONED
        return verdict(state.step.task.trigger_rule, self._ledger.needs_of(state.step, host))

    def _decide(self, job: Job, decision: Status) -> None:
        if decision is Status.READY:
            self._ledger.move(job, Status.READY)
            self._dispatch.add(job)
        elif decision is not Status.PENDING:
            lost = self._ledger.plays[self._ledger.steps[job.step].step.play].unreachable.get(job.host)
            cause = (lost or self._ledger.cause_of(job)) if decision is Status.ABANDONED else None
            self._end([job], decision, cause)

    # Jobs that end without running.

    def _end(self, jobs: Iterable[Job], status: Status, cause: Job | None) -> None:
        for job in jobs:
            self._ledger.move(job, status)
            if cause is not None:
                self._ledger.steps[job.step].causes[job.host] = cause
            self._ended.append((job, status))
            self._without_running[status, cause].append(job)

    def _announce_ends(self) -> None:
        for (status, cause), jobs in self._without_running.items():
            self._out.append(Announce(JobsAbandoned(at=self._at, jobs=tuple(jobs), status=status, cause=cause)))
        self._without_running.clear()

    def _end_play(self, play: PlayState, status: Status, cause: Job | None) -> None:
        """End everything of the play that isn't running."""
        self._end(self._dispatch.drop(play.steps), status, cause)
        self._end_unreleased(play, status, cause)
        for index in sorted(play.steps):
            self._end_pending(index, status, cause)

    def _end_unreleased(self, play: PlayState, status: Status, cause: Job | None) -> None:
        """End the waves that were not released; they count as released from here on, but are never announced so."""
        for batch in play.batches:
            if batch.released < len(batch.batch.waves):
                batch.stopped_at = batch.released
            for wave in batch.batch.waves[batch.released :]:
                for index in wave:
                    self._ledger.open_step(index)
                    self._end_pending(index, status, cause)
            batch.released = len(batch.batch.waves)

    def _end_pending(self, index: int, status: Status, cause: Job | None) -> None:
        state = self._ledger.steps[index]
        if state.step.task.run_once and not state.statuses and state.step.hosts:
            self._ledger.choose_host(index, state.step.hosts[0])
        self._end(self._ledger.pending(index), status, cause)

    def _abandon_host(self, play: PlayState, job: Job) -> None:
        """A host that can't be reached drops out of the play: what waits there ends."""
        self._end(self._dispatch.drop(play.steps, job.host), Status.ABANDONED, job)
        waiting = (self._ledger.steps[index] for index in sorted(play.steps))
        pending = [
            Job(state.step.index, job.host)
            for state in waiting
            if state.released and state.statuses.get(job.host) is Status.PENDING
        ]
        self._end(pending, Status.ABANDONED, job)
