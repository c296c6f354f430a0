"""What the jobs of one run share: the plan, the results so far, and the connections to hosts."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from drumline.clock import Clock, SystemClock
from drumline.engine.instructions import Grow
from drumline.execution.gained import Gained
from drumline.execution.results import kept_steps
from drumline.execution.sessions import SessionPool
from drumline.execution.targets import Targets
from drumline.execution.task_values import TaskValues, constant_arguments
from drumline.inventory.every_layer import every_layer, layers_of_tasks
from drumline.inventory.scopes import NO_FACTS, NOTHING, Scopes
from drumline.inventory.variables import Scope
from drumline.loading.connection import names_read
from drumline.loading.reading import NOTHING_AROUND, Around
from drumline.masking import Secrets, secrets_in
from drumline.model.event import Event, Input
from drumline.model.host import Inventory
from drumline.model.outcome import Result, Status
from drumline.model.plan import Job, Plan, Step, without_later
from drumline.model.playbook import MetaTask
from drumline.model.target import Platform, Target
from drumline.model.value import Variables
from drumline.planning.tags import WHOLE, Selection
from drumline.plugin.actions import Action, ActionFailed, Steps
from drumline.plugin.rules import require_rules
from drumline.plugin.runs import JobReport
from drumline.plugin.traits import traits_of
from drumline.plugin.transports import Transport
from drumline.secret import is_secret_name
from drumline.source.vault import keyring
from drumline.templating.templates import Templating

if TYPE_CHECKING:
    from drumline.execution.fact_cache import FactCache
    from drumline.execution.growing import Growing
    from drumline.inventory.changing import Changing

#: Keeps output that a job's result doesn't fully contain: ``(job, number of its command, stream, data, beginning)``.
#: Returns False if there is no room for it. ``beginning``: the result also has it, as far as it is text.
KeepOutput = Callable[[Job, int, str, bytes, bool], bool]


class RunContext:
    """The context of one run. Read by many threads; changed only by ``remember``, on the driver's thread."""

    def __init__(
        self,
        *,
        plan: Plan,
        inventory: Inventory,
        actions: Mapping[str, Action],
        transports: Mapping[str, Transport],
        templating: Templating,
        extra_variables: Variables,
        secrets: Secrets,
        keep_output: KeepOutput,
        output_limit: float = math.inf,
        sessions_per_host: int = 4,
        verbosity: int = 0,
        clock: Clock | None = None,
        fact_cache: FactCache | None = None,
        selection: Selection = WHOLE,
        around: Around = NOTHING_AROUND,
        passwords: Variables = NOTHING,
        reread: Callable[[], Inventory] | None = None,
    ) -> None:
        """``output_limit``: the most bytes of one command's output that are kept.

        ``passwords`` are those that people have typed, as connection variables.
        ``reread`` reads the inventory anew: raises ``FilesError`` and ``UsageError``.
        ``verbosity`` is the number of ``-v``, which ``debug: {verbosity: …}`` uses.
        """
        self.inventory = inventory  #: The hosts and groups that there are by now.
        self._reread = reread or (lambda: inventory)
        self._changing: Changing | None = None
        self._lock = threading.Lock()
        self.actions = actions
        self.transports = transports
        self.templating = templating
        self.extra_variables = extra_variables
        self.secrets = secrets
        self.keep_output = keep_output
        self.output_limit = output_limit
        self.verbosity = verbosity
        self.clock = clock or SystemClock()
        self.fact_cache = fact_cache
        self._passwords = passwords
        #: The names of connection variables.
        self.reaching = names_read(transports)
        #: What tasks have left in the background of each host (``Call.left``).
        self.left: dict[str, dict[str, Steps | Result]] = {}
        self.sessions = SessionPool(transports, limit=sessions_per_host)
        kept = kept_steps(plan, inventory, extra_variables, templating)
        self.gained = Gained(without_later(plan), kept)
        self.targets = Targets(
            transports,
            templating,
            secrets,
            scope=partial(self.scope, doubtful=False),
            definitions=self._definitions,
            own=self._own,
            passwords=passwords,
        )
        self._scopes = Scopes(
            inventory,
            plan.playbook,
            extra_variables,
            templating,
            called=how_called(plan, verbosity),
            seen=self.note,
            facts=self.gained.facts,
            gathered=self.gained.gathered,
            included=self.gained.included,
            of_plays=self.gained.of_plays,
            doubts=self.gained.open if plan.check else None,
        )
        self._growing = self._growing_of(selection, around) if may_grow(plan) else None
        # Those that are the same for all jobs; None where some differ.
        self._arguments: dict[tuple[int, Platform], Mapping[str, Any] | None] = {}
        self._plain: dict[str, frozenset[str]] = {}  # by action, the arguments that hold no secret
        self._register_secrets()
        templating.resolve_secrets(secrets.add)

    def here(self) -> Target:
        """This machine. Raises ``ActionFailed`` where no transport reaches it."""
        for transport in self.transports.values():
            if traits_of(transport).is_here:
                options = {option.name: option.default for option in transport.options}
                return Target(host="localhost", transport=transport.name, options=options)
        raise ActionFailed("There is no transport that runs commands on this machine")

    def _growing_of(self, selection: Selection, around: Around) -> Growing:
        from drumline.execution.growing import Growing  # few plans grow

        return Growing(
            lambda: self.plan,
            lambda: self.inventory,
            self._scopes,
            self.templating,
            self.extra_variables,
            actions=self.actions,
            transports=self.transports,
            selection=selection,
            around=around,
        )

    @property
    def growing(self) -> Growing:
        """What jobs add to the plan, if that may grow."""
        assert self._growing is not None
        return self._growing

    def _register_secrets(self) -> None:
        """Register all secrets before any output, since one host may print another's password."""
        self._note_secrets([self.extra_variables, self._passwords, *every_layer(self.plan, self.inventory)])
        keyring().follow(self.secrets.add)

    def _note_secrets(self, layers: Iterable[Variables]) -> None:
        for secret in secrets_in([*layers]):
            self.secrets.add(secret)

    def grow(self, instruction: Grow, plan: Plan) -> Iterator[Input]:
        """What some jobs add to the plan; secrets in it are registered first."""
        for event in self.growing.grow(instruction, plan, self.clock.now()):
            self._note_secrets(layers_of_tasks(step.task for step in event.growth.steps))
            self._note_secrets(layers_of_tasks(event.growth.handlers.handlers if event.growth.handlers else ()))
            yield event

    def scope(
        self,
        step: Step,
        host: str,
        own: Variables = NOTHING,
        set_by_job: Variables = NO_FACTS,
        *,
        doubtful: bool = True,
    ) -> Scope:
        """The variables of one job; ``own`` are those of a loop's item, ``set_by_job`` what earlier items set.

        ``doubtful``: see :meth:`.Scopes.scope`.
        """
        return self._scopes.scope(
            self._scopes.host(host),
            play=self.plan.plays[step.play].play,
            task=step.task,
            own=own,
            set_by_job=set_by_job,
            batch=self.gained.play_hosts.magic(step),
            everywhere={"results": self.gained.results.of_play(step.play)},
            doubtful=doubtful,
        )

    def _definitions(self, step: Step, host: str) -> tuple[Variables, ...]:
        """The variables of a host from files, which are the same for all tasks of a play."""
        play, known = self.plan.plays[step.play].play, self._scopes.definitions
        of_play = (*known.variables(play, None), *known.defaults(play, None))
        return self.extra_variables, *of_play, self._scopes.host(host).variables, step.task.connection

    def _own(self, step: Step) -> tuple[Variables, ...]:
        """The variables of a task's own and of its role."""
        task = step.task
        return task.variables, task.parameters, *self._scopes.definitions.of_role(task.role)

    def note(self, name: str, value: Any) -> None:
        """Record a variable's value; if its name sounds secret, the value is masked from now on."""
        if is_secret_name(name):
            self._note_secrets([{name: value}])

    def note_item(self, own: Variables) -> None:
        """Record an item of a loop: what sounds secret in it is masked from now on."""
        self._note_secrets([own])

    def arguments(self, step: Step, platform: Platform, values: TaskValues) -> Mapping[str, Any]:
        """The action's arguments, held to its rules. Raises ``ActionFailed``, ``FilesError`` and ``TemplateFailed``.

        Those in which nothing is to be rendered are made ready once for all hosts.
        """
        key = step.index, platform
        known = self._arguments.get(key)
        action = self.actions[step.task.action]
        if values.task is not step.task:  # a debugger has changed it
            arguments = values.arguments(action)
            require_rules(action, arguments, platform)
            return arguments
        if known is not None:
            return known
        if key not in self._arguments:
            known = constant_arguments(step.task, action, self.templating)
        arguments = values.arguments(action) if known is None else known
        require_rules(action, arguments, platform)
        self._arguments[key] = known
        self._note_secrets([self._free(action, arguments)])
        return arguments

    def _free(self, action: Action, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments that may hold a secret: not those that are one of a few words, or yes and no."""
        plain = self._plain.get(action.name)
        if plain is None:
            kinds = (str, object, dict, list)
            plain = frozenset(one.name for one in action.arguments if one.choices or one.type not in kinds)
            self._plain[action.name] = plain
        return {name: value for name, value in arguments.items() if name not in plain}

    def remember(self, report: JobReport) -> None:
        """Store what a job registered, before anything that needs it is started."""
        for host, variables in self.gained.remember(report).items():
            self.targets.forget(host, variables)
        self._note_inventory(report)

    def _note_inventory(self, report: JobReport) -> None:
        """The hosts and groups that there are after a job that changes them."""
        step = self.plan.steps[report.event.job.step]
        if not step.task.traits.inventory or report.values is None:
            return
        if step.task.meta is MetaTask.REFRESH_INVENTORY:
            if report.event.status is not Status.OK:
                return
            self.hosts.renew(report.event.job)
            self._note_secrets(host.variables for host in self.hosts.inventory.hosts.values())
        else:
            self._note_secrets([report.values])
            for host in step.hosts if step.task.run_once else (report.event.job.host,):
                self.hosts.change(host, report.values)
        self.inventory = self.hosts.inventory
        self._scopes.change(self.inventory)
        self.targets.forget_all()

    def plan_play(self, number: int, plan: Plan) -> Input:
        """Plan a play that opens."""
        event = self.growing.plan_play(number, plan, self.clock.now())
        self._note_secrets(layers_of_tasks(step.task for step in event.growth.steps))
        return event

    @property
    def hosts(self) -> Changing:
        """What changes the inventory."""
        with self._lock:
            if self._changing is None:
                from drumline.inventory.changing import Changing  # few jobs change the inventory

                self._changing = Changing(self.inventory, self._reread)
            return self._changing

    @property
    def plan(self) -> Plan:
        """As far as it is known: it may grow while the run goes on."""
        return self.gained.plan

    def take_up(self, happened: Iterable[JobReport | Event]) -> None:
        """Restore everything that happened in a run so far, to continue it."""
        for item in happened:
            self.gained.take(item)
            if isinstance(item, JobReport):
                self._note_inventory(item)


def may_grow(plan: Plan) -> bool:
    """Whether a task of the plan adds to it, or a play is planned as it opens."""
    return any(play.later for play in plan.plays) or any(step.task.traits.adds is not None for step in plan.steps)


def how_called(plan: Plan, verbosity: int = 0) -> Variables:
    """The magic variables that say how a run was called."""
    return {"ansible_verbosity": verbosity, "ansible_check_mode": plan.check, "ansible_diff_mode": plan.diff}
