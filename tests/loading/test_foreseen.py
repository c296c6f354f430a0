"""What includes will add is looked through before the run, where their files are known."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.program import call

OPTIONS = ("-i", "a,b,", "-e", "ansible_connection=local", "-e", "place=here")


def plan(directory: Path, tasks: str, play: str = "gather_facts: false", **files: str) -> tuple[int, str]:
    (directory / "site.yml").write_text(f"- hosts: all\n  {play}\n  tasks:\n{tasks}")
    for name, text in files.items():
        (directory / f"{name}.yml").write_text(text)
    ended = call(directory, "plan", "site.yml", *OPTIONS)
    return ended.status, ended.said


@pytest.mark.parametrize(
    "include",
    ["include_tasks: here.yml", "include_tasks: '{{ place }}.yml'", "{include_tasks: '{{ item }}.yml', loop: [here]}"],
)
def test_mistakes_in_files_of_known_names_are_told_before_the_run(tmp_path: Path, include: str) -> None:
    status, said = plan(tmp_path, f"    - {include}\n", here="- debgu:\n- copy: {src: gone, dest: /tmp/x}\n")
    assert status == 5
    assert "here.yml:1:3: error: Unknown action" in said
    assert "Imported in site.yml:4:7." in said


def test_files_that_are_needed_by_what_is_included(tmp_path: Path) -> None:
    status, said = plan(tmp_path, "    - include_tasks: here.yml\n", here="- copy: {src: gone, dest: /tmp/x}\n")
    assert status == 5
    assert "here.yml:1:10: error: " in said


def test_a_file_that_is_missing_is_a_mistake_unless_it_may_not_be_needed(tmp_path: Path) -> None:
    assert "A file of tasks isn't there" in plan(tmp_path, "    - include_tasks: gone.yml\n")[1]
    assert plan(tmp_path, "    - {include_tasks: gone.yml, when: x is defined}\n")[0] == 0


def test_names_that_are_set_by_what_is_included(tmp_path: Path) -> None:
    tasks = "    - include_tasks: here.yml\n    - debug: {msg: '{{ one }} {{ two }}'}\n"
    assert plan(tmp_path, tasks, here="- {command: 'true', register: one}\n- set_fact: {two: 2}\n")[0] == 0
    status, said = plan(tmp_path, tasks, here="- {command: 'true', register: one}\n")
    assert status == 5
    assert "'two' is defined nowhere" in said
    unknown = tasks.replace("here.yml", "'{{ inventory_hostname }}.yml'")
    assert plan(tmp_path, unknown)[0] == 0


def test_names_that_an_include_gives(tmp_path: Path) -> None:
    tasks = "    - {include_tasks: here.yml, vars: {a: 1}, loop: '{{ groups.all }}', loop_control: {index_var: i}}\n"
    assert plan(tmp_path, tasks, here="- debug: {msg: '{{ a }} {{ item }} {{ i }}'}\n")[0] == 0
    status, said = plan(tmp_path, "    - include_tasks: here.yml\n", here="- debug: {msg: '{{ b }}'}\n")
    assert status == 5
    assert "here.yml:1:16: error: Undefined variable" in said


def test_facts_are_gathered_if_what_is_included_may_use_one(tmp_path: Path) -> None:
    tasks = "    - include_tasks: here.yml\n"
    assert "facts: gathered" not in plan(tmp_path, tasks, "strategy: linear", here="- debug:\n")[1]
    told = plan(tmp_path, tasks, "strategy: linear", here="- debug: {msg: '{{ ansible_os_family }}'}\n")[1]
    assert "facts: gathered: ansible_os_family, here.yml:1:16 uses it" in told.replace(f"{tmp_path}/", "")
    unknown = "    - include_tasks: '{{ inventory_hostname }}.yml'\n"
    assert "facts: gathered" in plan(tmp_path, unknown, "strategy: linear")[1]


def test_the_plan_shows_what_will_be_added(tmp_path: Path) -> None:
    tasks = "    - {include_tasks: '{{ place }}.yml'}\n    - {include_tasks: '{{ group_names[0] }}.yml'}\n"
    said = plan(tmp_path, tasks, here="- {id: x, command: 'true'}\n- include_tasks: deeper.yml\n", deeper="- debug:\n")[
        1
    ]
    assert "include_tasks  on a, b; adds the tasks of {{ place }}.yml: x, include_tasks\n" in said
    assert "adds the tasks of {{ group_names[0] }}.yml\n" in said


def test_a_file_that_includes_itself_is_looked_through_once(tmp_path: Path) -> None:
    tasks = "    - include_tasks: here.yml\n"
    assert plan(tmp_path, tasks, here="- {include_tasks: here.yml, when: x is defined}\n")[0] == 0
