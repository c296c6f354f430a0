"""Readers that don't read: a pipe, a pager, a terminal after Ctrl-S. The run goes on, and signals end the program."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from support.program import DRUMLINE, call, environment, running, wait_until

#: More than a pipe or a terminal takes on before someone reads.
TASKS = "- hosts: all\n  tasks:\n    - shell: head -c 300000 /dev/zero | tr '\\0' x\n    - shell: echo >> {log}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "inventory").write_text("h[1:3] ansible_connection=local\n")
    (tmp_path / "site.yml").write_text(TASKS.format(log=tmp_path / "log"))
    return tmp_path


def ended(directory: Path) -> object:
    """The exit status that the journal has of the newest run, as soon as it has ended."""
    path = directory / "state" / "journal.sqlite3"
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as database:
        try:
            found = database.execute("SELECT exit_status FROM runs WHERE finished IS NOT NULL").fetchall()
        except sqlite3.OperationalError:
            return None  # it is being made
    return found


def interrupted(directory: Path) -> bool:
    with closing(sqlite3.connect(directory / "state" / "journal.sqlite3")) as database:
        return bool(database.execute("SELECT 1 FROM events WHERE kind = 'InterruptRequested'").fetchall())


@contextmanager
def pipe(directory: Path, *, opened: bool) -> Iterator[Path]:
    """A named pipe that no one reads; ``opened``: by someone who could."""
    path = directory / "events"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK) if opened else -1
    yield path
    if opened:
        os.close(reader)


@pytest.mark.parametrize("opened", [True, False], ids=["nobody reads", "nobody has opened"])
def test_events_into_a_pipe(project: Path, opened: bool) -> None:
    with pipe(project, opened=opened) as path, running(project, "run", "site.yml", "--events", path) as program:
        assert wait_until(lambda: ended(project)) == [(0,)]
        program.send(signal.SIGTERM)
        done = program.end(20)
    assert done.status == 0, done.said  # the run had ended, and well
    assert "done: 6 changed" in done.out
    assert "--events" in done.err
    assert "was not read to the end" in done.err
    assert (project / "log").read_text() == "\n\n\n"


def test_a_console_in_a_pager(project: Path) -> None:
    with running(project, "run", "site.yml", "-vv") as program:
        assert wait_until(lambda: ended(project)) == [(0,)]
        program.ctrl_c()
        assert program.wait(20) == 0


def test_a_pager_for_both_streams(project: Path) -> None:
    """Not even the word that no one reads can be written."""
    read, write = os.pipe()
    program = subprocess.Popen(
        [*DRUMLINE, "run", "site.yml", "-vv"], cwd=project, env=environment(project), stdout=write, stderr=write
    )
    try:
        assert wait_until(lambda: ended(project)) == [(0,)]
        program.send_signal(signal.SIGHUP)
        assert program.wait(20) == 0
    finally:
        program.kill()
        program.wait()
        os.close(read)
        os.close(write)


def test_a_terminal_that_shows_nothing_any_more(project: Path) -> None:
    master, slave = os.openpty()
    program = subprocess.Popen(
        [*DRUMLINE, "run", "site.yml", "-vv"],
        cwd=project,
        env=environment(project, {"TERM": "xterm"}),
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    try:
        assert wait_until(lambda: ended(project)) == [(0,)]
        program.send_signal(signal.SIGTERM)
        assert program.wait(20) == 0
    finally:
        program.kill()
        program.wait()
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_signals_stop_a_run_whose_console_nobody_reads(project: Path, number: signal.Signals) -> None:
    marker = project / "began"
    (project / "site.yml").write_text(TASKS.format(log=project / "log") + f"    - shell: touch {marker}; sleep 300\n")
    with running(project, "run", "site.yml", "-vv") as program:
        wait_until(marker.exists)
        program.send(number)
        if number is signal.SIGINT:
            wait_until(lambda: interrupted(project))
            program.send(number)
        assert program.wait(20) == 130
    assert ended(project) == [(130,)]


def test_by_choice_a_run_waits_for_its_reader(project: Path) -> None:
    """Then nothing is left out, however late the reader comes."""
    options = ("--slow-reports", "wait", "--events", "events")
    with pipe(project, opened=False) as path, running(project, "run", "site.yml", *options) as program:
        assert wait_until(lambda: ended(project)) == [(0,)]
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        done = program.end(20)
    assert (done.status, done.err) == (0, "")
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert lines[-1]["event"] == "RunFinished"


def test_the_choice_is_a_setting(project: Path) -> None:
    (project / "drumline.toml").write_text('slow_reports = "sometimes"\n')
    done = call(project, "run", "site.yml")
    assert done.status == 5
    assert 'has to be "drop" or "wait"' in done.err
