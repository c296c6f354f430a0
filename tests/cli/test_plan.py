"""``drumline plan``, as it is called."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from drumline.cli.program import program

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = sorted((REPOSITORY / "playbooks").glob("*.yml"))
PLAYBOOK = """
- name: Roll out
  hosts: web
  tasks:
    - {id: stop, command: echo stop}
    - {id: start, command: "echo start {{ version }}", tags: [go]}
"""

#: Gives the exit status, and what was said on standard output and on standard error.
Call: TypeAlias = Callable[..., tuple[object, str, str]]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls ``drumline plan`` in a directory with ``site.yml`` and ``inventory``; gives exit status and output."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.yml").write_text(PLAYBOOK)
    (tmp_path / "inventory").write_text("[web]\nweb[1:3]\n[db]\ndb1\n")

    def call(*arguments: object) -> tuple[object, str, str]:
        status: object = 0
        try:
            program.main(["plan", *map(str, arguments)], prog_name="drumline")
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def test_text_is_for_people(plan: Call) -> None:
    status, out, _ = plan("site.yml", "-e", "version=1")
    assert status == 0
    assert "wave 2: 3 hosts, 3 jobs\n    start  on web[1-3]; waits for stop" in out


def test_limit_and_tags_narrow_the_plan(plan: Call) -> None:
    status, out, _ = plan("site.yml", "-e", "version=1", "-l", "web2", "-t", "go", "--format", "json")
    assert status == 0
    [play] = json.loads(out)["plays"]
    assert play["name"] == "Roll out"
    [batch] = play["batches"]
    assert batch["hosts"] == ["web2"]
    assert [wave["jobs"] for wave in batch["waves"]] == [[{"task": "start", "host": "web2"}]]


def test_dot_is_for_graphviz(plan: Call) -> None:
    assert plan("site.yml", "-e", "version=1", "--skip-tags", "go", "--format", "dot")[1].startswith("digraph")


def test_mistakes_end_with_5_and_their_place(plan: Call) -> None:
    status, out, err = plan("site.yml")
    assert (status, out) == (5, "")
    assert "site.yml:6:28: error: Undefined variable" in err


@pytest.mark.parametrize("playbook", EXAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("shape", ["text", "json", "dot"])
def test_the_examples_are_planned_for_the_example_fleet(plan: Call, playbook: Path, shape: str) -> None:
    status, out, err = plan(playbook, "-i", REPOSITORY / "inventory", "-e", "lab_root=/tmp", "--format", shape)
    assert (status, err) == (0, "")
    assert out


def test_there_are_examples() -> None:
    assert EXAMPLES


TIMED = """
- hosts: web
  serial: 2
  keep_available: {web: "{{ keep | default(1) }}"}
  spread_by: spread
  tasks:
    - {id: make, command: touch /srv/ready, when: wanted is defined}
    - {id: wait, wait_for: {path: /srv/ready}}
    - {id: use, command: "echo {{ results.make[inventory_hostname].rc }} {{ results.wait.web1.elapsed }}"}
"""


@pytest.fixture
def timed(plan: Call, tmp_path: Path) -> Call:
    (tmp_path / "site.yml").write_text(TIMED)
    hosts = "[web]\nweb1 site=north\nweb2 site=north\nweb3 site=south\n"
    (tmp_path / "inventory").write_text(f"{hosts}[web:vars]\nspread={{{{ site }}}}\n")
    return plan


def test_values_of_hosts_are_rendered_to_spread_them(timed: Call) -> None:
    status, out, err = timed("site.yml")
    assert (status, err) == (0, "")
    assert "  batch 1 of 2: web[1,3] (2); stops after 2 failed hosts of 2\n" in out
    assert "  batch 2 of 2: web2 (1); stops after 1 failed host of 1\n" in out


def test_what_only_the_inventory_shows_is_told_before_anything_is_sent(timed: Call) -> None:
    status, out, err = timed("site.yml", "-e", "keep=4")
    assert (status, out) == (5, "")
    assert "site.yml:4:20: error: Too many hosts have to stay available" in err


def test_a_result_that_is_left_out_is_a_mistake(timed: Call) -> None:
    status, out, err = timed("site.yml", "--limit", "web3")
    assert (status, out) == (5, "")
    assert "site.yml:9:26: error: A result of a host that is left out" in err
    assert "'wait' runs on web3, not on 'web1'." in err


def test_waits_that_may_never_end(timed: Call) -> None:
    status, out, err = timed("site.yml", "--lint-waits")
    assert (status, err) == (2, "")
    first, *_, last = out.splitlines()
    assert first == "site.yml:8:29: warning: A wait that may never end"
    assert last == (
        "  'make' (site.yml:7:7) may be skipped (when: wanted is defined), and 'wait' still runs: 'wait' needs 'make'."
    )


def test_no_wait_that_may_never_end(plan: Call) -> None:
    assert plan("site.yml", "-e", "version=1", "--lint-waits") == (0, "Found no wait that may never end.\n", "")


def test_lint_shows_no_plan(plan: Call) -> None:
    status, out, err = plan("site.yml", "-e", "version=1", "--lint-waits", "--format", "json")
    assert (status, out) == (5, "")
    assert "--lint-waits shows no plan" in err


def test_a_start_says_how_far_away_it_is_or_that_it_is_over(plan: Call, tmp_path: Path) -> None:
    def starts(at: str) -> tuple[object, str, str]:
        (tmp_path / "site.yml").write_text(
            f"- hosts: web\n  tasks:\n    - {{id: go, command: go, start: {{at: '{at}'}}}}\n"
        )
        return plan("site.yml")

    status, out, _ = starts("2099-01-01T02:00:00+02:00")
    assert status == 0
    assert "starts together on 3 hosts at 2099-01-01 00:00:00 UTC (in " in out
    status, out, err = starts("2020-01-01T02:00:00+02:00")
    assert (status, out) == (5, "")
    assert "site.yml:3:37: error: This time has passed" in err
