"""The journal: durable, replayable, readable while it is written, and clear when it can't be written."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from msgspec.structs import replace
from support.worlds import P, T, build, chain

from drumline.errors import UsageError
from drumline.execution.approvals import Reply
from drumline.journal.keys import RunKey
from drumline.journal.past import past_runs
from drumline.journal.reopening import read_back
from drumline.journal.store import Journal
from drumline.journal.upkeep import Keeping, prune
from drumline.journal.writer import JournalFailed
from drumline.masking import Secrets
from drumline.model.event import (
    ApprovalGiven,
    ApprovalRequested,
    Event,
    JobFinished,
    JobsStarted,
    RunFinished,
    RunStarted,
)
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan
from drumline.plugin.history import Kept, RunInfo

PLAN = build(P(chain(["a", "b"], ["a", "b"])), P([T(["c"])], needs=[0]))


def test_a_prefix_of_a_journal_gives_the_state_at_that_moment(tmp_path: Path) -> None:
    """After a crash every job is known to be not started, finished, or started with unknown result (promise 2)."""
    journal = Journal(tmp_path)
    writer = journal.begin(PLAN, command="test")
    jobs = (Job(0, "a"), Job(0, "b"))
    writer.append([RunStarted(at=1, run=writer.id), JobsStarted(at=1, jobs=jobs)])
    writer.append([JobFinished(at=2, job=jobs[0], status=Status.CHANGED, result={"rc": 0})])
    run = journal.find(None)
    state = read_back(journal, run, RunKey(tmp_path, run.id), Secrets()).state
    assert state.status(jobs[0]) is Status.CHANGED
    assert state.running == (jobs[1],)
    assert state.status(Job(1, "a")) is Status.PENDING
    journal.close()


def test_what_was_committed_survives_a_killed_process(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from drumline.journal.store import Journal\n"
        "from drumline.model.event import RunStarted\n"
        "from drumline.model.plan import Plan\n"
        "from drumline.model.playbook import Playbook\n"
        "writer = Journal(Path(sys.argv[1])).begin(Plan(playbook=Playbook(path='p.yml')), command='x')\n"
        "writer.append([RunStarted(at=5.0, run=writer.id)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    assert done.returncode == -signal.SIGKILL
    journal = Journal(tmp_path)
    run = journal.find(None)
    assert [event.at for event in journal.events(run)] == [5.0]
    assert not run.alive
    assert run.exit_status is None
    journal.close()


def test_others_read_while_a_run_writes(tmp_path: Path) -> None:
    first, second = Journal(tmp_path), Journal(tmp_path)
    writer = first.begin(PLAN, command="test")
    writer.append([RunStarted(at=1, run=writer.id)])
    assert second.find(None).alive
    assert len(list(second.events(second.find(None)))) == 1
    writer.append([RunFinished(at=3, counts={"ok": 1}, exit_status=2)])
    assert (second.find("1").finished, second.find("1").exit_status) == (3, 2)
    first.close()
    second.close()


def test_output_that_a_result_had_no_room_for_is_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    writer = journal.begin(PLAN, command="test")
    for piece in (b"one ", b"two"):
        writer.keep_output(Job(0, "a"), 1, "stdout", piece)
    assert journal.output(journal.find(None), Job(0, "a"), "stdout") == {1: Kept(rest=b"one two")}
    journal.close()


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    Journal(tmp_path / "state").close()
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state" / "journal.sqlite3").stat().st_mode & 0o777 == 0o600


def test_a_directory_that_cannot_be_written_is_the_callers_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--state") as error:
        Journal(tmp_path / "file" / "below")
    assert "Nothing was sent" in str(error.value)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(UsageError, match=r"journal\.sqlite3"):
        Journal(tmp_path)


def test_a_full_disk_ends_the_run_with_a_clear_error(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    writer = journal.begin(PLAN, command="test")
    # SQLite itself refuses to grow the file: the very error (SQLITE_FULL) that a full disk gives.
    pages = journal._database.execute("PRAGMA page_count").fetchone()[0]
    journal._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalFailed, match="full"):
        writer.keep_output(Job(0, "a"), 1, "stdout", os.urandom(1_000_000))
    journal.close()


def test_runs_are_found_by_number_id_and_beginning_of_the_id(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(UsageError, match="no runs yet"):
        journal.find(None)
    ids = [journal.begin(PLAN, command="test").id for _ in range(2)]
    assert journal.find(None).id == ids[1]
    assert journal.find("1").id == ids[0]
    assert journal.find(ids[0][:8]).number == 1
    with pytest.raises(UsageError, match="no such run"):
        journal.find("99")
    assert [run.number for run in journal.runs()] == [2, 1]
    journal.close()


def with_arguments(**fields: Any) -> Plan:
    """A plan of one task, with these fields."""
    step = PLAN.steps[0]
    return replace(PLAN, steps=(replace(step, task=replace(step.task, **fields)), *PLAN.steps[1:]))


@pytest.mark.parametrize(("schema", "age"), [(99, "A newer"), (2, "An older")])
def test_a_run_of_another_schema_is_refused_in_words(tmp_path: Path, schema: int, age: str) -> None:
    journal = Journal(tmp_path)
    journal.begin(PLAN, command="test")
    [run] = journal.runs()
    journal._database.execute("UPDATE runs SET schema = ?", (schema,))
    with pytest.raises(UsageError, match=f"{age} drumline wrote this run") as raised:
        journal.find(None)
    assert f"has schema {schema}, and this version reads schema 3" in raised.value.detail
    [listed] = journal.runs()
    assert listed == replace(run, schema=schema, now=listed.now)
    with pytest.raises(UsageError, match=f"{age} drumline"):
        journal.plan(listed)
    assert list(past_runs(tmp_path, PLAN.playbook.path)) == []
    journal.close()


def test_a_journal_needs_no_key_as_long_as_nothing_is_secret(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from drumline.journal.store import Journal\n"
        "from drumline.model.event import RunStarted; from drumline.model.plan import Plan\n"
        "from drumline.model.playbook import Playbook\n"
        "writer = Journal(Path(sys.argv[1])).begin(Plan(playbook=Playbook(path='p.yml')), command='x')\n"
        "writer.append([RunStarted(at=5.0, run=writer.id)])\n"
        "sys.exit('cryptography' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, tmp_path], check=False).returncode == 0
    assert not (tmp_path / "keys").exists()


def test_a_key_is_its_owners_alone_and_gone_with_the_run(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    plan = with_arguments(arguments={"password": "hunter2"})
    keys = tmp_path / "keys"
    for status in (0, 2):
        writer = journal.begin(plan, command="test")
        [key] = keys.iterdir()
        assert key.name == writer.id
        assert (keys.stat().st_mode & 0o777, key.stat().st_mode & 0o777) == (0o700, 0o600)
        run = journal.find(writer.id)
        assert journal.whole_plan(run, RunKey(tmp_path, run.id).open) == plan
        assert journal.plan(run).steps[0].task.arguments == {"password": "********"}
        writer.append([RunStarted(at=1, run=writer.id), RunFinished(at=2, counts={}, exit_status=status)])
        assert [path.name for path in keys.iterdir()] == ([] if status == 0 else [writer.id])
        assert journal.whole_plan(run, RunKey(tmp_path, run.id).open).steps[0].task.arguments == (
            {"password": "********"} if status == 0 else {"password": "hunter2"}
        )
    prune(journal, Keeping(runs=0))
    assert list(keys.iterdir()) == []
    journal.close()


def test_a_key_that_cannot_be_destroyed_ends_no_run_badly_and_goes_with_the_next_prune(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    writer = journal.begin(with_arguments(arguments={"password": "hunter2"}), command="test")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", Mock(side_effect=PermissionError(1, "Operation not permitted")))
        writer.append([RunStarted(at=1, run=writer.id), RunFinished(at=2, counts={}, exit_status=0)])
    prune(journal, Keeping())
    assert list((tmp_path / "keys").iterdir()) == []
    journal.close()


def test_keys_without_a_run_are_removed_when_they_are_old(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    RunKey(tmp_path, "young").close(b"")
    RunKey(tmp_path, "old").close(b"")
    os.utime(tmp_path / "keys" / "old", (0, 0))
    prune(journal, Keeping(runs=0))
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["young"]
    journal.close()


def test_a_key_that_cannot_be_written_stops_a_run_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("in the way")
    journal = Journal(tmp_path)
    with pytest.raises(UsageError, match="The journal can't be written"):
        journal.begin(with_arguments(arguments={"password": "hunter2"}), command="test")
    assert journal.runs() == []
    journal.close()


def _asking(journal: Journal, *more: Event) -> RunInfo:
    """A run that has asked two questions, on hosts a and b."""
    writer = journal.begin(PLAN, command="test")
    jobs = (Job(0, "a"), Job(0, "b"))
    asked = [ApprovalRequested(at=1.1 + number, job=job, message=job.host) for number, job in enumerate(jobs)]
    writer.append([RunStarted(at=1, run=writer.id), JobsStarted(at=1, jobs=jobs), *asked, *more])
    return journal.find(writer.id)


def test_a_question_is_open_until_it_is_decided_or_its_job_is_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    run = _asking(journal)
    a, b = journal.questions(run)
    assert (a.message, b.message, a.at) == ("a", "b", 1.1)
    given = ApprovalGiven(at=5, job=Job(0, "b"), approved=False, by="ops@desk", comment="no")
    stopped = JobFinished(at=6, job=Job(0, "a"), status=Status.CANCELLED)
    assert [question.message for question in journal.questions(_asking(journal, given))] == ["a"]
    assert [question.message for question in journal.questions(_asking(journal, stopped))] == ["b"]
    again = ApprovalRequested(at=7, job=Job(0, "b"), message="again")
    asked_again = _asking(journal, given, again)
    assert [question.message for question in journal.questions(asked_again)] == ["a", "again"]
    assert journal.decision(asked_again, b) == given
    assert journal.decision(asked_again, a) is None
    assert journal.decision(asked_again, again) is None
    journal.close()


def test_an_answer_reaches_the_process_that_runs_and_the_first_one_stays(tmp_path: Path) -> None:
    journal, other = Journal(tmp_path), Journal(tmp_path)
    writer = journal.begin(PLAN, command="test")
    question = ApprovalRequested(at=1700000000.123456, job=Job(0, "a"), message="go?")
    writer.append([question])
    run = other.find(writer.id)
    assert writer.look(question) is None
    first = Reply(approved=True, by="ops@desk", comment="it's fine")
    assert other.answer(run, question, first)
    assert not other.answer(run, question, Reply(approved=False, by="late@desk"))
    assert writer.look(question) == first
    assert writer.look(replace(question, at=question.at + 1)) is None
    assert writer.look(replace(question, job=Job(0, "b"))) is None
    journal.close()
    other.close()


def test_a_database_with_other_tables_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journal.sqlite3") as database:
        database.execute("CREATE TABLE runs (number INTEGER PRIMARY KEY, id TEXT)")
    database.close()
    with pytest.raises(UsageError, match="no such column: started"):
        Journal(tmp_path)
