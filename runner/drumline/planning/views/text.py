"""A plan for people: text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping

from drumline.diagnostics import counted
from drumline.loading.foreseen import NOTHING_FORESEEN, Foresight
from drumline.loading.handlers import is_bare
from drumline.model.plan import Batch, Plan, Step
from drumline.model.playbook import INCLUDED, Barrier, Strategy, Task, TriggerRule
from drumline.model.titles import origin_text, play_title, task_text
from drumline.model.traits import AddArguments
from drumline.model.value import text_of
from drumline.planning.views.data import as_json
from drumline.planning.views.dot import as_dot
from drumline.planning.views.words import (
    barrier_text,
    batching_text,
    folded,
    is_fatal,
    jobs_of,
    keep_texts,
    needs_text,
    order_text,
    part_of_block,
    stop_text,
    timing_texts,
)


def as_text(plan: Plan, *, now: float | None = None, foreseen: Foresight = NOTHING_FORESEEN) -> str:
    """The plan as text: for each batch and wave its tasks, their hosts, what they wait for, and when the run stops.

    With ``now`` (seconds since the epoch), starts at a given time show how far away they are. Of what is ``foreseen``
    to be added while it runs, the names of the tasks are shown.
    """
    lines: list[str] = []
    kept: dict[int, set[str]] = {}  # by play: its tasks that take part
    for step in plan.steps:
        kept.setdefault(step.play, set()).add(step.task.id)
    for index in range(len(plan.plays)):
        lines += [*_PlayText(plan, index, now, foreseen, kept.get(index, set())).lines(), ""]
    jobs = sum(jobs_of(step) for step in plan.steps)
    waves = sum(len(batch.waves) for play in plan.plays for batch in play.batches)
    batches = sum(len(play.batches) for play in plan.plays)
    several = f", {counted(batches, 'batch')}" if any(len(play.batches) > 1 for play in plan.plays) else ""
    lines.append(f"{counted(len(plan.plays), 'play')}{several}, {counted(waves, 'wave')}, {counted(jobs, 'job')}")
    return "\n".join(lines)


class _PlayText:
    """One play of a plan."""

    def __init__(self, plan: Plan, index: int, now: float | None, foreseen: Foresight, kept: Collection[str]) -> None:
        """``kept`` are the ids of its tasks that take part."""
        self._plan = plan
        self._foreseen = foreseen
        self._index = index
        self._now = now
        self._kept = kept
        self._planned = plan.plays[index]
        self._is_free = self._planned.play.strategy is Strategy.FREE

    def lines(self) -> Iterator[str]:
        planned = self._planned
        yield f"play {self._index + 1}: {play_title(planned.play)}"
        if planned.play.origin is not None:
            yield f"  from {origin_text(planned.play.origin)}"
        if planned.needs:
            yield f"  waits for {_joined(f'play {need + 1}' for need in planned.needs)}"
        if planned.later:
            yield "  planned when it opens: tasks before it may change which hosts there are"
        if not planned.batches:
            yield "  no hosts take part"
            return
        yield f"  hosts: {folded(planned.hosts)} ({len(planned.hosts)})"
        for name, text in (("order", order_text(planned.play.order)), ("batches", batching_text(planned))):
            if text:
                yield f"  {name}: {text}"
        for text in keep_texts(planned):
            yield f"  {text}, or the play stops"
        if planned.play.facts:
            yield f"  facts: {planned.play.facts}"
        yield f"  {self._strategy()}"
        yield f"  {self._failure()}"
        yield from self._left_out()
        yield from self._batch_lines()

    def _strategy(self) -> str:
        if self._is_free:
            return "strategy: free (each task starts on a host as soon as its own needs are satisfied)"
        if all(barrier == Barrier() for batch in self._planned.batches for barrier in batch.barriers):
            return "strategy: waves (each starts when the one before it has ended)"
        return "strategy: waves (each starts when the barrier of the one before it has passed)"

    def _failure(self) -> str:
        """If there are several batches, the line of each says when the play stops."""
        planned = self._planned
        effect = "" if is_fatal(self._planned) else "abandons dependent tasks"
        stops = stop_text(planned, planned.batches[0]) if len(planned.batches) == 1 else ""
        return f"on failure: {'; '.join(filter(None, (effect, stops))) or 'stops'}"

    def _left_out(self) -> Iterator[str]:
        gone = [task.id for task in self._planned.play.tasks if task.id not in self._kept and not is_bare(task)]
        if gone:
            yield f"  left out by tags or limit: {_joined(gone)}"

    def _batch_lines(self) -> Iterator[str]:
        """Each batch; of those that differ only in the names of the play's hosts, the first is shown in full."""
        batches = self._planned.batches
        if len(batches) == 1:
            yield from self._wave_lines(batches[0], "  ")
            return
        shown: dict[Hashable, int] = {}
        for number, batch in enumerate(batches, 1):
            name = f"batch {number} of {len(batches)}{', the canary' if batch.canary else ''}"
            line = f"  {name}: {folded(batch.hosts)} ({len(batch.hosts)}); {stop_text(self._planned, batch)}"
            shape = self._shape(batch)
            if shape in shown:
                yield f"{line}; waves as in batch {shown[shape]}"
                continue
            shown[shape] = number
            yield line
            yield from self._wave_lines(batch, "    ")

    def _shape(self, batch: Batch) -> Hashable:
        """What is shown of a batch, except the names of its hosts where a task runs on all of them."""
        own = frozenset(batch.hosts)

        def shape(step: Step) -> Hashable:
            is_whole = step.hosts is batch.hosts or own.issubset(step.hosts)
            named = tuple(host for host in step.hosts if host not in own) if is_whole else step.hosts
            return step.task.id, is_whole, named, tuple(self._needs(step))

        waves = ((*map(shape, steps), self._barrier(barrier, steps)) for steps, barrier in self._waves(batch))
        return len(batch.hosts), *waves

    def _waves(self, batch: Batch) -> Iterable[tuple[list[Step], Barrier]]:
        steps = ([self._plan.steps[index] for index in wave] for wave in batch.waves)
        return zip(steps, batch.barriers, strict=True)

    def _barrier(self, barrier: Barrier, wave: Iterable[Step]) -> str:
        return "" if self._is_free else barrier_text(barrier, sum(map(jobs_of, wave)))

    def _wave_lines(self, batch: Batch, indent: str) -> Iterator[str]:
        if not batch.waves:
            yield f"{indent}nothing to do"
        for number, (steps, barrier) in enumerate(self._waves(batch), 1):
            hosts = counted(len({host for step in steps for host in step.hosts}), "host")
            jobs = counted(sum(map(jobs_of, steps)), "job")
            yield f"{indent}{'level' if self._is_free else 'wave'} {number}: {hosts}, {jobs}"
            names = [_named(step.task) for step in steps]
            width = max(map(len, names))
            for name, step in zip(names, steps, strict=True):
                yield f"{indent}  {name:<{width}}  {self._step_text(step)}".rstrip()
            if passes := self._barrier(barrier, steps):
                yield f"{indent}  barrier: {passes}"

    def _step_text(self, step: Step) -> str:
        task, hosts = step.task, folded(step.hosts)
        is_choice = task.run_once and len(step.hosts) > 1
        parts = [f"once, on the first available of {hosts}" if is_choice else f"on {hosts}"]
        if task.delegate_to is not None:
            parts.append(f"delegated to {text_of(task.delegate_to)}")
        if task.traits.by:
            parts.append(f"carried out by {task.traits.by}")
        needs = self._needs(step)
        if needs:
            rule = "" if task.trigger_rule is TriggerRule.NONE_FAILED else f" ({task.trigger_rule})"
            parts.append(f"waits for {_joined(needs)}{rule}")
        if task.handler is not None:
            parts.append("adds those that are notified" if task.handler == INCLUDED else "where it is notified")
        part = part_of_block(self._plan, step)
        if part:
            parts.append(f"{part[1]} of {part[0]}")
        if task.traits.adds is not None:
            parts.append(self._adds(task, task.traits.adds))
        parts += timing_texts(self._planned, step, self._now)
        return "; ".join(parts)

    def _adds(self, task: Task, names: AddArguments) -> str:
        written = task.arguments.get(names.name) or task.arguments.get("role")
        text = f"adds {'the tasks of' if names.role is None else 'role'} {text_of(written)}"
        known = self._foreseen.by(task)
        if not known:
            return text
        return f"{text}: {', '.join(each.id for added in known for each in added.play.tasks) or 'none'}"

    def _needs(self, step: Step) -> list[str]:
        return needs_text(self._plan, step, lambda play: f"play {play + 1}")


def _joined(words: Iterable[str]) -> str:
    *first, last = list(words)
    return f"{', '.join(first)} and {last}" if first else last


#: The formats of ``drumline plan --format``.
FORMATS: Mapping[str, Callable[[Plan], str]] = {"text": as_text, "json": as_json, "dot": as_dot}


def _named(task: Task) -> str:
    """The task's id, which others need; if it was generated, with the task's text."""
    text = "" if "id" in task.positions or "name" in task.positions else task_text(task)
    return f"{task.id} ({text})" if text else task.id
