"""A run over hosts that answer as a test wants: everything is real but the hosts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from drumline.app import prepare
from drumline.clock import SystemClock
from drumline.config import Settings
from drumline.engine.state import RunState
from drumline.execution.approvals import Approvals
from drumline.execution.context import RunContext
from drumline.execution.driver import Driver
from drumline.execution.executors import ThreadExecutor
from drumline.execution.runner import JobRunner
from drumline.masking import Secrets
from drumline.model.event import Event, JobFinished
from drumline.model.outcome import Completed
from drumline.model.request import Request, Run
from drumline.plugin.runs import JobReport
from drumline.testing.fakes import Answer, FakeStaged, FakeTransport

T = TypeVar("T")

#: Seconds after which a run that doesn't end is stopped.
SOON = 10.0


@dataclass
class FakedRun:
    """One task over hosts a, b and c. ``on_event`` is called by the driver for each event."""

    directory: Path
    task: str
    sessions: int = 4
    forks: int = 50
    #: Seconds by which a host's clock is ahead.
    ahead: dict[str, float] = field(default_factory=dict)
    #: A host's answer to the command comes when this is set.
    gates: dict[str, threading.Event] = field(default_factory=dict)
    #: Seconds that the journal takes for each turn of the driver.
    disk: float = 0.0
    on_event: Callable[[Event], None] = lambda _event: None
    events: list[Event] = field(default_factory=list)
    transport: FakeTransport = field(init=False)
    driver: Driver = field(init=False)

    def __post_init__(self) -> None:
        self.transport = FakeTransport(name="ssh", answering=self._answer)

    def run(self) -> int:
        """Run it; returns the exit status. What takes too long is stopped."""
        context = self.context()
        self.driver = Driver(
            RunState(context.plan, forks=self.forks, sessions=self.sessions),
            run="test",
            record=self,
            listeners=[self.on_event],
            clock=SystemClock(),
            remember=context.remember,
        )
        runner = JobRunner(context, note=self.driver.note, approvals=Approvals(note=self.driver.note))
        executor = ThreadExecutor(runner, self.driver.report)
        watchdog = threading.Timer(SOON, self.driver.terminate)
        watchdog.start()
        try:
            return self.driver.run(executor)
        finally:
            watchdog.cancel()
            executor.close()
            context.sessions.close()

    def context(self) -> RunContext:
        """What the jobs of a run share."""
        (self.directory / "inventory.yml").write_text("all: {hosts: {a: , b: , c: }, vars: {ansible_connection: ssh}}")
        (self.directory / "playbook.yml").write_text(f"- hosts: all\n  tasks:\n    - {{id: flip, {self.task}}}\n")
        inventory = (str(self.directory / "inventory.yml"),)
        made = prepare([self.directory / "playbook.yml"], Settings(inventory=inventory, state=self.directory / "state"))
        return RunContext(
            plan=made.plan,
            inventory=made.inventory,
            actions=made.registry.actions,
            transports={"ssh": self.transport},
            templating=made.templating,
            extra_variables={},
            secrets=Secrets(),
            keep_output=lambda *_piece: True,
            sessions_per_host=self.sessions,
        )

    def append(self, events: Sequence[Event], _reports: Sequence[JobReport] = ()) -> None:
        time.sleep(self.disk)
        self.events += events

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def statuses(self) -> dict[str, str]:
        return {event.job.host: str(event.status) for event in self.of(JobFinished)}

    def messages(self) -> dict[str, str]:
        return {event.job.host: event.result.get("msg", "") for event in self.of(JobFinished)}

    def staged(self) -> dict[str, FakeStaged]:
        """By host; a host without one isn't in it."""
        sessions = [session for connection in self.transport.connections for session in connection.sessions]
        return {session.host: staged for session in sessions for staged in session.staged}

    def _answer(self, host: str, request: Request) -> Answer:
        assert isinstance(request, Run)
        if not request.main:
            return Completed(code=0, stdout=f"{time.time() + self.ahead.get(host, 0.0):.6f}\n".encode())
        if host in self.gates:
            assert self.gates[host].wait(SOON)
        return Completed(code=0, stdout=b"done\n")
