"""Roles: where they are found, what stands in them, what their tasks see, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest
from msgspec.structs import replace
from support.makers import Actions, place
from support.program import call

from drumline.diagnostics import Diagnostic
from drumline.inventory.definitions import Definitions
from drumline.journal.codec import decode, encode
from drumline.loading.needs import needs_of
from drumline.loading.playbook import read_playbooks
from drumline.loading.reading import NOTHING_AROUND, Around
from drumline.model.playbook import Play, Playbook, Task, TaskPath
from drumline.model.titles import task_title
from drumline.planning.repeats import without_repeats
from drumline.planning.tags import selected

#: Reads ``site.yml`` of a directory with these files: its play, and what is wrong.
Read: TypeAlias = Callable[..., tuple[Play, list[Diagnostic]]]


@pytest.fixture
def read(tmp_path: Path, actions: Actions) -> Read:
    def read_files(files: dict[str, str], around: Around = NOTHING_AROUND) -> tuple[Play, list[Diagnostic]]:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        playbook, found = read_playbooks([tmp_path / "site.yml"], actions, around)
        return playbook.plays[0], found

    return read_files


def site(roles: str, tasks: str = "[]", more: str = "") -> str:
    return f"- hosts: all\n  roles: {roles}\n  tasks: {tasks}\n{more}"


def ids(play: Play) -> list[str]:
    return [".".join(play.path_of(task).names) for task in play.tasks]


def seen(play: Play, task: Task) -> dict[str, object]:
    """What the definitions of the playbook give to a task."""
    return dict(Definitions().merged(play, task))


def task(play: Play, name: str) -> Task:
    return next(task for task in play.tasks if task.id == name)


PING = "- {id: one, ping: }\n"


def test_a_role_is_a_block_with_its_name(read: Read) -> None:
    files = {
        "site.yml": site("[web, web, db]", "[{id: one, ping: }, {id: last, ping: , needs: [web.one, db]}]"),
        "roles/web/tasks/main.yml": "- {id: one, ping: }\n- {name: Two things, ping: , needs: [one]}\n",
        "roles/db/tasks/main.yaml": PING,
        "roles/web/meta/main.yml": "{allow_duplicates: true, galaxy_info: {author: me}}",
    }
    play, found = read(files)
    assert not found
    twice = ["web.web.one", "web.web.two-things", "web-2.web-2.one", "web-2.web-2.two-things"]
    assert ids(play) == [*twice, "db.db.one", "one", "last"]
    assert [role.name for role in play.roles] == ["web", "web", "db"]


def test_what_an_entry_says_holds_for_its_tasks(read: Read) -> None:
    entry = "{role: web, when: x, tags: [u], become: true, vars: {v: given, w: given}, p: 1, delegate_to: other}"
    files = {
        "site.yml": site(f"[{entry}]"),
        "roles/web/tasks/main.yml": "- {id: one, ping: , when: y, tags: [t]}\n",
        "roles/web/vars/main.yml": "{v: own, x: own}",
        "roles/web/defaults/main.yml": "{p: default, d: default}",
    }
    play, found = read(files)
    [one] = play.tasks
    assert not found
    assert [getattr(part, "text", part) for part in one.when] == ["x", "y"]
    assert (set(one.tags), one.become, one.delegate_to) == ({"t", "u"}, True, "other")
    assert seen(play, one) == {"v": "given", "w": "given", "x": "own", "p": 1, "d": "default"}


def test_dependencies_come_first_and_take_what_the_role_takes(read: Read) -> None:
    files = {
        "site.yml": site("[{role: web, tags: [u], p: web}]"),
        "roles/web/tasks/main.yml": PING,
        "roles/web/meta/main.yml": "dependencies: [base, {role: log, q: log, when: x}]\n",
        "roles/base/tasks/main.yml": PING,
        "roles/log/tasks/main.yml": PING,
        "roles/log/meta/main.yml": "dependencies: [{src: 'https://example.org/deep.git', version: v1}]\n",
        "roles/deep/tasks/main.yml": PING,
        "roles/deep/vars/main.yml": "deep: 1",
    }
    play, found = read(files)
    assert not found
    assert ids(play) == ["web.base.base.one", "web.log.deep.deep.one", "web.log.log.one", "web.web.one"]
    deep = task(play, "deep.one")
    assert deep.tags == {"u"}
    assert [getattr(part, "text", part) for part in deep.when] == ["x"]
    assert seen(play, deep) == {"p": "web", "q": "log", "deep": 1}
    assert seen(play, task(play, "web.one")) == {"p": "web", "deep": 1}
    assert [role.name for role in play.roles] == ["web"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("web", "roles/web"),
        ("web", "web"),
        ("web", "elsewhere/web"),
        ("sub/web", "roles/sub/web"),
        ("{tmp}/far/web", "far/web"),
        ("a.b.web", "collections/ansible_collections/a/b/roles/web"),
        ("a.b.web", "installed/ansible_collections/a/b/roles/web"),
        ("c_web", "collections/ansible_collections/c/d/roles/c_web"),
        ("author.web", "roles/author.web"),
    ],
)
def test_where_roles_are_found(read: Read, tmp_path: Path, name: str, path: str) -> None:
    name = name.format(tmp=tmp_path)
    files = {"site.yml": site(f"[{name}]", more="  collections: [c.d]\n"), f"{path}/tasks/main.yml": PING}
    elsewhere, installed = (str(tmp_path / "elsewhere"),), (str(tmp_path / "installed"),)
    play, found = read(files, Around(roles_path=elsewhere, collections_path=installed))
    assert not found
    [role] = play.roles
    assert role.path == str(tmp_path / path)
    assert role.full_name == {"c_web": "c.d.c_web"}.get(name, name)


def test_variables_stand_in_a_file_or_a_directory(read: Read) -> None:
    files = {
        "site.yml": site("[web]"),
        "roles/web/tasks/main": PING,
        "roles/web/defaults/main/a.yml": "{a: 1, b: 1}",
        "roles/web/defaults/main/b.json": '{"b": 2}',
        "roles/web/defaults/main/.c.yml": "{b: 3}",
        "roles/web/vars/main.yml": "{v: file}",
        "roles/web/vars/main/a.yml": "{v: directory}",
    }
    play, found = read(files)
    assert not found
    assert seen(play, play.tasks[0]) == {"a": 1, "b": 2, "v": "file"}


def test_import_role_stands_where_the_task_stands(read: Read) -> None:
    imports = (
        "[{id: before, ping: }, {import_role: {name: web, tasks_from: other, vars_from: v, defaults_from: d.yml}, "
        "when: x, tags: [u], vars: {p: '{{ q }}'}}, {ansible.builtin.import_role: name=web, id: again}, "
        "{import_role: {role: '{{ q }}'}}]"
    )
    files = {
        "site.yml": site("[]", imports, "  vars: {q: db}\n"),
        "roles/web/tasks/main.yml": "- {id: main, ping: }\n",
        "roles/web/tasks/other.yml": "- {id: other, ping: }\n",
        "roles/web/vars/v.yml": "v: 1",
        "roles/web/vars/main.yml": "v: 0",
        "roles/web/defaults/d.yml": "d: 1",
        "roles/db/tasks/main.yml": PING,
    }
    play, found = read(files)
    assert not found
    assert ids(play) == ["before", "web.web.other", "again.again.main", "db.db.one"]
    other = task(play, "web.other")
    assert (set(other.tags), seen(play, other)["v"], seen(play, other)["d"]) == ({"u"}, 1, 1)
    assert [role.name for role in play.roles] == ["web", "web", "db"]


def test_roles_of_the_play_show_their_variables_to_all_of_it(read: Read) -> None:
    imports = "[{ping: }, {import_role: {name: own, public: false}}, {import_role: {name: shown}}]"
    files = {
        "site.yml": site("[{role: web, p: 1, vars: {g: 1}}]", imports, "  vars: {v: play}\n"),
        **{f"roles/{name}/tasks/main.yml": PING for name in ("web", "own", "shown")},
        **{f"roles/{name}/defaults/main.yml": f"{{d: {name}, {name}_d: 1}}" for name in ("web", "own", "shown")},
        **{f"roles/{name}/vars/main.yml": f"{{v: {name}, {name}_v: 1}}" for name in ("web", "own", "shown")},
    }
    play, found = read(files)
    assert not found
    outside = {"v": "shown", "d": "shown", "web_v": 1, "web_d": 1, "shown_v": 1, "shown_d": 1}
    assert seen(play, task(play, "ping")) == outside
    assert seen(play, task(play, "web.one")) == {**outside, "v": "web", "d": "web", "p": 1, "g": 1}
    assert seen(play, task(play, "own.one")) == {**outside, "v": "own", "d": "own", "own_v": 1, "own_d": 1}


def test_a_role_in_a_role_knows_those_around_it(read: Read) -> None:
    files = {
        "site.yml": site("[{role: outer, p: 1}]"),
        "roles/outer/tasks/main.yml": "- import_role: {name: inner}\n",
        "roles/outer/vars/main.yml": "{v: outer, w: outer}",
        "roles/inner/tasks/main.yml": PING,
        "roles/inner/vars/main.yml": "v: inner",
    }
    play, found = read(files)
    assert not found
    [one] = play.tasks
    assert ids(play) == ["outer.inner.inner.one"]
    assert seen(play, one) == {"v": "inner", "w": "outer", "p": 1}
    [of_task, *_] = Definitions().magic(play, one)
    assert of_task["role_name"] == "inner"
    assert of_task["ansible_parent_role_names"] == ["outer"]


def test_equal_uses_of_a_role_run_once(read: Read) -> None:
    web = "{role: web, tags: [t]}, {role: web, tags: [t]}, {role: web, p: 1}"
    roles = f"[{web}, {{role: a, tags: [a]}}, {{role: b, tags: [b]}}]"
    files = {
        "site.yml": site(roles),
        **{f"roles/{name}/tasks/main.yml": PING for name in ("web", "base", "a", "b")},
        **{f"roles/{name}/meta/main.yml": "dependencies: [base]" for name in ("a", "b")},
    }
    play, found = read(files)
    assert not found

    def running(*tags: str) -> list[str]:
        chosen = partial(selected, tags=tags)
        [marked] = without_repeats(Playbook(path="", plays=(play,)), chosen).plays
        return [task.id for task in marked.tasks if chosen(task)]

    assert running() == ["web.one", "web-3.one", "base.one", "a.one", "b.one"]
    assert running("b") == ["base-2.one", "b.one"]


@pytest.mark.parametrize(
    ("roles", "files", "said"),
    [
        ("[none]", {}, "There is no role 'none'. Looked for"),
        ("[{tags: x}]", {}, "An entry says under 'role' which role it is"),
        ("[[web]]", {}, "A role is a name, or a dictionary with 'role', but this is a list"),
        ("['{{ h }}']", {}, "'h' is undefined"),
        ("[web]", {"tasks/main.yml": "a: b"}, "A file of tasks is a list of tasks, but this is a dictionary"),
        ("[web]", {"vars/main.yml": "[]"}, "A file of variables is a dictionary, but this is a list"),
        ("[web]", {"meta/main.yml": "[]"}, "The description of a role is a dictionary, but this is a list"),
        ("[web]", {"meta/main.yml": "dependencies: x"}, "'dependencies' takes a list of roles"),
        ("[web]", {"meta/main.yml": "dependncies: []"}, "no key 'dependncies'. Did you mean 'dependencies'?"),
        ("[web]", {"meta/main.yml": "dependencies: [web]"}, "A role uses itself: web, which uses web."),
        ("[web]", {"tasks/main.yml": "- import_role: {name: web}"}, "A role uses itself"),
        ("[web]", {"tasks/main.yml": "- import_role: {name: web, tasks_from: x}"}, "The role has no file 'x' in"),
        (
            "[web]",
            {"tasks/main.yml": "- import_role: {name: other, tasks: x}"},
            "'import_role' has no argument 'tasks'",
        ),
        ("[web]", {"tasks/main.yml": "- import_role: {}"}, "'import_role' needs 'name'"),
        ("[web]", {"tasks/main.yml": "- import_role: {name: web, tasks_from: ../../db}"}, "leads out of"),
    ],
)
def test_mistakes(read: Read, roles: str, files: dict[str, str], said: str) -> None:
    inner = {"roles/web/tasks/main.yml": "[]", "roles/db.yml": "[]", "roles/other/tasks/main.yml": "[]"} | {
        f"roles/web/{name}": text for name, text in files.items()
    }
    _, found = read({"site.yml": site(roles), **inner})
    assert len(found) == 1, found
    assert said in f"{found[0].summary}: {found[0].detail}"


def test_mistakes_name_the_chain_of_roles(read: Read, tmp_path: Path) -> None:
    files = {
        "site.yml": site("[web]"),
        "roles/web/meta/main.yml": "dependencies: [base]\n",
        "roles/base/tasks/main.yml": "- import_tasks: more.yml\n",
        "roles/base/tasks/more.yml": "- {ping: , whne: x}\n",
    }
    _, [mistake] = read(files)
    assert place(mistake) == "1:12"
    assert mistake.detail.splitlines()[1:] == [
        f"Imported in {tmp_path}/roles/base/tasks/main.yml:1:17.",
        f"Imported in {tmp_path}/roles/web/meta/main.yml:1:16.",
        f"Imported in {tmp_path}/site.yml:2:11.",
    ]


def test_a_role_without_tasks_can_be_needed(read: Read) -> None:
    files = {"site.yml": site("[web]", "[{id: one, ping: , needs: [web]}]"), "roles/web/vars/main.yml": "a: 1"}
    play, found = read(files)
    assert not found
    needs = needs_of([play])
    assert needs[play.path_of(play.tasks[0])] == (TaskPath("all", ("web",)),)
    assert needs[TaskPath("all", ("web",))] == ()


def test_what_is_missing_hides_no_names(read: Read) -> None:
    tasks = "[{import_tasks: none.yml, id: more}, {ping: , needs: [web, more]}]"
    _, found = read({"site.yml": site("[web]", tasks)})
    assert [mistake.summary for mistake in found] == ["A role isn't there", "A file of tasks isn't there"]


def test_titles_name_the_role(read: Read) -> None:
    files = {
        "site.yml": site("[web]", "[{name: Go on, ping: }]"),
        "roles/web/tasks/main.yml": "- {name: Go, ping: }\n- ping:\n",
    }
    play, _ = read(files)
    assert [task_title(task) for task in play.tasks] == ["web : Go", "web : ping", "Go on"]
    [titled_once, *_] = (replace(task, name=task_title(task)) for task in play.tasks)
    assert task_title(titled_once) == "web : Go"


def test_a_missing_role_may_have_the_handlers_that_are_notified(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("- hosts: all\n  roles: [none]\n  tasks: [{command: 'true', notify: restart}]\n")
    ended = call(tmp_path, "plan", "site.yml", "-i", "localhost,")
    assert "A role isn't there" in ended.said
    assert "restart" not in ended.said.replace("notify: restart", "")


def test_a_journal_keeps_what_roles_define(read: Read) -> None:
    files = {
        "site.yml": site("[{role: web, p: 1}]"),
        "roles/web/tasks/main.yml": "- import_role: {name: inner}\n- ping:\n",
        "roles/web/vars/main.yml": "v: '{{ p }}'",
        "roles/inner/tasks/main.yml": PING,
    }
    play, _ = read(files)
    again = decode(Play, encode(play))
    assert again == play
    assert again.tasks[0].role is not None
    assert again.tasks[0].role.parents[0].variables == play.roles[-1].variables
