"""``drumline_reporters``: live, through the real program, and from the journal."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.program import Ended, call

PLAYBOOK = """
- hosts: web
  tasks:
    - {id: say, command: "echo hello"}
    - {id: break, shell: "test {{ inventory_hostname }} != web2"}
    - {id: after, ping: }
"""
#: A report that goes to a file of its own for each run.
COUNTING = """
from contextlib import contextmanager
from pathlib import Path

from drumline.plugin import hookimpl
from drumline.plugin.events import JobFinished, RunFinished
from drumline.plugin.runs import Reporter


@contextmanager
def counting(run):
    kinds = []
    yield lambda event: kinds.append(type(event).__name__)
    path = Path(f"counted-{run.number}-{'live' if run.live else 'journal'}")
    path.write_text(f"{run.command}: {run.plan.steps[0].task.name} {' '.join(kinds)}")


@hookimpl
def drumline_reporters(run):
    return [Reporter(name="The count", open=lambda: counting(run))]
"""
#: Fails at one of three places.
FAILING = """
from contextlib import contextmanager
from drumline.plugin import hookimpl
from drumline.plugin.runs import Reporter

def take(event):
    {take}

@contextmanager
def opened():
    {open}
    yield take

@hookimpl
def drumline_reporters(run):
    {hook}
    return [Reporter(name="The odd one", open=opened)]
"""
#: Takes the console away.
QUIET = """
from drumline.plugin import hookimpl

@hookimpl(wrapper=True)
def drumline_reporters(run):
    offered = yield
    return [[one for one in reporters if one.name != "The console"] for reporters in offered]
"""
SILENT = """
from drumline.plugin import hookimpl

@hookimpl
def drumline_reporters():
    return None
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "site.yml").write_text(PLAYBOOK)
    (tmp_path / "inventory").write_text("[all:vars]\nansible_connection=local\n[web]\nweb[1:3]\n")
    (tmp_path / "plugins").mkdir()
    return tmp_path


def plug(project: Path, name: str, text: str) -> None:
    (project / "plugins" / f"{name}.py").write_text(text)


def test_a_reporter_is_given_all_events_in_order_live_and_from_the_journal(project: Path) -> None:
    plug(project, "count", COUNTING)
    plug(project, "silent", SILENT)
    ended = call(project, "run", "site.yml", "--events", "events")
    assert ended.status == 2
    assert ended.err == ""
    shown = [json.loads(line)["event"] for line in (project / "events").read_text().splitlines()]
    counted = (project / "counted-1-live").read_text()
    assert counted == f"drumline run site.yml --events events: say {' '.join(shown)}"
    assert call(project, "runs", "replay").status == 0
    assert (project / "counted-1-journal").read_text() == counted


def test_a_replay_shows_on_the_console_and_writes_to_a_file_what_the_run_did(project: Path) -> None:
    first = call(project, "run", "site.yml", "-v", "--events", "events")
    again = call(project, "runs", "replay", "1", "-v", "--events", "again")
    assert (again.status, again.err) == (0, "")
    assert again.out == _without_advice(first.out)
    assert (project / "again").read_text() == (project / "events").read_text()
    to_stdout = call(project, "runs", "replay", "--events", "-")
    assert to_stdout.out == (project / "events").read_text()
    assert "web2" in to_stdout.err


def test_a_run_that_died_is_replayed_as_far_as_it_went(project: Path) -> None:
    plug(project, "count", COUNTING)
    call(project, "run", "site.yml")
    with closing(sqlite3.connect(project / "state" / "journal.sqlite3")) as database:
        database.execute("DELETE FROM events WHERE seq > 4")
        database.execute("UPDATE runs SET finished = NULL, exit_status = NULL")
        database.commit()
    ended = call(project, "runs", "replay")
    assert (ended.status, ended.err) == (0, "")
    assert (project / "counted-1-journal").read_text().split()[-2:] == ["JobFinished", "JobFinished"]


def _without_advice(shown: str) -> str:
    """Without the command that would do the rest, of which the journal knows nothing."""
    return re.sub(r"^.*drumline run site\.yml .*--limit.*\n", "", shown, flags=re.MULTILINE)


def test_a_wrapper_may_take_the_console_away(project: Path) -> None:
    plug(project, "quiet", QUIET)
    ended = call(project, "run", "site.yml", "--events", "-")
    assert (ended.status, ended.err) == (2, "")
    assert [event["event"] for event in ended.events()][-1] == "RunFinished"


def failing(project: Path, place: str, command: list[str]) -> Ended:
    parts = {"hook": "pass", "open": "pass", "take": "pass", place: "raise LookupError('no report')"}
    plug(project, "count", COUNTING)
    plug(project, "odd", FAILING.format(**parts))
    return call(project, *command)


@pytest.mark.parametrize("place", ["hook", "open", "take"])
def test_a_reporter_that_fails_is_named_and_the_others_go_on(project: Path, place: str) -> None:
    own = "plugin 'odd' (plugins/odd.py)"
    told = {
        "hook": f"P{own[1:]}: hook drumline_reporters failed: LookupError: no report",
        "open": f"The odd one has failed (LookupError: no report), a fault in {own}.",
        "take": f"The odd one has failed (LookupError: no report), a fault in {own}.",
    }[place]
    ended = failing(project, place, ["run", "site.yml"])
    assert ended.status == 2
    assert ended.err.startswith(f"warning: {told}")
    assert len(ended.err.splitlines()) == 1
    assert "run 1" in ended.out.splitlines()[-1]
    assert "RunFinished" in (project / "counted-1-live").read_text()
    again = failing(project, place, ["runs", "replay"])
    assert (again.status, again.err) == (0, f"warning: {told}\n")
    assert "run 1" in again.out.splitlines()[-1]
    assert "RunFinished" in (project / "counted-1-journal").read_text()
