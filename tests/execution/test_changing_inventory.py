"""``add_host`` and ``group_by`` change the inventory, and later plays are planned when they open."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from support.program import call
from support.running import Ran, run_text

from drumline.errors import FilesError
from drumline.journal.keys import RunKey
from drumline.journal.reopening import read_back
from drumline.journal.store import Journal
from drumline.masking import Secrets

INVENTORY = """
all:
  vars: {ansible_connection: local, colour: grey}
  hosts:
    a: {own: of a}
    b:
  children:
    blue: {vars: {colour: blue, shade: dark}}
"""
ADDING = """
- hosts: all
  gather_facts: false
  tasks:
    - {id: add, add_host: {name: "n{{ item }}:22", groups: "fresh,blue", size: "{{ item }}"}, loop: [1, 2]}
"""


def run(directory: Path, text: str) -> Ran:
    return run_text(directory, text, inventory=INVENTORY)


def play(hosts: str, tasks: str, **keywords: object) -> str:
    lines = "".join(f"  {name}: {value}\n" for name, value in keywords.items())
    return f"- hosts: {hosts}\n  gather_facts: false\n{lines}  tasks:\n    - {tasks}\n"


def test_hosts_that_are_added_take_part_in_later_plays(tmp_path: Path) -> None:
    tasks = '{id: x, debug: {msg: "{{ size }} {{ colour }} {{ ansible_ssh_port }} {{ group_names }}"}}'
    ran = run(tmp_path, ADDING + play("fresh", tasks))
    assert ran.result("x", "n1")["msg"] == "1 blue 22 ['blue', 'fresh']"
    assert ran.result("x", "n2")["msg"] == "2 blue 22 ['blue', 'fresh']"
    assert ran.exit_status == 0


def test_hosts_and_batches_are_those_of_the_moment_when_the_play_opens(tmp_path: Path) -> None:
    ran = run(tmp_path, ADDING + play("all", "{id: x, debug: {msg: '{{ play_hosts }}'}}", serial=3))
    assert [len(batch.hosts) for batch in ran.plan.plays[1].batches] == [3, 1]
    assert {end.job.host for end in ran.ends()} == {"a", "b", "n1", "n2"}


def test_groups_have_the_variables_of_those_that_were_there(tmp_path: Path) -> None:
    tasks = "{id: group, group_by: {key: \"{{ 'blue' if own is defined else 'new group' }}\", parents: [kinds]}}"
    use = "{id: x, debug: {msg: \"{{ colour }} {{ shade | default('no shade') }} {{ groups.kinds | sort }}\"}}"
    ran = run(tmp_path, play("all", tasks) + play("new-group:blue", use))
    assert ran.result("x", "a")["msg"] == "blue dark ['a', 'b']"
    assert ran.result("x", "b")["msg"] == "grey no shade ['a', 'b']"
    assert ran.status("group", "a") == "changed"


def test_a_play_that_needs_a_task_of_an_earlier_one(tmp_path: Path) -> None:
    first = ADDING.replace("- hosts: all", "- id: first\n  hosts: all")
    use = "{id: x, needs: [first.add], debug: {msg: \"{{ results['first.add']['a'].results | length }}\"}}"
    ran = run(tmp_path, first + play("fresh", use, id="second") + play("fresh", "{id: y, debug: }", needs="[second]"))
    assert ran.result("x", "n1")["msg"] == 2
    assert ran.status("y", "n2") == "ok"


def test_a_pattern_that_matches_nothing_is_no_mistake_only_where_hosts_may_come(tmp_path: Path) -> None:
    assert run(tmp_path, ADDING + play("nowhere", "debug:")).exit_status == 0
    with pytest.raises(FilesError, match="A host pattern matches nothing"):
        run(tmp_path, play("nowhere", "debug:") + ADDING)


def test_the_plan_says_what_is_planned_when_it_opens(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(ADDING + play("fresh", "{id: x, debug: }"))
    (tmp_path / "hosts.yml").write_text(INVENTORY)
    said = call(tmp_path, "plan", "site.yml", "-i", "hosts.yml").said
    assert "planned when it opens: tasks before it may change which hosts there are" in said


def test_a_file_that_is_unknown_may_add_hosts(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("- add_host: {name: n1, groups: fresh}\n")
    (tmp_path / "b.yml").write_text("[]\n")
    include = play("all", "include_tasks: '{{ inventory_hostname }}.yml'")
    ran = run(tmp_path, include + play("fresh", "{id: x, debug: }"))
    assert ran.status("x", "n1") == "ok"


def test_secrets_of_added_hosts_are_masked(tmp_path: Path) -> None:
    adding = ADDING.replace("size:", "app_password: secret-of-n, size:")
    ran = run(tmp_path, adding + play("fresh", "{id: x, command: echo secret-of-n}"))
    assert "secret" not in ran.result("x", "n1")["stdout"]


def test_a_run_that_is_read_back_knows_plays_that_were_planned_when_they_opened(tmp_path: Path) -> None:
    ran = run(tmp_path, ADDING + play("fresh", "{id: x, debug: }") + play("all", "{id: y, fail: }"))
    with closing(Journal(tmp_path / "state")) as journal:
        [found] = journal.runs()
        reopened = read_back(journal, found, RunKey(tmp_path / "state", found.id), Secrets())
    assert reopened.state.finished
    assert [(step.task.id, step.hosts) for step in reopened.state.plan.steps] == [
        (step.task.id, step.hosts) for step in ran.plan.steps
    ]
    told = call(tmp_path, "runs", "show", "--state", "state").said
    assert "y" in told


def test_simulations_and_checks_of_waits_know_plays_that_open_later(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(ADDING + play("all", "{id: x, debug: }"))
    (tmp_path / "hosts.yml").write_text(INVENTORY)
    assert call(tmp_path, "simulate", "site.yml", "-i", "hosts.yml").status == 0
    assert call(tmp_path, "plan", "--lint-waits", "site.yml", "-i", "hosts.yml").status == 0
    assert call(tmp_path, "plan", "--estimate", "site.yml", "-i", "hosts.yml").status == 0


def test_the_history_shows_what_was_added(tmp_path: Path) -> None:
    (tmp_path / "part.yml").write_text("- {id: x, command: echo of-x}\n")
    ran = run(tmp_path, ADDING + play("fresh", "{id: inc, include_tasks: part.yml}"))
    assert ran.exit_status == 0
    shown = call(tmp_path, "runs", "show", "--state", "state")
    assert shown.status == 0, shown.said
    assert "wave 1.1 of 1: x" in shown.out
    data = call(tmp_path, "runs", "show", "--state", "state", "--format", "json")
    assert '"inc.x"' in data.out, data.said


def refreshing() -> str:
    """Plays before and after the inventory has become another one: ``b`` is gone, ``c`` is new, ``a`` is red."""
    write = "{id: write, copy: {dest: '{{ inventory_file }}', content: \"{{ lookup('file', 'later.yml') }}\"}}"
    return (
        ADDING
        + f"    - {write[:-1]}, run_once: true}}\n"
        + "    - {id: anew, meta: refresh_inventory}\n"
        + "    - {id: after, debug: {msg: '{{ colour }} {{ play_hosts }} {{ only_later | default(0) }}'}}\n"
        + play("all", "{id: x, debug: {msg: '{{ colour }}'}}")
    )


LATER = """
all:
  vars: {ansible_connection: local, colour: grey, only_later: 1}
  hosts:
    a: {colour: red}
    c:
"""


def test_an_inventory_that_is_read_anew(tmp_path: Path) -> None:
    (tmp_path / "later.yml").write_text(LATER)
    ran = run(tmp_path, refreshing())
    assert ran.result("after", "a")["msg"] == "red ['a'] 1"
    assert {end.job.host for end in ran.ends() if ran.plan.steps[end.job.step].task.id == "after"} == {"a"}
    assert {end.job.host for end in ran.ends() if ran.plan.steps[end.job.step].task.id == "x"} == {"a", "c", "n1", "n2"}
    assert ran.exit_status == 0
    with closing(Journal(tmp_path / "state")) as journal:
        [found] = journal.runs()
        reopened = read_back(journal, found, RunKey(tmp_path / "state", found.id), Secrets())
    assert reopened.state.finished
    assert [step.hosts for step in reopened.state.plan.steps] == [step.hosts for step in ran.plan.steps]


def test_secrets_of_an_inventory_that_is_read_anew_are_masked(tmp_path: Path) -> None:
    (tmp_path / "later.yml").write_text(LATER.replace("colour: red", "app_password: secret-of-a"))
    ran = run(tmp_path, refreshing() + play("a", "{id: y, command: echo secret-of-a}"))
    assert "secret" not in ran.result("y", "a")["stdout"]


def test_mistakes_in_an_inventory_that_is_read_anew_fail_the_task(tmp_path: Path) -> None:
    (tmp_path / "later.yml").write_text("all: {hosts: {a: {ansible_port: none}}}")
    ran = run(tmp_path, refreshing())
    assert ran.status("anew") == "failed"
    assert "The inventory can't be read anew: " in ran.result("anew")["msg"]
    assert "ansible_port" in ran.result("anew")["msg"]
    (tmp_path / "later.yml").write_text("[")
    assert "later" not in run(tmp_path, refreshing()).result("anew")["msg"]
