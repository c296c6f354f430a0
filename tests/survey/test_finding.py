"""What is found below a path: playbooks, roles, lists of tasks, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from drumline.built_in import all_plugins
from drumline.errors import UsageError
from drumline.survey.finding import task_files, units_in

FILES = {
    "site.yml": "- hosts: all\n",
    "more.yaml": "- ansible.builtin.import_playbook: site.yml\n",
    "broken.yml": "- name: x\n  hosts: all\n tasks: [\n",
    "tasks/setup.yml": "- command: echo\n- block: []\n- community.general.make: {}\n",
    "requirements.yml": "- src: geerlingguy.nginx\n- name: other\n",
    "notes.yml": "- a\n- b\n",
    "values.yml": "a: 1\n",
    "machines.yml": "- {hostname: a, template: debian, cpus: 2, memory: 4}\n",
    "empty.yml": "",
    ".github/workflow.yml": "- hosts: all\n",
    "node_modules/x/site.yml": "- hosts: all\n",
    "group_vars/all.yml": "- hosts: all\n",
    "roles/web/tasks/main.yml": "- command: echo\n",
    "roles/web/tasks/deeper/more.yml": "- command: echo\n",
    "roles/web/handlers/main.yml": "- command: echo\n",
    "roles/web/defaults/main.yml": "a: 1\n",
    "roles/web/tests/test.yml": "- hosts: all\n",
    "roles/base/meta/main.yml": "dependencies: []\n",
}


def test_each_is_found_once(project: Callable[[Mapping[str, str]], Path]) -> None:
    root = project(FILES)
    found = units_in([root], all_plugins().actions)
    assert [(unit.path.removeprefix(f"{root}/"), unit.kind.value) for unit in found] == [
        ("broken.yml", "playbook"),
        ("more.yaml", "playbook"),
        ("roles/base", "role"),
        ("roles/web", "role"),
        ("roles/web/tests/test.yml", "playbook"),
        ("site.yml", "playbook"),
        ("tasks/setup.yml", "tasks"),
    ]
    assert task_files(root / "roles" / "web") == ["deeper/more.yml"]
    assert units_in([root, root / "site.yml"], all_plugins().actions) == found


def test_a_file_that_is_named_is_looked_at_whatever_it_is(project: Callable[[Mapping[str, str]], Path]) -> None:
    root = project(FILES)
    [unit] = units_in([root / "values.yml"], all_plugins().actions)
    assert unit.kind == "playbook"


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file or directory"):
        units_in([tmp_path / "no"], {})
