"""``drumline simulate`` and ``plan --estimate``, as they are called."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.program import Ended, call

from drumline.cli.program import program

PLAYBOOK = """
- name: Roll out
  hosts: web:db
  gather_facts: false
  tasks:
    - {id: stop, command: "true", hosts: web}
    - {id: migrate, shell: sleep 0.2, hosts: db}
    - {id: start, command: "true", hosts: web}
"""


Call = Callable[..., Ended]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds ``site.yml``, which ran twice, and ``other.yml``, which never did."""
    directory = tmp_path_factory.mktemp("simulate")
    (directory / "site.yml").write_text(PLAYBOOK)
    (directory / "other.yml").write_text(PLAYBOOK)
    (directory / "inventory").write_text("[web]\nweb[1:4]\n[db]\ndb1\n[all:vars]\nansible_connection=local\n")
    for _ in range(2):
        assert call(directory, "run", "site.yml").status == 0
    return directory


@pytest.fixture
def drumline(directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the program in that directory, in this process."""
    monkeypatch.chdir(directory)
    monkeypatch.setenv("DRUMLINE_STATE", str(directory / "state"))

    def run(*arguments: str) -> Ended:
        status = 0
        try:
            program.main([*arguments], prog_name="drumline")
        except SystemExit as end:
            status = int(end.code or 0)
        said = capsys.readouterr()
        return Ended(status=status, out=said.out, err=said.err)

    return run


@pytest.fixture
def simulated(drumline: Call) -> Callable[..., dict[str, Any]]:
    """What ``simulate --format json`` prints."""

    def run(*arguments: str) -> dict[str, Any]:
        ended = drumline("simulate", "--format", "json", *arguments)
        assert (ended.status, ended.err) == (0, "")
        found: dict[str, Any] = json.loads(ended.out)
        return found

    return run


def test_times_of_earlier_runs(simulated: Callable[..., dict[str, Any]]) -> None:
    found = simulated("site.yml")
    assert found["earlier_runs"] == 2
    assert found["no_history"] == []
    [batch] = found["plays"][0]["batches"]
    assert 0.2 < batch["waves"][1]["time"]["expected"] < 1.0


def test_text_says_what_is_assumed(drumline: Call) -> None:
    ended = drumline("simulate", "other.yml")
    assert ended.status == 0
    assert "expected: 3." in ended.out
    assert "no history: stop, migrate, start; 1 s is assumed for each job" in ended.out


def test_what_if(simulated: Callable[..., dict[str, Any]]) -> None:
    assert simulated("other.yml", "--take", "migrate=40s")["run"]["expected"] == pytest.approx(42, abs=0.5)
    slow = simulated("other.yml", "--slow", "db*=10")
    assert slow["run"]["expected"] == pytest.approx(12, abs=0.5)
    assert slow["critical_path"][1]["hosts"] == ["db1"]
    assert simulated("other.yml", "--forks", "1")["run"]["expected"] == pytest.approx(9, abs=0.5)
    batches = simulated("other.yml", "--serial", "2,50%")["plays"][0]["batches"]
    assert [len(batch["waves"]) for batch in batches] == [2, 2, 1]  # only the last one has the database
    failing = simulated("other.yml", "--fail", "stop=100%", "--rounds", "4")
    assert failing["endings"] == {"2": 4}
    assert failing["jobs"] == {"failed": 4, "abandoned": 5}


def test_another_size_of_fleet(simulated: Callable[..., dict[str, Any]]) -> None:
    found = simulated("site.yml", "--hosts", "50", "--forks", "10", "--rounds", "3")
    assert found["jobs"]["ok"] == 40 + 10 + 40
    assert found["no_history"] == []


def test_the_same_question_has_the_same_answer_and_another_seed_another_one(
    simulated: Callable[..., dict[str, Any]],
) -> None:
    asked = ("site.yml", "--rounds", "5")
    assert simulated(*asked) == simulated(*asked)
    assert simulated(*asked)["run"] != simulated(*asked, "--seed", "2")["run"]


def test_the_journal_is_only_read(drumline: Call, directory: Path) -> None:
    path = directory / "state" / "journal.sqlite3"

    def content() -> list[str]:
        with sqlite3.connect(path) as database:
            return list(database.iterdump())

    before = content()
    drumline("simulate", "site.yml")
    drumline("plan", "site.yml", "--estimate")
    assert content() == before


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--take=migrat=3", "Did you mean 'migrate'"),
        ("--fail=migrate=5", "5%, or 0.05"),
        ("--slow=db9=3", "--slow db9=3"),
        ("--serial=0", "--serial 0"),
        ("--hosts=1", "2 kinds of hosts"),
    ],
)
def test_mistakes_end_with_5(drumline: Call, option: str, says: str) -> None:
    ended = drumline("simulate", "site.yml", option)
    assert (ended.status, ended.out) == (5, "")
    assert says in ended.err


def test_plan_with_estimate(drumline: Call) -> None:
    ended = drumline("plan", "site.yml", "--estimate")
    assert ended.status == 0
    plan, _, ahead = ended.out.partition("\nexpected: ")
    assert plan.startswith("play 1: Roll out")
    assert "wave 2: migrate" in ahead
    assert "from 2 earlier runs" in ahead
    found = json.loads(drumline("plan", "site.yml", "--estimate", "--format", "json").out)
    assert found["plays"][0]["name"] == "Roll out"
    assert found["estimate"]["earlier_runs"] == 2


def test_dot_has_no_room_for_times(drumline: Call) -> None:
    ended = drumline("plan", "site.yml", "--estimate", "--format", "dot")
    assert ended.status == 5
    assert "--format text or json" in ended.err


GROWING = """
- name: Grow
  hosts: web
  gather_facts: false
  tasks:
    - {id: quiet, shell: sleep 0.01, notify: never, changed_when: false}
    - {id: loud, shell: sleep 0.01, notify: restart}
    - {id: known, include_tasks: known.yml}
    - {id: items, include_tasks: "{{ item }}.yml", loop: [known, deeper]}
    - {id: after, shell: sleep 0.01}
    - {id: set, set_fact: {which: slow}}
    - {id: late, include_tasks: "{{ which }}.yml"}
  handlers:
    - {id: restart, name: restart, shell: sleep 0.3}
    - {id: never, name: never, shell: sleep 0.3}
"""


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A playbook with handlers and includes, of which one is only known when it runs."""
    directory = tmp_path_factory.mktemp("growing")
    (directory / "site.yml").write_text(GROWING)
    (directory / "known.yml").write_text(
        "- {id: one, shell: sleep 0.01}\n- {id: two, needs: [one], shell: sleep 0.01}\n"
    )
    (directory / "deeper.yml").write_text("- {id: down, include_tasks: known.yml}\n")
    (directory / "slow.yml").write_text("- {id: slow, shell: sleep 0.5}\n")
    (directory / "inventory").write_text("[web]\nweb[1:2]\n[all:vars]\nansible_connection=local\n")
    return directory


def test_what_is_known_of_includes_and_handlers_is_counted(growing: Path) -> None:
    first = json.loads(call(growing, "simulate", "site.yml", "--format", "json", "--rounds", "3").out)
    tasks = [task for wave in first["plays"][0]["batches"][0]["waves"] for task in wave["tasks"]]
    added = ["known.one", "known.two", "items.one", "items.two", "items.down", "items.down.one", "items.down.two"]
    assert [task for task in tasks if task in added] == added
    assert first["jobs"]["ok"] == 2 * (7 + len(added) + 2)  # tasks, what they add, handlers: all of them notify
    assert [one["task"] for one in first["taken_to_notify"]] == ["quiet", "loud"]
    assert first["not_counted"] == {"handlers_of": [], "added_by": [{"play": "grow", "task": "late"}]}
    said = call(growing, "simulate", "site.yml", "--rounds", "3").out
    assert "no history: quiet, loud; taken to notify handlers, which run then" in said
    assert "not counted: what late will add; only the run knows, and no earlier one has it" in said

    assert call(growing, "run", "site.yml").status == 0
    later = json.loads(call(growing, "simulate", "site.yml", "--format", "json", "--rounds", "3").out)
    assert later["jobs"]["ok"] == 2 * (7 + len(added) + 1)  # no one has notified 'never'
    assert (later["no_history"], later["taken_to_notify"]) == ([], [])
    assert later["not_counted"] == {"handlers_of": [], "added_by": []}
    waves = {tuple(wave["tasks"]): wave["time"] for wave in later["plays"][0]["batches"][0]["waves"]}
    assert waves[("late",)]["expected"] > 0.4  # with what it added
    assert waves[("restart",)]["expected"] > 0.3
    assert waves[("known.one",)]["expected"] < 0.3
    twice = json.loads(call(growing, "simulate", "site.yml", "--format", "json", "--take", "known.one=9s").out)
    assert twice["run"]["expected"] > 9


def test_handlers_that_only_templates_name_are_said_not_to_be_counted(growing: Path) -> None:
    text = GROWING.replace("notify: restart", "notify: '{{ which }}', vars: {which: restart}")
    (growing / "named.yml").write_text(text)
    said = call(growing, "plan", "named.yml", "--estimate").out
    assert "not counted: handlers that loud may notify; only templates name them, and no earlier run has" in said
