"""The jobs of one run: what the executor's threads run, and what the driver calls meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from drumline.execution.context import RunContext
from drumline.execution.job import JobRun
from drumline.execution.requests import Asking, Requests
from drumline.model.event import Input
from drumline.model.plan import Job
from drumline.plugin.runs import JobReport, Stopped


class JobRunner:
    """Runs the jobs of one run, each on the thread that calls ``run``; the driver calls the other methods."""

    def __init__(self, context: RunContext, *, note: Callable[[Input], None], approvals: Asking) -> None:
        """``note`` is called with each job's progress; ``approvals`` puts their questions to people."""
        self._context = context
        self._note = note
        self._approvals = approvals
        self._under_way: dict[Job, JobRun] = {}
        self._stopped: dict[Job, Stopped] = {}  # also those that no thread has begun yet

    def run(self, job: Job) -> JobReport | None:
        """Run the job; never raises. None when ``stop`` has reported it already."""
        requests = Requests(self._context, job, self._note, self._approvals)
        run = self._under_way[job] = JobRun(self._context, job, requests)
        if job in self._stopped:
            requests.stopped = self._stopped[job]
        try:
            report = run.report()
            return report if run.may_report() else None
        finally:
            del self._under_way[job]
            run.over = True

    def release(self, jobs: Sequence[Job], instant: float | None = None) -> float | None:
        """Give these staged jobs the go signal. None if one can't take it any more; then none gets it."""
        from drumline.execution.burst import release  # whatever was staged has imported it

        runs = [self._under_way.get(job) for job in jobs]
        held = [run.requests.held for run in runs if run is not None and not run.requests.stopped]
        ready = [one for one in held if one is not None]
        return release(ready, instant, self._context.clock.now) if len(ready) == len(jobs) else None

    def stop(self, job: Job, stopped: Stopped) -> JobReport | None:
        """End the job on its host, whatever it is doing; one that waits for a connection has ended at once.

        Of several reasons to stop it the first one counts.
        """
        first = job not in self._stopped
        self._stopped.setdefault(job, stopped)  # before it is looked for: it may begin at this moment
        run = self._under_way.get(job)
        if run is None:
            return None
        run.requests.stopped = self._stopped[job]
        if first:
            try:
                threading.Thread(target=run.stop, name="drumline-stop", daemon=True).start()
            except RuntimeError:  # this machine gives no more threads
                run.requests.stop()
        return run.gave_up(self._stopped[job]) if run.requests.connecting and run.may_report() else None
