<<<<<<< HEAD
"""The executor that drumline has itself: threads of this process."""
=======
"""Where jobs are run: an executor takes jobs and reports each when it has ended.

The one here uses threads of this process. Another engine (Celery) takes the same calls.
"""
>>>>>>> 41527cb (Write run, no one, has ended, synchronised start, simulated runs: the words that the vocabulary names)

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from drumline.model.plan import Job
<<<<<<< HEAD
from drumline.plugin.runs import JobReport, Runner, Stopped
=======


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """A job has ended: the event for everybody, and what only this run's later jobs may know, in clear."""

    event: JobFinished
    #: Host name to the variables that it has from here on (``register``, ``set_fact``).
    variables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: What it registered, where later jobs may ask for it through ``results``.
    values: Mapping[str, Any] | None = None


class Stopped(NamedTuple):
    """What becomes of a job that is stopped, unless it has ended by then."""

    status: Status
    reason: str  #: For people; empty when someone interrupted the run.


class Executor(Protocol):
    """Runs jobs. Each submitted job is reported exactly once, from whatever thread."""

    def submit(self, job: Job) -> None:
        """Start a job; returns at once."""
        ...

    def release(self, jobs: Sequence[Job], instant: float | None = None) -> float | None:
        """Give staged jobs the word to start, in one burst; returns the seconds from the first to the last word.

        It holds at once, or from ``instant`` on (seconds since the epoch, by this machine's clock). None: one of them
        was lost, or the instant is too near. Then no one got the word, and the jobs at fault report.
        """
        ...

    def stop(self, job: Job, stopped: Stopped) -> None:
        """End a job on its host; it still reports. Unknown or finished jobs: no effect."""
        ...

    def close(self) -> None:
        """Give up all threads and connections."""
        ...


class Runner(Protocol):
    """What runs one job (:class:`drumline.execution.runner.JobRunner`)."""

    def run(self, job: Job) -> JobReport | None:
        """Run it and report; never raises. None when ``stop`` has reported it already."""
        ...

    def release(self, jobs: Sequence[Job], instant: float | None = None) -> float | None:
        """See :meth:`Executor.release`."""
        ...

    def stop(self, job: Job, stopped: Stopped) -> JobReport | None:
        """End it. Gives the report of a job that has ended at once, since nothing is under way on its host."""
        ...
>>>>>>> 41527cb (Write run, no one, has ended, synchronised start, simulated runs: the words that the vocabulary names)


class ThreadExecutor:
    """One thread per job under way, kept for the next job. How many at most is the state's decision (forks)."""

    def __init__(self, runner: Runner, report: Callable[[JobReport | Exception], None]) -> None:
        self._runner = runner
        self._report = report
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._spare = 0  # threads without a job
        self._lock = threading.Lock()

    def submit(self, job: Job) -> None:
        with self._lock:
            if self._spare:
                self._spare -= 1
            else:
                self._grow()
        self._jobs.put(job)

    def release(self, jobs: Sequence[Job], instant: float | None = None) -> float | None:
        return self._runner.release(jobs, instant)

    def stop(self, job: Job, stopped: Stopped) -> None:
        report = self._runner.stop(job, stopped)
        if report is not None:
            self._report(report)

    def close(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)

    def _grow(self) -> None:
        """One more thread. Where this machine gives none, the job waits for one of those that there are."""
        # daemon: a host that never answers must not keep the program from ending.
        thread = threading.Thread(target=self._work, name=f"drumline-{len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            if not self._threads:
                raise
            self._spare -= 1  # whoever takes the job has promised to be spare for another one
        else:
            self._threads.append(thread)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            report = self._carry_out(job)
            with self._lock:
                self._spare += 1
            if report is not None:
                self._report(report)

    def _carry_out(self, job: Job) -> JobReport | Exception | None:
        try:
            return self._runner.run(job)
        except Exception as fault:  # a runner never raises; if it does all the same, the run must not wait for ever
            return fault
