"""The console on a terminal: lines that are drawn anew and go away, and a terminal that is left as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len
from support.program import call, wait_until
from support.terminal import Terminal

PLAYBOOK = """
- name: Roll out
  hosts: web
  tasks:
    - {id: slow, shell: "while ! [ -e GATE ]; do sleep 0.05; done; echo done"}
    - {name: 日本語のとても長い名前のタスク, shell: "sleep 0.3; echo 日本語"}
    - {id: last, shell: "test {{ inventory_hostname }} != web02 || { echo broken; exit 3; }"}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "inventory").write_text("[all:vars]\nansible_connection=local\n[web]\nweb[01:12]\n")
    (tmp_path / "site.yml").write_text(PLAYBOOK.replace("GATE", str(tmp_path / "gate")), encoding="utf-8")
    return tmp_path


def test_a_live_line_tells_who_is_running_and_goes_away(directory: Path) -> None:
    with Terminal(directory, "run", "site.yml") as terminal:
        wait_until(lambda: terminal.shows("wave 1 of 3  0/12  web01 "))
        assert not terminal.screen().cursor_shown
        [line] = [line for line in terminal.screen().lines if "0/12" in line]
        assert " and 9 more" in line
        (directory / "gate").touch()
        before = terminal.attributes
        assert wait_until(lambda: terminal.shows("failed: "))
        assert terminal.attributes_now() == before
        assert terminal.end() == 2
    screen = terminal.screen()
    assert screen.cursor_shown
    assert screen.drawn_over > 2
    assert screen.unknown == []
    assert not [line for line in screen.lines if "/12" in line or " and 9 more" in line]
    assert screen.lines[0] == "Roll out"
    text = "\n".join(screen.lines)
    assert "changed     slow: web[01-12]  12 hosts" in text
    assert "stdout │ broken" in text
    assert screen.lines[-1] == ""
    assert screen.lines[-2].startswith("failed: 35 changed, 1 failed; 12 hosts, ")


@pytest.mark.parametrize("columns", [20, 40])
def test_a_narrow_terminal(directory: Path, columns: int) -> None:
    with Terminal(directory, "run", "site.yml", columns=columns) as terminal:
        wait_until(lambda: terminal.shows("wave 1 of 3"))
        (directory / "gate").touch()
        assert terminal.end() == 2
    screen = terminal.screen()
    assert not [line for line in screen.lines if "/12" in line]
    assert max(map(cell_len, screen.lines)) <= columns
    assert "".join(screen.lines).count("failed: 35 changed") == 1


def test_ctrl_c_typed_twice_leaves_the_terminal_as_it_was(directory: Path) -> None:
    with Terminal(directory, "run", "site.yml") as terminal:
        wait_until(lambda: terminal.shows("0/12"))
        terminal.type("\x03")
        wait_until(lambda: terminal.shows("the running wave finishes"))
        terminal.type("\x03")
        wait_until(lambda: terminal.shows("interrupted: 36 cancelled"))
        assert terminal.attributes_now() == terminal.attributes
        assert terminal.end() == 130
    screen = terminal.screen()
    assert screen.cursor_shown
    assert not [line for line in screen.lines if "0/12" in line]


def test_what_hosts_say_can_not_play_with_the_terminal(directory: Path) -> None:
    (directory / "site.yml").write_text(
        r"""
- hosts: web01
  tasks:
    - shell: |
        printf 'a\033[2J\033]0;title\007b\rc\010\302\233x\342\200\256y'; exit 1
"""
    )
    with Terminal(directory, "run", "site.yml") as terminal:
        assert terminal.end() == 2
    screen = terminal.screen()
    assert screen.unknown == []
    shown = [line for line in screen.lines if "stdout │" in line]
    assert shown == [r"      stdout │ a\x1b[2J\x1b]0;title\x07b", r"      stdout │ c\x08\x9bx\x202ey"]


def test_without_a_terminal_lines_are_plain(directory: Path) -> None:
    (directory / "gate").touch()
    ended = call(directory, "run", "site.yml", env={"TERM": "xterm-256color", "FORCE_COLOR": ""})
    assert ended.status == 2
    assert "\x1b" not in ended.out
    assert "\r" not in ended.out
    titles = [line for line in ended.out.splitlines() if line.startswith("wave ")]
    assert titles == [
        "wave 1 of 3: slow (12 jobs)",
        "wave 2 of 3: 日本語のとても長い名前のタスク (12 jobs)",
        "wave 3 of 3: last (12 jobs)",
    ]


def test_runs_show_on_a_terminal_uses_colours_and_no_live_lines(directory: Path) -> None:
    (directory / "gate").touch()
    call(directory, "run", "site.yml")
    with Terminal(directory, "runs", "show") as terminal:
        assert terminal.end() == 0
    assert "\x1b[1;31m" in terminal.text
    assert terminal.screen().drawn_over == 0
    assert any(line.startswith("Failures") for line in terminal.screen().lines)
