"""The program ends with a status and a message, whatever it was started without and however it is asked to end."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from support.program import DRUMLINE, call, environment, processes_with, running, shell, wait_until
from support.terminal import Terminal

STUCK = """
from drumline.plugin import Action, hookimpl

def perform(call):
    open({began!r}, "w").close()
    while True:
        pass
    yield

@hookimpl
def drumline_actions():
    return [Action(name="spin", perform=perform, help="Never comes back")]
"""


#: A template's time is up while an object's end, which can't raise, is being run.
LATE = """
import sys
from drumline.cli import entry
from drumline.templating.budget import Overrun

class Ending:
    def __init__(self, error): self.error = error
    def __del__(self): raise self.error

sys.unraisablehook = entry._raise_again
Ending(Overrun())
print("between", file=sys.stderr, flush=True)
Ending(ValueError("another"))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "inventory").write_text("h1 ansible_connection=local\n")
    write(tmp_path, "- command: echo hello\n")
    return tmp_path


def write(directory: Path, tasks: str) -> None:
    (directory / "site.yml").write_text("- hosts: all\n  tasks:\n" + textwrap.indent(textwrap.dedent(tasks), "    "))


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_run_goes_on_without_its_streams(project: Path, closed: str) -> None:
    ended = shell(project, f"drumline run site.yml {closed}")
    assert ended.status == 0, ended.err
    if ">&-" in closed.split() and "2>&-" not in closed:
        assert ended.err.startswith("warning: The console can't be written any more: Bad file descriptor. The run goes")
    [run] = json.loads(call(project, "runs", "list", "--format", "json").out)
    assert run["exit_status"] == 0


@pytest.mark.parametrize("line", ["plan site.yml", "inventory list", "runs show", "--help", "run --help"])
@pytest.mark.parametrize(
    ("where", "why"),
    [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")],
    ids=["closed", "full"],
)
def test_what_cannot_be_printed_is_an_error(project: Path, line: str, where: str, why: str) -> None:
    if line == "runs show":
        call(project, "run", "site.yml")
    ended = shell(project, f"unset PYTHONUNBUFFERED; drumline {line} {where}")
    assert (ended.status, ended.err) == (1, f"error: The output can't be written: {why}\n")


@pytest.mark.parametrize("line", ["nosuch", "run nosuch.yml", "runs show 77"])
@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
def test_an_error_that_cannot_be_told_is_in_the_status(project: Path, line: str, where: str) -> None:
    assert shell(project, f"drumline {line} {where}").status == 5


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ('- debug: {msg: "{{ 10**5000 }}"}\n', "a number of more than 4300 digits"),
        ("- debug: {msg: x}\n  when: 10**5000\n", "a number of more than 4300 digits"),
        (f'- debug: {{msg: "{{{{ {"[" * 300}{"]" * 300} }}}}"}}\n', "nested too deeply"),
        (f"- debug: {{msg: x}}\n  when: {'(' * 300}true{')' * 300}\n", "nested too deeply"),
        (f'- debug: {{msg: "{{{{ {"x | default(" * 300}1{")" * 300} }}}}"}}\n', "nested too deeply"),
    ],
    ids=["digits", "digits in a condition", "brackets", "parentheses", "filters"],
)
def test_a_template_beyond_the_limits_is_a_mistake_with_a_place(project: Path, tasks: str, words: str) -> None:
    """Before anything is sent, where that can be known without evaluating it."""
    write(project, tasks)
    ended = call(project, "run", "site.yml")
    assert ended.status == (2 if "10**" in tasks else 5), ended.said
    assert "site.yml:" in ended.said
    assert words in ended.said
    assert "raceback" not in ended.said


@pytest.mark.parametrize("value", ["10**(n|int)", "[10**(n|int)]", "{'a': {'b': 10**(n|int)}}"])
def test_a_number_beyond_the_limits_that_only_the_run_knows(project: Path, value: str) -> None:
    write(project, f'- set_fact: {{x: "{{{{ {value} }}}}"}}\n- debug: {{var: x}}\n')
    ended = call(project, "run", "site.yml", "-e", "n=5000", "-vv")
    assert ended.status in (0, 2), ended.said
    assert "raceback" not in ended.said
    assert call(project, "runs", "show", "-vv").status == 0


def test_few_open_files(project: Path) -> None:
    (project / "inventory").write_text("h[1:60] ansible_connection=local\n")
    ended = shell(project, "ulimit -n 64; drumline run site.yml")
    assert ended.status in (0, 2)
    assert ended.status == 0 or "too many open files. Raise the limit (ulimit -n)" in ended.out
    assert "a fault in drumline" not in ended.out + ended.err


def test_two_hangups_of_a_closed_terminal_count_once(project: Path) -> None:
    """The second would give the jobs up, and leave their commands running."""
    marker = f"{project}/marker"
    write(
        project,
        f"- shell: 'trap \"sleep 2; exit 1\" TERM INT HUP; touch began; while :; do sleep 0.1; done; : {marker}'\n"
        f"  args: {{chdir: {project}}}\n",
    )
    with running(project, "run", "site.yml") as program:
        wait_until((project / "began").exists)
        for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM, signal.SIGTERM, signal.SIGHUP):
            program.send(number)
        ended = program.end(30)
    assert ended.status == 130, ended.said
    assert "no longer waiting" not in ended.out
    assert processes_with(marker) == []
    shown = json.loads(call(project, "runs", "show", "--format", "json").out)
    assert [job["status"] for job in shown["jobs"]] == ["cancelled"]


def test_the_status_stays_when_the_terminal_is_gone(project: Path) -> None:
    write(project, f"- shell: touch began; sleep 300\n  args: {{chdir: {project}}}\n")
    with Terminal(project, "run", "site.yml") as terminal:
        wait_until((project / "began").exists)
        assert terminal.hang_up() == 130
    [run] = json.loads(call(project, "runs", "list", "--format", "json").out)
    assert run["exit_status"] == 130


def test_a_run_that_was_stopped_goes_on(project: Path) -> None:
    write(project, f"- shell: touch began; while ! [ -e gate ]; do sleep 0.05; done\n  args: {{chdir: {project}}}\n")
    with running(project, "run", "site.yml") as program:
        wait_until((project / "began").exists)
        program.send(signal.SIGTSTP)
        wait_until(lambda: " T " in Path(f"/proc/{program.pid}/stat").read_text())
        program.send(signal.SIGCONT)
        (project / "gate").touch()
        assert program.end(30).status == 0


@pytest.mark.parametrize(
    "numbers",
    [[signal.SIGINT] * 3, [signal.SIGTERM, signal.SIGINT], [signal.SIGHUP, signal.SIGINT]],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_a_job_that_is_busy_in_python_is_given_up(project: Path, numbers: list[signal.Signals]) -> None:
    (project / "plugins").mkdir()
    (project / "plugins" / "spin.py").write_text(STUCK.format(began=str(project / "began")))
    write(project, "- spin:\n")
    with running(project, "run", "site.yml") as program:
        wait_until((project / "began").exists)
        for count, number in enumerate(numbers, 1):
            program.send(number)
            wait_until(partial(_are_counted, project, count))
        ended = program.end(20)
    assert ended.status == 130, ended.said
    shown = json.loads(call(project, "runs", "show", "--format", "json").out)
    assert [job["status"] for job in shown["jobs"]] == ["unknown"]


def _are_counted(directory: Path, interrupts: int) -> bool:
    return _interrupts(directory) >= interrupts


def _interrupts(directory: Path) -> int:
    with closing(sqlite3.connect(directory / "state" / "journal.sqlite3")) as database:
        return int(database.execute("SELECT count(*) FROM events WHERE kind = 'InterruptRequested'").fetchone()[0])


@pytest.mark.parametrize(
    "variables",
    [{"HOME": "/nowhere"}, {"TMPDIR": "/nowhere"}, {"LC_ALL": "C", "LANG": "C"}, {"PYTHONIOENCODING": "ascii"}],
    ids=lambda variables: "-".join(variables),
)
def test_odd_surroundings(project: Path, variables: dict[str, str]) -> None:
    write(project, "- command: echo grüß dich\n")
    ended = call(project, "run", "site.yml", "-v", env=variables)
    assert ended.status == 0, ended.said


def test_nohup(project: Path) -> None:
    ended = shell(
        project, 'nohup sh -c \'kill -HUP $$; exec "$0" -c "$1" run site.yml\' ' + f"{DRUMLINE[0]} '{DRUMLINE[2]}'"
    )
    assert ended.status == 0, ended.err
    assert "done: 1 changed" in ended.out


def test_an_unwritable_state_directory_is_a_mistake(project: Path) -> None:
    ended = call(project, "run", "site.yml", env={"DRUMLINE_STATE": os.devnull})
    assert ended.status == 5
    assert "The journal can't be" in ended.err


def test_the_end_of_a_template_that_comes_where_nothing_can_be_raised_is_no_fault(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LATE]
    said = subprocess.run(command, capture_output=True, text=True, env=environment(tmp_path), check=True).stderr
    before, _, after = said.partition("between\n")
    assert before == ""
    assert "ValueError: another" in after
