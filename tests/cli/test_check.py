"""Checks and diffs on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.program import Ended, call

_INVENTORY = """
all:
  vars: {ansible_connection: local}
  hosts: {a: , b: }
"""


def _called(directory: Path, tasks: str, *arguments: str) -> Ended:
    (directory / "site.yml").write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
    (directory / "inventory.yml").write_text(_INVENTORY)
    command, *options = arguments
    return call(directory, command, "site.yml", "-i", "inventory.yml", *options)


@pytest.fixture
def motd(tmp_path: Path) -> Path:
    path = tmp_path / "motd"
    path.write_text("one\ntwo\n")
    return path


def _writing(path: Path, content: str = "one\\nthree\\n") -> str:
    return f'    - {{name: Greet, copy: {{content: "{content}", dest: {path}}}}}\n'


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_check_says_what_would_change(tmp_path: Path, motd: Path, command: str) -> None:
    ended = _called(tmp_path, _writing(motd), command, "--check", "--diff")
    assert "would change Greet: " in ended.out
    assert f"--- before: {motd}\n      +++ after: {motd}\n" in ended.out
    assert "       one\n      -two\n      +three\n" in ended.out
    assert motd.read_text() == "one\ntwo\n"
    assert ended.status == {"run": 0, "plan": 3}[command]
    assert "done: 2 would change" in ended.out


def test_a_plan_is_checked_host_by_host(tmp_path: Path, motd: Path) -> None:
    tasks = _writing(motd) + "    - {name: Restart, command: 'true', when: inventory_hostname == 'b'}\n"
    ended = _called(tmp_path, tasks, "plan", "-C")
    assert ended.status == 3
    assert "  a  1 would change, 1 skipped\n" in ended.out
    assert "  b  1 would change, 1 unclear\n" in ended.out
    assert "+three" not in ended.out


@pytest.mark.parametrize(
    ("tasks", "status"),
    [
        ("    - {debug: {msg: hi}}\n", 0),
        ("    - {command: 'true', check_mode: false}\n", 0),
        ("    - {command: 'true'}\n", 3),
        ("    - {fail: {msg: no}}\n", 2),
    ],
)
def test_the_status_of_a_checked_plan_says_whether_anything_would_change(
    tmp_path: Path, tasks: str, status: int
) -> None:
    assert _called(tmp_path, tasks, "plan", "--check").status == status


def test_a_checked_plan_is_no_plan(tmp_path: Path, motd: Path) -> None:
    for wrong in (["--check", "--estimate"], ["--check", "--format", "json"], ["--check", "--lint-waits"], ["--diff"]):
        assert _called(tmp_path, _writing(motd), "plan", *wrong).status == 5


def test_real_runs_show_what_they_change(tmp_path: Path, motd: Path) -> None:
    ended = _called(tmp_path, _writing(motd), "run", "-D", "--limit", "a")
    assert "changed     Greet: a" in ended.out
    assert "      -two\n      +three\n" in ended.out
    assert motd.read_text() == "one\nthree\n"
    shown = call(tmp_path, "runs", "show")
    assert "      -two\n      +three\n" in shown.out


def test_a_long_diff_is_cut_and_says_so(tmp_path: Path, motd: Path) -> None:
    motd.write_text("".join(f"{number}\n" for number in range(1000)))
    ended = _called(tmp_path, _writing(motd, "x"), "run", "-CD", "--limit", "a")
    assert "      705 more lines of the diff: drumline runs show 1 -v" in ended.out
    assert "      -999\n" in call(tmp_path, "runs", "show", "-v").out


def test_runs_that_were_checks_are_marked(tmp_path: Path, motd: Path) -> None:
    _called(tmp_path, _writing(motd), "run", "--check")
    _called(tmp_path, _writing(motd), "run")
    real, checked = call(tmp_path, "runs", "list").out.splitlines()
    assert "only checked: drumline run" in checked
    assert "only checked" not in real
    assert "This was a check" in call(tmp_path, "runs", "show", "1").out
    assert '"check": true' in call(tmp_path, "runs", "show", "1", "--format", "json").out


def test_a_handler_that_is_perhaps_notified_is_shown(tmp_path: Path, motd: Path) -> None:
    tasks = "    - {command: 'true', notify: Restart}\n"
    tasks += f"    - {{copy: {{content: x, dest: {motd}}}, notify: Reload}}\n"
    tasks += "  handlers:\n    - {name: Restart, command: 'true'}\n    - {name: Reload, debug: {msg: hi}}\n"
    ended = _called(tmp_path, tasks, "run", "-C", "--events", "events.json")
    assert "  unclear     Restart: a, b  a task that a check can't know would notify it" in ended.out
    assert "  no change   Reload: a, b" in ended.out
    assert '"notified":["Reload"]' in (tmp_path / "events.json").read_text()
    assert ended.err == ""


def test_single_actions_are_checked_too(tmp_path: Path, motd: Path) -> None:
    (tmp_path / "inventory.yml").write_text(_INVENTORY)
    arguments = ("-m", "copy", "-a", f"content=x dest={motd}", "--check", "--diff")
    ended = call(tmp_path, "exec", "a", "-i", "inventory.yml", *arguments)
    assert "would change" in ended.out
    assert "-two" in ended.out
    assert motd.read_text() == "one\ntwo\n"
