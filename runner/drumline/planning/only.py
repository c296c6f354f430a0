"""``--only``: the tasks that a run is about, by their names; all others are left out."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from drumline.diagnostics import did_you_mean
from drumline.errors import UsageError
from drumline.loading.needs import needs_of
from drumline.model.playbook import Play, Playbook, Task, TaskPath, TriggerRule
from drumline.planning.paths import tasks_of


def with_only(playbook: Playbook, names: Collection[str]) -> Playbook:
    """The playbook, in which all other tasks are left out. Raises ``UsageError`` for names of nothing.

    A trigger rule asks about needs that take part. A task without any runs, since its needs have been seen to.
    """
    known = {path: {str(path), f"{path.play}.{task.id}", path.play} for path, task in tasks_of(playbook)}
    all_names = frozenset[str]().union(*known.values())
    for name in names:
        if name not in all_names:
            detail = f"--only {name}: write PLAY.TASK or PLAY, with their ids.{did_you_mean(name, sorted(all_names))}"
            raise UsageError("No task has this name", detail)
    chosen = {path for path, called in known.items() if called & {*names}}
    needs = needs_of(playbook.plays)

    def one(play: Play, task: Task) -> Task:
        path = play.path_of(task)
        if path not in chosen:
            return replace(task, left_out=True)
        asks = task.trigger_rule is not TriggerRule.NONE_FAILED and any(_holds(need, chosen) for need in needs[path])
        return task if asks else replace(task, trigger_rule=TriggerRule.NONE_FAILED)

    plays = (replace(play, tasks=tuple(one(play, task) for task in play.tasks)) for play in playbook.plays)
    return replace(playbook, plays=tuple(plays))


def _holds(need: TaskPath, chosen: Collection[TaskPath]) -> bool:
    """Whether a task, block or play has a task that takes part."""
    return any(path.play == need.play and path.names[: len(need.names)] == need.names for path in chosen)
