"""The driver: owns the state on one thread, performs its instructions and feeds back what happened."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from drumline.clock import Clock
from drumline.execution.executors import Executor, JobReport
from drumline.execution.instructions import Announce, Finish, Instruction, Start, Stop
from drumline.execution.state import RunState
from drumline.model.event import Event, InterruptRequested, JobFinished, JobsStarted, RunStarted, Urgency
from drumline.model.outcome import Status
from drumline.model.plan import Job

#: Seconds that stopped jobs have to report before they are given up as ``unknown``.
STOP_GRACE = 15.0


class Record(Protocol):
    """What the driver needs of a journal."""

    def append(self, events: Sequence[Event]) -> None:
        """Make the events durable, all in one transaction, before this returns."""
        ...


class Driver:
    """Runs one plan to its end.

    Everything that happens comes through one inbox: reports of jobs from any thread, and interrupts from a signal
    handler. One turn of the loop takes in all that is there, commits it together with the intents of what is to be
    started, tells the listeners, and only then starts jobs (promise 2).
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
    ) -> None:
        self._state = state
        self._run = run
        self._record = record
        self._listeners = tuple(listeners)
        self._clock = clock
        self._remember = remember
        self._inbox: queue.SimpleQueue[JobReport | Urgency | Exception] = queue.SimpleQueue()
        self._interrupts = 0
        self._deadline: float | None = None
        self._sent: set[Job] = set()  # submitted and not reported
        self.exit_status: int | None = None

    def report(self, report: JobReport | Exception) -> None:
        """A job is over, or drumline itself broke while it ran; may be called from any thread."""
        self._inbox.put(report)

    def interrupt(self) -> None:
        """Somebody pressed Ctrl-C; may be called from a signal handler."""
        self._interrupts += 1
        self._inbox.put(Urgency.AFTER_WAVE if self._interrupts == 1 else Urgency.NOW)

    def terminate(self) -> None:
        """Somebody ends the program: what runs is stopped, as by a second Ctrl-C, be it the first word or not."""
        for _ in range(max(1, 2 - self._interrupts)):
            self.interrupt()

    def run(self, executor: Executor) -> int:
        """Carry the plan out; returns the exit status. Whatever is raised, what was running has been stopped."""
        try:
            self._turn([RunStarted(at=self._clock.now(), run=self._run)], executor)
            while self.exit_status is None:
                self._turn(self._next_events(), executor)
        except BaseException:
            self._stop_all(executor)
            raise
        return self.exit_status

    def _stop_all(self, executor: Executor) -> None:
        """End what runs and wait for it, though nothing can be noted any more; the next Ctrl-C ends the waiting."""
        for job in self._sent:
            executor.stop(job)
        deadline = self._clock.monotonic() + STOP_GRACE
        while self._sent:
            try:
                item = self._inbox.get(timeout=max(0.0, deadline - self._clock.monotonic()))
            except queue.Empty:
                return
            if not isinstance(item, JobReport):
                return
            self._sent.discard(item.event.job)

    def _next_events(self) -> list[Event]:
        """Wait for something to happen, then take all that has happened."""
        remaining = None if self._deadline is None else max(0.0, self._deadline - self._clock.monotonic())
        try:
            found = [self._inbox.get(timeout=remaining)]
        except queue.Empty:
            return self._given_up()
        while True:
            try:
                found.append(self._inbox.get_nowait())
            except queue.Empty:
                return [event for item in found for event in self._event_of(item)]

    def _event_of(self, item: JobReport | Urgency | Exception) -> list[Event]:
        if isinstance(item, Exception):
            raise item
        if isinstance(item, Urgency):
            if item is Urgency.NOW:
                grace = STOP_GRACE if self._deadline is None else 0.0
                self._deadline = self._clock.monotonic() + grace
            return [InterruptRequested(at=self._clock.now(), urgency=item)]
        self._sent.discard(item.event.job)
        if self._state.status(item.event.job) is not Status.RUNNING:
            return []  # given up already
        self._remember(item)
        return [item.event]

    def _given_up(self) -> list[Event]:
        """Jobs that were told to stop and didn't report: what came of them is unknown."""
        now = self._clock.now()
        message = {"msg": "It did not answer when it was stopped; it may still be running on the host."}
        return [JobFinished(at=now, job=job, status=Status.UNKNOWN, result=message) for job in self._state.running]

    def _turn(self, events: list[Event], executor: Executor) -> None:
        instructions = self._state.handle(*events)
        starting: list[Job] = [job for item in instructions if isinstance(item, Start) for job in item.jobs]
        events = [*events, *(item.event for item in instructions if isinstance(item, Announce))]
        if starting:
            started = JobsStarted(at=self._clock.now(), jobs=tuple(starting))
            self._state.handle(started)
            events.append(started)
        self._record.append(events)
        for event in events:
            for listen in self._listeners:
                listen(event)
        self._perform(instructions, executor)

    def _perform(self, instructions: list[Instruction], executor: Executor) -> None:
        for instruction in instructions:
            match instruction:
                case Start(jobs=jobs):
                    self._sent.update(jobs)
                    for job in jobs:
                        executor.submit(job)
                case Stop(jobs=jobs):
                    for job in jobs:
                        executor.stop(job)
                case Finish(exit_status=status):
                    self.exit_status = status
