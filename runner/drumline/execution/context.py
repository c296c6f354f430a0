"""What the jobs of one run share: the plan, the variables that hosts have gained, and how hosts are reached."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drumline.clock import Clock, SystemClock
from drumline.engine.policy import FAILURE
from drumline.execution.results import Results, kept_steps
from drumline.execution.sessions import SessionPool
from drumline.inventory.variables import Facts, HostVars, Scope, batch_magic, host_magic, run_magic
from drumline.loading.arguments import coerce_arguments
from drumline.loading.connection import target_of
from drumline.loading.names import named_by_templates
from drumline.masking import Secrets
from drumline.model.event import Event, JobsAbandoned
from drumline.model.host import Host, Inventory
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan, Step
from drumline.model.target import Target
from drumline.model.value import Variables
from drumline.plugin.protocols import Action, Transport
from drumline.plugin.runs import JobReport
from drumline.secret import Secret, is_secret_name
from drumline.templating.templates import Templating

#: Keeps output that a job's result doesn't hold as it is: ``(job, number of its command, stream, data, beginning)``.
#: False when there is no room for it. ``beginning``: it is in the result too, as far as it is text.
KeepOutput = Callable[[Job, int, str, bytes, bool], bool]

#: Variables that begin so may change how a host is reached.
_CONNECTION_PREFIXES = ("ansible_", "drumline_")
_NO_FACTS = Facts()


@dataclass(slots=True, kw_only=True)
class RunContext:
    """One run's surroundings. Read by many threads; changed only by ``remember``, on the driver's thread."""

    plan: Plan
    inventory: Inventory
    actions: Mapping[str, Action]
    transports: Mapping[str, Transport]
    templating: Templating
    extra_variables: Variables
    secrets: Secrets
    keep_output: KeepOutput
    output_limit: float = math.inf  #: Bytes of one command's output that are kept.
    sessions_per_host: int = 4
    verbosity: int = 0  #: How often ``-v`` was given; ``debug: {verbosity: …}`` looks at it.
    clock: Clock = field(default_factory=SystemClock)
    sessions: SessionPool = field(init=False)
    results: Results = field(init=False)
    _facts: dict[str, Facts] = field(default_factory=dict)
    _failed: dict[int, set[str]] = field(default_factory=dict)
    _failures: int = 0  #: How many there were, in all plays.
    #: By play and batch: how many failures there had been when it was made, and the variables.
    _batch_magic: dict[tuple[int, int], tuple[int, Mapping[str, Any]]] = field(default_factory=dict)
    _run_magic: Mapping[str, Any] = field(init=False)
    _arguments: dict[int, Mapping[str, Any] | None] = field(default_factory=dict)
    _targets: dict[tuple[str, int], Target] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sessions = SessionPool(self.transports, limit=self.sessions_per_host)
        self.results = Results(self.plan, kept_steps(self.plan, self.inventory, self.extra_variables, self.templating))
        first = next((play.play.position.path for play in self.plan.plays), self.plan.playbook.path)
        self._run_magic = run_magic(self.inventory, Path(first), verbosity=self.verbosity)
        self._register_secrets()

    def _register_secrets(self) -> None:
        """Before anything is said by anybody: one host may tell another's password."""
        layers = [self.extra_variables]
        layers += [host.variables for host in self.inventory.hosts.values()]
        layers += [play.play.variables for play in self.plan.plays]
        layers += [step.task.variables for step in self.plan.steps]
        for secret in _secrets_in(layers):
            self.secrets.add(secret)

    def scope(self, step: Step, host: str, own: Variables, set_by_job: Facts = _NO_FACTS) -> Scope:
        """The variables of one job; ``own`` are those of a loop's item, ``set_by_job`` what items before it set."""
        known = self._host(host)
        hostvars = HostVars(self.inventory.hosts, lambda name: self._scope_of(name, step, {}))
        return Scope(
            (
                host_magic(known, hostvars),
                self._batch(step),
                self._run_magic,
                self.extra_variables,
                own,
                set_by_job,
                self._facts.get(host, _NO_FACTS),
                step.task.variables,
                self.plan.plays[step.play].play.variables,
                known.variables,
            ),
            self.templating,
            self.note,
        )

    def note(self, name: str, value: Any) -> None:
        """A variable has this value from here on; if its name says that it is secret, it is masked from here on."""
        if is_secret_name(name):
            for secret in _secrets_in([{name: value}]):
                self.secrets.add(secret)

    def target(self, step: Step, host: str) -> Target:
        """How this job reaches a host; secrets in it are registered. Raises ``OptionInvalid``."""
        changing = any(name.startswith(_CONNECTION_PREFIXES) for name in step.task.variables)
        key = (host, step.play)
        target = None if changing else self._targets.get(key)
        if target is None:
            own = {**self.plan.plays[step.play].play.variables, **step.task.variables}
            target = target_of(host, self._scope_of(host, step, own), self.transports)
            for value in target.options.values():
                if isinstance(value, Secret):
                    self.secrets.add(value)
            if not changing and self._is_fixed(step, host):
                self._targets[key] = target
        return target

    def _is_fixed(self, step: Step, host: str) -> bool:
        """Whether no template says how the host is reached: what it looks at may be another value later."""
        layers = (self.extra_variables, self.plan.plays[step.play].play.variables, self._host(host).variables)
        return all(
            self.templating.compile_value(value).constant
            for layer in layers
            for name, value in layer.items()
            if name.startswith(_CONNECTION_PREFIXES)
        )

    def constant_arguments(self, step: Step) -> Mapping[str, Any] | None:
        """The arguments of a task in which nothing is to be rendered: made ready once for all hosts."""
        if step.index not in self._arguments:
            action = self.actions[step.task.action]
            given = step.task.arguments
            constant = not action.expressions and self.templating.compile_value(given).constant
            constant = constant and not named_by_templates(step.task)
            made = coerce_arguments(action, given, step.task.position) if constant else None
            self._arguments[step.index] = made
        return self._arguments[step.index]

    def remember(self, report: JobReport) -> None:
        """Take in what a job registered, before anything that needs it is started."""
        for host, variables in report.variables.items():
            # A new dict: threads may be reading the old one.
            self._facts[host] = Facts({**self._facts.get(host, _NO_FACTS), **variables})
            if any(name.startswith(_CONNECTION_PREFIXES) for name in variables):
                self._targets = {key: target for key, target in self._targets.items() if key[0] != host}
        event = report.event
        if report.values is not None:
            self.results.add(event.job, report.values)
        if event.status in FAILURE and not event.ignored:
            self._lose(event.job)

    def follow(self, event: Event) -> None:
        """Take note of hosts that leave a play without a report of their own: they were late at a barrier."""
        if isinstance(event, JobsAbandoned) and event.status is not Status.ABANDONED and event.reason:
            for job in event.jobs:
                self._lose(job)

    def _lose(self, job: Job) -> None:
        """A host takes no part any more in the job's play, and in those that need it."""
        self._failed.setdefault(self.plan.steps[job.step].play, set()).add(job.host)
        self._failures += 1

    def _host(self, name: str) -> Host:
        return self.inventory.hosts.get(name) or Host(name=name)

    def _scope_of(self, host: str, step: Step, own: Variables) -> Scope:
        """Another host's variables as a job of this step sees them: nothing of play and task but ``own``."""
        known = self._host(host)
        names = {
            "inventory_hostname": host,
            "inventory_hostname_short": host.partition(".")[0],
            "group_names": list(known.groups),
            "results": self.results.of_play(step.play),
        }
        layers = (
            names,
            self._run_magic,
            self.extra_variables,
            self._facts.get(host, _NO_FACTS),
            own,
            known.variables,
        )
        return Scope(layers, self.templating, self.note)

    def _failed_before(self, play: int) -> set[str]:
        """The hosts that failed in this play, or in one that it needs, directly or through others."""
        failed: set[str] = set()
        waiting, seen = [play], {play}
        while waiting:
            found = waiting.pop()
            failed |= self._failed.get(found, set()).copy()  # other threads read it while it grows
            further = [need for need in self.plan.plays[found].needs if need not in seen]
            seen.update(further)
            waiting += further
        return failed

    def _batch(self, step: Step) -> Mapping[str, Any]:
        key = (step.play, step.batch)
        count = self._failures  # before they are looked at: who fails meanwhile makes the next job look again
        known, magic = self._batch_magic.get(key, (-1, _NO_FACTS))
        if known != count:
            play = self.plan.plays[step.play]
            failed = self._failed_before(step.play)
            magic = batch_magic(
                play=play.play.name,
                all_hosts=play.hosts,
                hosts=[host for host in play.hosts if host not in failed],
                batch=[host for host in play.batches[step.batch].hosts if host not in failed],
                results=self.results.of_play(step.play),
            )
            self._batch_magic[key] = (count, magic)
        return magic


#: Numbers below secret-sounding names are secret from here on; smaller ones are lengths, counts and the like.
_SECRET_NUMBER = 10_000


def _secrets_in(value: Any, *, secret: bool = False) -> Iterator[str | Secret]:
    """Texts below names that say that they are secret; what templates give is known only when they are used."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secrets_in(item, secret=secret or is_secret_name(str(key)))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _secrets_in(item, secret=secret)
    elif isinstance(value, Secret) or (secret and isinstance(value, str)):
        yield value
    elif secret and type(value) is int and abs(value) >= _SECRET_NUMBER:
        yield str(value)
