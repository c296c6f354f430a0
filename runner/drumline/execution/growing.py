"""What jobs add to the plan of a run: found and checked by each job, added for all of them at once.

Hosts that add the same, with the same variables, at the same step form one group. With a loop, that is the same for all
items, in the same order. Each group's tasks go together, as if their hosts were a batch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.msgpack import Encoder
from msgspec.structs import replace

from drumline.diagnostics import Diagnostic, Diagnostics
from drumline.engine.instructions import Grow
from drumline.errors import FilesError
from drumline.execution.preflight import Preflight
from drumline.inventory.scopes import Scopes
from drumline.loading.deferred import resolve, resolve_tags
from drumline.loading.foreseen import Foresight
from drumline.loading.handlers import flushed, with_more
from drumline.loading.including import handlers_reader, places_of, read_added, read_added_role
from drumline.loading.names import check_names
from drumline.loading.reading import Around, Reading
from drumline.model.event import PlanGrown
from drumline.model.host import Inventory
from drumline.model.plan import Growth, Job, MoreHandlers, Plan, Step
from drumline.model.playbook import INCLUDED, Play, Playbook, Role, Task
from drumline.model.value import Variables
from drumline.planning.expand import expand_added, make_plan
from drumline.planning.growing import growth_of, opened_play
from drumline.planning.tags import Selection, selected
from drumline.plugin.actions import Action, ActionFailed
from drumline.plugin.transports import Transport
from drumline.secret import Secret
from drumline.templating.templates import Templating

#: How deep includes may stand in one another. A file that includes itself needs a condition that ends that.
DEEPEST = 200


#: What has the tasks: a file, or the arguments that say so of a role.
Source: TypeAlias = Path | tuple[tuple[str, str], ...]


class Addition(Struct, frozen=True, kw_only=True):
    """What one item of a job adds."""

    source: Source
    play: Play  #: With these tasks alone.
    handlers: tuple[Task, ...]  #: Those of a role, which join the play's.
    handler_rows: tuple[int, ...]
    own: Variables  #: The variables of the item, which the tasks see.


class _Added(Struct, frozen=True):
    """What an include names."""

    play: Play  # with the tasks alone
    handlers: tuple[Task, ...] = ()
    rows: tuple[int, ...] = ()


class Growing:
    """Jobs call ``find`` and ``keep``, each on its thread; the driver calls ``grow``."""

    def __init__(
        self,
        plan: Callable[[], Plan],
        inventory: Callable[[], Inventory],
        scopes: Scopes,
        templating: Templating,
        extra: Variables,
        *,
        actions: Mapping[str, Action],
        transports: Mapping[str, Transport],
        selection: Selection,
        around: Around,
    ) -> None:
        """``plan`` and ``inventory`` give them as they are by now."""
        self._plan = plan
        self._inventory, self._scopes, self._templating, self._extra = inventory, scopes, templating, extra
        self._actions, self._transports, self._selection, self._around = actions, transports, selection, around
        self._lock = threading.Lock()
        self._read: dict[tuple[int, Source], _Added | tuple[Diagnostic, ...]] = {}
        self._kept: dict[Job, list[Addition]] = {}
        self._had = RolesHad()

    # On the threads of jobs.

    def find(self, step: Step, host: str, arguments: Mapping[str, Any], own: Variables) -> Addition | None:
        """What an item of a job adds; None for nothing. Raises ``ActionFailed`` where a file is missing or wrong."""
        plan = self._plan()
        above = list(_above(plan, step))
        if len(above) >= DEEPEST:
            raise ActionFailed(
                f"Includes stand in one another {DEEPEST} deep here: {_at(above[0])}. A file that includes itself "
                "needs a 'when' that ends that."
            )
        adds = step.task.traits.adds
        assert adds is not None
        source: Source = tuple(sorted((name, str(value)) for name, value in arguments.items() if value is not None))
        if adds.role is None:
            play = plan.plays[step.play].play
            source = _file(arguments[adds.name], step.task, play, [other.task for other in above])
        found = self._found(step, source, arguments)
        try:
            play = self._resolved(found.play, {**step.task.parameters, **own})
            handlers = self._resolved(replace(found.play, tasks=found.handlers), {**step.task.parameters, **own}).tasks
        except FilesError as error:
            raise _wrong(error.diagnostics) from None
        if not handlers and not self._adds_on(host, play, step):
            return None
        return Addition(source=source, play=play, handlers=handlers, handler_rows=found.rows, own=own)

    def _adds_on(self, host: str, play: Play, step: Step) -> bool:
        """Whether any of the tasks takes part in the run, and is for the host, or for others that the host adds."""
        taken = [task for task in play.tasks if selected(task, self._selection.tags, self._selection.skip_tags)]
        if not taken or any(task.hosts is None for task in taken):
            return bool(taken)
        return bool(self._expanded(play, step, (host,)).steps)

    def keep(self, job: Job, additions: list[Addition]) -> None:
        """The job has ended well, and adds these."""
        self._kept[job] = additions

    def _found(self, step: Step, source: Source, arguments: Mapping[str, Any]) -> _Added:
        """The tasks that one include adds; read and checked once for all hosts."""
        with self._lock:
            key = step.index, source
            found = self._read.get(key)
            if found is None:
                found = self._read[key] = self._checked(step, source, arguments)
        if isinstance(found, tuple):
            raise _wrong(found)
        return found

    def _checked(self, step: Step, source: Source, arguments: Mapping[str, Any]) -> _Added | tuple[Diagnostic, ...]:
        found = Diagnostics()
        play = self._plan().plays[step.play].play
        reading = Reading(self._actions, found, self._around)
        handlers = handlers_reader(play, reading)
        if isinstance(source, Path):
            added = read_added(source, step.task, play, reading)
        else:
            added = read_added_role(arguments, step.task, play, reading, handlers)
        whole = replace(added, tasks=(*added.tasks, *handlers.tasks))
        playbook = Playbook(path=play.position.path, plays=(replace(whole, variables={}, vars_files=(), hosts="all"),))
        found.extend(check_names(playbook, Inventory(), {}, self._templating, undefined=False))
        try:
            part = self._expanded(whole, step, step.hosts)
        except FilesError as error:
            found.extend(error.diagnostics)
        else:
            preflight = Preflight(
                part, self._inventory(), self._extra, actions=self._actions, transports=self._transports
            )
            preflight.check()
            found.extend(preflight.mistakes)
        return tuple(found) or _Added(added, tuple(handlers.tasks), tuple(handlers.rows))

    def _resolved(self, play: Play, parameters: Variables) -> Play:
        """The tasks with nothing left that is fixed before they run. Raises ``FilesError``."""
        given = replace(play, variables={**play.variables, **parameters})
        found = Diagnostics()
        playbook = Playbook(path=play.position.path, plays=(given,))
        playbook = resolve(resolve_tags(playbook, self._scopes.render, found), self._scopes.render)
        if found:
            raise FilesError(found)
        return replace(playbook.plays[0], variables=play.variables)

    def _expanded(self, play: Play, step: Step, group: tuple[str, ...]) -> Plan:
        return expand_added(
            play,
            group,
            self._plan().plays[step.play].hosts,
            self._inventory(),
            limit=self._selection.limit,
            tags=self._selection.tags,
            skip_tags=self._selection.skip_tags,
            render_pattern=self._scopes.render_pattern,
        )

    # On the driver's thread.

    def grow(self, instruction: Grow, plan: Plan, at: float) -> Iterator[PlanGrown]:
        """What some jobs of one step add to the plan, group by group."""
        jobs = instruction.jobs
        step = plan.steps[jobs[0].step]
        if step.task.handler == INCLUDED:
            self._kept = {job: kept for job, kept in self._kept.items() if job not in jobs}
            yield PlanGrown(at=at, jobs=jobs, growth=self._flushing(plan, step, jobs, instruction.handlers))
            return
        groups: dict[Any, list[Job]] = {}
        places = {host: place for place, host in enumerate(step.hosts)}
        for job in sorted(jobs, key=lambda job: places[job.host]):
            additions = self._kept[job]
            groups.setdefault((_key(additions), self._had.among(additions, job.host, plan, step)), []).append(job)
        for (_, had), group in groups.items():
            additions, *_ = [self._kept.pop(job) for job in group]
            growth = self._growth(plan, step, group, list(_without(additions, had, step)))
            plan = plan.grown(growth)
            yield PlanGrown(at=at, jobs=tuple(group), growth=growth)

    def plan_play(self, number: int, plan: Plan, at: float) -> PlanGrown:
        """Plan a play that opens, with the inventory as it is by now. Raises ``FilesError``."""
        fresh = make_plan(
            plan.playbook,
            self._inventory(),
            limit=self._selection.limit,
            tags=self._selection.tags,
            skip_tags=self._selection.skip_tags,
            render_pattern=self._scopes.render_pattern,
            host_scope=self._scopes.before,
            shuffle=_shuffled,
            later=[play.play.id for play in plan.plays if play.later],
        )
        return PlanGrown(at=at, jobs=(), growth=opened_play(plan, fresh, number))

    def _growth(self, plan: Plan, step: Step, group: Sequence[Job], additions: Sequence[Addition]) -> Growth:
        hosts = step.hosts if len(group) == len(step.hosts) else tuple(job.host for job in group)
        parts = [self._expanded(_with_own(addition), step, hosts) for addition in additions]
        growth = growth_of(plan, step, parts)
        known = len(plan.plays[step.play].play.roles)
        roles = [role for addition in additions for role in addition.play.roles[known:] if role.public]
        return replace(growth, roles=tuple(roles), handlers=self._handlers(plan, step, additions))

    def _handlers(self, plan: Plan, step: Step, additions: Sequence[Addition]) -> MoreHandlers | None:
        """The handlers that these bring, as they are for their tasks."""
        found = [
            replace(handler, parameters={**handler.parameters, **addition.own})
            for addition in additions
            for handler in addition.handlers
        ]
        rows = [row for addition in additions for row in addition.handler_rows]
        return with_more(plan.plays[step.play].play, found, rows, self._scopes.render) if found else None

    def _flushing(self, plan: Plan, step: Step, jobs: Sequence[Job], notified: Iterable[int]) -> Growth:
        """The handlers that came while the play ran, and that these hosts have notified."""
        play = flushed(plan.plays[step.play].play, notified, step.task)
        part = self._expanded(play, step, tuple(job.host for job in jobs))
        return growth_of(plan, step, [part])


def _shuffled(hosts: Sequence[str]) -> tuple[str, ...]:
    import random  # imported late: few plays shuffle their hosts

    return tuple(random.sample(hosts, len(hosts)))


class RolesHad:
    """Which roles have been added to a play for each host."""

    def __init__(self) -> None:
        self._hosts: dict[tuple[int, str], set[str]] = {}
        self._counted = 0  # steps of the plan

    def among(self, additions: Sequence[Addition], host: str, plan: Plan, step: Step) -> frozenset[str]:
        """Those of the roles that are to be added once, and that the host has had in the play of a step."""
        wanted = {role.identity for addition in additions for role in _roles(addition, step) if role.once}
        if wanted:
            self._count(plan)
        return frozenset(role for role in wanted if host in self._hosts.get((step.play, role), ()))

    def _count(self, plan: Plan) -> None:
        for step in plan.steps[self._counted :]:
            if step.task.role is not None and step.task.handler is None:
                self._hosts.setdefault((step.play, step.task.role.identity), set()).update(step.hosts)
        self._counted = len(plan.steps)


def _roles(addition: Addition, step: Step) -> list[Role]:
    """The uses of roles that it brings, in order: not those in which the step stands that adds it."""
    role = step.task.role
    around = [] if role is None else [*role.parents, role]
    uses = {id(task.role): task.role for task in addition.play.tasks if task.role is not None}
    return [use for use in uses.values() if use not in around]


def _without(additions: Sequence[Addition], had: frozenset[str], step: Step) -> Iterator[Addition]:
    """What is to be added, without roles that run once, and that the hosts have had, or have by what comes before."""
    seen = set(had)
    for addition in additions:
        repeated: set[int] = set()
        for role in _roles(addition, step):
            if role.once and role.identity in seen:
                repeated.add(id(role))
            seen.add(role.identity)
        tasks = (replace(task, repeated=True) if id(task.role) in repeated else task for task in addition.play.tasks)
        yield replace(addition, play=replace(addition.play, tasks=tuple(tasks))) if repeated else addition


def foreseen_parts(
    plan: Plan,
    foreseen: Foresight,
    inventory: Inventory,
    scopes: Scopes,
    selection: Selection,
    mistakes: Diagnostics,
) -> Iterator[Plan]:
    """The plans of what tasks will add, as if on all hosts of their plays; what is wrong with them is noted."""
    for planned in plan.plays:
        for added in foreseen.added.get(planned.play.id, ()) if planned.hosts else ():
            try:
                yield expand_added(
                    replace(added.play, variables=planned.play.variables),
                    planned.hosts,
                    planned.hosts,
                    inventory,
                    limit=selection.limit,
                    tags=selection.tags,
                    skip_tags=selection.skip_tags,
                    render_pattern=scopes.render_pattern,
                )
            except FilesError as error:
                mistakes.extend(error.diagnostics)


def _above(plan: Plan, step: Step) -> Iterator[Step]:
    """The steps that added this one, the innermost first."""
    while step.added_by is not None:
        step = plan.steps[step.added_by]
        yield step


def _with_own(addition: Addition) -> Play:
    """The tasks, which see the variables of the item."""
    if not addition.own:
        return addition.play
    tasks = tuple(replace(task, parameters={**task.parameters, **addition.own}) for task in addition.play.tasks)
    return replace(addition.play, tasks=tasks)


def _key(additions: Sequence[Addition]) -> Any:
    """What is the same for jobs that add the same."""
    return tuple((addition.source, _encoded(addition.own)) for addition in additions)


def _encoded(own: Variables) -> bytes | str:
    try:
        return _encode(own)
    except (TypeError, ValueError, OverflowError):  # what msgpack has no type for
        return repr(own)


def _plain(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else repr(value)


_encode = Encoder(enc_hook=_plain).encode


def _wrong(diagnostics: Sequence[Diagnostic]) -> ActionFailed:
    lines = [f"{one.position or ''}: {one.summary}: {one.detail}" for one in diagnostics]
    return ActionFailed("\n".join(["What it names can't be added:", *lines]))


def _file(name: str, include: Task, play: Play, above: Sequence[Task]) -> Path:
    """The file that an include names. Raises ``ActionFailed``."""
    places = list(dict.fromkeys(places_of(name, include, play, above)))
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise ActionFailed(f"There is no file '{name}' of tasks. Looked for {', '.join(map(str, places))}.")
    return path


def _at(step: Step) -> str:
    return f"{step.task.id}, {step.task.position}"
