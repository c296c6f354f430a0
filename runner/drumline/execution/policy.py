"""Pure decisions: whether a job's needs let it run, and which ready jobs get a place.

``verdict`` decides by a job's trigger rule and the tally of its needs; ``Dispatch`` by the number of hosts worked on
at once (forks) and of jobs on one host (sessions).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from drumline.model.outcome import Status
from drumline.model.plan import Job
from drumline.model.playbook import TriggerRule

SUCCESS = frozenset({Status.OK, Status.CHANGED})
FAILURE = frozenset({Status.FAILED, Status.UNREACHABLE, Status.ABANDONED, Status.CANCELLED, Status.UNKNOWN})


@dataclass(slots=True)
class Tally:
    """How many jobs are open and how the others ended. Ignored failures count as success."""

    open: int = 0
    success: int = 0
    skipped: int = 0
    failed: int = 0

    def count(self, status: Status) -> None:
        """Add one job by where it stands."""
        if status in SUCCESS:
            self.success += 1
        elif status is Status.SKIPPED:
            self.skipped += 1
        elif status in FAILURE:
            self.failed += 1
        else:
            self.open += 1

    def add(self, other: Tally) -> None:
        """Add all that another tally counted."""
        self.open += other.open
        self.success += other.success
        self.skipped += other.skipped
        self.failed += other.failed


def verdict(rule: TriggerRule, needs: Tally) -> Status:
    """Where a job with these needs stands: ``pending``, ``ready``, or the final status it gets without running.

    Airflow's trigger rules (its documentation, "Trigger Rules"): the ``one_`` rules don't wait for the rest. A rule
    that can't hold any more makes the job ``abandoned`` when something failed, else ``skipped``.
    """
    if not (needs.open or needs.success or needs.skipped or needs.failed):
        return Status.READY
    hopeless, enough = _RULES[rule](needs)
    if hopeless:
        return Status.ABANDONED if needs.failed else Status.SKIPPED
    if enough or not needs.open:
        return Status.READY
    return Status.PENDING


#: For each rule: (it can't hold any more, it holds whatever comes). What is neither waits for the open needs.
_RULES: dict[TriggerRule, Callable[[Tally], tuple[bool, bool]]] = {
    TriggerRule.NONE_FAILED: lambda needs: (needs.failed > 0, False),
    TriggerRule.ALL_SUCCESS: lambda needs: (needs.failed > 0 or needs.skipped > 0, False),
    TriggerRule.ALL_DONE: lambda needs: (False, False),
    TriggerRule.ONE_SUCCESS: lambda needs: (not needs.success and not needs.open, needs.success > 0),
    TriggerRule.ONE_FAILED: lambda needs: (not needs.failed and not needs.open, needs.failed > 0),
    TriggerRule.ALL_FAILED: lambda needs: (needs.success > 0 or needs.skipped > 0, False),
}


class Dispatch:
    """Which ready jobs start next: first come first served, but a host that is being worked on goes first.

    At most ``forks`` hosts at once and ``sessions`` jobs on one host. Every operation costs the same for ten hosts
    and ten thousand.
    """

    def __init__(self, *, forks: int, sessions: int) -> None:
        self._forks = forks
        self._sessions = sessions
        self._queues: dict[str, deque[Job]] = {}  # ready jobs by host; no empty queue is kept
        # Hosts with ready jobs that nobody works on, in order; a dict would be slow to empty from its front.
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._active: dict[str, int] = {}  # jobs under way by host
        self._eager: dict[str, None] = {}  # active hosts that may have room for another ready job

    def add(self, job: Job) -> None:
        """A job is ready."""
        host = job.host
        self._queues.setdefault(host, deque()).append(job)
        if host in self._active:
            self._eager[host] = None
        else:
            self._waiting[host] = None

    def release(self, job: Job) -> None:
        """A job that was taken is over."""
        host = job.host
        self._active[host] -= 1
        if host in self._queues:
            self._eager[host] = None
        elif not self._active[host]:
            del self._active[host]

    def take(self) -> list[Job]:
        """The jobs that may start now; each is under way from here on."""
        taken: list[Job] = []
        for host in self._eager:
            self._take_from(host, taken)
        self._eager.clear()
        while self._waiting and len(self._active) < self._forks:
            host, _ = self._waiting.popitem(last=False)
            self._active[host] = 0
            self._take_from(host, taken)
        return taken

    def drop(self, steps: frozenset[int], host: str | None = None) -> list[Job]:
        """Forget and return what is ready and belongs to these steps, on one host or on all."""
        hosts = list(self._queues) if host is None else [host]
        return [job for name in hosts for job in self._drop_on(name, steps)]

    def _drop_on(self, host: str, steps: frozenset[int]) -> list[Job]:
        queue = self._queues.pop(host, deque())
        kept = deque(job for job in queue if job.step not in steps)
        if kept:
            self._queues[host] = kept
        else:
            self._waiting.pop(host, None)
            self._eager.pop(host, None)
            if not self._active.get(host, 1):
                del self._active[host]
        return [job for job in queue if job.step in steps]

    def _take_from(self, host: str, taken: list[Job]) -> None:
        queue = self._queues.get(host)
        while queue and self._active[host] < self._sessions:
            taken.append(queue.popleft())
            self._active[host] += 1
        if not queue:
            self._queues.pop(host, None)
