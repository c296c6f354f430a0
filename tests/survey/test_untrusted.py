"""Looking at a repository runs nothing of it: whatever it holds leaves no trace."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from support.installed import install
from support.program import call

Project = Callable[[Mapping[str, str]], Path]

#: Each kind of code writes a file of its own into ``ran``.
RAN = "import os, pathlib\npathlib.Path(os.environ['RAN'], '{0}').touch()\n"
PIPE = "{{ lookup('pipe', 'touch $RAN/{0}') }}"
PIPES = "{{ query('ansible.builtin.pipe', 'touch $RAN/{0}', errors='ignore') }}"
VAULT = "$ANSIBLE_VAULT;1.1;AES256\n" + b"\n".join([b"ab" * 32, b"cd" * 32, b"ef" * 16]).hex() + "\n"


def pipe(name: str, written: str = PIPE) -> str:
    return written.replace("{0}", name)


FILES = {
    "ansible.cfg": "[defaults]\nvault_password_file = ./password.sh\nvault_identity_list = a@./password.sh\n",
    "password.sh": "#!/bin/sh\ntouch $RAN/password\necho secret\n",
    "inventory/hosts": "[web]\na\n",
    "inventory/dynamic": '#!/bin/sh\ntouch $RAN/inventory\necho "{}"\n',
    "plugins/own.py": RAN.format("plugin") + "NAMES = 'own_action', 'own_filter'\n",
    "filter_plugins/f.py": RAN.format("filter")
    + "class FilterModule:\n    def filters(self):\n        return dict(shout=str.upper)\n",
    "test_plugins/t.py": RAN.format("test")
    + "class TestModule:\n    def tests(self):\n        return {'loud': str.isupper}\n",
    "lookup_plugins/look.py": RAN.format("lookup")
    + "class LookupModule:\n    def run(self, terms, variables, **options):\n        return terms\n",
    "roles/one/filter_plugins/r.py": RAN.format("filter of a role")
    + "class FilterModule:\n    def filters(self):\n        return {'whisper': str.lower}\n",
    "roles/one/tasks/main.yml": (
        "- import_tasks: \"{{ 'main2.yml' | whisper }}\"\n"
        f'- name: Include\n  include_tasks: "{pipe("include")}"\n'
        f'- name: Include by item\n  include_tasks: "{{{{ item }}}}"\n  with_pipe: ["touch $RAN/with"]\n'
    ),
    "roles/one/tasks/other.yml": f'- name: Set\n  include_vars: "{pipe("include_vars")}"\n',
    "roles/one/meta/main.yml": f'dependencies:\n  - role: "{pipe("dependency")}"\n',
    "group_vars/web.yml": "key: !vault |\n  " + VAULT.replace("\n", "\n  ") + "\n",
    "vars/locked.yml": VAULT,
    "site.yml": (
        f'- hosts: "{pipe("hosts")}"\n'
        f'  vars: {{a: "{pipe("vars")}", b: "{{{{ a | shout }}}}"}}\n'
        f'  vars_files: ["{pipe("vars_files")}", vars/locked.yml, "{{{{ a }}}}.yml"]\n'
        f'  serial: "{pipe("serial")}"\n'
        f'  max_fail_percentage: "{pipe("ignored errors", PIPES)}"\n'
        "  roles: [one]\n"
        "  tasks:\n"
        f'    - import_tasks: "{pipe("import")}"\n'
        "    - import_tasks: \"{{ lookup('look', 'x.yml') }}\"\n"
        "    - import_tasks: \"{{ 'x.yml' | shout }}\"\n"
        "    - import_tasks: \"{{ 'x.yml' if 'X' is loud else 'y.yml' }}\"\n"
        "    - import_tasks: \"{{ lookup('url', 'http://127.0.0.1:1/') }}\"\n"
        f'    - name: Tagged\n      own_action: {{any: thing}}\n      tags: ["{pipe("tags")}"]\n'
        f'    - name: Throttled\n      command: uptime\n      throttle: "{pipe("throttle")}"\n'
        "      changed_when: \"'A' | shout is loud\"\n"
        f'    - name: Delegated\n      command: uptime\n      hosts: "{pipe("task hosts")}"\n'
        "      changed_when: 1 | own_filter\n"
        f'    - import_playbook: "{pipe("a wrong place")}"\n'
    ),
    "more.yml": f'- import_playbook: "{pipe("import_playbook")}"\n',
}
PROGRAMS = "password.sh", "inventory/dynamic"
#: A plugin that is installed, and looks for actions in the places of playbooks.
FINDER = """
import os, pathlib
from drumline.plugin import hookimpl

@hookimpl
def drumline_find_action(name, places):
    pathlib.Path(os.environ["RAN"], "asked").touch()
    if places.directories:
        pathlib.Path(os.environ["RAN"], "looked").touch()
"""
LINES = (
    ["lint", "."],
    ["lint", "site.yml", "more.yml", "roles/one/tasks/other.yml", "inventory/dynamic", "group_vars/web.yml"],
    ["coverage", "."],
    ["coverage", "--stubs", "--list", "site.yml", "more.yml"],
    ["schema"],
)


@pytest.fixture
def hostile(project: Project) -> Path:
    root = project(FILES)
    (root / "ran").mkdir()
    for name in PROGRAMS:
        (root / name).chmod(0o755)
    return root


def ran(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "ran").iterdir())


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_nothing_of_a_hostile_repository_runs(hostile: Path, line: list[str]) -> None:
    ended = call(hostile, *line, env={"RAN": str(hostile / "ran")})
    assert ran(hostile) == []
    assert "fault in drumline" not in ended.err


def test_plugins_that_are_installed_look_for_actions_nowhere(project: Project, tmp_path: Path) -> None:
    root = project({"site.yml": "- hosts: all\n  tasks:\n    - name: Own\n      own_action: {}\n", "ran/x": ""})
    found = install(tmp_path / "installed", "finder", FINDER) | {"RAN": str(root / "ran")}
    for line in (["lint", "site.yml"], ["doc", "own_action"]):
        call(root, *line, env=found)
    assert ran(root) == ["asked", "x"]
    call(root, "lint", "--trust", "site.yml", env=found)
    assert ran(root) == ["asked", "looked", "x"]


def test_nor_at_a_tab(hostile: Path) -> None:
    for words in ("exec -i inventory ", "simulate site.yml more.yml --take ", "run site.yml --tags "):
        env = {"_DRUMLINE_COMPLETE": "bash_complete", "DRUMLINE_LINE": f"drumline {words}", "RAN": str(hostile / "ran")}
        call(hostile, env=env)
    assert ran(hostile) == []


def test_the_repository_is_one_that_runs_code_where_it_is_trusted(hostile: Path) -> None:
    env = {"RAN": str(hostile / "ran")}
    call(hostile, "lint", "--trust", ".", env=env)
    assert {"filter", "filter of a role", "import", "lookup", "password", "plugin", "test"} <= set(ran(hostile))


def test_what_is_not_run_is_unknown_and_no_mistake(project: Project) -> None:
    tasks = (
        "    - name: Import\n      import_tasks: \"{{ 'x.yml' | shout }}\"\n"
        "    - name: Own\n      own_action: {any: thing}\n"
        "    - name: Say\n      debug: {msg: \"{{ 'a' | shout | own_filter }} {{ lookup('pipe', 'true') }}\"}\n"
    )
    files = {name: FILES[name] for name in ("plugins/own.py", "filter_plugins/f.py", "vars/locked.yml", "ansible.cfg")}
    text = f"- hosts: all\n  vars_files: [vars/locked.yml]\n  tasks:\n{tasks}"
    root = project({**files, "site.yml": text, "password.sh": FILES["password.sh"]})
    (root / "password.sh").chmod(0o755)
    found = json.loads(call(root, "lint", "site.yml", "--format", "json").out)
    assert [(one["level"], one["id"]) for one in found] == [("warning", "a-vault-password-is-missing")]
    assert "100.0% load" in call(root, "coverage", "site.yml").out


def test_what_is_wrong_is_told_all_the_same(project: Project) -> None:
    message = "{{ 'a' | shoot }} {{ lookup('pipes', 'x') }}"
    text = f'- hosts: all\n  tasks:\n    - name: Say\n      debug: {{msg: "{message}"}}\n'
    root = project({"filter_plugins/f.py": FILES["filter_plugins/f.py"], "site.yml": text})
    found = json.loads(call(root, "lint", "site.yml", "--format", "json").out)
    assert [one["id"] for one in found] == ["unknown-filter", "unknown-lookup"]


def test_no_database_is_asked(project: Project) -> None:
    tables = {"rows": {"query": "SELECT a FROM here", "url": "sqlite:///ok.db"}}
    generator = {"tables": tables, "patterns": {"one": "one.yml"}, "plays": [{"for_each": "rows", "pattern": "one"}]}
    root = project({"site.yml": json.dumps([{"generate": generator}]), "one.yml": "- ping:\n", "ok.db": ""})
    ended = call(root, "lint", "site.yml", "--errors-only")
    assert (ended.status, ended.out) == (0, "Nothing to say.\n")
    assert "The database says" in call(root, "lint", "--trust", "site.yml").out


def test_options_of_a_source_are_checked_where_it_is_trusted(project: Project) -> None:
    files = {
        "inventory/01.yml": "plugin: csv\nsource: hosts.txt\ncolour: blue\n",
        "inventory/hosts.txt": "name,port\nweb1,80\n",
        "inventory/02.yml": "plugin: constructed\nstrict: perhaps\n",
        "drumline.toml": "",
    }
    root = project(files)
    assert "colour" not in call(root, "lint", "inventory").out
    said = call(root, "lint", "--trust", "inventory")
    assert (said.status, "colour" in said.out, "strict" in said.out) == (5, True, True), said.said
