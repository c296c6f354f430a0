"""``drumline run``: what it does with its options, and how it ends."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from support.program import Ended, call, shell

INVENTORY = """
all:
  vars: {ansible_connection: local}
  children:
    web: {hosts: {web1: , web2: }}
    db: {hosts: {db1: }}
"""
PLAYBOOK = """
- name: Roll out
  hosts: all
  tasks:
    - {id: say, command: "echo {{ word | default('nothing') }} on {{ inventory_hostname }}", tags: [talk]}
    - {id: check, command: "true", hosts: web, changed_when: false}
"""
Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Calls ``drumline run`` in a directory with ``site.yml`` and ``inventory``."""
    (tmp_path / "site.yml").write_text(PLAYBOOK)
    (tmp_path / "inventory").write_text(INVENTORY)
    return lambda *arguments, **options: call(tmp_path, "run", *arguments, **options)


def jobs(ended: Ended) -> dict[tuple[str, str], str]:
    """Task and host to status, from ``--events -``."""
    return {
        (event["job"]["task"], event["job"]["host"]): event["status"]
        for event in ended.events()
        if event["event"] == "JobFinished"
    }


def test_everything_well_is_0(run: Run) -> None:
    ended = run("site.yml")
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[:2] == ["Roll out", "wave 1 of 2: say (3 jobs)"]
    assert lines[-1].startswith("done: 2 ok, 3 changed; 3 hosts, ")
    assert lines[-1].endswith(", run 1")


def test_some_job_failed_is_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text(
        "- hosts: all\n  tasks: [{command: 'false', when: inventory_hostname == 'db1'}]\n"
    )
    assert run("bad.yml").status == 2


def test_some_host_unreachable_and_none_failed_is_4(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    hosts = f"web1 ansible_connection=local\nweb2 ansible_host=127.0.0.1 ansible_port={port}\n"
    (tmp_path / "hosts").write_text(hosts)
    ended = run("site.yml", "-i", "hosts", "--skip-tags", "none")
    assert ended.status == 5  # there is no group web
    (tmp_path / "ping.yml").write_text("- hosts: all\n  tasks: [{ping: }]\n")
    ended = run("ping.yml", "-i", "hosts")
    assert ended.status == 4
    assert "unreachable ping: web2" in ended.out
    assert ended.out.splitlines()[-1].startswith("hosts unreachable: 1 ok, 1 unreachable; 2 hosts, ")
    (tmp_path / "both.yml").write_text("- hosts: all\n  tasks: [{command: 'false'}]\n")
    assert run("both.yml", "-i", "hosts").status == 2


def test_wrong_files_are_5(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("- hosts: all\n  tasks: [{comand: x}]\n")
    assert run("bad.yml").status == 5


def test_events_are_lines_of_json_with_schema_and_number(run: Run) -> None:
    ended = run("site.yml", "--events", "-", "-l", "web")
    assert ended.status == 0
    events = ended.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {event["schema"] for event in events} == {3}
    assert events[0]["event"] == "RunStarted"
    assert events[-1]["event"] == "RunFinished"
    assert events[-1]["exit_status"] == 0
    assert events[-1]["counts"] == {"changed": 2, "ok": 2}
    assert all(event["at"] > 1_700_000_000 for event in events)
    [finished] = [event for event in events if event["event"] == "JobFinished" and event["job"]["host"] == "web1"][:1]
    assert finished["job"] == {"play": "roll-out", "task": "say", "host": "web1", "step": 0}
    assert finished["result"]["stdout"] == "nothing on web1"
    assert "done: 2 ok, 2 changed" in ended.err  # the console gave way


def test_events_go_to_a_file(run: Run, tmp_path: Path) -> None:
    ended = run("site.yml", "--events", "events.jsonl")
    assert "done: " in ended.out
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert {json.loads(line)["schema"] for line in lines} == {3}


def test_limit_and_tags_choose(run: Run) -> None:
    assert jobs(run("site.yml", "--events", "-", "-l", "web:!web2", "-t", "talk")) == {("say", "web1"): "changed"}
    assert jobs(run("site.yml", "--events", "-", "-l", "web1", "--skip-tags", "talk")) == {("check", "web1"): "ok"}


def test_a_limit_may_stand_in_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "left.txt").write_text("web2\n")
    assert set(jobs(run("site.yml", "--events", "-", "-l", "@left.txt", "-t", "talk"))) == {("say", "web2")}


def test_extra_variables_win(run: Run, tmp_path: Path) -> None:
    (tmp_path / "more.json").write_text('{"word": "from a file"}')
    assert "from a file on web1" in run("site.yml", "-v", "-e", "word=x", "-e", "@more.json").out
    assert "last on web1" in run("site.yml", "-v", "-e", "@more.json", "-e", "word=last").out


def test_several_playbooks_run_one_after_the_other(run: Run, tmp_path: Path) -> None:
    (tmp_path / "next.yml").write_text("- {name: Next, hosts: db, tasks: [{id: last, ping: }]}\n")
    ended = run("site.yml", "next.yml", "--events", "-")
    assert ended.status == 0
    assert list(jobs(ended))[-1] == ("last", "db1")


def test_a_play_that_the_limit_leaves_without_hosts_is_passed_over(run: Run, tmp_path: Path) -> None:
    (tmp_path / "two.yml").write_text("- {hosts: web, tasks: [{ping: }]}\n- {hosts: db, tasks: [{ping: }]}\n")
    ended = run("two.yml", "-l", "db", "--events", "-")
    assert ended.status == 0, ended.said
    assert jobs(ended) == {("ping", "db1"): "ok"}


# Where defaults come from.


def test_settings_come_from_the_file_then_the_environment_then_the_command_line(run: Run, tmp_path: Path) -> None:
    for name in ("file", "environment", "option"):
        (tmp_path / name).write_text(f"{name} ansible_connection=local\n")
    (tmp_path / "ping.yml").write_text("- hosts: all\n  tasks: [{ping: }]\n")
    (tmp_path / "drumline.toml").write_text('inventory = ["file"]\nstate = "here"\nforks = 2\n')
    env = {"DRUMLINE_INVENTORY": "environment"}
    assert list(jobs(run("ping.yml", "--events", "-"))) == [("ping", "file")]
    assert list(jobs(run("ping.yml", "--events", "-", env=env))) == [("ping", "environment")]
    assert list(jobs(run("ping.yml", "--events", "-", "-i", "option", env=env))) == [("ping", "option")]


def test_the_state_directory_follows_the_same_order(tmp_path: Path) -> None:
    (tmp_path / "drumline.toml").write_text('state = "of-the-file"\n')
    for env, options, directory in (
        ({"DRUMLINE_STATE": ""}, (), "of-the-file"),
        ({"DRUMLINE_STATE": "of-the-environment"}, (), "of-the-environment"),
        ({"DRUMLINE_STATE": "of-the-environment"}, ("--state", "of-the-option"), "of-the-option"),
    ):
        ended = call(tmp_path, "exec", "localhost", *options, "-i", "localhost,", "true", env=env)
        assert ended.status == 0, ended.said
        assert (tmp_path / directory / "journal.sqlite3").exists()


def test_without_settings_runs_are_kept_in_the_xdg_state_directory(tmp_path: Path) -> None:
    env = {"DRUMLINE_STATE": "", "XDG_STATE_HOME": str(tmp_path / "xdg")}
    assert call(tmp_path, "exec", "localhost", "-i", "localhost,", "true", env=env).status == 0
    assert (tmp_path / "xdg" / "drumline" / "journal.sqlite3").exists()


def test_the_version(tmp_path: Path) -> None:
    import drumline

    ended = call(tmp_path, "--version")
    assert (ended.status, ended.out) == (0, f"drumline {drumline.__version__}\n")


def test_a_terminal_that_is_not_utf_8(run: Run, tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("- hosts: web1\n  tasks: [{command: 'printf héllo→'}]\n", encoding="utf-8")
    ended = run("site.yml", "-v", env={"PYTHONIOENCODING": "ascii"})
    assert ended.status == 0, ended.said
    assert "llo\\u2192" in ended.out


@pytest.mark.parametrize("options", [(), ("--events", "-")], ids=["console", "events"])
def test_a_reader_that_leaves_does_not_end_the_run(run: Run, tmp_path: Path, options: tuple[str, ...]) -> None:
    assert shell(tmp_path, '{ drumline run site.yml "$@"; echo $? > status; } | true', *options).status == 0
    assert (tmp_path / "status").read_text() == "0\n"
    shown = json.loads(call(tmp_path, "runs", "show", "--format", "json").out)
    assert len(shown["jobs"]) == 5


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_behind_the_events_does_not_end_the_run(run: Run) -> None:
    ended = run("site.yml", "--events", "/dev/full")
    assert ended.status == 0
    assert ended.err.count("warning: --events /dev/full can't be written any more: No space left on device.") == 1
    assert "done: 2 ok, 3 changed" in ended.out


def test_what_a_loop_says_is_shown_item_by_item(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(
        """
- hosts: all
  gather_facts: false
  tasks:
    - {debug: {msg: "it is {{ item }}"}, loop: [1, 2, 3], when: item != 2}
    - {debug: {var: item}, loop: [four]}
"""
    )
    said = call(tmp_path, "run", "site.yml", "-i", "a,", "-e", "ansible_connection=local").said
    assert [line.strip() for line in said.splitlines() if "it is" in line and "debug" not in line] == [
        "it is 1",
        "it is 3",
    ]
    assert '"item": "four"' in said
    assert "All items completed" not in said
