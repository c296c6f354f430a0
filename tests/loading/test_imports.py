"""Playbooks that import playbooks, and plays whose variables stand in files of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.makers import Actions, Mistakes, ReadPlaybook
from support.program import call

from drumline.loading.playbook import read_playbooks

INNER = """
- hosts: web
  vars: {a: inner, b: inner}
  tasks:
    - {id: one, ping: , when: c, tags: t}
    - {id: two, ping: }
"""


def test_an_import_stands_for_the_plays_of_its_file(read_playbook: ReadPlaybook) -> None:
    outer = "- import_playbook: 1.yml\n- {id: last, hosts: db}\n"
    playbook = read_playbook(outer, INNER)
    assert [(play.id, play.hosts) for play in playbook.plays][:2] == [("web", "web"), ("last", "db")]


def test_what_the_import_says_holds_for_the_plays(read_playbook: ReadPlaybook) -> None:
    said = "vars: {a: outer}\n  when: [x, true]\n  tags: [u, v]\n  become: true\n"
    outer = f"- ansible.builtin.import_playbook: 1.yml\n  {said}"
    play = read_playbook(outer, INNER).plays[0]
    assert play.variables == {"a": "outer", "b": "inner"}
    assert [task.tags for task in play.tasks] == [{"t", "u", "v"}, {"u", "v"}]
    assert [[getattr(part, "text", part) for part in task.when] for task in play.tasks] == [
        ["x", True, "c"],
        ["x", True],
    ]
    assert [task.become for task in play.tasks] == [False, False]  # as in Ansible, it has no effect there


def test_files_are_looked_for_beside_the_one_that_imports_them(tmp_path: Path, actions: Actions) -> None:
    (tmp_path / "plays").mkdir()
    (tmp_path / "site.yml").write_text("- import_playbook: plays/all.yml\n")
    (tmp_path / "plays" / "all.yml").write_text("- import_playbook: web.yml\n- import_playbook: web.yml\n")
    (tmp_path / "plays" / "web.yml").write_text(INNER)
    playbook, found = read_playbooks([tmp_path / "site.yml"], actions)
    assert not found
    assert [play.id for play in playbook.plays] == ["web", "web-2"]


def test_a_mistake_names_the_imports_that_led_to_it(tmp_path: Path, actions: Actions) -> None:
    (tmp_path / "site.yml").write_text("- import_playbook: all.yml\n- hots: x\n")
    (tmp_path / "all.yml").write_text("- hosts: a\n- import_playbook: web.yml\n")
    (tmp_path / "web.yml").write_text("- hosts: a\n  tasks: [{pong: }]\n")
    _, found = read_playbooks([tmp_path / "site.yml"], actions)
    site, web = tmp_path / "site.yml", tmp_path / "web.yml"
    unknown = next(mistake for mistake in found if str(web) in str(mistake.position))
    assert unknown.detail.splitlines()[1:] == [
        f"Imported in {tmp_path / 'all.yml'}:2:20.",
        f"Imported in {site}:1:20.",
    ]
    assert [Path(mistake.position.path).name for mistake in found if mistake.position] == ["site.yml"] * 2 + ["web.yml"]


def test_playbooks_that_import_each_other(mistakes: Mistakes) -> None:
    first, second = mistakes("- import_playbook: 1.yml\n", "- import_playbook: 0.yml\n")
    for place, text in (first, second):
        assert place == "1:20"
        assert text.startswith("A playbook imports itself. ")
        assert ", which imports " in text


def test_an_unknown_keyword_of_an_import(mistakes: Mistakes) -> None:
    [(place, text)] = mistakes("- import_playbook: 1.yml\n  serial: 1", INNER)
    assert (place, text) == (
        "2:3",
        "Unknown keyword. An import of a playbook has no keyword 'serial'. It is one of plays.",
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "vars").mkdir()
    (tmp_path / "vars" / "one.yml").write_text("a: from one\nb: '{{ a }}!'\nthird: three\n")
    (tmp_path / "two.yml").write_text("a: from two\n")
    (tmp_path / "three.yml").write_text("c: from three\n")
    return tmp_path


def play(directory: Path, keywords: str, shown: str, *options: str) -> str:
    """What a debug task of such a play says, or what is wrong with it."""
    text = f"- hosts: localhost\n  {keywords}\n  tasks: [{{debug: {{msg: '{shown}'}}}}]\n"
    (directory / "site.yml").write_text(text)
    ended = call(directory, "run", "site.yml", "-i", "localhost,", *options)
    return ended.out + ended.err


@pytest.mark.parametrize(
    ("keywords", "options", "said"),
    [
        ("vars_files: one.yml", (), "from one, from one!, -"),
        ("vars_files: [one.yml, two.yml]", (), "from two, from two!, -"),
        ("vars_files: [two.yml, one.yml]", (), "from one, from one!, -"),
        ("vars_files: [one.yml]\n  vars: {a: weaker, c: from vars}", (), "from one, from one!, from vars"),
        ("vars_files: [one.yml]", ("-e", "a=given"), "given, given!, -"),
        ("vars_files: [[nowhere.yml, two.yml, one.yml], one.yml]", (), "from one, from one!, -"),
        ("vars_files: ['{{ n }}.yml', '{{ third }}.yml']\n  vars: {n: one}", (), "from one, from one!, from three"),
        ("vars_files: ['{{ n }}.yml']", ("-e", "n=one"), "from one, from one!, -"),
    ],
)
def test_variables_from_files(project: Path, keywords: str, options: tuple[str, ...], said: str) -> None:
    shown = '{{ a }}, {{ b }}, {{ c | default("-") }}'
    assert f"      {said}\n" in play(project, keywords, shown, *options)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ("vars_files: [nowhere.yml]", "A file of variables isn't there"),
        ("vars_files: ['{{ nowhere }}.yml']", "'nowhere' is defined nowhere"),
        ("vars_files: [list.yml]", "A file of variables is a dictionary, but this is a list."),
        ("vars_files: [broken.yml]", "broken.yml:1:"),
    ],
)
def test_files_of_variables_that_can_not_be_used(project: Path, keywords: str, message: str) -> None:
    (project / "list.yml").write_text("[a]")
    (project / "broken.yml").write_text("a: ]")
    said = play(project, keywords, "{{ unknown_since_the_file_may_define_it }}")
    assert message in said
    assert "Traceback" not in said
    assert "'unknown_since" not in said
