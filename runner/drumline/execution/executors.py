"""drumline's own executor: threads of this process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from drumline.model.plan import Job
from drumline.plugin.runs import JobReport, Runner, Stopped


class ThreadExecutor:
    """One thread per running job, kept for the next one. The state limits their number (forks)."""

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
        """Add a thread. If the machine can't, the job waits for an existing one."""
        # daemon: a host that never answers must not keep the program from ending.
        thread = threading.Thread(target=self._work, name=f"drumline-{len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            if not self._threads:
                raise
            self._spare -= 1  # the thread that takes the job is no longer spare
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
        except Exception as fault:  # a runner never raises; if it does, the run must not wait for ever
            return fault
