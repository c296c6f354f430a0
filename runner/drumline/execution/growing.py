"""What jobs add to the plan of a run: found and checked by each job, added for all of them at once.

Hosts that add the same, with the same variables, at the same step form one group. With a loop, that is the same for all
items, in the same order. Each group's tasks go together, as if their hosts were a batch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.msgpack import Encoder
from msgspec.structs import replace

from drumline.diagnostics import Diagnostic, Diagnostics
from drumline.errors import FilesError
from drumline.execution.preflight import Preflight
from drumline.inventory.scopes import Scopes
from drumline.loading.deferred import resolve, resolve_tags
from drumline.loading.foreseen import Foreseen
from drumline.loading.including import places_of, read_added
from drumline.loading.names import check_names
from drumline.loading.reading import Around, Reading
from drumline.model.event import Input, JobFinished, PlanGrown
from drumline.model.host import Inventory
from drumline.model.outcome import Status
from drumline.model.plan import Growth, Job, Plan, Step
from drumline.model.playbook import Play, Playbook
from drumline.model.value import Variables
from drumline.planning.expand import expand_added
from drumline.planning.growing import growth_of
from drumline.planning.tags import selected
from drumline.plugin.actions import Action, ActionFailed
from drumline.plugin.transports import Transport
from drumline.secret import Secret
from drumline.templating.templates import Templating

#: How deep includes may stand in one another. A file that includes itself needs a condition that ends that.
DEEPEST = 200


class Selection(Struct, frozen=True, kw_only=True):
    """What the command line leaves of a playbook."""

    limit: str | None = None
    tags: Collection[str] = ()
    skip_tags: Collection[str] = ()


WHOLE = Selection()


class Addition(Struct, frozen=True, kw_only=True):
    """What one item of a job adds."""

    path: Path
    play: Play  #: With these tasks alone.
    own: Variables  #: The variables of the item, which the tasks see.


class Growing:
    """Jobs call ``find`` and ``keep``, each on its thread; the driver calls ``grow``."""

    def __init__(
        self,
        plan: Callable[[], Plan],
        inventory: Inventory,
        scopes: Scopes,
        templating: Templating,
        extra: Variables,
        *,
        actions: Mapping[str, Action],
        transports: Mapping[str, Transport],
        selection: Selection,
        around: Around,
    ) -> None:
        """``plan`` gives the plan as far as it is known."""
        self._plan = plan
        self._inventory, self._scopes, self._templating, self._extra = inventory, scopes, templating, extra
        self._actions, self._transports, self._selection, self._around = actions, transports, selection, around
        self._lock = threading.Lock()
        self._read: dict[tuple[int, Path], Play | tuple[Diagnostic, ...]] = {}
        self._kept: dict[Job, list[Addition]] = {}

    # On the threads of jobs.

    def find(self, step: Step, host: str, file: str, own: Variables) -> Addition | None:
        """What an item of a job adds; None for nothing. Raises ``ActionFailed`` where a file is missing or wrong."""
        plan = self._plan()
        above = list(_above(plan, step))
        if len(above) >= DEEPEST:
            raise ActionFailed(
                f"Includes stand in one another {DEEPEST} deep here: {_at(above[0])}. A file that includes itself "
                "needs a 'when' that ends that."
            )
        play = plan.plays[step.play].play
        places = list(dict.fromkeys(places_of(file, step.task, play, [other.task for other in above])))
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise ActionFailed(f"There is no file '{file}' of tasks. Looked for {', '.join(map(str, places))}.")
        found = self._play(step, path)
        try:
            found = self._resolved(found, {**step.task.parameters, **own})
        except FilesError as error:
            raise _wrong(path, error.diagnostics) from None
        return Addition(path=path, play=found, own=own) if self._adds_on(host, found, step) else None

    def _adds_on(self, host: str, play: Play, step: Step) -> bool:
        """Whether any of the tasks takes part in the run, and is for the host, or for others that the host adds."""
        taken = [task for task in play.tasks if selected(task, self._selection.tags, self._selection.skip_tags)]
        if not taken or any(task.hosts is None for task in taken):
            return bool(taken)
        return bool(self._expanded(play, step, (host,)).steps)

    def keep(self, job: Job, additions: list[Addition]) -> None:
        """The job has ended well, and adds these."""
        self._kept[job] = additions

    def _play(self, step: Step, path: Path) -> Play:
        """The tasks in a file, for one include; read and checked once for all hosts."""
        with self._lock:
            key = step.index, path
            found = self._read.get(key)
            if found is None:
                found = self._read[key] = self._checked(step, path)
        if isinstance(found, tuple):
            raise _wrong(path, found)
        return found

    def _checked(self, step: Step, path: Path) -> Play | tuple[Diagnostic, ...]:
        found = Diagnostics()
        play = self._plan().plays[step.play].play
        added = read_added(path, step.task, play, Reading(self._actions, found, self._around))
        playbook = Playbook(path=str(path), plays=(replace(added, variables={}, vars_files=(), hosts="all"),))
        found.extend(check_names(playbook, Inventory(), {}, self._templating, undefined=False))
        try:
            part = self._expanded(added, step, step.hosts)
        except FilesError as error:
            found.extend(error.diagnostics)
        else:
            preflight = Preflight(
                part, self._inventory, self._extra, actions=self._actions, transports=self._transports
            )
            preflight.check()
            found.extend(preflight.mistakes)
        return tuple(found) or added

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
            self._inventory,
            limit=self._selection.limit,
            tags=self._selection.tags,
            skip_tags=self._selection.skip_tags,
            render_pattern=self._scopes.render_pattern,
        )

    # On the driver's thread.

    def grow(self, jobs: Sequence[Job], plan: Plan, at: float) -> Iterator[Input]:
        """What these jobs of one step add to the plan, group by group."""
        step = plan.steps[jobs[0].step]
        groups: dict[Any, list[Job]] = {}
        places = {host: place for place, host in enumerate(step.hosts)}
        for job in sorted(jobs, key=lambda job: places[job.host]):
            groups.setdefault(_key(self._kept[job]), []).append(job)
        for group in groups.values():
            additions, *_ = [self._kept.pop(job) for job in group]
            growth = self._growth(plan, step, group, additions)
            if growth is None:
                yield from (JobFinished(at=at, job=job, status=Status.OK) for job in group)
                continue
            plan = plan.grown(growth)
            yield PlanGrown(at=at, jobs=tuple(group), growth=growth)

    def _growth(self, plan: Plan, step: Step, group: Sequence[Job], additions: Sequence[Addition]) -> Growth | None:
        hosts = step.hosts if len(group) == len(step.hosts) else tuple(job.host for job in group)
        parts = [self._expanded(_with_own(addition), step, hosts) for addition in additions]
        return growth_of(plan, step, parts)


def foreseen_parts(
    plan: Plan,
    foreseen: Foreseen,
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
    return tuple((addition.path, _encoded(addition.own)) for addition in additions)


def _encoded(own: Variables) -> bytes | str:
    try:
        return _encode(own)
    except (TypeError, ValueError, OverflowError):  # what msgpack has no type for
        return repr(own)


def _plain(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else repr(value)


_encode = Encoder(enc_hook=_plain).encode


def _wrong(path: Path, diagnostics: Sequence[Diagnostic]) -> ActionFailed:
    lines = [f"{one.position or path}: {one.summary}: {one.detail}" for one in diagnostics]
    return ActionFailed("\n".join([f"The tasks in {path} can't be added:", *lines]))


def _at(step: Step) -> str:
    return f"{step.task.id}, {step.task.position}"
