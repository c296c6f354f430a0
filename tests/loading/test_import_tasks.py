"""``import_tasks``: what its tasks take from it, where its file is found, and what is wrong with either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from support.makers import Actions, place

from drumline.diagnostics import Diagnostic
from drumline.loading.playbook import read_playbooks
from drumline.loading.reading import Around
from drumline.model.playbook import Play

#: Reads ``site.yml`` of a directory with these files: its plays, and what is wrong.
Read: TypeAlias = Callable[..., tuple[tuple[Play, ...], list[Diagnostic]]]


@pytest.fixture
def read(tmp_path: Path, actions: Actions) -> Read:
    def read_files(files: dict[str, str], **extra: str) -> tuple[tuple[Play, ...], list[Diagnostic]]:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        playbook, found = read_playbooks([tmp_path / "site.yml"], actions, Around(extra=extra))
        return playbook.plays, found

    return read_files


def test_an_import_is_a_block_at_its_place(read: Read) -> None:
    tasks = "- {id: one, ping: , when: c, vars: {w: task}, tags: [t]}\n- block: [{id: two, ping: }]\n"
    said = "{import_tasks: more.yml, when: x, tags: [u], vars: {v: import, w: import}, become: true, name: More}"
    last = "{id: after, ping: , needs: [more]}"
    site = f"- hosts: all\n  tasks:\n    - {{id: before, ping: }}\n    - {said}\n    - {last}\n"
    [play], found = read({"site.yml": site, "more.yml": tasks})
    assert not found
    before, one, two, after = play.tasks
    assert play.path_of(one).names == ("more", "one")
    assert play.path_of(two).names == ("more", "block", "two")
    assert [[getattr(part, "text", part) for part in task.when] for task in (one, two)] == [["x", "c"], ["x"]]
    assert (one.variables, two.variables) == ({"v": "import", "w": "task"}, {"v": "import", "w": "import"})
    assert (set(one.tags), set(two.tags), one.become) == ({"t", "u"}, {"u"}, True)
    assert (before.tags, after.tags) == (frozenset(), frozenset())


@pytest.mark.parametrize(
    "task", ["import_tasks: {file: more.yml}", "ansible.builtin.import_tasks: file=more.yml", "import_tasks: more.yml"]
)
def test_the_file_is_named_in_any_form(read: Read, task: str) -> None:
    [play], found = read({"site.yml": f"- hosts: all\n  tasks: [{{{task}}}]\n", "more.yml": "- {id: one, ping: }"})
    assert not found
    assert [task.id for task in play.tasks] == ["one"]


def test_the_name_sees_what_is_known_before_the_run(read: Read) -> None:
    site = (
        "- hosts: all\n  vars: {a: first, kind: '{{ a }}'}\n  tasks:\n"
        "    - {import_tasks: '{{ kind }}.yml'}\n"
        "    - {import_tasks: '{{ kind }}.yml', vars: {kind: second}}\n"
        "    - {import_tasks: '{{ given }}.yml'}\n    - {import_tasks: '{{ playbook_dir }}/first.yml'}\n"
    )
    files = {f"{name}.yml": f"- {{id: {name}, ping: }}" for name in ("second", "third")}
    [play], found = read({"site.yml": site, "first.yml": "- ping:", **files}, given="third")
    assert not found
    assert [task.id for task in play.tasks] == ["ping", "second", "third", "ping-2"]


def test_the_name_sees_files_of_variables(read: Read) -> None:
    files = {
        "site.yml": "- hosts: all\n  vars_files: [['none.yml', '{{ of_host }}.yml'], names.yml]\n"
        "  tasks: [{import_tasks: '{{ kind }}.yml'}]\n",
        "vars/names.yml": "kind: first",
        "first.yml": "- {id: first, ping: }",
    }
    [play], found = read(files)
    assert not found
    assert [task.id for task in play.tasks] == ["first"]


def test_files_are_looked_for_beside_those_that_lead_to_them(read: Read) -> None:
    files = {
        "site.yml": "- hosts: all\n  tasks: [{import_tasks: parts/all.yml}]\n",
        "parts/all.yml": "- import_tasks: one.yml\n- import_tasks: deep/two.yml\n- import_tasks: far.yml\n",
        "parts/one.yml": "- {id: one, ping: }\n",
        "parts/deep/two.yml": "- import_tasks: one.yml\n",
        "parts/deep/one.yml": "- {id: two, ping: }\n",
        "far.yml": "- {id: far, ping: }\n",
    }
    [play], found = read(files)
    assert not found
    assert [task.id for task in play.tasks] == ["one", "two", "far"]


def test_mistakes_name_the_chain_that_led_to_them_once(read: Read, tmp_path: Path) -> None:
    files = {
        "site.yml": "- hosts: all\n  tasks:\n    - import_tasks: a.yml\n    - import_tasks: a.yml\n",
        "a.yml": "- {import_tasks: b.yml}\n",
        "b.yml": "- {ping: , whne: x}\n",
    }
    _, found = read(files)
    [mistake] = found
    assert (mistake.summary, place(mistake)) == ("Unknown keyword", "1:12")
    assert mistake.detail.splitlines()[1:] == [
        f"Imported in {tmp_path}/a.yml:1:18.",
        f"Imported in {tmp_path}/site.yml:3:21.",
    ]


@pytest.mark.parametrize(
    ("task", "more", "where", "said"),
    [
        ("{import_tasks: none.yml}", "", "3:22", "There is no file 'none.yml'"),
        ("{import_tasks: }", "", "3:8", "'import_tasks' needs the name of a file"),
        ("{import_tasks: '{{ host }}.yml'}", "", "3:22", "'host' is undefined"),
        ("{import_tasks: more.yml}", "a: b", "1:1", "A file of tasks is a list of tasks, but this is a dictionary"),
        ("{import_tasks: more.yml}", "- import_tasks: more.yml", "1:17", "which imports"),
        ("{import_tasks: more.yml, loop: [1]}", "[]", "3:32", "it can't loop. Use 'include_tasks'"),
        ("{import_tasks: more.yml, with_items: [1]}", "[]", "3:32", "it can't loop"),
        ("{import_tasks: more.yml, whne: x}", "[]", "3:32", "'import_tasks' has no keyword 'whne'"),
        ("{import_tasks: {file: more.yml, apply: {}}}", "[]", "3:46", "it has no argument 'apply'"),
    ],
)
def test_mistakes(read: Read, task: str, more: str, where: str, said: str) -> None:
    _, found = read({"site.yml": f"- hosts: all\n  tasks:\n    - {task}\n", "more.yml": more})
    assert [place(mistake) for mistake in found] == [where], found
    assert said in f"{found[0].summary}: {found[0].detail}"
