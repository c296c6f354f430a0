"""What `drumline coverage` says that Ansible refuses too, it refuses, when it reads the file or gets to the task."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.program import environment

from drumline.survey.checking import Checker
from drumline.survey.finding import Kind, Unit
from drumline.survey.refused import REFUSED

TASKS = "- hosts: all\n  gather_facts: false\n  tasks:\n    "
#: A playbook for each kind.
CASES = {
    "A file isn't there": f"{TASKS}- copy: {{src: nope, dest: /x}}\n",
    "A file of tasks isn't there": f"{TASKS}- import_tasks: nope.yml\n",
    "A playbook imports itself": "- import_playbook: site.yml\n",
    "A playbook isn't there": "- import_playbook: nope.yml\n",
    "A play without hosts": "- tasks: []\n",
    "A required argument is missing": f"{TASKS}- file: {{state: touch}}\n",
    "A role uses itself": "- {hosts: all, gather_facts: false, roles: [round]}\n",
    "A tab is used as indentation": "- hosts: all\n\ttasks: []\n",
    "A task without an action": f"{TASKS}- name: nothing\n",
    "An argument has a wrong value": f"{TASKS}- file: {{path: /nope, state: running}}\n",
    "Keyword removed from Ansible": f"{TASKS}- include: nope.yml\n",
    "More than one action in a task": f"{TASKS}- {{command: uptime, debug: {{}}}}\n",
    "Not a list of tasks": f"{TASKS}- import_tasks: values.yml\n",
    "Not a playbook": "hosts: all\n",
    "Not a task": f"{TASKS}- debug\n",
    "Not a valid template": f"{TASKS}- debug: {{msg: '{{{{ 1 + }}}}'}}\n",
    "This can't be a key": f"{TASKS}- debug: {{{{ a }}}}: b\n",
    "This file isn't valid YAML": "- hosts: all\n tasks: []\n",
    "Unknown argument": f"{TASKS}- file: {{path: /nope, contxt: default}}\n",
    "Unknown filter": f"{TASKS}- debug: {{msg: '{{{{ 1 | nope }}}}'}}\n",
    "Unknown keyword": "- {hosts: all, taskz: []}\n",
    "Unknown test": f"{TASKS}- debug: {{msg: '{{{{ 1 is nope }}}}'}}\n",
}


def test_there_is_a_case_for_each_kind() -> None:
    assert CASES.keys() == {*REFUSED, "Unknown filter", "Unknown test"}


@pytest.fixture
def playbook(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    role = tmp_path / "roles" / "round" / "tasks"
    role.mkdir(parents=True)
    (role / "main.yml").write_text("- import_role: {name: round}\n")
    (tmp_path / "values.yml").write_text("a: b\n")
    path = tmp_path / "site.yml"
    path.write_text(CASES[request.param])
    return path


@pytest.mark.parametrize(("playbook", "summary"), [(name, name) for name in CASES], indirect=["playbook"])
def test_it_is_called_that(playbook: Path, summary: str) -> None:
    with Checker().working() as checker:
        checked = checker.check(Unit(path=str(playbook), kind=Kind.PLAYBOOK, root=str(playbook.parent)))
    assert summary in {mistake.summary for mistake in checked.refused}


@pytest.mark.ansible
@pytest.mark.parametrize("playbook", CASES, indirect=True)
def test_ansible_refuses_it(playbook: Path) -> None:
    program = Path(os.environ["DRUMLINE_ANSIBLE"]).with_name("ansible-playbook")
    here = ["-i", "h,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"]
    ended = subprocess.run(
        [program, *here, playbook.name], cwd=playbook.parent, env=environment(playbook.parent), capture_output=True
    )
    assert ended.returncode != 0, ended.stdout
