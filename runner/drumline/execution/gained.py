"""What a run's hosts have gained so far: variables and results; and which of them are lost to their plays.

All of it follows from the reports of jobs and from events, in their order. So it is the same in a run that goes on and
in one that is read back from its journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from drumline.engine.policy import FAILURE
from drumline.execution.play_hosts import PlayHosts
from drumline.execution.results import Results
from drumline.execution.values import registered
from drumline.inventory.scopes import NO_FACTS
from drumline.inventory.variables import Facts
from drumline.model.event import Event, FailuresPending, FailuresSettled, JobsAbandoned
from drumline.model.outcome import Status
from drumline.model.plan import Plan
from drumline.model.traits import Sets
from drumline.plugin.runs import JobReport

#: The variable that holds all facts, what their own names begin with, and the one that keeps it in there too.
_ALL, _PREFIX, _LOCAL = "ansible_facts", "ansible_", "ansible_local"


class Gained:
    """Changed on the driver's thread, read by those of the jobs. ``kept`` are the steps whose results are kept."""

    def __init__(self, plan: Plan, kept: Iterable[int]) -> None:
        self.facts: dict[str, Facts] = {}  #: By host. Each is replaced, never changed: threads may be reading it.
        self.gathered: dict[str, Facts] = {}  #: What hosts have said of themselves. The same holds for it.
        self.results = Results(plan, kept)
        self.play_hosts = PlayHosts(plan)
        self._plan = plan

    def remember(self, report: JobReport) -> Mapping[str, Mapping[str, Any]]:
        """Take in what a job has left; returns the variables that hosts have anew."""
        event = report.event
        if report.facts and self._plan.steps[event.job.step].task.traits.sets is Sets.FACTS:
            self._gather(report)
        variables = self._variables(report)
        for host, gained in variables.items():
            self.facts[host] = Facts({**self.facts.get(host, NO_FACTS), **gained})
        if report.values is not None:
            self.results.add(event.job, report.values)
        if event.status in FAILURE and not event.ignored:
            self.play_hosts.lose(event.job)
        return variables

    def take(self, item: JobReport | Event) -> None:
        """Take in what happened in a run before: a report, or an event of no job's end."""
        if isinstance(item, JobReport):
            self.remember(item)
        else:
            self.follow(item)

    def _variables(self, report: JobReport) -> Mapping[str, Mapping[str, Any]]:
        step = self._plan.steps[report.event.job.step]
        name, values = step.task.register, report.values
        kept = {name: registered(values, report.facts)} if name and values is not None else {}
        facts: Mapping[str, Any] = {} if step.task.traits.sets is Sets.FACTS else report.facts
        return {host: {**facts, **kept} for host in self._hosts(report)} if facts or kept else {}

    def _hosts(self, report: JobReport) -> tuple[str, ...]:
        """For whom it holds what a job leaves."""
        step = self._plan.steps[report.event.job.step]
        return step.hosts if step.task.run_once else (report.event.job.host,)

    def _gather(self, report: JobReport) -> None:
        for host in self._hosts(report):
            known = self.gathered.get(host, NO_FACTS)
            bare = {name.removeprefix(_PREFIX) if name != _LOCAL else name: fact for name, fact in report.facts.items()}
            together = {**known.get(_ALL, {}), **bare}
            self.gathered[host] = Facts({**known, **report.facts, _ALL: together})

    def follow(self, event: Event) -> None:
        """Take note of hosts that leave a play otherwise than by a report: late at a barrier, after a failed rescue."""
        if isinstance(event, FailuresPending):
            for job in event.jobs:
                self.play_hosts.regain(job)
        elif isinstance(event, (FailuresSettled, JobsAbandoned)) and _counts(event):
            for job in event.jobs:
                self.play_hosts.lose(job)


def _counts(event: FailuresSettled | JobsAbandoned) -> bool:
    """Whether the event says that its hosts take no part any more."""
    if isinstance(event, FailuresSettled):
        return not event.rescued
    return event.status is not Status.ABANDONED and bool(event.reason)
