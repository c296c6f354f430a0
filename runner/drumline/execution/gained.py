"""What the hosts of a run have so far: variables and results; and which hosts have dropped out of their plays.

All of it follows from the reports of jobs and from events, in their order. So it is the same in a live run and in one
that is read back from its journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from drumline.engine.policy import FAILURE, FAULT
from drumline.execution.play_hosts import PlayHosts
from drumline.execution.results import Results
from drumline.execution.values import as_written, registered, with_lines
from drumline.inventory.combining import combined
from drumline.inventory.magic_names import FAILED_NAMES
from drumline.inventory.scopes import NO_FACTS, NOTHING
from drumline.inventory.variables import Facts
from drumline.model.event import Event, FailuresPending, FailuresSettled, JobFinished, JobsAbandoned, PlanGrown
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan
from drumline.model.playbook import MetaTask, Task
from drumline.model.traits import Sets
from drumline.model.value import Variables, text_of
from drumline.plugin.runs import JobReport
from drumline.templating.unclear import UnclearVariable, known_of

#: The variable that holds all facts, the prefix of their own names, and the one that keeps it there, too.
_ALL, _PREFIX, _LOCAL = "ansible_facts", "ansible_", "ansible_local"


class Gained:
    """Changed on the driver's thread, read by those of the jobs. ``kept`` are the steps whose results are kept."""

    def __init__(self, plan: Plan, kept: Iterable[int]) -> None:
        self.facts: dict[str, Facts] = {}  #: By host. Each is replaced, never changed: threads may be reading it.
        self.gathered: dict[str, Facts] = {}  #: Gathered facts, by host. Replaced in the same way.
        self.included: dict[str, Variables] = {}  #: Variables from files, by host. Replaced in the same way.
        self.of_plays: dict[tuple[str, str], Variables] = {}  #: The same of a play: by its id and the host.
        self.open: dict[str, str] = {}  #: Hosts that may have more variables than a check knows, and why.
        self.results = Results(plan, kept)
        self.play_hosts = PlayHosts(plan)
        self.plan = plan  #: As far as it is known.

    def remember(self, report: JobReport) -> Mapping[str, Mapping[str, Any]]:
        """Store what a job leaves; returns the new variables of hosts."""
        event = report.event
        variables = self._store(report) if report.leaves or report.given or event.status in FAULT else {}
        if event.status is Status.UNCLEAR:
            self._lack(event.job, str(event.result.get("unclear", "")), registered=report.values is not None)
        self._obey(event)
        if report.values is not None:
            self.results.add(event.job, report.values)
        if event.status in FAILURE and not event.ignored:
            self.play_hosts.lose(event.job)
        return variables

    def _store(self, report: JobReport) -> dict[str, Mapping[str, Any]]:
        """Store the variables that a job leaves to hosts; returns the new ones."""
        if report.facts and self._sets(report) is Sets.FACTS:
            self._gather(report)
        variables = {**self._variables(report)}
        for host, facts in self._set(report).items():
            variables[host] = {**facts, **variables.get(host, {})}
        for host, gained in variables.items():
            self.facts[host] = Facts({**self.facts.get(host, NO_FACTS), **gained})
        if report.facts and self._sets(report) is Sets.PLAY:
            play = self.plan.plays[self.plan.steps[report.event.job.step].play].play.id
            for host, included in self._facts(report).items():
                self.of_plays[play, host] = combined([self.of_plays.get((play, host), NOTHING), included])
                variables[host] = {**included, **variables.get(host, {})}
        if report.facts and self._sets(report) is Sets.INCLUDED:
            for host, included in self._facts(report).items():
                self.included[host] = combined([self.included.get(host, NOTHING), included])
                variables[host] = {**included, **variables.get(host, {})}
        return variables

    def _obey(self, event: JobFinished) -> None:
        """What a task with ``meta`` means for what hosts have, and for which of them are left."""
        if event.status is not Status.OK:
            return
        step = self.plan.steps[event.job.step]
        if step.task.meta is MetaTask.CLEAR_FACTS:
            for host in self.plan.plays[step.play].hosts:
                self.gathered.pop(host, None)
        elif step.task.meta is MetaTask.CLEAR_HOST_ERRORS:
            self.play_hosts.clear()
        elif step.task.meta is MetaTask.END_HOST:
            self.play_hosts.leave(event.job)
        elif step.task.meta is MetaTask.REFRESH_INVENTORY:
            self.play_hosts.leave_all(event.gone)

    def take(self, item: JobReport | Event) -> None:
        """Restore what happened earlier in a run: a report, or an event other than the end of a job."""
        if isinstance(item, JobReport):
            self.remember(item)
        else:
            self.follow(item)

    def _variables(self, report: JobReport) -> Mapping[str, Mapping[str, Any]]:
        step = self.plan.steps[report.event.job.step]
        name, values = step.task.register, report.values
        facts = as_written(report.facts) if self._sets(report) is Sets.INCLUDED else report.facts
        kept = {name: known_of(name, registered(values, facts))} if name and values is not None else {}
        gained = {**kept, **self._of_failure(report)}
        return dict.fromkeys(self._hosts(report), gained) if gained else {}

    def _set(self, report: JobReport) -> Mapping[str, Mapping[str, Any]]:
        """The variables that a job sets, by host; gathered facts and what comes from files are kept apart."""
        return {} if self._sets(report) in (Sets.FACTS, Sets.INCLUDED, Sets.PLAY) else self._facts(report)

    def _sets(self, report: JobReport) -> Sets:
        return self.plan.steps[report.event.job.step].task.traits.sets

    def _facts(self, report: JobReport) -> Mapping[str, Mapping[str, Any]]:
        if report.given or not report.facts:
            return report.given
        return dict.fromkeys(self._hosts(report), report.facts)

    def _lack(self, job: Job, reason: str, *, registered: bool = False) -> None:
        """What a job would have set, and registered unless it has, isn't known: a check couldn't run it."""
        step = self.plan.steps[job.step]
        task, hosts = step.task, step.hosts if step.task.run_once else (job.host,)
        lacking: dict[str, Any] = {name: UnclearVariable(name, reason) for name in _sets(task)}
        if task.register and not registered:
            lacking[task.register] = UnclearVariable(task.register, reason)
        for host in hosts:
            if task.traits.sets in (Sets.UNKNOWN, Sets.PLAY, Sets.INCLUDED) or task.traits.adds is not None:
                self.open.setdefault(host, reason)
            ungathered = task.traits.sets is Sets.FACTS and host not in self.gathered
            facts = {_ALL: UnclearVariable(_ALL, reason)} if ungathered else {}
            self.facts[host] = Facts({**self.facts.get(host, NO_FACTS), **lacking, **facts})

    def _of_failure(self, report: JobReport) -> Mapping[str, Any]:
        """What a rescue sees of the failure for which it runs."""
        event, step = report.event, self.plan.steps[report.event.job.step]
        if step.inside is None or event.status not in FAULT or event.ignored:
            return {}
        name = text_of(step.task.name) if "name" in step.task.positions else ""
        task = {"name": name, "action": step.task.action}
        return dict(zip(FAILED_NAMES, (task, with_lines(event.result)), strict=True))

    def _hosts(self, report: JobReport) -> tuple[str, ...]:
        """The hosts for which a job's result is stored."""
        step = self.plan.steps[report.event.job.step]
        return step.hosts if step.task.run_once else (report.event.job.host,)

    def _gather(self, report: JobReport) -> None:
        for host, facts in self._facts(report).items():
            known = self.gathered.get(host, NO_FACTS)
            bare = {name.removeprefix(_PREFIX) if name != _LOCAL else name: fact for name, fact in facts.items()}
            together = {**known.get(_ALL, {}), **bare}
            self.gathered[host] = Facts({**known, **facts, _ALL: together})

    def follow(self, event: Event) -> None:
        """Note what was added to the plan, and hosts that leave a play without a report: late, or a failed rescue."""
        if isinstance(event, PlanGrown):
            self.plan = self.plan.grown(event.growth)
            self.play_hosts.grow(self.plan)
            self.results.grow(self.plan)
        elif isinstance(event, FailuresPending):
            for job in event.jobs:
                self.play_hosts.regain(job)
        elif isinstance(event, JobsAbandoned) and event.status is Status.UNCLEAR:
            for job in event.jobs:
                self._lack(job, event.reason)
        elif isinstance(event, (FailuresSettled, JobsAbandoned)) and _counts(event):
            for job in event.jobs:
                self.play_hosts.lose(job)


def _sets(task: Task) -> Iterator[str]:
    """The variables that a task sets, as far as their names are known."""
    if task.traits.sets is Sets.ARGUMENTS:
        yield from (name for name in task.arguments if "{" not in name)


def _counts(event: FailuresSettled | JobsAbandoned) -> bool:
    """Whether the event says that its hosts no longer take part."""
    if isinstance(event, FailuresSettled):
        return not event.rescued
    return event.status is not Status.ABANDONED and bool(event.reason)
