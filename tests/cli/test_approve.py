"""``approve`` in a run of the real program: answered from another process, at the terminal, by time, or not at all."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.program import call, running, wait_until
from support.terminal import Terminal
from support.worlds import P, build, chain

from drumline.cli.approve import command
from drumline.errors import UsageError
from drumline.execution.approvals import Reply, whoami
from drumline.journal.store import Journal
from drumline.journal.writer import RunWriter
from drumline.model.event import ApprovalGiven, ApprovalRequested, JobFinished, JobsStarted, RunStarted
from drumline.model.outcome import Status
from drumline.model.plan import Job

INVENTORY = "[all:vars]\nansible_connection=local\n[web]\nweb[1:3]\n"
#: The task after the gate leaves a file for each host.
PLAYBOOK = """
- name: Roll out
  hosts: web
  tasks:
    - {id: before, command: "true"}
    - id: gate
      approve: {message: "Go live on {{ play_hosts | length }} hosts?"MORE}
      register: gate
    - {id: after, shell: "echo {{ gate.approved_by | default('') }} > after-{{ inventory_hostname }}"}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(directory: Path, more: str = "") -> None:
    (directory / "inventory").write_text(INVENTORY)
    (directory / "site.yml").write_text(PLAYBOOK.replace("MORE", more))


def shown(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call(directory, "runs", "show", "--format", "json").out)
    return found


def wait_for_question(directory: Path, count: int = 1) -> None:
    """Until the run has asked, as the journal tells it."""
    journal = directory / "state" / "journal.sqlite3"
    wait_until(lambda: journal.exists() and len(shown(directory)["approvals"]) == count)


def statuses(directory: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for job in shown(directory)["jobs"]:
        found.setdefault(job["task"], set()).add(job["status"])
    return found


def went_on(directory: Path) -> int:
    return len(list(directory.glob("after-*")))


def test_another_process_approves_and_the_journal_tells_who_when_and_what(directory: Path) -> None:
    with running(directory, "run", "site.yml") as program:
        wait_for_question(directory)
        while_waiting = call(directory, "runs", "show").out
        assert went_on(directory) == 0
        answer = call(directory, "approve", "1", "--comment", "all green")
        ended = program.end()
    assert answer.status == 0, answer.said
    me = answer.out.rpartition(" ")[2].strip()
    assert answer.out == f"run 1, roll-out.gate: Go live on 3 hosts?\napproved by {me}\n"
    assert re.fullmatch(r"\S+@\S+", me)
    assert re.search(r"gate: waits for an answer since .*: drumline approve 1\n", while_waiting)
    assert ended.status == 0, ended.said
    assert "      Go live on 3 hosts?\n      answer with: drumline approve 1 [--reject]\n" in ended.out
    assert went_on(directory) == 3
    assert {path.read_text() for path in directory.glob("after-*")} == {f"{me}\n"}
    [approval] = shown(directory)["approvals"]
    asked, given = approval["requested"], approval["given"]
    assert (asked["message"], asked["job"]["task"]) == ("Go live on 3 hosts?", "gate")
    assert (given["approved"], given["by"], given["comment"]) == (True, me, "all green")
    assert asked["at"] < given["at"]
    text = call(directory, "runs", "show").out
    assert "      Go live on 3 hosts?\n" in text
    assert re.search(rf"approved    gate: by {me} at \d\d:\d\d:\d\d, after .*: all green\n", text)


@pytest.mark.parametrize(("words", "status"), [((), 0), (("--reject",), 2)], ids=["approved", "rejected"])
def test_a_question_without_a_playbook(directory: Path, words: tuple[str, ...], status: int) -> None:
    with running(
        directory, "exec", "all", "-m", "approve", "-a", "message='Go on with {{ play_hosts[0] }}?'"
    ) as program:
        wait_for_question(directory)
        answer = call(directory, "approve", "1", *words)
        ended = program.end()
    assert answer.status == 0, answer.said
    assert answer.out.startswith("run 1, exec.approve: Go on with web1?\n")
    assert ended.status == status, ended.said
    assert f"{'rejected' if words else 'approved'} by " in ended.out
    [approval] = shown(directory)["approvals"]
    assert approval["given"]["approved"] is not bool(words)


def test_a_rejection_stops_what_needs_the_task(directory: Path) -> None:
    with running(directory, "run", "site.yml") as program:
        wait_for_question(directory)
        assert call(directory, "approve", "1", "--reject", "--comment", "too hot").status == 0
        ended = program.end()
    assert ended.status == 2
    assert re.search(r"rejected by \S+@\S+: too hot", ended.out)
    assert went_on(directory) == 0
    assert statuses(directory) == {"before": {"changed"}, "gate": {"failed"}, "after": {"abandoned"}}


@pytest.mark.parametrize(("default", "status", "hosts"), [("approve", 0, 3), ("reject", 2, 0)])
def test_when_nobody_answers_in_time_the_default_holds(directory: Path, default: str, status: int, hosts: int) -> None:
    write(directory, f", timeout: 700ms, default: {default}")
    began = time.monotonic()
    ended = call(directory, "run", "site.yml", "--state", "state")
    assert time.monotonic() - began < 20
    assert (ended.status, went_on(directory)) == (status, hosts)
    assert f"answer with: drumline approve 1 --state {directory / 'state'} [--reject]" in ended.out
    assert f"approval    gate: {default}" in ended.out
    assert " if no one answers until " in ended.out
    [approval] = shown(directory)["approvals"]
    assert (approval["given"]["by"], approval["given"]["approved"]) == ("nobody", default == "approve")
    assert approval["given"]["at"] - approval["requested"]["at"] >= 0.69


def test_the_first_ctrl_c_ends_the_waiting_and_nothing_more_runs(directory: Path) -> None:
    with running(directory, "run", "site.yml") as program:
        wait_for_question(directory)
        program.ctrl_c()
        ended = program.end(20)
    assert ended.status == 130, ended.said
    assert went_on(directory) == 0
    assert statuses(directory) == {"before": {"changed"}, "gate": {"cancelled"}, "after": {"cancelled"}}
    assert shown(directory)["approvals"][0]["given"] is None
    late = call(directory, "approve", "1")
    assert (late.status, late.out) == (5, "")
    assert "Run 1 is finished" in late.err


def test_a_run_that_died_asks_nothing(directory: Path) -> None:
    with running(directory, "run", "site.yml") as program:
        wait_for_question(directory)
        os.kill(program.pid, signal.SIGKILL)
        program.end()
    answer = call(directory, "approve", "1")
    assert (answer.status, answer.out) == (5, "")
    assert "its process died" in answer.err


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[tuple[RunWriter, ApprovalRequested]]:
    """A run of this process that has asked something."""
    journal = Journal(tmp_path)
    writer = journal.begin(build(P(chain(["a"]))), command="test")
    question = ApprovalRequested(at=time.time(), job=Job(0, "a"), message="go?")
    writer.append([RunStarted(at=1, run=writer.id), JobsStarted(at=1, jobs=(question.job,)), question])
    yield writer, question
    journal.close()


def approve(directory: Path, *options: str) -> Result:
    return CliRunner().invoke(command, ["1", "--state", str(directory), *options])


def test_who_comes_second_is_told_so(asking: tuple[RunWriter, ApprovalRequested], tmp_path: Path) -> None:
    writer, question = asking
    journal = Journal(tmp_path)
    assert journal.answer(journal.find("1"), question, Reply(approved=False, by="early@desk"))
    given = ApprovalGiven(at=time.time(), job=question.job, approved=False, by="early@desk")
    timer = threading.Timer(0.3, writer.append, [[given]])
    timer.start()
    answer = approve(tmp_path)
    timer.join()
    assert isinstance(answer.exception, UsageError)
    assert str(answer.exception) == "Already answered. early@desk has already rejected it."
    journal.close()


def test_a_question_that_ends_meanwhile(asking: tuple[RunWriter, ApprovalRequested], tmp_path: Path) -> None:
    writer, question = asking
    over = JobFinished(at=time.time(), job=question.job, status=Status.CANCELLED)
    timer = threading.Timer(0.3, writer.append, [[over]])
    timer.start()
    answer = approve(tmp_path)
    timer.join()
    assert isinstance(answer.exception, UsageError)
    assert answer.exception.summary == "The run is no longer asking"


def test_a_run_that_takes_no_answer(
    asking: tuple[RunWriter, ApprovalRequested], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, question = asking
    monkeypatch.setattr("drumline.cli.approve._PATIENCE", 0.3)
    answer = approve(tmp_path, "--comment", "all green")
    assert isinstance(answer.exception, UsageError)
    assert answer.exception.summary == "The run has not taken the answer yet"
    assert writer.look(question) == Reply(approved=True, by=whoami(), comment="all green")


def test_several_questions_are_told_apart_by_their_tasks(directory: Path) -> None:
    plays = "".join(
        f"- name: {name}\n  needs: []\n  hosts: web\n  tasks:\n"
        f"    - {{id: gate, approve: {{message: 'go {name}?'}}}}\n    - {{id: x, shell: touch after-{name}}}\n"
        for name in ("one", "two")
    )
    (directory / "site.yml").write_text(plays)
    with running(directory, "run", "site.yml") as program:
        wait_for_question(directory, 2)
        unclear = call(directory, "approve", "1")
        unknown = call(directory, "approve", "1", "--task", "one.gte")
        nothing = [call(directory, "approve", "1", "--task", name).status for name in ("two.gate", "two.gate")]
        assert wait_until(lambda: (directory / "after-two").exists())
        assert not (directory / "after-one").exists()
        assert call(directory, "approve", "1", "--task", "gate", "--reject").status == 0
        ended = program.end()
    assert unclear.status == unknown.status == 5
    assert "--task one.gate: go one?\n  --task two.gate: go two?" in unclear.err
    assert "Did you mean 'one.gate'?" in unknown.err
    assert nothing == [0, 5]
    assert ended.status == 2


def test_a_run_that_asks_nothing(directory: Path) -> None:
    (directory / "site.yml").write_text("- hosts: web1\n  tasks: [{shell: 'until [ -e gate ]; do sleep 0.05; done'}]\n")
    with running(directory, "run", "site.yml") as program:
        wait_until(lambda: (directory / "state" / "journal.sqlite3").exists() and shown(directory)["waves"])
        answer = call(directory, "approve", "1")
        (directory / "gate").touch()
        assert program.end().status == 0
    assert (answer.status, answer.out) == (5, "")
    assert "The run isn't asking anything" in answer.err
    assert call(directory, "approve", "7").status == 5


def test_secrets_in_a_question_reach_nobody(directory: Path) -> None:
    (directory / "site.yml").write_text(
        "- hosts: web1\n  vars: {api_token: hunter2-hunter2}\n  tasks:\n"
        "    - approve: {message: 'use {{ api_token }}?', timeout: 0.1, default: approve}\n"
    )
    ended = call(directory, "run", "site.yml", "--events", "events")
    assert ended.status == 0
    assert "use ********?" in ended.out
    kept = (directory / "state" / "journal.sqlite3").read_bytes() + (directory / "events").read_bytes()
    assert b"hunter2" not in kept


# At the terminal.


def test_asked_at_the_terminal(directory: Path) -> None:
    with Terminal(directory, "run", "site.yml") as terminal:
        wait_until(lambda: terminal.shows("gate: approve? [y/N]"))
        assert terminal.shows("Go live on 3 hosts?")
        assert terminal.shows("answer below, or in another terminal with: drumline approve 1")
        terminal.type("ys")
        wait_until(lambda: terminal.shows("approve? [y/N] ys"))
        terminal.type("\r")
        wait_until(lambda: terminal.shows("type y to approve, n to reject"))
        assert went_on(directory) == 0
        terminal.type("YX\x7f\r")
        wait_until(lambda: terminal.shows("done: "))
        assert terminal.attributes_now() == terminal.attributes
        assert terminal.end() == 0
    screen = terminal.screen()
    assert screen.cursor_shown
    assert screen.unknown == []
    assert not [line for line in screen.lines if "[y/N]" in line]
    assert any(line.startswith("  approved    gate: by ") for line in screen.lines)
    assert went_on(directory) == 3


@pytest.mark.parametrize("keys", ["\r", "n\r", "no\n"], ids=["enter", "n", "no"])
def test_rejected_at_the_terminal(directory: Path, keys: str) -> None:
    with Terminal(directory, "run", "site.yml") as terminal:
        wait_until(lambda: terminal.shows("approve? [y/N]"))
        terminal.type(keys)
        assert terminal.end() == 2
    assert went_on(directory) == 0
    assert "rejected by " in terminal.text


def test_what_is_typed_before_the_question_answers_nothing(directory: Path) -> None:
    text = (directory / "site.yml").read_text()
    (directory / "site.yml").write_text(
        text.replace('command: "true"', "shell: 'until [ -e go ]; do sleep 0.05; done'")
    )
    with Terminal(directory, "run", "site.yml") as terminal:
        wait_until(lambda: terminal.shows("wave 1 of 3"))
        terminal.type("y\ry\r")
        (directory / "go").touch()
        wait_until(lambda: terminal.shows("approve? [y/N]"))
        assert went_on(directory) == 0
        terminal.type("n\r")
        assert terminal.end() == 2


def test_ctrl_c_at_the_prompt(directory: Path) -> None:
    with Terminal(directory, "run", "site.yml") as terminal:
        wait_until(lambda: terminal.shows("approve? [y/N]"))
        terminal.type("y\x03")
        wait_until(lambda: terminal.shows("interrupted: 3 changed, 4 cancelled"))
        assert terminal.attributes_now() == terminal.attributes
        assert terminal.end() == 130
    assert terminal.screen().cursor_shown
    assert went_on(directory) == 0


def test_answered_elsewhere_while_the_prompt_stands(directory: Path) -> None:
    with Terminal(directory, "run", "site.yml") as terminal:
        wait_until(lambda: terminal.shows("approve? [y/N]"))
        terminal.type("n")
        assert call(directory, "approve", "1").status == 0
        wait_until(lambda: terminal.shows("done: "))
        assert terminal.attributes_now() == terminal.attributes
        assert terminal.end() == 0
    assert went_on(directory) == 3


def test_two_questions_at_the_terminal_come_one_after_the_other(directory: Path) -> None:
    plays = "".join(
        f"- name: {name}\n  needs: []\n  hosts: web\n  tasks:\n    - {{id: {name}, approve: {{message: go?}}}}\n"
        for name in ("one", "two")
    )
    (directory / "site.yml").write_text(plays)
    with Terminal(directory, "run", "site.yml") as terminal:
        first = wait_until(lambda: re.search(r"(one|two): approve\? \[y/N\]", "\n".join(terminal.screen().lines)))[1]
        second = {"one": "two", "two": "one"}[first]
        assert not terminal.shows(f"{second}: approve?")
        terminal.type("y\ry\r")  # the second answer is too early
        wait_until(lambda: terminal.shows(f"{second}: approve?"))
        terminal.type("n\r")
        assert terminal.end() == 2
    given = {item["requested"]["job"]["task"]: item["given"]["approved"] for item in shown(directory)["approvals"]}
    assert given == {first: True, second: False}


def test_the_prompt_is_seen_below_more_waves_than_the_terminal_has_lines(directory: Path) -> None:
    gate = "- hosts: web\n  strategy: free\n  tasks:\n    - {id: gate, approve: {message: go?}}\n"
    (directory / "site.yml").write_text(gate + "    - ping:\n" * 60)
    with Terminal(directory, "run", "site.yml") as terminal:
        wait_until(lambda: terminal.shows("wave 61 of 61"))
        wait_until(lambda: terminal.shows("gate: approve? [y/N]"))
        terminal.type("y\r")
        assert terminal.end() == 0


PAUSE = """
- hosts: web
  tasks:
    - {id: ask, pause: {prompt: "The word?", ECHO}, register: said}
    - {id: told, debug: {msg: "got {{ said.user_input }}"}}
"""


@pytest.mark.parametrize("echo", [True, False])
def test_a_pause_without_a_time_waits_for_enter_at_the_terminal(directory: Path, echo: bool) -> None:
    (directory / "site.yml").write_text(PAUSE.replace("ECHO", f"echo: {str(echo).lower()}"))
    with Terminal(directory, "run", "site.yml") as terminal:
        wait_until(lambda: terminal.shows("ask: press Enter to go on"))
        assert terminal.shows("The word?")
        terminal.type("swordfish")
        if echo:
            wait_until(lambda: terminal.shows("press Enter to go on swordfish"))
        terminal.type("\r")
        wait_until(lambda: terminal.shows("done: "))
        assert terminal.end() == 0
    assert ("swordfish" in terminal.text) == echo
    found = {job["task"]: job["result"] for job in shown(directory)["jobs"]}
    assert found["told"]["msg"] == ("got swordfish" if echo else "got ********")


def test_a_pause_without_a_time_goes_on_with_a_warning_where_there_is_no_terminal(directory: Path) -> None:
    (directory / "site.yml").write_text(PAUSE.replace("ECHO", "echo: true"))
    ended = call(directory, "run", "site.yml", stdin=subprocess.DEVNULL)
    assert ended.status == 0, ended.said
    assert "warning: Not waiting for Enter: the run has no terminal" in ended.said
    found = {job["task"]: job["result"] for job in shown(directory)["jobs"]}
    assert found["told"]["msg"] == "got "
