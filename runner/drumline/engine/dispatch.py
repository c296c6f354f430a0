"""Which ready jobs get a place: forks, sessions, and the gates of steps that may not have many jobs at once."""

from __future__ import annotations

from collections import OrderedDict, deque

from msgspec import Struct, field

from drumline.model.cause import Because, Cause
from drumline.model.plan import Job


class Gate(Struct):
    """A step with a limit of its own: how many of its jobs may ask for a place, or have one, at once."""

    most: int
    inside: set[Job] = set()
    queue: OrderedDict[Job, None] = field(default_factory=OrderedDict)


class Dispatch:
    """Which ready jobs start next: first come first served, but a host that is being worked on goes first.

    At most ``forks`` hosts at once and ``sessions`` jobs on one host. Every operation costs the same for ten hosts
    and ten thousand. Each job starts for a cause: that which made it ready, or the end of the job whose slot it takes.
    """

    def __init__(self, *, forks: int, sessions: int) -> None:
        self.forks = forks
        self.sessions = sessions
        self.queues: dict[str, deque[Job]] = {}  # ready jobs by host; no empty queue is kept
        # Hosts with ready jobs that no one works on, in order; a dict would be slow to empty from its front.
        self.waiting: OrderedDict[str, None] = OrderedDict()
        self.active: dict[str, int] = {}  # jobs under way by host
        # Active hosts that may have room for another ready job, and the job that has left it.
        self.eager: dict[str, Job | None] = {}
        self.gates: dict[int, Gate] = {}  # by step; most steps have none
        self._fresh: dict[Job, Cause] = {}  # what became ready since the last take
        self._left: Job | None = None  # the job with which a host was done with since then

    def limit(self, step: int, most: int) -> None:
        """At most this many jobs of the step may be under way at once; 0 holds all back."""
        self.gates[step] = Gate(most)

    def lift(self, step: int, cause: Cause) -> None:
        """The step has no limit of its own any more."""
        gate = self.gates.pop(step, None)
        for job in gate.queue if gate else ():
            self._fresh[job] = cause
            self._enqueue(job)

    def add(self, job: Job, cause: Cause) -> None:
        """A job is ready."""
        self._fresh[job] = cause
        if self.gates and job.step in self.gates:
            gate = self.gates[job.step]
            gate.queue[job] = None
            self._let_in(gate, cause)
        else:
            self._enqueue(job)

    def _let_in(self, gate: Gate, cause: Cause) -> None:
        while gate.queue and len(gate.inside) < gate.most:
            job, _ = gate.queue.popitem(last=False)
            gate.inside.add(job)
            self._fresh[job] = cause
            self._enqueue(job)

    def _enqueue(self, job: Job) -> None:
        host = job.host
        self.queues.setdefault(host, deque()).append(job)
        if host in self.active:
            self.eager.setdefault(host, None)
        else:
            self.waiting[host] = None

    def release(self, job: Job) -> None:
        """A job that was taken has ended, or needs no place any more."""
        host = job.host
        self.active[host] -= 1
        if host in self.queues:
            self.eager[host] = job
        elif not self.active[host]:
            del self.active[host]
            self._left = job
        if self.gates:
            self._leave(job)

    def _leave(self, job: Job) -> None:
        """Another job may go in at the gate of this one's step."""
        gate = self.gates.get(job.step)
        if gate is not None and job in gate.inside:
            gate.inside.remove(job)
            self._let_in(gate, Cause(Because.THROTTLE, job))

    def take(self) -> dict[Job, Cause]:
        """The jobs that may start now, and why; each is under way from here on."""
        taken: dict[Job, Cause] = {}
        for host, left in self.eager.items():
            self._take_from(host, taken, Because.SESSION, left)
        self.eager.clear()
        while self.waiting and len(self.active) < self.forks:
            host, _ = self.waiting.popitem(last=False)
            self.active[host] = 0
            self._take_from(host, taken, Because.FORK, self._left)
        self._fresh.clear()
        self._left = None
        return taken

    def drop(self, steps: frozenset[int], host: str | None = None) -> list[Job]:
        """Forget and return what is ready and belongs to these steps, on one host or on all."""
        found = [job for step in steps & self.gates.keys() for job in self._drop_outside(step, host)]
        hosts = list(self.queues) if host is None else [host]
        for job in [job for name in hosts for job in self._drop_on(name, steps)]:
            found.append(job)
            self._leave(job)
        return found

    def _drop_outside(self, step: int, host: str | None) -> list[Job]:
        queue = self.gates[step].queue
        found = list(queue) if host is None else [job for job in (Job(step, host),) if job in queue]
        for job in found:
            del queue[job]
        return found

    def _drop_on(self, host: str, steps: frozenset[int]) -> list[Job]:
        queue = self.queues.pop(host, deque())
        kept = deque(job for job in queue if job.step not in steps)
        if kept:
            self.queues[host] = kept
        else:
            self.waiting.pop(host, None)
            self.eager.pop(host, None)
            if not self.active.get(host, 1):
                del self.active[host]
        return [job for job in queue if job.step in steps]

    def _take_from(self, host: str, taken: dict[Job, Cause], slot: Because, left: Job | None) -> None:
        queue = self.queues.get(host)
        while queue and self.active[host] < self.sessions:
            job = queue.popleft()
            taken[job] = self._fresh.get(job) or Cause(slot, left)
            self.active[host] += 1
        if not queue:
            self.queues.pop(host, None)
