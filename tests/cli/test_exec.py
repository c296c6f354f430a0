"""``drumline exec``: one command on many hosts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.needs import need
from support.program import Ended, call, needs_sudo, processes_with

from drumline_lab.sshd import Sshd

Exec = Callable[..., Ended]


@pytest.fixture
def exec_(tmp_path: Path) -> Exec:
    """Calls ``drumline exec`` in a directory with an inventory of web01 to web40 and db1."""
    (tmp_path / "inventory").write_text("[all:vars]\nansible_connection=local\nport=80\n[web]\nweb[01:40]\n[db]\ndb1\n")
    return lambda *arguments: call(tmp_path, "exec", *arguments)


def test_equal_outputs_of_many_hosts_are_shown_once(exec_: Exec) -> None:
    ended = exec_("web", "--", "echo", "hello")
    assert ended.status == 0
    assert ended.out.count("stdout │ hello") == 1
    assert "web[01-40]  40 hosts, " in ended.out


def test_hosts_that_answer_otherwise_are_told_apart(exec_: Exec) -> None:
    ended = exec_("web", "test {{ inventory_hostname }} = web07 && echo odd || echo even")
    assert ended.out.count("stdout │ even") == 1
    assert "web[01-06,08-40]  39 hosts, " in ended.out
    assert "web07  " in ended.out
    assert ended.out.count("stdout │ odd") == 1


def test_a_single_word_is_a_line_for_the_shell(exec_: Exec) -> None:
    assert "stdout │ 3" in exec_("db", "printf 'a\\nb\\nc\\n' | wc -l").out.replace("       3", " 3")


def test_several_words_are_a_program_and_its_arguments(exec_: Exec) -> None:
    assert "stdout │ a  b | wc $(id) *;" in exec_("db", "--", "echo", "a  b", "|", "wc", "$(id)", "*;").out


def test_options_of_the_command_are_its_own(exec_: Exec) -> None:
    assert "stdout │ -v -i x --help" in exec_("db", "--", "echo", "-v", "-i", "x", "--help").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["db", "echo", "-v", "-i", "x", "--limit", "y", "--help"], "-v -i x --limit y --help"),
        (["db", "-l", "db1", "echo", "-l", "--clock"], "-l --clock"),
        (["-vl", "db1", "all", "--timeout=9", "echo", "-n", "--", "x"], "-- x"),
        (["--", "db", "echo", "-m", "-a"], "-m -a"),
        (["db", "--", "echo", "--", "-b"], "-- -b"),
        (["db", "printf", "%s", "-b"], "-b"),
    ],
)
def test_options_after_the_first_word_of_the_command_are_its_own(exec_: Exec, words: list[str], said: str) -> None:
    ended = exec_(*words)
    assert f"stdout │ {said}\n" in ended.out, ended.said


def test_drumlines_options_behind_a_whole_line_are_a_mistake(exec_: Exec) -> None:
    ended = exec_("db", "echo hello", "-l", "db1")
    assert ended.status == 5
    assert "Options come before the command" in ended.err
    assert "-l comes after it" in ended.err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-m", "ping"], "  ok          ping: db1  "),
        (["-a", "echo -n hi"], "      stdout │ hi"),
        (["-m", "shell", "-a", "echo $((6 * 7))"], "      stdout │ 42"),
        (["-m", "debug", "-a", "msg='{{ port }} and more'"], "      80 and more"),
        (["-m", "debug", "-a", '{"msg": "{{ port }}"}'], "      80"),
        (["-m", "ansible.builtin.command", "-a", "echo hi"], "      stdout │ hi"),
    ],
)
def test_an_action_with_its_arguments(exec_: Exec, words: list[str], line: str) -> None:
    ended = exec_("db", *words)
    assert ended.status == 0, ended.said
    assert line in ended.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-m", "coppy"], "Did you mean 'copy'?"),
        (["-m", "copy", "-a", "srcc=x dest=y"], "'copy' has no argument 'srcc'. Did you mean 'src'?"),
        (["-m", "copy", "-a", "{"], "This file isn't valid YAML"),
        (["-m", "ping", "uptime"], "-m and -a say what to run, and so does 'uptime'"),
        (["-m", "shell", "-a", "ls", "--executable", "bash"], "--executable is for commands"),
        (["-m", "ping", "--clock"], "There is nothing to run with --clock"),
    ],
)
def test_a_wrong_action_is_told_before_anything_is_sent(exec_: Exec, words: list[str], said: str) -> None:
    ended = exec_("db", *words)
    assert ended.status == 5
    assert said in ended.err


def test_templates_are_rendered_for_each_host(exec_: Exec) -> None:
    ended = exec_("web01:db", "--", "echo", "{{ inventory_hostname }}:{{ port }}")
    assert "stdout │ web01:80" in ended.out
    assert "stdout │ db1:80" in ended.out


def test_a_template_that_is_wrong_is_said_before_anything_is_sent(exec_: Exec, tmp_path: Path) -> None:
    ended = exec_("db", "--", "touch", str(tmp_path / "sent"), "{{ prot }}")
    assert ended.status == 5
    assert "'prot'" in ended.err
    assert "Did you mean 'port'?" in ended.err
    assert not (tmp_path / "sent").exists()


def test_a_command_that_fails_is_2_and_shown_in_full(exec_: Exec) -> None:
    ended = exec_("db", "echo said; echo why >&2; exit 7")
    assert ended.status == 2
    for text in ("failed ", "db1", "exit code: 7", "stdout │ said", "stderr │ why", "echo said; echo why >&2; exit 7"):
        assert text in ended.out


def test_time_out_ends_the_command_and_its_children(exec_: Exec, tmp_path: Path) -> None:
    began = time.monotonic()
    ended = exec_("--timeout", "0.5", "db", f"sleep 60 & sleep 60; : {tmp_path}/marker")
    assert ended.status == 2
    assert time.monotonic() - began < 10
    assert "0.5" in ended.out
    assert processes_with(f"{tmp_path}/marker") == []


def test_become_runs_as_root(exec_: Exec) -> None:
    needs_sudo()
    assert "stdout │ 0" in exec_("--become", "db", "--", "id", "-u").out


def test_limit_forks_and_shell_are_taken(exec_: Exec) -> None:
    ended = exec_("all", "-l", "web01,db1", "-f", "1", "--executable", "/bin/sh", "echo $0")
    assert ended.status == 0
    assert "db1" in ended.out
    assert "2 hosts" in ended.out.splitlines()[-1]


def test_a_pattern_that_matches_nothing_is_5(exec_: Exec) -> None:
    ended = exec_("wbe", "true")
    assert (ended.status, ended.out) == (5, "")
    assert "Did you mean 'web'?" in ended.err


@pytest.mark.parametrize("arguments", [["db", ""], ["db", "--timeout", "-3", "true"], ["", "true"]])
def test_what_can_not_be_meant_is_5(exec_: Exec, arguments: list[str]) -> None:
    ended = exec_(*arguments)
    assert (ended.status, ended.out) == (5, "")
    assert "rror: " in ended.err


def test_it_is_a_run_like_any_other(exec_: Exec, tmp_path: Path) -> None:
    exec_("db", "--", "echo", "two words")
    assert "drumline exec db -- echo 'two words'" in call(tmp_path, "runs", "list").out


def test_clocks_are_compared(exec_: Exec, tmp_path: Path) -> None:
    """This machine's own clock isn't off, as far as it is known."""
    ended = exec_("--clock", "web[01:02]:db")
    assert ended.status == 0, ended.said
    rows = [line.split()[0] for line in ended.out.splitlines() if line.startswith("      ")]
    jobs = json.loads(call(tmp_path, "runs", "show", "--format", "json").out)["jobs"]
    found = sorted((job["result"]["offset"], job["host"]) for job in jobs)
    assert rows == ["host", *(host for _, host in found), "furthest"], ended.out
    for job in jobs:
        reading = job["result"]
        assert abs(reading["offset"]) <= reading["uncertainty"] <= reading["round_trip"] < 5


def test_clocks_that_are_wrong(tmp_path: Path) -> None:
    need("sshd")
    ahead = {"late": -7200.5, "right": 0.0, "early": 3600.25}
    with ExitStack() as stack:
        lines = []
        for name, offset in ahead.items():
            server = stack.enter_context(Sshd(tmp_path / name, clock_offset=offset))
            settings = {
                "host": server.addresses[0],
                "port": server.port,
                "user": server.user,
                "ssh_private_key_file": server.client_key,
                "ssh_common_args": f"'-o UserKnownHostsFile={server.known_hosts}'",
            }
            lines.append(" ".join([name, *(f"ansible_{key}={value}" for key, value in settings.items())]))
        (tmp_path / "inventory").write_text("\n".join(lines) + "\n")
        ended = call(tmp_path, "exec", "all", "--clock")
    assert ended.status == 0, ended.said
    rows = [line.split() for line in ended.out.splitlines() if line.startswith("      ")]
    assert [words[0] for words in rows] == ["host", "late", "right", "early", "furthest"]
    assert rows[-1][2] == "late,"
    for job in json.loads(call(tmp_path, "runs", "show", "--format", "json").out)["jobs"]:
        found = job["result"]
        assert abs(found["offset"] - ahead[job["host"]]) <= found["uncertainty"] < 5


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["db"], "There is no command to run"),
        (["--clock", "db", "true"], "There is nothing to run with --clock"),
        (["--clock", "db", "--become"], "There is nothing to run with --clock"),
        (["--clock", "db", "--executable", "pwsh"], "There is nothing to run with --clock"),
    ],
)
def test_a_command_or_clocks_one_of_both(exec_: Exec, arguments: list[str], problem: str) -> None:
    ended = exec_(*arguments)
    assert (ended.status, ended.out) == (5, "")
    assert problem in ended.err


def test_an_action_without_text_is_called_by_its_name(exec_: Exec) -> None:
    assert "ok          ping: db1" in exec_("db", "-m", "ping").out
