"""One job: a task on one host, from its condition to its result.

The words of a task act in this order, as in Ansible: ``loop`` gives the items; for each item ``when`` decides
whether it runs; ``until`` may repeat it; ``timeout`` limits one try; ``changed_when`` and ``failed_when`` have the
last word on a try; ``register`` keeps the result.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

from drumline.errors import CommandRefused, DrumlineError, FilesError, HostError, OptionInvalid, TransferFailed
from drumline.execution.context import RunContext
from drumline.execution.executors import JobReport
from drumline.execution.output import LEAST, LIMIT, Output
from drumline.execution.results import (
    Values,
    aggregate,
    censored,
    failure,
    flatten,
    skipped,
    to_values,
    without_lines,
)
from drumline.execution.words import Words
from drumline.loading.files import find_file
from drumline.loading.templating import TemplateFailed
from drumline.loading.variables import Facts, Scope
from drumline.model.event import JobFinished
from drumline.model.outcome import Completed, Ending, Result, Status
from drumline.model.plan import Job
from drumline.model.request import Become, Get, Put, Reconnect, Request, Run, Sleep
from drumline.model.target import Target
from drumline.model.value import Template
from drumline.plugin.protocols import ActionFailed, Call, Session, Steps

T = TypeVar("T")

#: Seconds between two attempts to end what a stopped job is doing.
_STOP_INTERVAL = 0.1


class Unreachable(Exception):
    """There is no way to the host, or it was lost."""

    def __init__(self, error: HostError) -> None:
        super().__init__(str(error))
        self.error = error


class JobRunner:
    """Carries out the jobs of one run, each on the thread that calls ``run``."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._under_way: dict[Job, _JobRun] = {}
        self._stopped: set[Job] = set()  # also those that no thread has begun yet

    def run(self, job: Job) -> JobReport | None:
        """Carry the job out; never raises. None when ``stop`` has reported it already."""
        run = self._under_way[job] = _JobRun(self._context, job)
        if job in self._stopped:
            run.stopped = True
        try:
            report = run.report()
            return report if run.may_report() else None
        finally:
            del self._under_way[job]
            run.over = True

    def stop(self, job: Job) -> JobReport | None:
        """End the job on its host, whatever it is doing; one that waits for a connection is over at once."""
        self._stopped.add(job)  # before it is looked for: it may begin at this moment
        run = self._under_way.get(job)
        if run is None:
            return None
        run.stopped = True
        threading.Thread(target=run.stop, name="drumline-stop", daemon=True).start()
        return run.gave_up() if run.connecting and run.may_report() else None


class _JobRun:
    """One job while it runs."""

    def __init__(self, context: RunContext, job: Job) -> None:
        self.over = False
        self.stopped = False
        self.connecting = False  # nothing is under way on its host
        self._reporting = threading.Lock()
        self._started = context.clock.now()
        self._context = context
        self._templating = context.templating
        self._job = job
        self._step = context.plan.steps[job.step]
        self._task = self._step.task
        self._words = Words(context, self._step)
        self._asleep: threading.Event | None = None
        self._session: Session | None = None
        self._held = 0  # bytes of output in memory, of all items together
        self._seconds: float | None = None  # the time-out of a try
        self._deadline: float | None = None
        self._silent = False

    def stop(self) -> None:
        """End what runs; repeated until the job is over, since it may be between two requests."""
        while not self.over:
            session, asleep = self._session, self._asleep
            if session is not None:
                session.interrupt()
            if asleep is not None:
                asleep.set()
            time.sleep(_STOP_INTERVAL)

    def may_report(self) -> bool:
        """True for the first who asks, and for nobody after that."""
        return self._reporting.acquire(blocking=False)

    def gave_up(self) -> JobReport:
        """The report of a job that was stopped while it waited for a connection."""
        result = failure("Interrupted while it was connecting.", stopped=True)
        return JobReport(event=self._finished(Status.CANCELLED, result))

    def report(self) -> JobReport:
        scope = self._context.scope(self._step, self._job.host, {})
        try:
            status, values, ignored = self._outcome(scope)
        except DrumlineError as error:  # the journal has no room for the output
            status, values, ignored = Status.FAILED, failure(str(error)), False
        except Exception as error:  # a fault of drumline or of a plugin, which must not stop the other hosts
            status, values, ignored = Status.FAILED, failure(_fault(self._task.action, error)), False
        facts = values.pop("ansible_facts", {})
        for name, value in facts.items():
            self._context.note(name, value)
        shown = censored(values) if self._silent else self._masked(without_lines(values))
        event = self._finished(status, shown, ignored=ignored)
        return JobReport(event=event, variables=self._variables(values, facts))

    def _finished(self, status: Status, result: Values, *, ignored: bool = False) -> JobFinished:
        now = self._context.clock.now()
        return JobFinished(at=now, job=self._job, status=status, started=self._started, result=result, ignored=ignored)

    def _masked(self, values: Values) -> Values:
        secrets = self._context.secrets
        masked: Values = secrets.mask_all(values) if secrets else values
        return masked

    def _variables(self, values: Values, facts: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        registered = {self._task.register: values} if self._task.register else {}
        if not registered and not facts:
            return {}
        hosts = self._step.hosts if self._task.run_once else (self._job.host,)
        return {host: {**facts, **registered} for host in hosts}

    def _outcome(self, scope: Scope) -> tuple[Status, Values, bool]:
        """Status, values, and whether a failure doesn't matter."""
        try:
            self._silent = self._words.flag(self._task.no_log, "no_log", scope)
            values = self._loop(scope) if self._task.loop else self._item(scope)
        except TemplateFailed as error:
            return self._unless_ignored(Status.FAILED, _template_failure(error), scope)
        except Unreachable as lost:
            values = failure(str(lost.error), unreachable=True, kind=type(lost.error).__name__)
            return self._unless_ignored(Status.UNREACHABLE, values, scope)
        if self.stopped and values["failed"]:
            return Status.CANCELLED, values, False
        if values["failed"]:
            return self._unless_ignored(Status.FAILED, values, scope)
        if values.get("skipped"):
            return Status.SKIPPED, values, False
        return (Status.CHANGED if values["changed"] else Status.OK), values, False

    def _unless_ignored(self, status: Status, values: Values, scope: Scope) -> tuple[Status, Values, bool]:
        lost = status is Status.UNREACHABLE
        value, keyword = (
            (self._task.ignore_unreachable, "ignore_unreachable")
            if lost
            else (self._task.ignore_errors, "ignore_errors")
        )
        try:
            return status, values, self._words.flag(value, keyword, scope)
        except TemplateFailed:
            return status, values, False

    # Items.

    def _loop(self, scope: Scope) -> Values:
        loop = self._task.loop
        assert loop is not None
        try:
            items = self._templating.render(loop.items, scope)
        except TemplateFailed:
            # As in Ansible: a false condition that doesn't look at the items comes first.
            if self._task.when and not self._condition(self._task.when, scope):
                return skipped()
            raise
        if loop.flatten:
            items = flatten(items)
        if not isinstance(items, (list, tuple)):
            place = self._task.positions.get("loop", self._task.position)
            raise TemplateFailed(f"'loop' needs a list, and this gives {type(items).__name__}.", place)
        pause = self._words.number(loop.pause, "loop_control", scope)
        results: list[Values] = []
        for index, item in enumerate(items):
            if index and pause:
                self._wait(pause)
            own = {loop.variable: item, **({loop.index_variable: index} if loop.index_variable else {})}
            inner = self._context.scope(self._step, self._job.host, own)
            label = item if loop.label is None else self._templating.render(loop.label, inner)
            results.append({**self._item(inner), loop.variable: item, "label": label})
        return aggregate(results)

    def _item(self, scope: Scope) -> Values:
        if self._task.when and not self._condition(self._task.when, scope):
            return skipped()
        if self._task.retries is None:
            return self._try(scope)
        return self._retry(scope)

    def _retry(self, scope: Scope) -> Values:
        retries = self._task.retries
        assert retries is not None
        count = int(self._words.number(retries.count, "retries", scope))
        delay = self._words.number(retries.delay, "delay", scope)
        for attempt in range(1, count + 2):
            values = {**self._try(scope), "attempts": attempt}
            done = not values["failed"]
            if retries.until:
                done = self._condition(retries.until, self._with_result(scope, values))
            if done or self.stopped:
                return values
            if attempt <= count:
                self._wait(delay)
        # As in Ansible: what never became true is a failure, even when each try by itself was none.
        return {**values, "failed": True, "msg": values.get("msg") or f"'until' was not true after {attempt} tries"}

    # One try.

    def _try(self, scope: Scope) -> Values:
        limit = self._task.timeout
        self._seconds = None if limit is None else self._words.number(limit, "timeout", scope)
        self._deadline = None if self._seconds is None else time.monotonic() + self._seconds
        values = to_values(self._perform(scope))
        if self._task.changed_when:
            values["changed"] = self._condition(self._task.changed_when, self._with_result(scope, values))
        cancelled = self.stopped and values["failed"]
        if self._task.failed_when and not cancelled:
            values["failed"] = self._condition(self._task.failed_when, self._with_result(scope, values))
            values["failed_when_result"] = values["failed"]
        return values

    def _perform(self, scope: Scope) -> Result:
        task = self._task
        action = self._context.actions[task.action]
        host = self._job.host
        if task.delegate_to is not None:
            host = str(self._templating.render(task.delegate_to, scope))
        try:
            target = self._context.target(self._step, host)
            platform = self._context.transports[target.transport].platform(target)
            if platform not in action.platforms:
                raise ActionFailed(f"'{action.name}' is not for {platform} hosts, and {host} is one.")
            become = self._words.become(target, scope)
            call = Call(
                host=host,
                platform=platform,
                arguments=self._words.arguments(scope),
                environment=self._words.environment(scope),
                become=become is not None,
                timeout=self._seconds,
                find_file=partial(find_file, playbook_dir=_folder_of(task.position.path)),
                render=lambda text, path: self._templating.render_file(text, path, scope),
                lookup=lambda name: self._words.lookup(name, scope),
            )
            return self._drive(action.perform(call), target, become)
        except ActionFailed as error:
            return Result(failed=True, message=error.message, values=error.values)
        except FilesError as error:
            [first, *_] = error.diagnostics
            return Result(failed=True, message=f"{first.summary}. {first.detail}", values={"at": str(first.position)})
        except (TransferFailed, CommandRefused, OptionInvalid) as error:
            return Result(failed=True, message=str(error))
        except HostError as error:
            raise Unreachable(error) from error

    def _drive(self, steps: Steps, target: Target, become: Become | None) -> Result:
        """Feed the action's generator with answers until it returns its result."""
        answer: Any = None
        cut = 0
        error: HostError | None = None
        while True:
            try:
                request: Request = steps.throw(error) if error else steps.send(answer)
            except StopIteration as stop:
                result: Result = stop.value
                return replace(result, values={**result.values, "cut": cut}) if cut else result
            error = None
            try:
                answer = self._carry_out(request, target, become)
            except HostError as raised:
                error = raised
            else:
                cut += answer.cut if isinstance(answer, Completed) else 0

    def _carry_out(self, request: Request, target: Target, become: Become | None) -> Completed | None:
        if self.stopped:
            if isinstance(request, Run):
                return Completed(code=None, ending=Ending.INTERRUPTED)
            raise _interrupted()
        match request:
            case Run():
                return self._run(request, target, become)
            case Sleep(seconds=seconds):
                self._sleep(seconds)
            case Reconnect():
                self._reconnect(target)
            case Put():
                self._with_session(target, lambda session: session.put(request))
            case Get():
                self._with_session(target, lambda session: session.get(request))
        return None

    def _run(self, request: Run, target: Target, become: Become | None) -> Completed:
        timeout = self._remaining(request.timeout)
        if timeout != request.timeout or become is not None:
            request = replace(request, timeout=timeout, become=become)
        keep = None if self._silent else partial(self._context.keep_output, self._job)
        output = Output(self._context.secrets, keep, room=max(LEAST, LIMIT - self._held))
        try:
            exit_ = self._with_session(target, lambda session: session.run(request, output.emit))
        finally:
            output.finish()
        self._held += len(output.stdout) + len(output.stderr)
        return Completed(
            code=exit_.code,
            stdout=bytes(output.stdout),
            stderr=bytes(output.stderr),
            ending=exit_.ending,
            cut=output.cut,
        )

    def _with_session(self, target: Target, use: Callable[[Session], T]) -> T:
        self.connecting = True
        try:
            with self._context.sessions.lease(target) as session:
                self.connecting = False
                if self.stopped:  # it may have been reported as over already: nothing more may be sent
                    raise _interrupted()
                self._session = session
                return use(session)
        finally:
            self.connecting = False
            self._session = None

    def _reconnect(self, target: Target) -> None:
        self.connecting = True
        try:
            self._context.sessions.reconnect(target)
        finally:
            self.connecting = False

    def _sleep(self, seconds: float) -> None:
        """Wait as part of a try, whose time may be up meanwhile."""
        self._wait(self._remaining(seconds))
        if self.stopped:
            raise _interrupted()
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise ActionFailed(f"The time-out of {self._seconds:g} s was up while it was waiting.", timed_out=True)

    def _wait(self, seconds: float | None) -> None:
        self._asleep = threading.Event()
        if not self.stopped:
            self._asleep.wait(seconds)
        self._asleep = None

    def _remaining(self, seconds: float | None) -> float | None:
        """The smaller of what is asked for and what the task's time-out leaves."""
        if self._deadline is None:
            return seconds
        left = max(0.0, self._deadline - time.monotonic())
        return left if seconds is None else min(seconds, left)

    def _condition(self, conditions: tuple[Template | bool, ...], scope: Scope) -> bool:
        return self._templating.condition(conditions, scope)

    def _with_result(self, scope: Scope, values: Values) -> Scope:
        return scope.child(Facts({self._task.register: values})) if self._task.register else scope


@lru_cache(maxsize=256)
def _folder_of(path: str) -> Path:
    return Path(path).absolute().parent


def _interrupted() -> ActionFailed:
    return ActionFailed("Interrupted before it was finished.", stopped=True)


def _fault(action: str, error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"Action '{action}' raised {type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno}). "
        "This is a fault in drumline or in the plugin, not in the playbook."
    )


def _template_failure(error: TemplateFailed) -> Values:
    return failure(error.summary, at=str(error.position)) if error.position else failure(error.summary)
