"""Performs an action's requests over lent sessions, until the job is stopped or its time is up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from msgspec.structs import replace

from drumline.errors import ConnectTimedOut, DrumlineError, SessionLimit
from drumline.execution.approvals import NOBODY
from drumline.execution.context import RunContext
from drumline.execution.output import LEAST, LIMIT, Output
from drumline.execution.values import timed_out
from drumline.model.event import Input, InterruptRequested, JobStaged, JobWaiting, Urgency
from drumline.model.outcome import Approval, ClockReading, Completed, Ending, Exit
from drumline.model.plan import Job
from drumline.model.request import (
    Ask,
    AtEnd,
    Become,
    Get,
    Here,
    Put,
    ReadClock,
    Reconnect,
    Request,
    Reread,
    Run,
    Sleep,
    Waiting,
)
from drumline.model.target import Target
from drumline.plugin.actions import ActionFailed
from drumline.plugin.background import Background
from drumline.plugin.runs import Stopped
from drumline.plugin.transports import Session

if TYPE_CHECKING:
    from drumline.execution.burst import Held

T = TypeVar("T")

#: Seconds for removing the leftovers of a stopped job.
_TIDY_PATIENCE = 5.0


class Asking(Protocol):
    """What asks people questions (:class:`drumline.execution.approvals.Approvals`)."""

    def ask(self, job: Job, request: Ask, stopped: Callable[[], bool]) -> Approval:
        """Wait for an answer; raises ``ActionFailed`` if ``stopped`` becomes true."""
        ...


class UnknownRequest(Exception):
    """An action yielded something that isn't a request."""


class Requests:
    """The requests of one job, on the job's own thread. ``stop`` and calls on ``held`` come from other threads."""

    def __init__(self, context: RunContext, job: Job, note: Callable[[Input], None], approvals: Asking) -> None:
        self.stopped: Stopped | None = None
        self.connecting = False  #: Whether it is still connecting.
        self.silent = False  #: ``no_log``: its output isn't kept.
        self.held: Held | None = None  #: A command that waits for the go signal.
        self.gone: tuple[str, ...] = ()  #: Hosts that the inventory, which it has read anew, has no more.
        self.began: float | None = None  #: When that command started, by this machine's clock.
        self._context = context
        self._job = job
        self._note = note
        self._approvals = approvals
        self._holds_back = context.plan.steps[job.step].task.start is not None
        self._asleep: threading.Event | None = None
        self._session: Session | None = None
        self._lending = threading.Lock()  # held while the session is interrupted, so that it stays this job's
        self._commands = 0  # the number of commands sent
        self._output = 0  # bytes in memory, of all items together
        self._seconds: float | None = None  # the timeout of a try
        self._deadline: float | None = None

    def limit(self, seconds: float | None) -> None:
        """A try begins, which may take this many seconds."""
        self._seconds = seconds
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def stop(self) -> None:
        """End the current request; no effect between two requests, or on another job's session."""
        asleep, held = self._asleep, self.held
        if asleep is not None:
            asleep.set()
        if held is not None:
            held.give_up()
        with self._lending:
            if self._session is not None:
                self._session.interrupt()

    def carry_out(self, request: Request, target: Target, become: Become | None) -> Any:
        """The answer to a request, as documented there; raises ``HostError`` and ``ActionFailed``.

        Raises ``UnknownRequest`` for anything that isn't a request.
        """
        if isinstance(request, Run) and request.tidies and (self.stopped or self._is_late()):
            return self._tidy(request, target, become)
        if self.stopped:
            if isinstance(request, Run):
                return _NOT_RUN
            raise interrupted()
        match request:
            case Run():
                return self._run(request, target, become)
            case Here(run=run):
                return self._run(run, self._context.here(), None)
            case Sleep(seconds=seconds):
                self._sleep(seconds)
            case Reconnect(timeout=timeout):
                self._reconnect(target, self._remaining(timeout))
            case Reread():
                self._reread()
            case Put():
                put = replace(request, timeout=self._remaining(request.timeout))
                self._with_session(target, lambda session: session.put(put))
            case Get():
                get = replace(request, timeout=self._remaining(request.timeout))
                self._with_session(target, lambda session: session.get(get))
            case Waiting():
                self._tell(request)
            case Ask():
                return self._ask(request)
            case AtEnd(run=run):
                self._context.sessions.at_end(target, replace(run, become=become))
            case ReadClock(samples=samples):
                return self._with_session(target, lambda session: self._read_clock(session, target, samples))
            case _:
                raise UnknownRequest
        return None

    def wait(self, seconds: float | None) -> None:
        """Wait, unless the job is stopped."""
        self._asleep = threading.Event()
        if not self.stopped:
            self._asleep.wait(seconds)
        self._asleep = None

    def _run(self, request: Run, target: Target, become: Become | None) -> Completed:
        timeout = self._remaining(request.timeout)
        if timeout != request.timeout or become is not None:
            request = replace(request, timeout=timeout, become=become)
        self._commands += 1
        own = self.silent or request.most
        keep = None if own else partial(self._context.keep_output, self._job, self._commands)
        room = request.most or max(LEAST, LIMIT - self._output)
        output = Output(self._context.secrets, keep, room=room, limit=self._context.output_limit)
        try:
            if self._holds_back and request.main:
                exit_ = self._with_session(target, lambda session: self._start(session, request, target, output))
            else:
                exit_ = self._with_session(target, lambda session: session.run(request, output.emit))
        finally:
            output.finish()
        if not request.most:
            self._output += len(output.stdout) + len(output.stderr)
        return Completed(
            code=exit_.code,
            stdout=bytes(output.stdout),
            stderr=bytes(output.stderr),
            ending=exit_.ending,
            cut=output.cut,
            lost=output.lost,
            kept=self._commands if output.kept else 0,
        )

    def _tidy(self, request: Run, target: Target, become: Become | None) -> Completed:
        """Run a cleanup command although the job has ended; stopping the job doesn't affect it."""
        request = replace(request, timeout=_TIDY_PATIENCE, become=become)
        with self._context.sessions.lend(target) as session:
            ended = session.run(request, lambda *_: None)
        return Completed(code=ended.code, ending=ended.ending)

    def _with_session(self, target: Target, use: Callable[[Session], T]) -> T:
        while True:
            try:
                return self._with_one(target, use)
            except SessionLimit:
                if self.stopped or not self._context.sessions.others_have_room(target):
                    raise

    def _with_one(self, target: Target, use: Callable[[Session], T]) -> T:
        self.connecting = True
        try:
            with self._context.sessions.lend(target) as session:
                self.connecting = False
                if self.stopped:  # its end may already be reported: nothing more may be sent
                    raise interrupted()
                self._session = session
                try:
                    return use(session)
                finally:
                    with self._lending:
                        self._session = None
        finally:
            self.connecting = False

    # A synchronised start.

    def _start(self, session: Session, request: Run, target: Target, output: Output) -> Exit:
        """Stage the command, and run it when the go signal comes."""
        from drumline.execution.burst import Held, stage  # imported late: few tasks have a synchronised start

        self._holds_back = False  # only once: what follows is no longer part of the start
        reading = self._read_clock(session, target)
        staged = stage(session, request, target.transport)
        held = Held(staged, reading)
        try:
            released = self._wait_for_word(held, target)
        except BaseException:
            staged.cancel()
            raise
        if not released:
            staged.cancel()
            return Exit(code=None, ending=Ending.INTERRUPTED)
        exit_ = staged.finish(output.emit)
        if staged.started is not None:
            self.began = staged.started - reading.offset
        return exit_

    def _wait_for_word(self, held: Held, target: Target) -> bool:
        """While it waits, its session doesn't count toward the host's limit, and no timeout runs."""
        session, now, since = self._session, self._context.clock.now, time.monotonic()
        with self._lending:
            self._session = None  # it is stopped by giving up, not by interrupting
        self.held = held
        try:
            if self.stopped:
                return False
            with self._context.sessions.set_aside(target):
                reading = held.reading
                self._note(
                    JobStaged(
                        at=now(),
                        job=self._job,
                        offset=reading.offset,
                        uncertainty=reading.uncertainty,
                        round_trip=reading.round_trip,
                    )
                )
                return held.wait()
        finally:
            self._session, self.held = session, None
            if self._deadline is not None:
                ahead = max(0.0, held.instant - now()) if held.instant is not None else 0.0
                self._deadline += time.monotonic() - since + ahead

    def _read_clock(self, session: Session, target: Target, samples: int = ReadClock().samples) -> ClockReading:
        from drumline.execution.clocks import read_clock  # as above

        platform = self._context.transports[target.transport].platform(target)
        try:
            return read_clock(session, platform, self._context.clock.now, samples=samples)
        except ActionFailed:
            if self.stopped:
                raise interrupted() from None
            raise

    # People.

    def _tell(self, request: Waiting) -> None:
        now = self._context.clock.now()
        until = None if request.seconds is None else now + request.seconds
        reason = "for something hidden by 'no_log: true'" if self.silent else self._context.secrets.mask(request.reason)
        self._note(JobWaiting(at=now, job=self._job, reason=reason, until=until))

    def question(self, message: str, prompt: str) -> str:
        """What a person at the terminal types when the job itself has ended. Raises ``ActionFailed`` at its end."""
        self.limit(None)
        return self._ask(Ask(message=message, enter=True, prompt=prompt)).comment

    def end_run(self) -> None:
        """A person has asked for the end of the run."""
        self._note(InterruptRequested(at=self._context.clock.now(), urgency=Urgency.NOW, by="the debugger"))

    def _ask(self, request: Ask) -> Approval:
        """The shorter of the question's and the task's time counts; only the question's has a default."""
        seconds = self._remaining(request.timeout)
        asked = replace(request, message=self._context.secrets.mask(request.message), timeout=seconds)
        approval = self._approvals.ask(self._job, asked, lambda: self.stopped is not None)
        if not request.echo and approval.comment:
            self._context.secrets.add(approval.comment)
        if approval.by == NOBODY and seconds != request.timeout:
            raise self._timed_out()
        return approval

    def _reread(self) -> None:
        try:
            self.gone = self._context.hosts.reread(self._job)
        except DrumlineError as error:
            raise ActionFailed(f"The inventory can't be read anew: {error}") from None

    # Time.

    def _reconnect(self, target: Target, timeout: float | None) -> None:
        self.connecting = True
        try:
            # An attempt can't be ended: when its time is up, it goes on by itself, and may still succeed.
            attempt = Background(lambda: self._context.sessions.reconnect(target), "drumline-connect")
            if not attempt.wait(timeout):
                why = f"{target.host} did not answer within the remaining {timeout:.0f} s."
                raise ConnectTimedOut("No answer to the attempt to connect", why)
            attempt.result()
        finally:
            self.connecting = False

    def _sleep(self, seconds: float) -> None:
        """Wait as part of a try, whose time may run out meanwhile."""
        self.wait(self._remaining(seconds))
        if self.stopped:
            raise interrupted()
        if self._is_late():
            raise self._timed_out()

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _timed_out(self) -> ActionFailed:
        message = f"The timeout of {self._seconds:g} s was reached while it was waiting."
        return ActionFailed(message, **timed_out(self._seconds))

    def _remaining(self, seconds: float | None) -> float | None:
        """The smaller of the requested time and what remains of the task's timeout."""
        if self._deadline is None:
            return seconds
        left = max(0.0, self._deadline - time.monotonic())
        return left if seconds is None else min(seconds, left)


def interrupted() -> ActionFailed:
    """The error for an action whose job was stopped."""
    return ActionFailed("Interrupted before it was finished.", stopped=True)


_NOT_RUN = Completed(code=None, ending=Ending.INTERRUPTED)
