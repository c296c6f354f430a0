"""How a job's requests are run, and ended: each on its own job's session."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from support.faked import SOON, FakedRun
from support.running import run_tasks

from drumline.execution.approvals import Approvals
from drumline.execution.runner import JobRunner
from drumline.model.event import ApprovalGiven, ApprovalRequested, Input, JobWaiting
from drumline.model.outcome import Completed, Status
from drumline.model.plan import Job
from drumline.model.request import Request, Run
from drumline.plugin.runs import Stopped
from drumline.testing.fakes import FakeSession


def test_a_session_is_not_lent_on_while_it_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a job that is stopped in the moment in which it ends takes the next one of its host with it."""
    story: list[str] = []
    ending, interrupting = threading.Event(), threading.Event()

    def answer(host: str, request: Request) -> Completed:
        assert isinstance(request, Run)
        story.append(request.text)
        if "first" in request.text:
            ending.set()
            assert interrupting.wait(SOON)  # it ends by itself when it is just about to be ended
        return Completed(code=0)

    def interrupt(_session: FakeSession) -> None:
        story.append("interrupt")
        interrupting.set()
        time.sleep(0.2)  # the other job would be on the session long before
        story.append("interrupted")

    monkeypatch.setattr(FakeSession, "interrupt", interrupt)
    ran = FakedRun(tmp_path, "command: first}\n    - {id: second, command: second, needs: []", sessions=1)
    ran.transport.answering = answer
    context = ran.context()
    note: list[Input] = []
    runner = JobRunner(context, note=note.append, approvals=Approvals(note=note.append))
    first = threading.Thread(target=runner.run, args=(Job(0, "a"),))
    first.start()
    assert ending.wait(SOON)
    second = threading.Thread(target=runner.run, args=(Job(1, "a"),))
    second.start()
    assert runner.stop(Job(0, "a"), Stopped(Status.FAILED, "late")) is None
    first.join(SOON)
    second.join(SOON)
    context.sessions.close()
    words = [text.rpartition("; ")[2] for text in story]  # without the look for the program
    assert words == ["exec first", "interrupt", "interrupted", "exec second"]


def test_what_a_job_waits_for_is_told_without_secrets(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        f"""
        - id: waits
          wait_for: {{path: "{tmp_path}/{{{{ door_password }}}}", state: absent, timeout: 5}}
          vars: {{door_password: sesamesesame}}
        - id: silent
          wait_for: {{path: "{tmp_path}/quiet", state: absent, timeout: 5}}
          no_log: true
        """,
    )
    waiting = [event for event in ran.events if isinstance(event, JobWaiting)]
    reasons = {ran.plan.steps[event.job.step].task.id: event.reason for event in waiting}
    assert str(tmp_path) in reasons["waits"]
    assert reasons["silent"] == "for something hidden by 'no_log: true'"
    assert "sesame" not in str(ran.events)
    assert all(event.until is not None and 0 < event.until - event.at <= 5 for event in waiting)


def test_of_a_questions_time_and_the_tasks_the_shorter_one_counts(tmp_path: Path) -> None:
    """The default is the question's; a task whose own time is up has failed."""
    ran = run_tasks(
        tmp_path,
        """
        - {id: asked, approve: {message: go on?, timeout: 0.1, default: approve}, timeout: 30, needs: []}
        - {id: limited, approve: {message: go on?, timeout: 30, default: approve}, timeout: 0.1, needs: []}
        """,
    )
    assert ran.status("asked") == "ok"
    assert ran.status("limited") == "failed"
    assert ran.result("limited")["msg"] == "The timeout of 0.1 s was reached while it was waiting."
    kinds = [type(event) for event in ran.events if isinstance(event, (ApprovalRequested, ApprovalGiven))]
    assert kinds.count(ApprovalGiven) == kinds.count(ApprovalRequested) == 2


def test_a_question_hides_secrets(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - id: asked
          approve: {message: "use {{ db_password }}?", timeout: 0.1, default: approve}
          vars: {db_password: sesamesesame}
        """,
    )
    [asked] = [event for event in ran.events if isinstance(event, ApprovalRequested)]
    assert asked.message.startswith("use ")
    assert "sesame" not in str(ran.events)


def test_a_connection_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = FakedRun(tmp_path, "wait_for_connection: {timeout: 1, sleep: 0}")
    over = threading.Event()
    monkeypatch.setattr(type(ran.transport), "connect", lambda *_: over.wait(SOON))
    context = ran.context()
    note: list[Input] = []
    began = time.monotonic()
    report = JobRunner(context, note=note.append, approvals=Approvals(note=note.append)).run(Job(0, "a"))
    over.set()
    assert report is not None
    assert report.event.status is Status.FAILED
    assert "did not answer within the remaining 1 s" in report.event.result["msg"]
    assert time.monotonic() - began < 10
