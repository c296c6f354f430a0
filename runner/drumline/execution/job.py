"""One job: a task on one host, from its condition to its result.

The keywords of a task act in this order, as in Ansible: ``loop`` gives the items; for each item ``when`` decides
whether it runs; ``until`` may repeat it; ``timeout`` limits one try; ``changed_when`` and ``failed_when`` have the
last word on a try; ``register`` keeps the result. :class:`JobRun` goes through them from top to bottom; what
a keyword means with an item's variables comes from :class:`~drumline.execution.task_values.TaskValues`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from drumline.engine.policy import SUCCESS
from drumline.errors import (
    CommandRefused,
    DrumlineError,
    FilesError,
    HostError,
    OptionInvalid,
    TransferFailed,
    TransferStopped,
)
from drumline.execution.context import RunContext
from drumline.execution.faults import fault, no_request, no_result, steps_of, template_failure
from drumline.execution.hiding import hidden
from drumline.execution.requests import Requests, UnknownRequest
from drumline.execution.task_values import TaskValues
from drumline.execution.values import (
    Values,
    aggregate,
    as_written,
    failure,
    skipped,
    stopped_values,
    timed_out,
    to_values,
    unclear,
    with_lines,
    without_diffs,
    without_lines,
)
from drumline.inventory.ranges import check_name
from drumline.inventory.scopes import NO_FACTS, NOTHING
from drumline.inventory.variables import Facts
from drumline.inventory.vars_files import variables_in
from drumline.model.event import JobFinished
from drumline.model.outcome import Completed, Result, Status
from drumline.model.plan import Job
from drumline.model.playbook import INCLUDED, Debugger, Loop, Task
from drumline.model.request import Become, Request, Run
from drumline.model.target import RemoteShell, Target
from drumline.model.traits import Checks, Sets
from drumline.model.value import Variables
from drumline.plugin.actions import Action, ActionFailed, Call, CheckImpossible, Steps
from drumline.plugin.runs import JobReport, Stopped
from drumline.source.files import find_file, search_path
from drumline.source.vault import opened
from drumline.templating.budget import Allowance, allow
from drumline.templating.failures import TemplateFailed, VariableUndefined
from drumline.templating.unclear import UnclearRead, known_of, root
from drumline.templating.values import OMIT

if TYPE_CHECKING:
    from drumline.execution.debugging import Changes
    from drumline.execution.fact_cache import FactCache
    from drumline.execution.growing import Addition

#: Seconds between two attempts to end what a stopped job is doing.
_STOP_INTERVAL = 0.1
_DELEGATE = "delegate_facts"
_RAW = "_raw_params"
#: Results of what runs in the background have output, as in Ansible, whatever the action.
_NO_OUTPUT: Mapping[str, Any] = {"stdout": "", "stderr": "", "stdout_lines": [], "stderr_lines": []}


class Unreachable(Exception):
    """The host can't be reached, or the connection was lost."""

    def __init__(self, error: HostError) -> None:
        super().__init__(str(error))
        self.error = error


class JobRun:
    """One running job."""

    def __init__(self, context: RunContext, job: Job, requests: Requests) -> None:
        self.over = False
        self.check = self.diff = False  # set by the task, or else by the run
        self.requests = requests
        self._reporting = threading.Lock()
        self._started = context.clock.now()
        self._context = context
        self._job = job
        plan = context.plan
        self._step = plan.steps[job.step]
        self._task = self._step.task
        self._play = plan.plays[self._step.play].play
        self._seconds: float | None = None  # the time-out of a try
        self._left_for = 0  # seconds that its command may take in the background; 0: it is waited for
        self._given: dict[str, Mapping[str, Any]] = {}  # facts of hosts that it is delegated to
        self._own: Variables = NOTHING  # those of the item of a loop
        self._of_item: TaskValues | None = None
        self._changes: Changes | None = None  # of a person, by the debugger
        self._forgiven: bool | None = None  # whether each item that failed is to be forgiven; None: none failed
        self._additions: list[Addition] = []  # to the plan
        self._notified: dict[str, None] = {}  # the handlers that a change notifies
        fixed = self._task.timeout
        self._allowance = Allowance(
            timeout=float(fixed) if isinstance(fixed, (int, float)) else None,
            stopped=lambda: requests.stopped is not None,
        )

    def stop(self) -> None:
        """End the current request; called repeatedly until the job has ended, since it may be between two requests."""
        while not self.over:
            self.requests.stop()
            time.sleep(_STOP_INTERVAL)

    def may_report(self) -> bool:
        """True for the first caller, and False for all later ones."""
        return self._reporting.acquire(blocking=False)

    def gave_up(self, stopped: Stopped) -> JobReport:
        """The report of a job that was stopped while it waited for a connection."""
        result = stopped_values(stopped, failure("Interrupted while it was connecting."))
        return JobReport(event=self._finished(stopped.status, result, stopped=stopped))

    def report(self) -> JobReport:
        allow(self._allowance)
        try:
            return self._report()
        finally:
            allow(None)

    def _report(self) -> JobReport:
        task = self._values()
        status, values, ignored = self._done(task)
        if self._task.debugger is not Debugger.NEVER:
            status, values, ignored = self._debugged(task, status, values, ignored)
        facts = self._noted(values.pop("ansible_facts", {}))
        if self._task.traits.sets in (Sets.INCLUDED, Sets.PLAY):
            values = as_written(values)
        plain, silent = without_lines(values), self.requests.silent
        shown = hidden(values) if silent else self._masked(plain)
        stopped = self.requests.stopped if "stopped" in values else None
        seen = shown if self.diff else without_diffs(shown)
        if self._context.verbosity > 1 and self._task.traits.sets is Sets.FACTS and not silent:
            seen = {**seen, "ansible_facts": self._masked(facts)}  # much, and of use to someone who looks at it alone
        adds = (bool(self._additions) or self._task.handler == INCLUDED) and status in SUCCESS
        if adds:
            self._context.growing.keep(self._job, self._additions)
        event = self._finished(status, seen, ignored=ignored, stopped=stopped, adds=adds)
        kept = values if self._step.index in self._context.gained.results.kept else None
        if kept is None and not facts:
            return JobReport(event=event)
        secret = silent or shown != plain or self._masked(facts) != facts
        return JobReport(event=event, values=kept, facts=facts, given=self._given, secret=secret)

    def _done(self, task: TaskValues) -> tuple[Status, Values, bool]:
        try:
            return self._outcome(task)
        except DrumlineError as error:  # the journal has no room for the output, or a plugin breaks its contract
            return Status.FAILED, failure(str(error)), False
        except Exception as error:  # a fault of drumline or of a plugin, which must not stop the other hosts
            return Status.FAILED, failure(fault(self._task.action, error)), False

    def _debugged(self, task: TaskValues, status: Status, values: Values, ignored: bool) -> tuple[Status, Values, bool]:
        """What comes of the job after a person has looked at it, and perhaps had it run again."""
        from drumline.execution.debugging import Changes, Decision, decide, is_wanted  # few tasks ask for it

        changes = self._changes = Changes()

        def ask(text: str) -> str:
            return self.requests.question(text, f"[{self._job.host}] (debug)>")

        while is_wanted(self._task.debugger, status, ignored) and not self.requests.stopped:
            seen = with_lines({**values, "failed": values["failed"]})
            try:
                decision = decide(ask, self._job.host, task, seen, changes)
            except ActionFailed:  # the run is ending
                break
            if decision is Decision.QUIT:
                self.requests.end_run()
            if decision is not Decision.REDO:
                break
            self._task = self._as_changed(changes.arguments)
            self._additions, self._notified, self._given = [], {}, {}
            self._of_item = self._forgiven = None
            task = self._values()
            status, values, ignored = self._done(task)
        return status, values, ignored

    def _as_changed(self, arguments: Mapping[str, Any]) -> Task:
        """The task with other arguments; one without a name goes by Ansible's, too."""
        own = self._step.task
        if not arguments:
            return own
        free = self._context.actions[own.action].free_form
        named = {free if free and name == _RAW else name: value for name, value in arguments.items()}
        return replace(own, arguments={**own.arguments, **named})

    def _values(self, own: Variables = NOTHING, set_by_job: Variables = NO_FACTS) -> TaskValues:
        """The task's values with the variables of this job and one item."""
        if self._changes is not None:
            own = {**own, **self._changes.variables}
        make = partial(self._context.scope, self._step, self._job.host, own, set_by_job)
        return TaskValues(self._task, self._context.templating, make)

    def _finished(
        self,
        status: Status,
        result: Values,
        *,
        ignored: bool = False,
        stopped: Stopped | None = None,
        adds: bool = False,
    ) -> JobFinished:
        return JobFinished(
            at=self._context.clock.now(),
            job=self._job,
            status=status,
            started=self._started,
            result=result,
            ignored=ignored,
            adds=adds,
            notified=tuple(self._notified) if self._notified and status in (Status.CHANGED, Status.UNCLEAR) else (),
            began=self.requests.began,
            gone=self.requests.gone,
            cause=stopped.cause if stopped is not None else None,
            check=self.check,
        )

    def _masked(self, values: Values) -> Values:
        secrets = self._context.secrets
        masked: Values = secrets.mask_all(values) if secrets else values
        return masked

    def _outcome(self, task: TaskValues) -> tuple[Status, Values, bool]:
        """Status, values, and whether a failure is ignored."""
        try:
            if not self._modes_by_item():
                self._set_modes(task)
            values = self._loop(task) if self._task.loop else self._item(task)
        except UnclearRead as read:
            values = unclear(read.reason)
        except TemplateFailed as error:
            values = self._not_rendered(error)
        except Unreachable as lost:
            known = {"kind": type(lost.error).__name__, "reason": lost.error.summary}
            values = failure(lost.error.told(self._context.secrets.mask), unreachable=True, **known)
            return self._unless_ignored(Status.UNREACHABLE, values, task)
        stopped = self.requests.stopped
        if stopped and values["failed"]:
            return stopped.status, stopped_values(stopped, values), False
        if values["failed"]:
            return self._unless_ignored(Status.FAILED, values, task)
        return self._ended_well(values), values, False

    def _find_file(self, src: str, directory: str) -> Path:
        return find_file(src, directory, search_path(self._task, self._play))

    def _ended_well(self, values: Values) -> Status:
        if values["changed"]:
            return Status.CHANGED
        if values.get("unclear") and self._task.changed_when != (False,):
            return Status.UNCLEAR
        return Status.SKIPPED if values.get("skipped") else Status.OK

    def _modes_by_item(self) -> bool:
        """Whether what hides a result, or makes it a check or a diff, may differ between the items of a loop."""
        if self._task.loop is None:
            return False
        modes = (self._task.no_log, self._task.check_mode, self._task.diff)
        return not all(mode is None or isinstance(mode, bool) for mode in modes)

    def _set_modes(self, task: TaskValues) -> None:
        """A result is hidden if one of its items is to be."""
        self.requests.silent = task.flag(self._task.no_log, "no_log") or self.requests.silent
        self.check = self._mode(task, "check_mode", self._context.plan.check)
        self.diff = self._mode(task, "diff", self._context.plan.diff)

    def _mode(self, task: TaskValues, keyword: str, of_run: bool) -> bool:
        """Whether a mode is on: as the task says, else as the run."""
        own = getattr(self._task, keyword)
        return of_run if own is None else task.flag(own, keyword)

    def _unless_ignored(self, status: Status, values: Values, task: TaskValues) -> tuple[Status, Values, bool]:
        """With a loop, what the keyword says of the items that failed counts, as in Ansible."""
        if status is Status.UNREACHABLE:
            return status, values, self._forgives(self._of_item or task, "ignore_unreachable")
        return status, values, self._forgives(task, "ignore_errors") if self._forgiven is None else self._forgiven

    def _forgives(self, task: TaskValues, keyword: str) -> bool:
        try:
            return task.flag(getattr(self._task, keyword), keyword)
        except TemplateFailed:
            return False

    # Items.

    def _loop(self, task: TaskValues) -> Values:
        from drumline.execution.looping import variables_of  # most tasks have no loop

        loop = self._task.loop
        assert loop is not None
        try:
            items = task.items(loop)
        except TemplateFailed:
            # As in Ansible: a false condition that doesn't look at the items comes first.
            found = task.false_condition()
            if found is not None:
                return skipped(found)
            raise
        pause = task.number(loop.pause, "loop_control")
        results: list[Values] = []
        # What an author wrote may hold templates; facts may not.
        kind: type[dict[str, Any]] = dict if self._task.traits.sets is Sets.INCLUDED else Facts
        so_far = kind()
        for index, own in enumerate(variables_of(loop, items, task)):
            if index and pause:
                self.requests.wait(pause)
            self._own = own
            self._context.note_item(own)
            self._of_item = self._values(own, so_far)
            values = self._one_of_several(self._of_item)
            if values["failed"]:
                self._forgiven = self._forgiven is not False and self._forgives(self._of_item, "ignore_errors")
            so_far = kind({**so_far, **self._set_by(values)})
            after = self._values(own, so_far)
            results.append({**values, **own, **_label(loop, after, own)})
            if loop.break_when and after.holds(loop.break_when):
                break
        return aggregate(results)

    def _one_of_several(self, task: TaskValues) -> Values:
        """The same for an item of a loop: a template that fails is that item's failure, and the others follow."""
        try:
            return self._item(task)
        except TemplateFailed as error:
            if self.requests.stopped:
                raise
            return self._not_rendered(error)

    def _not_rendered(self, error: TemplateFailed) -> Values:
        """The result for a template that can't be rendered: in a check a variable may be one that isn't known."""
        reason = self._context.gained.open.get(self._job.host)
        if self.check and reason and isinstance(error, VariableUndefined):
            return unclear(f"{error.summary} It may be one that can't be known: {root(reason)}")
        return template_failure(error, self._allowance.timeout)

    def _set_by(self, values: Values) -> Mapping[str, Any]:
        """What an item's result means for the items after it: facts, and what it registers by itself."""
        facts = {} if self._given else self._noted(values.get("ansible_facts", {}))
        name = self._task.register
        return {**facts, name: known_of(name, values)} if name else facts

    def _noted(self, facts: Values) -> Values:
        """The facts, with secrets in them masked from now on. A host can't set its own connection variables."""
        if not facts:
            return facts
        if self._task.traits.sets is Sets.FACTS:
            facts = {name: fact for name, fact in facts.items() if name not in self._context.reaching}
        # What an action gives the same names each time is no secret, whatever the name: getent_passwd.
        public = tuple(name.partition("{")[0] for name in self._task.traits.fact_names)
        for name, value in facts.items():
            if not name.startswith(public):
                self._context.note(name, value)
        return facts

    def _item(self, task: TaskValues) -> Values:
        try:
            return self._run_item(task)
        except UnclearRead as read:
            if self._task.notify:
                self._notified.update(dict.fromkeys(self._names(task)))
            return unclear(read.reason)

    def _run_item(self, task: TaskValues) -> Values:
        self._allowance.deadline = None
        if self._modes_by_item():
            self._set_modes(task)
        found = task.false_condition()
        if found is not None:
            return skipped(found)
        if self._task.notify:
            self._notified.update(dict.fromkeys(self._names(task)))
        if self._task.retries is None:
            return self._try(task)
        return self._retry(task)

    def _names(self, task: TaskValues) -> list[str]:
        """The handlers that the task notifies if it changes something."""
        known = self._play.notified
        names = task.texts(self._task.notify)
        for name in names:
            if name not in known:
                detail = f"'notify' gives {name!r}, and no handler of this play has that name or listens to it."
                raise TemplateFailed(detail, self._task.positions.get("notify", self._task.position))
        return names

    def _retry(self, task: TaskValues) -> Values:
        retries = self._task.retries
        assert retries is not None
        count = int(task.number(retries.count, "retries"))
        delay = task.number(retries.delay, "delay")
        for attempt in range(1, count + 2):
            values = self._try(task, attempts=attempt)
            if values.get("unclear"):
                return values
            done = not values["failed"]
            if retries.until:
                done = task.with_result(values).holds(retries.until)
            if done or self.requests.stopped:
                return values
            if attempt <= count:
                self.requests.wait(delay)
        # As in Ansible: if it never became true, that is a failure, even if no single try failed.
        told = values.get("msg") or f"'until' was not true after {attempt} tries"
        return {**values, "failed": True, "msg": told, "attempts": count}

    # One try.

    def _try(self, task: TaskValues, **known: Any) -> Values:
        """One try; ``known`` becomes part of its result, also for the conditions that judge it."""
        self._seconds = self._limit(task)
        self.requests.limit(self._seconds)
        self._allowance.timeout = self._seconds
        self._allowance.deadline = None if self._seconds is None else time.monotonic() + self._seconds
        values = to_values(self._perform(task))
        if self._task.background is not None and "started" not in values:
            # It was waited for, for as long as it may take.
            values = {**_NO_OUTPUT, **values, "started": True, "finished": True}
        values |= known
        try:
            self._judge(values, task)
        except UnclearRead as read:
            values |= {"changed": False, "unclear": values.get("unclear") or read.reason}
        return values

    def _limit(self, task: TaskValues) -> float | None:
        """The seconds that a try may take; a command in the background has a time of its own."""
        self._left_for = 0
        limit = None if self._task.timeout is None else task.number(self._task.timeout, "timeout")
        background = self._task.background
        if background is None:
            return limit
        seconds = task.number(background.seconds, "async")
        if seconds and task.number(background.poll, "poll"):
            return seconds if limit is None else min(limit, seconds)
        if seconds:
            self._left_for = max(1, int(seconds))
        return limit

    def _judge(self, values: Values, task: TaskValues) -> None:
        """Whether it has changed something or failed, if the task has conditions for that."""
        if self._task.changed_when:
            values["changed"] = task.with_result(values).holds(self._task.changed_when)
        cancelled = self.requests.stopped and values["failed"]
        if self._task.failed_when and not cancelled:
            values["failed"] = task.with_result(values).holds(self._task.failed_when)
            values["failed_when_result"] = values["failed"]

    def _perform(self, task: TaskValues) -> Result:
        action = self._context.actions[self._task.action]
        named = OMIT if self._task.delegate_to is None else task.render(self._task.delegate_to)
        try:
            host = self._job.host if named is OMIT else _host_name(named)
        except ActionFailed as error:
            return Result(failed=True, message=error.message)
        result = self._perform_on(host, action, task)
        if result.facts and named is not OMIT and task.flag(self._task.delegate_facts, _DELEGATE):
            self._given[host] = {**self._given.get(host, {}), **self._noted(dict(result.facts))}
        return result

    def _perform_on(self, host: str, action: Action, task: TaskValues) -> Result:
        try:
            target = self._context.targets.of(self._step, host)
            platform = self._context.transports[target.transport].platform(target)
            if platform not in action.platforms:
                raise ActionFailed(f"'{action.name}' is not for {platform} hosts, and {host} is one.")
            become = task.become(target)
            call = Call(
                host=host,
                platform=platform,
                arguments=self._context.arguments(self._step, platform, task),
                environment=task.environment(),
                become=become is not None,
                timeout=self._seconds,
                check=self.check,
                diff=self.diff,
                no_log=self.requests.silent,
                detached=bool(self._left_for),
                left=self._context.left.setdefault(host, {}),
                find_file=self._find_file,
                decrypted=opened,
                variables_in=variables_in,
                render=task.render_file,
                lookup=task.look_up,
                variables=lambda: task.scope,
                delegated=self._task.delegate_to is not None,
                remote_shell=partial(self._remote_shell, task),
            )
            if self.check and action.checks is Checks.NOT:
                told = f"remote module ({action.name}) does not support check mode"  # as in Ansible
                raise CheckImpossible(f"'{action.name}' can't be checked, so it wasn't run.", msg=told)
            cached = self._task.traits.sets is Sets.FACTS and self._task.first and not self._left_for
            if cached and self._context.fact_cache is not None:
                return self._cached(self._context.fact_cache, action, call, target, become)
            result = self._drive(self._steps(action, call), target, become)
            if action.traits.adds is not None:
                self._add(call)
            return result
        except CheckImpossible as error:
            told = str(error.values.pop("msg", error.reason))
            return Result(skipped=True, message=told, values=error.values, unclear=error.reason)
        except ActionFailed as error:
            return Result(failed=True, message=error.message, values=error.values)
        except FilesError as error:
            [first, *_] = error.diagnostics
            return Result(failed=True, message=f"{first.summary}. {first.detail}", values={"at": str(first.position)})
        except (TransferFailed, CommandRefused, OptionInvalid) as error:
            late = isinstance(error, TransferStopped) and error.timed_out
            values = timed_out(self._seconds) if late else {}
            return Result(failed=True, message=error.told(self._context.secrets.mask), values=values)
        except HostError as error:
            raise Unreachable(error) from error

    def _remote_shell(self, task: TaskValues) -> tuple[RemoteShell, Become | None]:
        """How another program reaches the host that the task is for, wherever it is delegated to."""
        target = self._context.targets.of(self._step, self._job.host)
        find: Callable[[Target], RemoteShell] | None
        find = getattr(self._context.transports[target.transport], "remote_shell", None)
        if find is None:
            raise ActionFailed(f"Hosts that are reached by {target.transport} can't be reached by another program.")
        return find(target), task.become(target)

    def _add(self, call: Call) -> None:
        """Find what the task adds to the plan. Raises ``ActionFailed``."""
        addition = self._context.growing.find(self._step, self._job.host, call.arguments, self._own)
        if addition is not None:
            self._additions.append(addition)

    def _steps(self, action: Action, call: Call) -> Steps:
        """The action's steps, up to its main command where that is left to run in the background."""
        if not self._left_for:
            return steps_of(action, call)
        if action.foreground:
            raise ActionFailed(f"'{action.name}' can't be left to run in the background: it doesn't run on the host.")
        from drumline.plugin.kit.detached import detached  # few tasks are

        return detached(steps_of(action, call), call, self._left_for)

    def _cached(self, cache: FactCache, action: Action, call: Call, target: Target, become: Become | None) -> Result:
        """The facts of an earlier run; else the host's own, kept for later ones unless there are secrets in them."""
        from drumline.execution.fact_cache import key_of  # few have one

        key = key_of(target, become, call.arguments, call.environment)
        known = cache.get(key)
        if known is not None:
            return Result(facts=known, message="as an earlier run has gathered them")
        result = self._drive(steps_of(action, call), target, become)
        facts = dict(result.facts)
        if (
            not result.failed
            and not result.values.get("warnings")
            and not self.requests.silent
            and self._masked(facts) == facts
        ):
            cache.put(key, facts)
        return result

    def _drive(self, steps: Steps, target: Target, become: Become | None) -> Result:
        """Feed the action's generator with answers until it returns its result."""
        answer: Any = None
        said: dict[str, int] = {}  # about output that its result doesn't contain
        error: HostError | ActionFailed | None = None
        over: ActionFailed | None = None  # only cleaning up still runs
        while True:
            try:
                request: Request = steps.throw(error) if error else steps.send(answer)
            except StopIteration as stop:
                result: Result = stop.value
                if not isinstance(result, Result):
                    raise no_result(self._task.action, result, steps) from None
                return replace(result, values={**result.values, **said}) if said else result
            except ActionFailed as failed:
                failed.values = {**failed.values, **said}
                raise
            if over is not None and not (isinstance(request, Run) and request.tidies):
                over.values = {**over.values, **said}
                raise over
            answer = error = None
            try:
                answer = self.requests.carry_out(request, target, become)
            except HostError as raised:
                error = raised
            except ActionFailed as raised:
                error = over = raised
            except UnknownRequest:
                raise no_request(self._task.action, request, steps) from None
            else:
                if isinstance(answer, Completed) and (answer.cut or answer.kept):
                    said = _added(said, answer)


def _label(loop: Loop, after: TaskValues, own: Variables) -> Values:
    """What reports show of an item that has run. One that can't be rendered fails the item, as in Ansible."""
    if loop.label is None:
        return {"label": own[loop.variable]}
    try:
        return {"label": after.render(loop.label)}
    except VariableUndefined as error:
        message = f"Failed to template loop_control.label: {error.summary}"
        return {"label": own[loop.variable], "failed": True, "msg": message}


def _added(said: Mapping[str, int], answer: Completed) -> dict[str, int]:
    """The counts of output that isn't in the result, with one more command's."""
    found = {
        "cut": said.get("cut", 0) + answer.cut,
        "lost": said.get("lost", 0) + answer.lost,
        "kept": answer.kept or said.get("kept", 0),
    }
    return {name: number for name, number in found.items() if number}


def _host_name(value: object) -> str:
    """A rendered name, which may come from a host's output."""
    name = str(value)
    try:
        check_name(name)
    except ValueError as error:
        raise ActionFailed(f"'delegate_to' gives no host: {error}") from None
    return name
