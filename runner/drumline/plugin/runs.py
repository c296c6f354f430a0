"""For plugins that follow runs or run their jobs: what their hooks are given, and what they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from msgspec import Struct

from drumline.model.cause import THE_RUN, Cause
from drumline.model.event import Event, JobFinished
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan


class RunView(Struct, frozen=True, kw_only=True):
    """A run, as hooks are shown it."""

    number: int
    id: str
    command: str  #: How it was called, for people.
    #: Every task's name is its title, masked. The rest is as the files have it, secrets included.
    plan: Plan
    verbose: int = 0  #: How often ``-v`` was given.
    #: Takes secrets out of a text, those that become known later too. Events have none.
    mask: Callable[[str], str] = str
    #: It is about to begin. Otherwise it is read from the journal: it has ended, or goes on elsewhere.
    live: bool = True
    #: Those of all plugins (``drumline_settings``).
    settings: Mapping[str, Any] = {}


class Takes(Protocol):
    """What a report does with an event; ``missed`` is how many before it had no room, for reporters with ``gaps``."""

    def __call__(self, event: Event, missed: int = 0) -> None: ...


class Reporter(Struct, frozen=True, kw_only=True):
    """One report of a run. In a live run it has a thread of its own, and may be as slow as it likes."""

    name: str  #: What messages call it, at the beginning of a sentence.
    #: Opens it, and gives what takes the events, in order (:class:`Takes`). All of it on the same thread.
    open: Callable[[], AbstractContextManager[Callable[..., None]]]
    stream: Literal["", "stdout", "stderr"] = ""  #: Which one of ``sys`` it writes to.
    #: It can go on after events for which there was no room, and learns how many there were. Others get no more.
    gaps: bool = False


class JobReport(Struct, frozen=True, kw_only=True):
    """A job has ended: the event that everyone may see, and, unmasked, what only later jobs of this run may see."""

    event: JobFinished
    #: What it registered, where later jobs may ask for it: by ``register``, or through ``results``.
    values: Mapping[str, Any] | None = None
    #: Variables that its host has from here on, or all hosts of the batch with ``run_once`` (``set_fact``).
    facts: Mapping[str, Any] = {}
    #: The same of other hosts, by their names, instead of those (``delegate_facts``).
    given: Mapping[str, Mapping[str, Any]] = {}
    secret: bool = False  #: The event doesn't show all of these: some of it is secret.

    @property
    def leaves(self) -> bool:
        """Whether it leaves anything to later jobs."""
        return self.values is not None or bool(self.facts)


class Stopped(Struct, frozen=True):
    """What becomes of a job that is stopped, unless it has ended by then."""

    status: Status
    reason: str  #: For people; empty when someone interrupted the run.
    cause: Cause = THE_RUN  #: What brought it about.


class Executor(Protocol):
    """Runs the jobs of a run with a :class:`Runner`. Each job is reported exactly once, from any thread."""

    def submit(self, job: Job) -> None:
        """Start a job; returns at once."""
        ...

    def release(self, jobs: Sequence[Job], instant: float | None = None) -> float | None:
        """Give staged jobs the go signal, in one burst; returns the seconds from the first to the last signal.

        It holds at once, or from ``instant`` on (seconds since the epoch, by this machine's clock). None: one of them
        was lost, or the instant is too near. Then none got the signal, and the jobs at fault report.
        """
        ...

    def stop(self, job: Job, stopped: Stopped) -> None:
        """End a job on its host; it still reports. Unknown or finished jobs: no effect."""
        ...

    def close(self) -> None:
        """Give up all threads and connections."""
        ...


class Runner(Protocol):
    """Runs one job. ``run`` is for the executor's threads, the rest for the thread that calls the executor."""

    def run(self, job: Job) -> JobReport | None:
        """Carry it out and report; never raises. None when ``stop`` has reported it already."""
        ...

    def release(self, jobs: Sequence[Job], instant: float | None = None) -> float | None:
        """See :meth:`Executor.release`."""
        ...

    def stop(self, job: Job, stopped: Stopped) -> JobReport | None:
        """End it. Returns the report of a job that ends at once because nothing is under way on its host."""
        ...
