"""Handlers: which hosts notified which of them since they ran there, and so which of their jobs are needed.

A job notifies by its end (``JobFinished.notified``), on its own host. A handler is a step at each flush point of its
batch. Its job there runs if the host has notified it by then, which uses the notification up, and is unneeded
otherwise. Rules: ``docs/semantics.md`` section 9.

What was notified follows from events alone. Handlers that came with roles that were included have no steps until a job
of the flush point (its handler is ``INCLUDED``) adds those that were notified.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from drumline.engine.records import StepState
from drumline.model.event import JobFinished
from drumline.model.outcome import Status
from drumline.model.plan import Plan, Step
from drumline.model.playbook import INCLUDED, MetaTask, Play

#: A batch: its play and its number there.
_Batch: TypeAlias = tuple[int, int]
#: By batch and handler the hosts that notified it, each with the names that it said.
_Notified: TypeAlias = dict[tuple[_Batch, int], dict[str, frozenset[str]]]


class Handlers:
    """The notifications of all batches."""

    def __init__(self, plan: Plan) -> None:
        self._names = [planned.play.notified for planned in plan.plays]
        self._planned = [len(planned.play.handlers) for planned in plan.plays]
        self._all = [*self._planned]  # with those that came while the play ran
        self._hosts: _Notified = {}
        self._perhaps: _Notified = {}  # the same for jobs that a check can't know
        self._gates: dict[int, int] = {}  # by the block of a flush point: the step that decides where it flushes

    def enter(self, step: Step) -> None:
        """A step is part of the plan."""
        if step.task.meta is MetaTask.FLUSH_HANDLERS and step.inside is not None:
            self._gates[step.inside.block] = step.index

    def grow(self, play: int, now: Play) -> None:
        """A play has more handlers from here on: what was said before means them too, as in Ansible."""
        if len(now.handlers) == self._all[play]:
            return
        self._names[play], self._all[play] = now.notified, len(now.handlers)
        for notified in (self._hosts, self._perhaps):
            said = {key: notified.pop(key) for key in [*notified] if key[0][0] == play}
            for (batch, _), hosts in said.items():
                for host, names in hosts.items():
                    self._note(notified, batch, host, names)

    def note(self, step: Step, event: JobFinished) -> None:
        """A job of this step has notified handlers; one that is unclear has perhaps."""
        notified = self._perhaps if event.status is Status.UNCLEAR else self._hosts
        self._note(notified, (step.play, step.batch), event.job.host, event.notified)

    def _note(self, notified: _Notified, batch: _Batch, host: str, names: Iterable[str]) -> None:
        for name in names:
            for handler in self._names[batch[0]].get(name, ()):
                hosts = notified.setdefault((batch, handler), {})
                hosts[host] = hosts.get(host, frozenset()) | {name}

    def included(self, step: Step, hosts: Iterable[str]) -> tuple[int, ...]:
        """The handlers that came while the play ran, and that these hosts have notified."""
        batch = step.play, step.batch
        notified = {handler: self._hosts.get((batch, handler), {}).keys() for handler in self._came(step.play)}
        return tuple(handler for handler, by in notified.items() if not by.isdisjoint(hosts))

    def _came(self, play: int) -> range:
        """The handlers that a play got while it ran."""
        return range(self._planned[play], self._all[play])

    def _meant(self, step: Step) -> Iterable[int]:
        handler = step.task.handler
        assert handler is not None
        return self._came(step.play) if handler == INCLUDED else (handler,)

    def is_needed(self, steps: Sequence[StepState], step: Step, host: str) -> bool:
        """Whether a handler is to run on a host at the flush point of this step, as far as is known."""
        batch = step.play, step.batch
        if not any(host in self._hosts.get((batch, handler), ()) for handler in self._meant(step)):
            return False
        gate = self._gates.get(step.inside.block) if step.inside is not None else None
        return gate is None or steps[gate].statuses.get(host) is not Status.SKIPPED

    def is_unclear(self, step: Step, host: str) -> bool:
        """Whether it can't be known if a host has notified this handler."""
        batch = step.play, step.batch
        return any(host in self._perhaps.get((batch, handler), ()) for handler in self._meant(step))

    def use_up(self, step: Step, host: str) -> None:
        """A handler runs on a host, with ``run_once`` for all hosts, or never will for what has been notified."""
        assert step.task.handler is not None
        key = ((step.play, step.batch), step.task.handler)
        for one in step.hosts if step.task.run_once else (host,):
            self._hosts.get(key, {}).pop(one, None)
            self._perhaps.get(key, {}).pop(one, None)
