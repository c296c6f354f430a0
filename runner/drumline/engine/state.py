"""The state of a run: events in, instructions out, nothing else.

``RunState.handle(*events)`` is the only thing that changes it. It knows no thread, clock, socket or random source:
time is what events carry. The same events in the same order give the same state and the same instructions, whoever
feeds them: a driver with real hosts, a simulation, the replay of a journal, a test that tries every order.

What order events may come in: ``RunStarted`` first; ``JobsStarted`` right after the ``Start`` that named the jobs, and
before their ``JobFinished``; ``JobStaged`` while a job runs; ``StartReleased`` right after its ``Release`` was carried
out, before anything that came of it; ``TimePassed`` at ``wake_at`` or later, after what happened before, or when the
clock was set; and ``InterruptRequested`` at any time. Illegal moves raise ``IllegalMove``.

How a run goes on. A play opens when the plays that it needs have ended. Its batches follow one another. In a batch,
wave k+1 is *released* when the barrier of wave k has passed (strategy ``waves``, :mod:`.barriers`), or all waves are
at once (``free``), unless too much failed (:mod:`.limits`). A released job becomes ready, or ends without running, as
soon as its trigger rule says so (:mod:`.policy`, :mod:`.readiness`), and starts when there is a place for it
(:mod:`.dispatch`). Jobs of a task with ``start`` are staged first, and go on together (:mod:`.starts`). A failure in a
block counts for nothing until the block's rescue has ended (:mod:`.rescues`). Running jobs may add steps to the plan,
in waves of their own (``PlanGrown``); they stay open until these have ended (:mod:`.growth`).

Example: one play, tasks ``stop`` (web1, web2) and ``start`` (the same hosts), web2 fails in ``stop``::

    RunStarted             -> Announce(WaveReleased 0), Start(stop on web1, stop on web2)
    JobsStarted both       -> nothing
    JobFinished web1 ok    -> nothing: the wave is open
    JobFinished web2 fails -> Announce(BarrierPassed 0), Announce(WaveReleased 1),
                              Announce(JobsAbandoned start on web2), Start(start on web1)
    JobsStarted, JobFinished web1 -> Announce(BarrierPassed 1), Announce(RunFinished), Finish(2)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from drumline.engine.board import Jobs
from drumline.engine.growth import Growths
from drumline.engine.instructions import Finish, Grow, Instruction
from drumline.engine.policy import FAULT
from drumline.engine.readiness import Judge
from drumline.engine.rescues import Rescues
from drumline.engine.starts import Starts
from drumline.engine.transitions import IllegalMove
from drumline.engine.waves import Waves
from drumline.model.cause import THE_RUN
from drumline.model.event import (
    ApprovalGiven,
    ApprovalRequested,
    Input,
    InterruptRequested,
    JobFinished,
    JobsStarted,
    JobStaged,
    JobWaiting,
    PlanGrown,
    RunFinished,
    RunStarted,
    StartReleased,
    TimePassed,
    Urgency,
)
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan
from drumline.model.playbook import INCLUDED


class RunState:
    """The whole run. ``forks`` is the number of hosts at once, ``sessions`` of jobs at once on one host."""

    def __init__(self, plan: Plan, *, forks: int = 50, sessions: int = 4) -> None:
        self.plan = plan
        self.finished = False
        self.interrupted: Urgency | None = None
        self._interruption = THE_RUN  # who interrupted it last
        self.jobs = Jobs(plan, forks=forks, sessions=sessions)
        self._ledger = self.jobs.ledger
        self.judge = Judge(self.jobs)
        self.starts = Starts(self.jobs)
        self.growths = Growths(self.jobs, self.judge)
        self._waves = Waves(plan, self.jobs, self.judge, self.starts)
        self._rescues = Rescues(self.jobs, self.judge, self.starts, self._waves.note_failure)
        self.asking: dict[Job, None] = {}  # jobs that wait for a person's answer

    def status(self, job: Job) -> Status:
        """Where the job stands; ``pending`` before its wave."""
        return self._ledger.status(job)

    @property
    def running(self) -> tuple[Job, ...]:
        """Jobs that were sent and are not over, in the order in which they were sent."""
        return tuple(self.jobs.running)

    @property
    def awaited(self) -> tuple[Job, ...]:
        """Jobs that have ended but for what they add to the plan, which isn't there yet."""
        return tuple(self.growths.awaited)

    @property
    def planning(self) -> tuple[int, ...]:
        """Plays that open as soon as they are planned."""
        return tuple(self._waves.planning)

    @property
    def wake_at(self) -> float | None:
        """When time itself changes something (seconds since the epoch): a ``TimePassed`` is to be fed then."""
        of_waves, of_starts = self._waves.wake_at(), self.starts.wake_at()
        if of_waves is None or of_starts is None:
            return of_starts if of_waves is None else of_waves
        return min(of_waves, of_starts)

    def counts(self) -> Mapping[str, int]:
        """Number of jobs per status, of all steps that were released."""
        return self._ledger.counts()

    def validate(self) -> None:
        """Raise ``InvalidState`` where the state contradicts itself. For tests: it costs as much as the whole plan."""
        from drumline.engine.validation import validate

        validate(self)

    def handle(self, *events: Input) -> list[Instruction]:
        """Take in what happened, in order; returns what to do now, in order. One call or several: it is the same."""
        self.jobs.out = []
        for event in events:
            self.jobs.at = event.at
            self.jobs.event = event
            self._take_in(event)
            if isinstance(event, JobsStarted):
                continue  # nothing follows from it
            self._settle()
            self.jobs.send()
            while self._stands_still() and self._waves.end_standstill():
                self._settle()
                self.jobs.send()
            if self.growths.asking:
                self.jobs.out.extend(map(self._grow_by, self.growths.asked()))
        return self.jobs.out

    # What happened.

    def _take_in(self, event: Input) -> None:
        match event:
            case JobsStarted(jobs=jobs):
                self.jobs.started(jobs)
            case JobFinished():
                self._job_finished(event)
            case TimePassed(ahead=ahead):
                self._waves.time_passed()
                self.starts.time_passed(ahead)
            case JobStaged():
                self.starts.staged(event)
            case StartReleased():
                self.starts.released(event)
            case ApprovalRequested(job=job):
                self._job_asks(job)
            case ApprovalGiven(job=job):
                self.asking.pop(job, None)
            case RunStarted():
                self._waves.open_plays(THE_RUN)
            case InterruptRequested(urgency=urgency):
                self._interrupt(urgency)
            case PlanGrown():
                self._grow(event)
            case JobWaiting():
                pass  # for reports
            case _:
                assert_never(event)

    def _job_finished(self, event: JobFinished) -> None:
        if event.notified:
            self._ledger.handlers.note(self.plan.steps[event.job.step], event)
        if event.job in self.growths.awaited:
            self.growths.give_up(event)
            self._waves.note_end(event.job)
            return
        holds = (event.adds or bool(self.growths.of)) and self.growths.has_to_hold(event)
        self.jobs.finished(event, holds=holds)
        if holds:
            self.growths.hold(event)
        else:
            self._waves.note_end(event.job)
        if event.began is not None:
            self.starts.began(event.job, event.began)
        if event.status is Status.OK and self.plan.steps[event.job.step].task.meta is not None:
            self._waves.obey(event)
        if self.asking:
            self.asking.pop(event.job, None)

    def _grow(self, event: PlanGrown) -> None:
        if event.growth.opened is not None:
            if event.growth.opened not in self._waves.planning:
                raise IllegalMove("The plan", f"It was to get a play that doesn't open now: {event.growth.opened}")
            self.plan = self.plan.grown(event.growth)
            self._waves.open_planned(self.plan, event.growth)
            return
        able = self.jobs.running, self.growths.awaited
        if not event.jobs or any(job not in able[0] and job not in able[1] for job in event.jobs):
            raise IllegalMove("The plan", f"It was to grow by jobs that have ended: {list(event.jobs)}")
        self.plan = self.plan.grown(event.growth)
        self._waves.grow(self.plan, event)
        self.growths.grown(event)
        for ended in self.growths.without_work(event):
            self._let_go(ended)
        if self.interrupted is not None:
            self._waves.end_grown(event, self._interruption)

    def _grow_by(self, jobs: tuple[Job, ...]) -> Grow:
        step = self.plan.steps[jobs[0].step]
        flushes = step.task.handler == INCLUDED
        return Grow(jobs, self._ledger.handlers.included(step, [job.host for job in jobs]) if flushes else ())

    def _job_asks(self, job: Job) -> None:
        """No one is to be asked whether a run that is being interrupted may go on."""
        if job in self.jobs.running:
            self.asking[job] = None
            if self.interrupted is not None:
                self.jobs.stop([job], Status.CANCELLED, "", self._interruption)

    def _interrupt(self, urgency: Urgency) -> None:
        self.interrupted = max(urgency, self.interrupted or urgency)
        self._interruption = self.jobs.trigger
        self.starts.interrupt()
        self._waves.interrupt(urgency)
        if urgency is Urgency.NOW:
            self.jobs.stop_all()
        else:
            self.jobs.stop(self.asking, Status.CANCELLED, "", self.jobs.trigger)

    # What follows from it.

    def _settle(self) -> None:
        """Follow what ended until nothing more follows from it."""
        advanced = not self._ledger.plays
        while True:
            while self.jobs.ended:
                self._follow(*self.jobs.ended.popleft())
            if self.starts.touched:
                self.starts.settle()
                continue
            if self.jobs.without_running:
                self.jobs.announce_ends()
            if self._ledger.emptied:
                self.jobs.announce_waves()
            if not self._waves.advance():
                break
            advanced = True
        if advanced and not self.finished and all(play.over for play in self._ledger.plays):
            self._finish()

    def _stands_still(self) -> bool:
        """Whether the run can't go on by itself: no job is under way, and no deadline is awaited."""
        return (
            self.jobs.is_idle()
            and not (self.finished or self.growths.awaited or self._waves.planning)
            and self.wake_at is None
        )

    def _follow(self, job: Job, status: Status) -> None:
        if self.starts.active:
            self.starts.over(job, status)
        state = self._ledger.steps[job.step]
        if state.around:
            self._rescues.note_end(job, status)
        elif status in FAULT and job.host not in state.ignored:
            self._waves.note_failure(job, status)
        if self.growths.of:
            self._follow_growth(job)
        self.judge.look_at_dependents(job, status)
        self._waves.come_further(job)

    def _follow_growth(self, job: Job) -> None:
        self.growths.look_at(job)
        if job.step in self.growths.around:
            for event in self.growths.note_end(job):
                self._let_go(event)

    def _let_go(self, event: JobFinished) -> None:
        self.growths.let_go(event)
        self._waves.note_end(event.job)

    def _finish(self) -> None:
        self.finished = True
        counts = {str(status): count for status, count in sorted(self.counts().items())}
        status = self._exit_status()
        cause = self.jobs.trigger
        self.jobs.announce(RunFinished(at=self.jobs.at, counts=counts, exit_status=status, cause=cause))
        self.jobs.out.append(Finish(status))

    def _exit_status(self) -> int:
        """``docs/semantics.md`` section 8."""
        if self.interrupted is not None:
            return 130
        causes = {
            state.statuses[host]
            for state in self._ledger.steps
            for host in state.failures
            if host in state.statuses and Job(state.step.index, host) not in self._ledger.cleared
        }
        if causes & {Status.FAILED, Status.UNKNOWN}:
            return 2
        if Status.UNREACHABLE in causes:
            return 4
        return 2 if any(play.halted for play in self._ledger.plays) else 0
