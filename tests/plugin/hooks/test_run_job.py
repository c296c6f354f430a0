"""``drumline_run_job``."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest
from support.plugged import run_with
from support.worlds import P, T, build

from drumline.built_in import all_plugins
from drumline.execution.sessions import SessionPool
from drumline.execution.wrapping import wrap_sessions, wrapped
from drumline.plugin import hookimpl
from drumline.plugin.events import Job, JobFinished, Status
from drumline.plugin.runs import JobReport, Runner, RunView, Stopped

TASKS = "- {id: one, command: echo 1, register: said}\n- {id: two, debug: {msg: '{{ said.stdout }}'}}"

Finished = JobFinished | None


class Idle:
    """A runner that is never asked."""

    def run(self, job: Job) -> JobReport | None:
        raise NotImplementedError

    def release(self, jobs: Sequence[Job], instant: float | None = None) -> float | None:
        raise NotImplementedError

    def stop(self, job: Job, stopped: Stopped) -> JobReport | None:
        raise NotImplementedError


class Watching:
    def __init__(self) -> None:
        self.notes: list[str] = []

    @hookimpl(wrapper=True)
    def drumline_run_job(self, run: RunView, job: Job) -> Generator[None, Finished, Finished]:
        name = f"{run.plan.steps[job.step].task.id} {job.host}"
        self.notes.append(f"{name} begins")
        finished = yield
        assert finished is not None
        self.notes.append(f"{name} {finished.status}")
        return finished


class Lying:
    @hookimpl(wrapper=True)
    def drumline_run_job(self, job: Job) -> Generator[None, Finished, Finished]:
        yield
        return JobFinished(at=0.0, job=job, status=Status.FAILED)


class Swallowing:
    @hookimpl(wrapper=True)
    def drumline_run_job(self) -> Generator[None, Finished, Finished]:
        yield
        return None


class Replacing:
    """No wrapper: it answers without a job having been carried out."""

    @hookimpl
    def drumline_run_job(self, job: Job) -> Finished:
        return JobFinished(at=0.0, job=job, status=Status.OK)


class Twice:
    @hookimpl
    def drumline_run_job(self, perform: Callable[[], Finished]) -> Finished:
        perform()
        return perform()


class Broken:
    """Raises before the job, or after it."""

    def __init__(self, *, late: bool) -> None:
        self.late = late
        self.calls = 0

    @hookimpl(wrapper=True)
    def drumline_run_job(self) -> Generator[None, Finished, Finished]:
        self.calls += 1
        if not self.late:
            raise LookupError("no trace")
        yield
        raise LookupError("no trace")


def test_where_no_plugin_wraps_the_runner_and_the_pool_are_as_they_were() -> None:
    hooks, run = all_plugins().hooks, RunView(number=1, id="a", command="run", plan=build(P([T(["a"])])))
    pool = SessionPool({})
    before = pool.open_session
    runner: Runner = Idle()
    wrap_sessions(pool, hooks, run)
    assert pool.open_session is before
    assert wrapped(runner, hooks, run, print) is runner
    with hooks.registered("a plugin", Watching()):
        assert wrapped(runner, hooks, run, print) is not runner


def test_a_wrapper_is_called_around_every_job(tmp_path: Path) -> None:
    watching = Watching()
    assert run_with(tmp_path, TASKS, watching, hosts="a").exit_status == 0
    assert watching.notes == ["one a begins", "one a changed", "two a begins", "two a ok"]


@pytest.mark.parametrize(
    "plugin", [Lying(), Swallowing(), Replacing(), Twice()], ids=lambda plugin: type(plugin).__name__
)
def test_a_plugin_can_neither_change_a_report_nor_lose_it(tmp_path: Path, plugin: object) -> None:
    ran = run_with(tmp_path, TASKS + f"\n- shell: echo x >> {tmp_path}/{{{{ inventory_hostname }}}}", plugin)
    assert ran.exit_status == 0
    assert ran.result("two", "b")["msg"] == "1"
    assert (tmp_path / "a").read_text() == "x\n"


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_wrapper_that_raises_is_left_out_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], late: bool
) -> None:
    broken, watching = Broken(late=late), Watching()
    ran = run_with(tmp_path, TASKS, broken, watching, hosts="a")
    assert ran.exit_status == 0
    assert ran.result("two")["msg"] == "1"
    assert broken.calls == 1
    assert watching.notes[-2:] == ["two a begins", "two a ok"]
    told = "Plugin 'p1' (given): hook drumline_run_job failed: LookupError: no trace. It is left out from here on."
    assert capsys.readouterr().err == f"warning: {told}\n"
