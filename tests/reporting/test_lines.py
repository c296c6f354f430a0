"""What reports say of results and failures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.running import run_text

from drumline.model.event import Event
from drumline.reporting.console import ConsoleReport
from drumline.reporting.lines import Line, plain, seconds
from drumline.reporting.tracker import Tracker

FLEET = "all: {vars: {ansible_connection: local}, hosts: {'web[001:200]': }}\n"


class Kept:
    """A screen that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def show(self, line: Line) -> None:
        self.lines.append(plain(line))

    def open(self, live: Any) -> None: ...

    def redraw(self) -> None: ...

    def close(self) -> None: ...


def report(directory: Path, tasks: str, *, verbose: int = 0, inventory: str = FLEET, **options: Any) -> list[str]:
    """The console's lines of a run of these tasks."""
    playbook = f"- name: All\n  hosts: all\n  tasks:\n{tasks}"
    ran = run_text(directory, playbook, inventory=inventory, **options)
    return _told(ran.plan, ran.events, verbose)


def _told(plan: Any, events: list[Event], verbose: int) -> list[str]:
    screen = Kept()
    with ConsoleReport(plan, screen, number=7, verbose=verbose) as console:
        for event in events:
            console(event)
    return screen.lines


ONE = "all: {hosts: {web1: {ansible_connection: local}}}\n"


def test_two_hundred_hosts_of_which_thirty_fail_alike(tmp_path: Path) -> None:
    # Hosts 7, 14, … 196 and 1 and 2 fail.
    odd = "inventory_hostname[3:] | int % 7 == 0 or inventory_hostname in ['web001', 'web002']"
    lines = report(tmp_path, f"    - shell: echo why >&2; exit 3\n      when: {odd}\n    - ping:\n")
    text = "\n".join(lines)
    assert text.count("stderr │ why") == 1
    assert text.count("exit code: 3") == 1
    task = "shell: echo why >&2; exit 3"
    assert f"  failed      {task}: web[001-002,007,014,021,028" in text
    assert "  30 hosts, " in text
    assert f"  skipped     {task}: web[003-006,008-013" in text
    assert "  abandoned   ping: web[001-002,007," in text
    assert lines[-1].startswith("failed: 170 ok, 170 skipped, 30 failed, 30 abandoned; 200 hosts, ")
    assert len(lines) < 25


def test_a_failure_is_shown_in_full(tmp_path: Path) -> None:
    lines = report(
        tmp_path, "    - {name: Break it, id: break, shell: 'seq 1 50; echo oops >&2; exit 3'}\n", inventory=ONE
    )
    text = "\n".join(lines)
    assert "  failed      Break it: web1  " in text
    assert f"      at {tmp_path}/playbook.yml:4:7" in lines
    assert "      non-zero return code" in lines
    assert "      command: seq 1 50; echo oops >&2; exit 3" in lines
    assert "      exit code: 3" in lines
    assert "      stdout │ … 30 lines before" in lines
    assert [line for line in lines if line.startswith("      stdout │ ") and "…" not in line] == [
        f"      stdout │ {number}" for number in range(31, 51)
    ]
    assert "      stderr │ oops" in lines


def test_a_failing_loop_shows_the_items_that_failed(tmp_path: Path) -> None:
    lines = report(tmp_path, '    - {shell: "test {{ item }} != b || exit 4", loop: [a, b, c]}\n', inventory=ONE)
    assert "      item b" in lines
    assert "      item a" not in lines
    assert "      exit code: 4" in lines


def test_an_unreachable_host_says_what_to_do(tmp_path: Path) -> None:
    lines = report(
        tmp_path,
        "    - ping:\n",
        inventory="all: {hosts: {web1: {ansible_host: 127.0.0.1, ansible_port: 1, ansible_user: nobody}}}\n",
    )
    at = lines.index("  unreachable ping: web1  " + lines[2].rsplit("  ", 1)[1])
    assert "refused" in lines[at + 2].lower()
    assert lines[-1].startswith("hosts unreachable: 1 unreachable; 1 host, ")


def test_very_long_lines_and_commands_are_cut_and_it_is_said(tmp_path: Path) -> None:
    lines = report(
        tmp_path, f"    - shell: \"head -c 100000 /dev/zero | tr '\\\\0' x; exit 1 # {'y' * 3000}\"\n", inventory=ONE
    )
    assert max(map(len, lines)) < 2200
    assert any(line.endswith("x… (100000 characters)") for line in lines)
    assert any(line.startswith("      command: head") and "characters)" in line for line in lines)


def test_verbose_shows_output_and_twice_verbose_everything(tmp_path: Path) -> None:
    tasks = "    - {id: say, command: echo hello}\n"
    assert not [line for line in report(tmp_path, tasks, inventory=ONE) if "hello" in line]
    once = report(tmp_path, tasks, inventory=ONE, verbose=1)
    assert "      stdout │ hello" in once
    assert not [line for line in once if '"rc": 0' in line]
    assert [line for line in report(tmp_path, tasks, inventory=ONE, verbose=2) if '"rc": 0' in line]


def test_debug_is_shown_always_and_folded_by_what_it_says(tmp_path: Path) -> None:
    lines = report(tmp_path, "    - debug: {msg: \"{{ 'even' if inventory_hostname[-1] in '02468' else 'odd' }}\"}\n")
    assert sorted(line for line in lines if line in ("      even", "      odd")) == ["      even", "      odd"]
    assert "100 hosts, " in "\n".join(lines)


def test_a_debug_that_was_skipped_says_nothing(tmp_path: Path) -> None:
    lines = report(tmp_path, "    - {name: Say it, debug: {msg: hidden}, when: false}\n", inventory=ONE)
    assert len(lines) == 4
    assert lines[2].startswith("  skipped     Say it: web1  ")


def test_a_barrier_names_who_came_last_when_others_waited(tmp_path: Path) -> None:
    lines = report(
        tmp_path,
        "    - shell: test {{ inventory_hostname }} != web2 || sleep 1.2\n",
        inventory=FLEET.replace("001:200", "1:3"),
    )
    [barrier] = [line for line in lines if "barrier" in line]
    assert barrier.startswith("  barrier     web2 was last to finish; the others waited up to 1.2 s, 2.4 s in total")


def test_nothing_to_do_is_said(tmp_path: Path) -> None:
    assert report(tmp_path, "    []\n", inventory=ONE)[-1].startswith("done: nothing to do; 1 host, ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.04, "40 ms"),
        (2.34, "2.3 s"),
        (12.4, "12 s"),
        (185, "3 m 05 s"),
        (7620, "2 h 07 m"),
        (59.7, "1 m 00 s"),
        (0.9999, "1.0 s"),
        (9.99, "10 s"),
    ],
)
def test_durations_are_for_people(value: float, text: str) -> None:
    assert seconds(value) == text


def test_a_screen_may_be_drawn_while_events_come(tmp_path: Path) -> None:
    ran = run_text(tmp_path, "- hosts: all\n  tasks: [{ping: }]\n", inventory=FLEET)
    tracker = Tracker(ran.plan)
    for event in ran.events:
        tracker.handle(event)
        assert sum(wave.jobs - wave.finished for wave in tracker.open_waves()) <= 200
    assert list(tracker.open_waves()) == []
    assert tracker.running == {}
