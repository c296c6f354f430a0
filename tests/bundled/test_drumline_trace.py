"""The trace of a run, for programs that show where time goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.program import call
from support.running import run_tasks

TASKS = "- {id: one, name: say 1, command: echo 1}\n- {id: two, command: exit 3, ignore_errors: true}"


def traced(path: Path) -> list[dict[str, Any]]:
    """The trace as its readers take it: its last line may end with a comma, and the array need not end."""
    found: list[dict[str, Any]] = json.loads(path.read_text().rstrip().removesuffix(",") + "]")
    return found


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "trace.json"
    monkeypatch.setenv("DRUMLINE_TRACE_FILE", str(path))
    return path


def test_jobs_and_sessions_are_spans_of_their_hosts(tmp_path: Path, trace: Path) -> None:
    ran = run_tasks(tmp_path, TASKS)
    events = traced(trace)
    hosts = {event["args"]["name"]: event["pid"] for event in events if event["ph"] == "M"}
    assert set(hosts) == {"a", "b"}
    spans = [event for event in events if event["ph"] == "X"]
    on_a = [(span["cat"], span["name"]) for span in spans if span["pid"] == hosts["a"]]
    assert on_a == [("session", "open a session"), ("job", "say 1"), ("job", "two")]
    jobs = [span for span in spans if span["cat"] == "job"]
    assert {span["args"]["status"] for span in jobs} == {"changed", "failed"}
    assert {span["args"]["wave"] for span in jobs} == {0, 1}
    [end] = [event for event in ran.ends() if event.job == (0, "a")]
    [span] = [span for span in jobs if span["pid"] == hosts["a"] and span["name"] == "say 1"]
    assert span["ts"] / 1e6 == pytest.approx(end.started, abs=0.5)
    assert span["dur"] / 1e6 == pytest.approx(end.at - end.started, abs=0.5)


def test_a_session_lies_within_its_job(tmp_path: Path, trace: Path) -> None:
    run_tasks(tmp_path, TASKS, inventory="all: {hosts: {a: {ansible_connection: local}}}")
    [session, job, *_] = [event for event in traced(trace) if event["ph"] == "X"]
    assert session["tid"] == job["tid"]
    assert job["ts"] <= session["ts"]
    assert session["ts"] + session["dur"] <= job["ts"] + job["dur"] + 1


def test_no_secret_is_in_it(tmp_path: Path, trace: Path) -> None:
    run_tasks(tmp_path, "- {command: echo hunter2-hunter2, vars: {password: hunter2-hunter2}}")
    assert traced(trace)
    assert "hunter2" not in trace.read_text()


def test_a_file_that_cannot_be_written_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "playbook.yml").write_text("- {hosts: localhost, tasks: [{command: 'true'}]}")
    environment = {"DRUMLINE_TRACE_FILE": "missing/trace.json"}
    ended = call(tmp_path, "run", "playbook.yml", "-i", "localhost,", env=environment)
    assert ended.status == 0
    assert "The trace can't be written" in ended.err
    assert "missing/trace.json: No such file or directory" in ended.err


def test_without_the_variable_nothing_is_wrapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRUMLINE_TRACE_FILE", raising=False)
    monkeypatch.setattr("drumline.execution.wrapping._WrappedRunner", None)
    assert run_tasks(tmp_path, TASKS).exit_status == 0
