"""Handlers: which hosts notified which of them since they ran there, and so which of their jobs are needed.

A job notifies by its end (``JobFinished.notified``), on its own host. A handler is a step at each flush point of its
batch. Its job there runs if the host has notified it by then, which uses the notification up, and is unneeded
otherwise. Rules: ``docs/semantics.md`` section 9.

What was notified follows from events alone. Names that no handler of the plan has are kept as well: handlers that came
with what was included are added at a flush point by a step that asks :meth:`Handlers.unplanned` what to add.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from drumline.engine.records import StepState
from drumline.model.event import JobFinished
from drumline.model.outcome import Status
from drumline.model.plan import Plan, Step
from drumline.model.playbook import MetaTask

#: A batch: its play and its number there.
_Batch = tuple[int, int]


class Handlers:
    """The notifications of all batches."""

    def __init__(self, plan: Plan) -> None:
        self._names = [planned.play.notified for planned in plan.plays]
        self._hosts: dict[tuple[_Batch, int], dict[str, None]] = {}  # by batch and handler
        self._perhaps: dict[tuple[_Batch, int], dict[str, None]] = {}  # the same for jobs that a check can't know
        self._unplanned: dict[tuple[_Batch, str], dict[str, None]] = {}  # by batch and host: names
        self._gates: dict[int, int] = {}  # by the block of a flush point: the step that decides where it flushes

    def enter(self, step: Step) -> None:
        """A step is part of the plan."""
        if step.task.meta is MetaTask.FLUSH_HANDLERS and step.inside is not None:
            self._gates[step.inside.block] = step.index

    def note(self, step: Step, event: JobFinished) -> None:
        """A job of this step has notified handlers; one that is unclear has perhaps."""
        batch = (step.play, step.batch)
        if event.status is Status.UNCLEAR:
            for handler in (handler for name in event.notified for handler in self._names[step.play].get(name, ())):
                self._perhaps.setdefault((batch, handler), {})[event.job.host] = None
            return
        for name in event.notified:
            known = self._names[step.play].get(name)
            if known is None:
                self._unplanned.setdefault((batch, event.job.host), {})[name] = None
            for handler in known or ():
                self._hosts.setdefault((batch, handler), {})[event.job.host] = None

    def unplanned(self, play: int, batch: int, host: str) -> Collection[str]:
        """The names that a host has notified of which the plan has no handler, in order."""
        return self._unplanned.get(((play, batch), host), {})

    def is_needed(self, steps: Sequence[StepState], step: Step, host: str) -> bool:
        """Whether a handler is to run on a host at the flush point of this step, as far as is known."""
        assert step.task.handler is not None
        if host not in self._hosts.get(((step.play, step.batch), step.task.handler), ()):
            return False
        gate = self._gates.get(step.inside.block) if step.inside is not None else None
        return gate is None or steps[gate].statuses.get(host) is not Status.SKIPPED

    def is_unclear(self, step: Step, host: str) -> bool:
        """Whether it can't be known if a host has notified this handler."""
        assert step.task.handler is not None
        return host in self._perhaps.get(((step.play, step.batch), step.task.handler), ())

    def use_up(self, step: Step, host: str) -> None:
        """A handler runs on a host, with ``run_once`` for all hosts, or never will for what has been notified."""
        assert step.task.handler is not None
        key = ((step.play, step.batch), step.task.handler)
        for one in step.hosts if step.task.run_once else (host,):
            self._hosts.get(key, {}).pop(one, None)
            self._perhaps.get(key, {}).pop(one, None)
