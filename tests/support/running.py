"""Runs a playbook's text as the program would, and gives tests its events by task and host."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drumline.app import prepare
from drumline.app.carrying_out import carry_out
from drumline.config import ForPlugins, Settings
from drumline.model.event import Event, JobFinished, JobsAbandoned, PlanGrown
from drumline.model.plan import Plan, without_later

LOCAL = """
all:
  vars: {ansible_connection: local}
  hosts:
    a:
    b:
"""


@dataclass
class Ran:
    """What came of a run."""

    plan: Plan
    exit_status: int = -1
    events: list[Event] = field(default_factory=list)

    def take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, PlanGrown):
            self.plan = self.plan.grown(event.growth)

    def ends(self) -> list[JobFinished]:
        return [event for event in self.events if isinstance(event, JobFinished)]

    def result(self, task: str, host: str = "a") -> Mapping[str, Any]:
        return self._end(task, host).result

    def status(self, task: str, host: str = "a") -> str:
        for event in self.events:
            if isinstance(event, JobsAbandoned):
                for job in event.jobs:
                    if (self.plan.steps[job.step].task.id, job.host) == (task, host):
                        return str(event.status)
        return str(self._end(task, host).status)

    def _end(self, task: str, host: str) -> JobFinished:
        [found] = [
            event for event in self.ends() if (self.plan.steps[event.job.step].task.id, event.job.host) == (task, host)
        ]
        return found


def run_text(
    directory: Path,
    playbook: str,
    *,
    inventory: str = LOCAL,
    extra: Sequence[str] = (),
    listen: Callable[[Event], None] = lambda _event: None,
    check: bool = False,
    diff: bool = False,
    **settings: Any,
) -> Ran:
    """Write both texts to the directory, run the playbook, and return what happened.

    ``listen`` is called for each event when it is durable.
    """
    (directory / "playbook.yml").write_text(textwrap.dedent(playbook))
    (directory / "inventory.yml").write_text(textwrap.dedent(inventory))
    for_plugins = ForPlugins(environment=os.environ)
    inventory_file = (str(directory / "inventory.yml"),)
    made = Settings(inventory=inventory_file, state=directory / "state", for_plugins=for_plugins, **settings)
    prepared = prepare([directory / "playbook.yml"], made, extra_vars=extra, check=check, diff=diff)
    ran = Ran(without_later(prepared.plan))
    ran.exit_status = carry_out(prepared, lambda _run: [ran.take, listen], command="test")
    return ran


def run_tasks(directory: Path, tasks: str, *, keywords: str = "", **options: Any) -> Ran:
    """Run a list of tasks over hosts ``a`` and ``b``; ``keywords`` are further lines of the play."""
    play = f"- hosts: all\n{textwrap.indent(textwrap.dedent(keywords), '  ')}\n  tasks:\n"
    return run_text(directory, play + textwrap.indent(textwrap.dedent(tasks), "    "), **options)
