"""``results``: the results of a run's tasks, by task and host, for the templates of later tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from drumline.diagnostics import did_you_mean
from drumline.inventory.definitions import layers_of, roles_of
from drumline.loading.written import templates_in
from drumline.model.host import Inventory
from drumline.model.plan import Job, Plan, Step
from drumline.model.playbook import Loop, Retries, Task
from drumline.model.value import Template, Variables
from drumline.templating.templates import Templating
from drumline.templating.unclear import known_of
from drumline.templating.variables import Lookup

#: Index of a play, id of a task in it.
_Key: TypeAlias = tuple[int, str]


class Results:
    """Filled by the driver's thread, read by those of the jobs.

    Not everything is kept, since that wouldn't fit in memory for ten thousand hosts. ``kept`` are the steps whose
    results are.
    """

    def __init__(self, plan: Plan, kept: Iterable[int]) -> None:
        self.kept = frozenset(kept)
        self._plan = plan
        self._known = plan.steps
        self._values: dict[_Key, dict[str, Mapping[str, Any]]] = {}
        self._steps: dict[_Key, list[Step]] = {}  # those that are kept: one for each batch
        for step in plan.steps:
            if step.index in self.kept:
                self._steps.setdefault((step.play, step.task.id), []).append(step)

    def grow(self, plan: Plan) -> None:
        """Something was added to the plan, of which everything is kept: no one knows yet who will ask for it."""
        self._plan = plan
        for step in plan.steps[len(self._known) :]:
            self._keep(step)
        self._known = plan.steps

    def _keep(self, step: Step) -> None:
        self.kept |= {step.index}
        self._steps.setdefault((step.play, step.task.id), []).append(step)

    def add(self, job: Job, values: Mapping[str, Any]) -> None:
        """A job has ended. With ``run_once``, its values apply to all hosts of the batch, as with ``register``."""
        step = self._plan.steps[job.step]
        by_host = self._values.setdefault((step.play, step.task.id), {})
        for host in step.hosts if step.task.run_once else (job.host,):
            by_host[host] = known_of(step.task.id, values)

    def of_play(self, play: int) -> Lookup:
        """The results as seen by a template of this play: its own tasks by id, all tasks as ``play-id.task-id``."""
        return _Tasks(self._plan, play, self._steps, self._values)


class _Tasks(Lookup):
    """``results``."""

    __slots__ = ("_plan", "_play", "_steps", "_values")

    def __init__(
        self,
        plan: Plan,
        play: int,
        steps: Mapping[_Key, Sequence[Step]],
        values: Mapping[_Key, Mapping[str, Mapping[str, Any]]],
    ) -> None:
        self._plan = plan
        self._play = play
        self._steps = steps
        self._values = values

    def __getitem__(self, task: str) -> _Hosts:
        key = self._key(task)
        return _Hosts(task, self._steps[key], self._values.get(key, {}))

    def __iter__(self) -> Iterator[str]:
        return (task for play, task in self._steps if play == self._play)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _key(self, task: str) -> _Key:
        if (self._play, task) in self._steps:
            return self._play, task
        first, _, rest = task.partition(".")
        for index, planned in enumerate(self._plan.plays):
            if rest and planned.play.id == first:
                return index, rest
        return self._play, task

    def absent(self, name: str) -> str:
        play, task = self._key(name)
        known = [each.id for each in self._plan.plays[play].play.tasks]
        if task not in known:
            return f"'results' has no task '{name}'.{did_you_mean(task, known)}"
        if any(step.play == play and step.task.id == task for step in self._plan.steps):
            return (
                f"The results of '{name}' are not kept: only those are that a template of the playbook asks for, or"
                f" that have a 'register'. Give '{task}' one."
            )
        return f"'{name}' isn't part of this run. Does --tags, --skip-tags or --limit leave it out?"


class _Hosts(Lookup):
    """The results of one task."""

    __slots__ = ("_steps", "_task", "_values")

    def __init__(self, task: str, steps: Sequence[Step], values: Mapping[str, Mapping[str, Any]]) -> None:
        self._task = task
        self._steps = steps
        self._values = values

    def __getitem__(self, host: str) -> Mapping[str, Any]:
        return self._values[host]

    def __iter__(self) -> Iterator[str]:
        return (host for step in self._steps for host in step.hosts if host in self._values)

    def __len__(self) -> int:
        return len(self._values)

    def absent(self, name: str) -> str:
        if any(name in step.hosts for step in self._steps):
            return f"'{self._task}' has no result on {name}: it didn't run there, or hasn't ended yet."
        hint = (
            did_you_mean(name, (host for step in self._steps for host in step.hosts)) or " Does --limit leave it out?"
        )
        return f"'{self._task}' doesn't run on {name} in this run.{hint}"


def kept_steps(plan: Plan, inventory: Inventory, extra: Variables, templating: Templating) -> Iterator[int]:
    """The steps whose results may be used: those with ``register``, and those that a template names."""
    names = _names(plan, inventory, extra, templating)
    for step in plan.steps:
        if step.task.register or step.task.traits.inventory or None in names or names & _names_of(plan, step):
            yield step.index


def _names_of(plan: Plan, step: Step) -> set[str | None]:
    task = step.task.id
    return {task, f"{plan.plays[step.play].play.id}.{task}"}


def _names(plan: Plan, inventory: Inventory, extra: Variables, templating: Templating) -> set[str | None]:
    """The tasks that templates name, and None if one of them computes the name."""
    later = (task for planned in plan.plays if planned.later for task in planned.play.tasks)
    tasks = {id(task): task for task in (*(step.task for step in plan.steps), *later)}.values()
    layers = [extra, *(host.variables for host in inventory.hosts.values())]
    layers += [planned.play.variables for planned in plan.plays]
    layers += [layer for planned in plan.plays for role in roles_of(planned.play) for layer in layers_of(role)]
    found = [template for layer in layers for template in templates_in(layer)]
    fields = (_parts(getattr(task, name)) for task in tasks for name in _RENDERED)
    found += [template for field in fields for template in templates_in(field)]
    found += [template for task in tasks for template in _named_by_text(task)]
    return {reference.task for template in found for reference, _ in templating.references(template)}


#: The fields of a task that hold templates.
_RENDERED = tuple(name for name in Task.__struct_fields__ if name not in ("position", "positions", "deferred"))


def _parts(value: Any) -> Any:
    """The values in a task's field that holds several."""
    return [getattr(value, name) for name in value.__struct_fields__] if isinstance(value, (Loop, Retries)) else value


def _named_by_text(task: Task) -> Iterator[Template]:
    """Arguments that name a variable without braces, such as ``debug: {var: results}``."""
    texts = (value for value in task.arguments.values() if type(value) is str and "results" in value)
    return (Template(text, task.position, bare=True) for text in texts)
