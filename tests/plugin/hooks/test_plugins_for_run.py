"""``drumline_plugins_for_run``."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest
from support.plugged import run_with

from drumline.plugin import UsageError, hookimpl
from drumline.plugin.events import Job
from drumline.plugin.runs import RunView


class Watcher:
    """Notes the jobs of one run."""

    def __init__(self, notes: list[str], run: RunView) -> None:
        self.notes = notes
        self.run = run

    def close(self) -> None:
        self.notes.append("closed")

    @hookimpl(wrapper=True)
    def drumline_run_job(self, job: Job) -> Generator[None, Any, Any]:
        self.notes.append(f"{self.run.number} {job.host}")
        return (yield)


class Watching:
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.runs: list[RunView] = []

    @hookimpl
    def drumline_plugins_for_run(self, run: RunView) -> Iterable[object]:
        self.runs.append(run)
        return [Watcher(self.notes, run)]


class Silent:
    @hookimpl
    def drumline_plugins_for_run(self) -> None:
        return None


class Unfit:
    @hookimpl
    def drumline_plugins_for_run(self) -> Iterable[object]:
        return [object()]


class Failing:
    def __init__(self, error: Exception) -> None:
        self.error = error

    @hookimpl
    def drumline_plugins_for_run(self) -> Iterable[object]:
        raise self.error


class Unclosable(Watcher):
    def close(self) -> None:
        raise LookupError("lost")


class Leaving(Watching):
    @hookimpl
    def drumline_plugins_for_run(self, run: RunView) -> Iterable[object]:
        return [Unclosable(self.notes, run)]


def test_each_run_has_objects_of_its_own(tmp_path: Path) -> None:
    watching = Watching()
    for _ in range(2):
        assert run_with(tmp_path, "- {name: say 1, command: 'true'}", watching, Silent()).exit_status == 0
    assert sorted(watching.notes[:2]) == ["1 a", "1 b"]
    assert sorted(watching.notes[3:5]) == ["2 a", "2 b"]
    assert watching.notes[2::3] == ["closed", "closed"]
    first, second = watching.runs
    assert (first.number, second.number) == (1, 2)
    assert first.id != second.id
    assert first.command == "run playbook.yml"
    assert first.plan.steps[0].task.name == "say 1"


def test_the_run_is_masked_where_people_see_it(tmp_path: Path) -> None:
    watching = Watching()
    tasks = "- {command: echo hunter2-hunter2, vars: {password: hunter2-hunter2}}"
    run_with(tmp_path, tasks, watching)
    [run] = watching.runs
    assert "hunter2" not in str(run.plan.steps[0].task.name)
    assert "hunter2" not in run.mask("it is hunter2-hunter2")


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        (Failing(LookupError("no room")), "Plugin 'p1' (given): hook drumline_plugins_for_run failed: LookupError: no"),
        (
            Failing(UsageError("No room", "Make some.")),
            "Plugin 'p1' (given): hook drumline_plugins_for_run failed: No room. Make some.",
        ),
        (Leaving(), "Plugin 'p1' (given) could not be closed: LookupError: lost"),
        (Unfit(), "Plugin 'p1' (given), object 1, was left out: it implements none of drumline's hooks"),
    ],
    ids=["raises", "usage", "unclosable", "unfit"],
)
def test_a_plugin_that_fails_is_named_and_the_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], plugin: object, told: str
) -> None:
    watching = Watching()
    assert run_with(tmp_path, "- command: 'true'", plugin, watching).exit_status == 0
    assert sorted(watching.notes) == ["1 a", "1 b", "closed"]
    assert f"warning: {told}" in capsys.readouterr().err
