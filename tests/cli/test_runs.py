"""``drumline runs``: what happened, from the journal."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from support.program import DRUMLINE, call, environment, running, wait_until
from support.terminal import Terminal

PLAYBOOK = """
- name: Roll out
  hosts: web
  tasks:
    - {id: say, command: "echo hello"}
    - {id: break, shell: "echo {{ 'x' * 50 }}; test {{ inventory_hostname }} != web2"}
    - {id: after, ping: }
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which a run was made, of which web2 failed in the second of three tasks. To be read only."""
    directory = tmp_path_factory.mktemp("runs")
    (directory / "site.yml").write_text(PLAYBOOK)
    (directory / "inventory").write_text("[all:vars]\nansible_connection=local\n[web]\nweb[1:3]\n")
    assert call(directory, "run", "site.yml").status == 2
    return directory


def test_list_has_newest_first(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    call(tmp_path, "exec", "web1", "true")
    ended = call(tmp_path, "runs", "list")
    first, second = ended.out.splitlines()
    assert first.split()[0] == "2"
    assert first.endswith("done         drumline exec web1 true")
    assert second.split()[0] == "1"
    assert "failed       drumline run site.yml" in second


def test_list_as_json(directory: Path) -> None:
    [run] = json.loads(call(directory, "runs", "list", "--format", "json").out)
    assert run["number"] == 1
    assert run["exit_status"] == 2
    assert run["playbook"] == "site.yml"
    assert run["finished"] >= run["started"] > 1_700_000_000


def test_without_runs(tmp_path: Path) -> None:
    ended = call(tmp_path, "runs", "list")
    assert (ended.status, ended.out) == (0, "No runs yet.\n")
    assert json.loads(call(tmp_path, "runs", "list", "--format", "json").out) == []
    assert call(tmp_path, "runs", "show").status == 5


def test_show_tells_failures_first_then_the_waves(directory: Path) -> None:
    ended = call(directory, "runs", "show")
    assert ended.status == 0
    text = ended.out
    order = [
        "run 1 ",
        "drumline run site.yml",
        "Failures",
        "web2",
        "site.yml:6:7",
        "exit code: 1",
        "Roll out, wave 1 of 3",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "abandoned   after: web2  because of 'break'" in text
    assert text.splitlines()[-1].startswith("failed: 2 ok, 5 changed, 1 failed, 1 abandoned; 3 hosts, ")


def test_show_with_outputs(directory: Path) -> None:
    assert "stdout │ hello" not in call(directory, "runs", "show").out
    assert "stdout │ hello" in call(directory, "runs", "show", "-v").out


def test_show_as_json(directory: Path) -> None:
    shown = json.loads(call(directory, "runs", "show", "1", "--format", "json").out)
    assert set(shown) == {
        "run",
        "failures",
        "stops",
        "waves",
        "starts",
        "approvals",
        "waiting",
        "origins",
        "jobs",
        "files",
    }
    [failure] = shown["failures"]
    assert (failure["task"], failure["host"], failure["status"]) == ("break", "web2", "failed")
    assert failure["result"]["rc"] == 1
    assert failure["started"] <= failure["ended"]
    assert [wave["counts"] for wave in shown["waves"]] == [
        {"changed": 3},
        {"changed": 2, "failed": 1},
        {"ok": 2, "abandoned": 1},
    ]
    [abandoned] = [job for job in shown["jobs"] if job["status"] == "abandoned"]
    assert abandoned["cause"]["host"] == "web2"


def test_a_run_is_found_by_number_and_by_the_beginning_of_its_id(directory: Path) -> None:
    [run] = json.loads(call(directory, "runs", "list", "--format", "json").out)
    for name in ("1", run["id"], run["id"][:8]):
        assert run["id"] in call(directory, "runs", "show", name).out


def test_a_run_that_goes_on_and_one_that_died(tmp_path: Path) -> None:
    (tmp_path / "inventory").write_text("localhost\n")
    (tmp_path / "site.yml").write_text(
        "- hosts: all\n  tasks:\n    - shell: touch began; while [ -e began ]; do sleep 0.05; done\n"
        f"      args: {{chdir: {tmp_path}}}\n"
    )
    with running(tmp_path, "run", "site.yml") as program:
        wait_until((tmp_path / "began").exists)
        assert " running " in call(tmp_path, "runs", "list").out
        going_on = call(tmp_path, "runs", "show").out
        assert "not finished: 1 running\n" in going_on
        assert re.search(r"wave 1 of 1: shell: touch began; while .*  since \d\d:\d\d:\d\d, ", going_on)
        os.kill(program.pid, signal.SIGKILL)
        program.end()
    (tmp_path / "began").unlink()
    assert " died " in call(tmp_path, "runs", "list").out
    shown = call(tmp_path, "runs", "show")
    assert shown.status == 0
    assert "not finished: 1 unknown\n" in shown.out
    assert re.search(r"unknown     shell.*: localhost  sent at \d\d:\d\d:\d\d\n", shown.out)
    assert "Check on these hosts what they did" in shown.out
    [job] = json.loads(call(tmp_path, "runs", "show", "--format", "json").out)["jobs"]
    assert (job["host"], job["status"], job["ended"]) == ("localhost", "unknown", None)
    assert job["started"] > 1_700_000_000
    output = call(tmp_path, "runs", "output", job["task"], "localhost")
    assert output.status == 5
    assert "The output of this job is unknown" in output.err
    assert "did not run there" not in output.err


def test_what_a_died_run_kept_of_a_job_is_printed_and_said_to_be_a_part(tmp_path: Path) -> None:
    (tmp_path / "inventory").write_text("localhost\n")
    (tmp_path / "site.yml").write_text(
        "- hosts: all\n  tasks:\n"
        f"    - {{id: say, shell: 'head -c 3000000 /dev/zero | tr \"\\0\" x; touch {tmp_path}/said; sleep 5'}}\n"
    )
    with running(tmp_path, "run", "site.yml") as program:
        wait_until((tmp_path / "said").exists)
        wait_until(lambda: _kept(tmp_path))
        going_on = json.loads(call(tmp_path, "runs", "show", "--format", "json").out)
        assert [job["status"] for job in going_on["jobs"]] == ["running"]
        os.kill(program.pid, signal.SIGKILL)
        program.end()
    assert "bytes of its output are kept" in call(tmp_path, "runs", "show").out
    output = call(tmp_path, "runs", "output", "say", "localhost")
    assert output.status == 0
    assert set(output.out) == {"x"}
    assert "This is what was kept so far" in output.err


def _kept(directory: Path) -> bool:
    with closing(sqlite3.connect(directory / "state" / "journal.sqlite3")) as database:
        return bool(database.execute("SELECT 1 FROM outputs").fetchone())


def test_show_of_what_is_not_there(directory: Path) -> None:
    ended = call(directory, "runs", "show", "999999999")
    assert (ended.status, ended.out) == (5, "")
    assert "'999999999': 'drumline runs list'" in ended.err


def test_output_prints_what_a_job_said(directory: Path) -> None:
    assert call(directory, "runs", "output", "say", "web1").out == "hello"
    assert call(directory, "runs", "output", "say", "web1", "--stderr").out == ""
    wrong = call(directory, "runs", "output", "sya", "web1")
    assert (wrong.status, "Did you mean 'say'?" in wrong.err) == (5, True)


def test_the_output_of_a_task_is_found_by_what_reports_call_it(tmp_path: Path) -> None:
    (tmp_path / "inventory").write_text("localhost\n")
    (tmp_path / "site.yml").write_text("- hosts: all\n  tasks:\n    - command: echo one\n    - command: echo two\n")
    call(tmp_path, "run", "site.yml")
    for name in ("command: echo two", "command-2"):
        assert call(tmp_path, "runs", "output", name, "localhost").out.strip() == "two"


BYTES = bytes(range(256)) * 5000


def test_output_gives_the_bytes_as_they_came(tmp_path: Path) -> None:
    """No text, more than is kept in memory, several items, and a try that failed before."""
    (tmp_path / "data").write_bytes(BYTES)
    (tmp_path / "inventory").write_text("web1 ansible_connection=local\n")
    (tmp_path / "site.yml").write_text(
        f"""
- hosts: all
  tasks:
    - {{id: all, command: cat {tmp_path}/data}}
    - id: few
      shell: printf 'a\\377b'; printf 'c\\376' >&2
    - {{id: items, shell: "echo {{{{ item }}}}; cat {tmp_path}/data; echo {{{{ item }}}}", loop: [one, two]}}
    - id: again
      shell: cat {tmp_path}/data; echo; test -e {tmp_path}/there && echo there || (touch {tmp_path}/there; false)
      retries: 1
      delay: 0
"""
    )
    assert call(tmp_path, "run", "site.yml").status == 0
    wanted = {
        ("all",): BYTES,
        ("few",): b"a\xffb",
        ("few", "--stderr"): b"c\xfe",
        ("items",): b"one\n" + BYTES + b"one\ntwo\n" + BYTES + b"two\n",
        ("again",): BYTES + b"\nthere\n",
    }
    for (task, *options), said in wanted.items():
        command = [*DRUMLINE, "runs", "output", task, "web1", *options]
        assert subprocess.check_output(command, cwd=tmp_path, env=environment(tmp_path)) == said, task


def test_output_at_a_terminal_can_not_play_with_it(tmp_path: Path) -> None:
    (tmp_path / "inventory").write_text("web1 ansible_connection=local\n")
    text = r"\033]52;c;aGVsbG8=\007 \342\200\256 \377 plain\r\nnext\n"
    (tmp_path / "site.yml").write_text(f"- hosts: all\n  tasks:\n    - id: say\n      shell: printf '{text}'\n")
    assert call(tmp_path, "run", "site.yml").status == 0
    with Terminal(tmp_path, "runs", "output", "say", "web1") as terminal:
        terminal.end()
    assert "\x1b" not in terminal.text
    assert r"\x1b]52;c;aGVsbG8=\x07 \x202e \xff plain" in terminal.text
    with Terminal(tmp_path, "runs", "output", "say", "web1", "--raw") as terminal:
        terminal.end()
    assert "\x1b]52;c;aGVsbG8=\x07" in terminal.text
