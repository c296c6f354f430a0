"""The driver: owns the state on one thread, performs its instructions and reports back what happened."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, assert_never

from msgspec import Struct

from drumline.clock import Clock
from drumline.engine.instructions import Announce, Finish, Grow, Instruction, PlanPlay, Release, StartJobs, Stop
from drumline.engine.state import RunState
from drumline.execution.values import failure, stopped_values
from drumline.model.event import (
    Event,
    Input,
    InterruptRequested,
    JobFinished,
    JobsStarted,
    PlanGrown,
    RunStarted,
    StartReleased,
    TimePassed,
    Urgency,
)
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan
from drumline.plugin.runs import Executor, JobReport, Stopped

#: Seconds that stopped jobs have to report before they are given up.
STOP_GRACE = 15.0

#: Seconds after which a wait for a time of day is checked again, since the clock may have been set.
_LONGEST_WAIT = 30.0
#: Seconds. A smaller change of the clock is an adjustment; a larger one means that it was set.
_SET = 0.1

_DEAF = "It did not answer when it was stopped; it may still be running on the host."
_UNHEARD = "drumline died before it learned the outcome; it may still be running on the host."
_INTERRUPTED = Stopped(Status.CANCELLED, "")


class Record(Protocol):
    """What the driver needs of a journal."""

    def append(self, events: Sequence[Event], reports: Sequence[JobReport] = ()) -> None:
        """Make the events and what these jobs leave to later ones durable, in one transaction.

        The events of the reports are among the events.
        """
        ...


class _Stopping(Struct, frozen=True):
    """A job that was told to stop, and the time by which it has to report."""

    until: float
    stopped: Stopped


class Driver:
    """Runs one plan to its end.

    Everything that happens comes through one inbox: reports and notes of jobs, and interrupts, from any thread. A turn
    of the loop takes all of it, commits it together with the intents of jobs to be started, notifies the
    listeners, and only then starts jobs (promise 2).
    """

    def __init__(
        self,
        state: RunState,
        *,
        run: str,
        record: Record,
        listeners: Iterable[Callable[[Event], None]],
        clock: Clock,
        remember: Callable[[JobReport], None],
        by: str = "",
        lost: Mapping[Job, float] | None = None,
        grow: Callable[[Grow, Plan], Iterable[Input]] = lambda _grow, _plan: (),
        plan_play: Callable[[int, Plan], Input] | None = None,
    ) -> None:
        """``by`` is who started the run, as ``user@machine``. ``grow`` makes what jobs add to a plan (:class:`.Grow`),
        ``plan_play`` plans a play that opens (:class:`.PlanPlay`).

        With ``lost``, the state is that of a run whose process died: ``lost`` are the jobs that were running, and
        when they were sent (seconds since the epoch). Their outcome is unknown. None: a new run begins.
        """
        self._state = state
        self._run = run
        self._by = by
        self._record = record
        self._listeners = tuple(listeners)
        self._clock = clock
        self._remember = remember
        self._inbox: queue.SimpleQueue[JobReport | Input | Exception] = queue.SimpleQueue()
        self._turned = 0.0  # when the first event of this turn happened
        self._lost = lost
        self._grow = grow
        self._plan_play = plan_play
        self._reports: list[JobReport] = []  # reports of this turn that leave something to later jobs
        self._followed: list[Input] = []  # outcomes of instructions, handled before the inbox
        self._ahead = 0.0  # seconds by which the machine's clock was set forward meanwhile
        self._interrupts = 0
        self._hurries = 0  # interrupts that ask to stop now
        self._stopping: dict[Job, _Stopping] = {}  # in the order in which they will be given up
        self._sent: dict[Job, float] = {}  # submitted and not reported, and since when
        self.exit_status: int | None = None

    def report(self, report: JobReport | Exception) -> None:
        """A job has ended, or drumline itself failed while running it; may be called from any thread."""
        self._inbox.put(report)

    def note(self, event: Input) -> None:
        """A job reports its progress (``JobStaged``, ``JobWaiting``, …); may be called from any thread."""
        self._inbox.put(event)

    def interrupt(self, by: str = "Ctrl-C") -> None:
        """Ctrl-C was pressed; may be called from any thread, but only one at a time, since calls are counted."""
        self._interrupts += 1
        urgency = Urgency.AFTER_WAVE if self._interrupts == 1 else Urgency.NOW
        self._inbox.put(InterruptRequested(at=self._clock.now(), urgency=urgency, by=by))

    def terminate(self, by: str = "") -> None:
        """The program is being ended: running jobs are stopped, as by a second Ctrl-C.

        Only Ctrl-C goes further than that: a closed terminal sends SIGHUP twice (the shell and the kernel), and a
        service manager may send SIGTERM and SIGHUP together.
        """
        for _ in range(2 - self._interrupts):
            self.interrupt(by)

    def run(self, executor: Executor) -> int:
        """Run the plan; returns the exit status. Whatever is raised, running jobs have been stopped."""
        try:
            self._turn(self._first_events(), executor)
            while self.exit_status is None:
                self._turn(self._next_events(), executor)
        except BaseException:
            self._stop_all(executor)
            raise
        return self.exit_status

    def _stop_all(self, executor: Executor) -> None:
        """Stop running jobs and wait for them although nothing can be journalled; the next Ctrl-C ends the wait."""
        for job in self._sent:
            executor.stop(job, _INTERRUPTED)
        deadline = self._clock.monotonic() + STOP_GRACE
        while self._sent:
            try:
                item = self._inbox.get(timeout=max(0.0, deadline - self._clock.monotonic()))
            except queue.Empty:
                return
            if isinstance(item, JobReport):
                self._sent.pop(item.event.job, None)
            elif isinstance(item, (InterruptRequested, Exception)):
                return

    # What happened.

    def _first_events(self) -> list[Input]:
        now = self._clock.now()
        if self._lost is None:
            return [RunStarted(at=now, run=self._run, by=self._by)]
        values = failure(_UNHEARD)
        lost = [
            JobFinished(at=now, job=job, status=Status.UNKNOWN, started=sent, result=values)
            for job, sent in self._lost.items()
        ]
        events = [event for end in lost for event in self._finished(JobReport(event=end))]
        return [*events, TimePassed(at=now)]  # a new process can't know that the clock was set

    def _next_events(self) -> list[Input]:
        """Wait until something happens or a time comes, then return everything that has happened."""
        if self._followed:
            events, self._followed = self._followed, []
            return events
        events = [event for item in self._wait() for event in self._event_of(item)]
        return [*events, *self._overdue()]

    def _wait(self) -> list[JobReport | Input | Exception]:
        try:
            found = [self._inbox.get(timeout=self._seconds_left())]
        except queue.Empty:
            return []
        while not isinstance(found[-1], Exception):  # it ends the run: the rest is left for cleaning up
            try:
                found.append(self._inbox.get_nowait())
            except queue.Empty:
                break
        return found

    def _seconds_left(self) -> float | None:
        """Seconds until the next time to wait for, or None."""
        left = []
        if self._stopping:
            first = next(iter(self._stopping.values()))
            left.append(first.until - self._clock.monotonic())
        if self._state.wake_at is not None:
            left.append(min(self._state.wake_at - self._clock.now(), _LONGEST_WAIT))
        return max(0.0, min(left)) if left else None

    def _event_of(self, item: JobReport | Input | Exception) -> list[Input]:
        if isinstance(item, JobReport):
            return self._finished(item)
        if isinstance(item, Exception):
            raise item
        if isinstance(item, InterruptRequested):
            self._hurries += item.urgency is Urgency.NOW
        if isinstance(item, PlanGrown) and any(self._state.status(job) is not Status.RUNNING for job in item.jobs):
            return []  # one of them was given up
        job: Job | None = getattr(item, "job", None)
        given_up = job is not None and self._state.status(job) is not Status.RUNNING
        return [] if given_up else [item]

    def _finished(self, report: JobReport) -> list[Input]:
        job = report.event.job
        self._sent.pop(job, None)
        self._stopping.pop(job, None)
        if self._state.status(job) is not Status.RUNNING and job not in self._state.awaited:
            return []  # given up already
        self._remember(report)
        if report.leaves:
            self._reports.append(report)
        return [report.event]

    def _overdue(self) -> list[Input]:
        """What is due: jobs that don't answer are given up, and the state is woken when it asked to be."""
        events: list[Input] = []
        if self._stopping:
            now = self._clock.monotonic()
            unresponsive = [(job, held.stopped) for job, held in self._stopping.items() if held.until <= now]
            events += [event for job, stopped in unresponsive for event in self._finished(self._given_up(job, stopped))]
        if self._state.wake_at is not None:
            ahead = self._clock.wall() - self._clock.now()
            was_set = abs(ahead - self._ahead) > _SET
            if was_set:
                self._ahead = ahead
            if was_set or self._state.wake_at <= self._clock.now():
                events.append(TimePassed(at=self._clock.now(), ahead=self._ahead))
        return events

    def _given_up(self, job: Job, stopped: Stopped) -> JobReport:
        """The report of a job that was told to stop and didn't; after an interrupt, its outcome is unknown."""
        interrupted = stopped.status is Status.CANCELLED
        status = Status.UNKNOWN if interrupted else stopped.status
        message = " ".join(filter(None, [stopped.reason and f"{stopped.reason}.", _DEAF]))
        values = {**stopped_values(stopped, {}), "msg": message}
        now, started = self._clock.now(), self._sent[job]
        event = JobFinished(at=now, job=job, status=status, started=started, result=values, cause=stopped.cause)
        return JobReport(event=event)

    # What to do about it.

    def _turn(self, happened: list[Input], executor: Executor) -> None:
        self._turned = min((event.at for event in happened), default=self._turned)
        instructions = self._state.handle(*happened)
        starts = [item for item in instructions if isinstance(item, StartJobs)]
        events: list[Event] = [*happened, *(item.event for item in instructions if isinstance(item, Announce))]
        if starts:
            jobs = tuple(job for start in starts for job in start.jobs)
            causes = tuple(cause for start in starts for cause in start.causes)
            started = JobsStarted(at=self._clock.now(), jobs=jobs, causes=causes)
            self._state.handle(started)
            events.append(started)
        self._record.append(events, self._reports)
        self._reports = []
        for event in events:
            for listen in self._listeners:
                listen(event)
        self._perform(instructions, executor)

    def _perform(self, instructions: list[Instruction], executor: Executor) -> None:
        plan = self._state.plan
        for instruction in instructions:
            match instruction:
                case StartJobs(jobs=jobs):
                    self._sent.update(dict.fromkeys(jobs, self._clock.now()))
                    for job in jobs:
                        executor.submit(job)
                case Stop():
                    self._stop(instruction, executor)
                case Release():
                    self._release(instruction, executor)
                case Grow() | PlanPlay():
                    for event in self._growth(instruction, plan):
                        self._followed.append(event)
                        plan = plan.grown(event.growth) if isinstance(event, PlanGrown) else plan
                case Finish(exit_status=status):
                    self.exit_status = status
                case Announce():
                    pass  # it is already journalled and shown
                case _:
                    assert_never(instruction)

    def _growth(self, instruction: Grow | PlanPlay, plan: Plan) -> Iterable[Input]:
        if isinstance(instruction, Grow):
            return self._grow(instruction, plan)
        assert self._plan_play is not None
        return [self._plan_play(instruction.play, plan)]

    def _stop(self, stop: Stop, executor: Executor) -> None:
        stopped = Stopped(stop.status, stop.reason, stop.cause)
        grace = STOP_GRACE if self._hurries < 2 else 0.0
        until = self._clock.monotonic() + grace
        for job in stop.jobs:
            if job not in self._sent:  # it reported in the same turn
                continue
            earlier = self._stopping.pop(job, None)
            self._stopping[job] = _Stopping(until, earlier.stopped if earlier else stopped)
            executor.stop(job, stopped)

    def _release(self, release: Release, executor: Executor) -> None:
        """Send the go signals. The state learns of this before it learns of any consequences."""
        instant = release.instant
        start = self._state.plan.steps[release.jobs[0].step].task.start
        if instant is not None and start is not None and start.at is None:
            instant += self._clock.now() - self._turned  # a slow journal may have used up the lead time
        burst = executor.release(release.jobs, instant)
        if burst is not None:
            now, cause = self._clock.now(), release.cause
            released = StartReleased(at=now, jobs=release.jobs, instant=instant, burst=burst, cause=cause)
            self._followed.append(released)
