"""What earlier runs took: read from the journal by playbook, newest first, and as far back as is quick."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.worlds import P, T, build

from drumline.errors import UsageError
from drumline.journal import past
from drumline.journal.past import PastJob, past_runs
from drumline.journal.store import Journal
from drumline.model.event import JobFinished, JobStaged, RunStarted
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan
from drumline.model.playbook import Playbook

PLAN = build(P([T(["a", "b"])]))


def plan(path: str) -> Plan:
    return replace(PLAN, playbook=Playbook(path=path, plays=PLAN.playbook.plays))


def write(directory: Path, path: str, *ends: JobFinished | JobStaged) -> None:
    journal = Journal(directory)
    writer = journal.begin(plan(path), command="test")
    writer.append([RunStarted(at=1.0, run=writer.id), *ends])
    journal.close()


def end(host: str, status: Status = Status.OK, *, ignored: bool = False, began: float | None = None) -> JobFinished:
    return JobFinished(at=5.0, job=Job(0, host), status=status, started=2.0, ignored=ignored, began=began)


def test_jobs_that_did_not_fail_are_given_with_their_times(tmp_path: Path) -> None:
    write(tmp_path, "site.yml", end("a"), end("b", Status.FAILED))
    [run] = past_runs(tmp_path, "site.yml")
    assert run.endings == [PastJob(0, "a", "ok", 2.0, 5.0, None)]
    assert run.plan.steps[0].task.id == "t0"


def test_failures_that_do_not_matter_count(tmp_path: Path) -> None:
    write(tmp_path, "site.yml", end("a", Status.FAILED, ignored=True))
    [run] = past_runs(tmp_path, "site.yml")
    assert [ending.host for ending in run.endings] == ["a"]


def test_what_was_late_and_stopped_does_not_count_as_what_its_condition_skipped(tmp_path: Path) -> None:
    late = replace(end("a", Status.SKIPPED), result={"skipped": True, "stopped": True, "msg": "late at the barrier"})
    write(tmp_path, "site.yml", late, replace(end("b", Status.SKIPPED), result={"skipped": True}))
    [run] = past_runs(tmp_path, "site.yml")
    assert [ending.host for ending in run.endings] == ["b"]


def test_what_was_staged_says_when(tmp_path: Path) -> None:
    staged = JobStaged(at=3.0, job=Job(0, "a"), offset=0.0, uncertainty=0.001, round_trip=0.001)
    write(tmp_path, "site.yml", staged, end("a", began=4.0))
    [run] = past_runs(tmp_path, "site.yml")
    assert run.staged == {(0, "a"): 3.0}
    assert run.endings[0].began == 4.0


def test_a_playbook_is_known_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        write(tmp_path, "site.yml", end("a"))
    write(tmp_path, "../one/site.yml", end("b"))
    assert [run.number for run in past_runs(tmp_path, str(tmp_path / "one" / "site.yml"))] == [3, 1]
    assert [run.number for run in past_runs(tmp_path, "./site.yml")] == [2]


def test_only_the_newest_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        write(tmp_path, "site.yml", end("a"), end("b"))
    assert [run.number for run in past_runs(tmp_path, "site.yml", before=3)] == [2, 1]
    monkeypatch.setattr(past, "MOST_RUNS", 3)
    assert [run.number for run in past_runs(tmp_path, "site.yml")] == [4, 3, 2]
    monkeypatch.setattr(past, "MOST_EVENTS", 5)
    assert [run.number for run in past_runs(tmp_path, "site.yml")] == [4, 3]
    monkeypatch.setattr(past, "MOST_EVENTS", 1)
    assert [run.number for run in past_runs(tmp_path, "site.yml")] == [4]


def test_without_a_journal_there_are_none_and_none_is_made(tmp_path: Path) -> None:
    assert list(past_runs(tmp_path, "site.yml")) == []
    assert list(tmp_path.iterdir()) == []


def test_a_journal_of_an_earlier_version_is_no_mistake(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "journal.sqlite3")
    database.execute("CREATE TABLE runs (number INTEGER)")
    database.close()
    assert list(past_runs(tmp_path, "site.yml")) == []


def test_a_journal_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(UsageError, match=r"journal\.sqlite3"):
        list(past_runs(tmp_path, "site.yml"))
