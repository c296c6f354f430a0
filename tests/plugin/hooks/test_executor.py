"""``drumline_executor``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from support.plugged import run_with

from drumline.journal.store import Journal
from drumline.plugin import PluginError, hookimpl
from drumline.plugin.events import Job
from drumline.plugin.runs import JobReport, Runner, RunView, Stopped

TASKS = "- {id: one, command: 'true'}\n- {id: two, command: 'true'}"


class Serial:
    """Carries one job out after the other, on one thread of its own."""

    def __init__(self, runner: Runner, report: Callable[[JobReport | Exception], None]) -> None:
        self.runner = runner
        self.report = report
        self.jobs: list[Job] = []
        self.closed = False
        self._threads: list[threading.Thread] = []

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        before = self._threads[-1] if self._threads else None
        thread = threading.Thread(target=self._carry_out, args=(job, before), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _carry_out(self, job: Job, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        report = self.runner.run(job)
        assert report is not None
        self.report(report)

    def release(self, jobs: Sequence[Job], instant: float | None = None) -> float | None:
        return self.runner.release(jobs, instant)

    def stop(self, job: Job, stopped: Stopped) -> None:
        self.runner.stop(job, stopped)

    def close(self) -> None:
        self.closed = True


class Offering:
    def __init__(self) -> None:
        self.made: list[Serial] = []
        self.runs: list[int] = []

    @hookimpl
    def drumline_executor(
        self, run: RunView, runner: Runner, report: Callable[[JobReport | Exception], None]
    ) -> Serial:
        self.runs.append(run.number)
        self.made.append(Serial(runner, report))
        return self.made[-1]


class Silent:
    @hookimpl
    def drumline_executor(self) -> None:
        return None


class Failing:
    @hookimpl
    def drumline_executor(self) -> None:
        raise LookupError("no workers")


def test_the_first_plugin_that_has_one_carries_all_jobs_out(tmp_path: Path) -> None:
    first, second = Offering(), Offering()
    ran = run_with(tmp_path, TASKS, Silent(), first, second)
    assert ran.exit_status == 0
    [serial] = first.made
    assert [job.step for job in serial.jobs] == [0, 0, 1, 1]
    assert first.runs == [1]
    assert second.made == []
    assert serial.closed
    assert [ran.status("one", "b"), ran.status("two", "a")] == ["changed", "changed"]


def test_without_one_drumlines_threads_do(tmp_path: Path) -> None:
    assert run_with(tmp_path, TASKS, Silent()).exit_status == 0


def test_a_plugin_that_fails_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    with pytest.raises(PluginError) as raised:
        run_with(tmp_path, f"- command: touch {tmp_path}/sent", Failing())
    assert str(raised.value) == (
        "A plugin has failed. Plugin 'p1' (given): hook drumline_executor failed: LookupError: no workers"
    )
    assert not (tmp_path / "sent").exists()
    with closing(Journal(tmp_path / "state")) as journal:
        assert journal.runs() == []
