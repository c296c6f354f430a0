"""``drumline plan``, as it is called."""

import json
from pathlib import Path

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


@pytest.fixture
def plan(tmp_path, monkeypatch, capsys):
    """Calls ``drumline plan`` in a folder with ``site.yml`` and ``inventory``; gives exit status and what it said."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.yml").write_text(PLAYBOOK)
    (tmp_path / "inventory").write_text("[web]\nweb[1:3]\n[db]\ndb1\n")

    def call(*arguments):
        try:
            program.main(["plan", *map(str, arguments)], prog_name="drumline")
            status = 0
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def test_text_is_for_people(plan):
    status, out, _ = plan("site.yml", "-e", "version=1")
    assert status == 0
    assert "wave 2: 3 hosts, 3 jobs\n    start  on web[1-3]; waits for stop" in out


def test_limit_and_tags_narrow_the_plan(plan):
    status, out, _ = plan("site.yml", "-e", "version=1", "-l", "web2", "-t", "go", "--format", "json")
    assert status == 0
    [play] = json.loads(out)["plays"]
    assert play["name"] == "Roll out"
    [batch] = play["batches"]
    assert batch["hosts"] == ["web2"]
    assert [wave["jobs"] for wave in batch["waves"]] == [[{"task": "start", "host": "web2"}]]


def test_dot_is_for_graphviz(plan):
    assert plan("site.yml", "-e", "version=1", "--skip-tags", "go", "--format", "dot")[1].startswith("digraph")


def test_mistakes_end_with_5_and_their_place(plan):
    status, out, err = plan("site.yml")
    assert (status, out) == (5, "")
    assert "site.yml:6:28: error: Undefined variable" in err


@pytest.mark.parametrize("playbook", EXAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("shape", ["text", "json", "dot"])
def test_the_examples_are_planned_for_the_example_fleet(plan, playbook, shape):
    status, out, err = plan(playbook, "-i", REPOSITORY / "inventory", "-e", "lab_root=/tmp", "--format", shape)
    assert (status, err) == (0, "")
    assert out


def test_there_are_examples():
    assert EXAMPLES
