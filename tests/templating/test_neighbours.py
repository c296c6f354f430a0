"""Filters, tests and lookups in files beside a playbook: plain Python is loaded, what needs Ansible's is named."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from support.program import Ended, call

PLAIN = {
    "filter_plugins/text.py": """
        from jinja2 import pass_environment

        def shout(value, times=1):
            return value.upper() + "!" * times

        @pass_environment
        def joined(environment, items):
            return environment.filters["join"](environment, items, "+")

        class FilterModule(object):
            def filters(self):
                return {"shout": shout, "joined": joined, "to_json": shout}
    """,
    "test_plugins/numbers.py": """
        class TestModule:
            def tests(self):
                return {"big": lambda value: value > 10}
    """,
    "lookup_plugins/echo.py": """
        class LookupModule:
            def run(self, terms, variables=None, **options):
                return [f"{term} {options.get('mark')} {variables['name']}" for term in terms]
    """,
    "filter_plugins/_private.py": "raise SystemError",
}
PLAYBOOK = """
- hosts: all
  vars: {name: n}
  tasks:
    - assert:
        that:
          - "('a' | shout(times=2)) == 'A!!'"
          - "([1, 2] | joined) == '1+2'"
          - "11 is big and 9 is not big"
          - "query('echo', 'x', [1], mark='m') == ['x m n', '[1] m n']"
          - "({} | to_json) == '{}'"
    - assert: {that: item == "x None n"}
      with_echo: x
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PLAIN.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(dedent(text))
    return tmp_path


def run(project: Path, playbook: str, command: str = "run") -> Ended:
    (project / "p.yml").write_text(playbook)
    return call(project, command, "p.yml", "-i", "h,", "-e", "ansible_connection=local")


def test_plain_python_is_loaded(project: Path) -> None:
    ended = run(project, PLAYBOOK)
    assert ended.status == 0, ended.said


OF_ANSIBLE = {
    "filter_plugins/theirs.py": """
        from ansible.errors import AnsibleFilterError

        class FilterModule:
            def filters(self):
                return {"their_filter": len}
    """,
    "lookup_plugins/their_lookup.py": """
        from ansible.plugins.lookup import LookupBase

        class LookupModule(LookupBase):
            pass
    """,
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ 'x' | their_filter }}", "needs Ansible's own Python ('ansible.errors')"),
        ("{{ lookup('their_lookup', 'x') }}", "needs Ansible's own Python ('ansible.plugins.lookup')"),
    ],
)
def test_what_needs_ansible_is_named_before_anything_is_sent(project: Path, text: str, message: str) -> None:
    for name, content in OF_ANSIBLE.items():
        (project / name).write_text(dedent(content))
    ended = run(project, f'- hosts: all\n  tasks:\n    - debug: {{msg: "{text}"}}\n', "plan")
    assert ended.status == 5
    assert "p.yml:3:" in ended.err
    assert message in ended.err
    assert run(project, PLAYBOOK, "plan").status == 0


@pytest.mark.parametrize("text", ["def (:", "raise SystemError('no')", "x = 1"])
def test_a_file_that_fails_is_a_warning(project: Path, text: str) -> None:
    (project / "filter_plugins" / "broken.py").write_text(text)
    ended = run(project, PLAYBOOK)
    assert ended.status == 0, ended.said
    assert "filter_plugins/broken.py" in ended.err
    assert "can't be loaded" in ended.err


def test_those_of_roles_and_beside_imported_playbooks_are_loaded(project: Path) -> None:
    for name in PLAIN:
        (project / "roles" / "web" / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).rename(project / "roles" / "web" / name)
    (project / "plays" / "filter_plugins").mkdir(parents=True)
    whisper = "class FilterModule:\n    def filters(self):\n        return {'whisper': str.lower}\n"
    (project / "plays" / "filter_plugins" / "whisper.py").write_text(whisper)
    (project / "plays" / "one.yml").write_text("- hosts: all\n  tasks: [{assert: {that: \"'A' | whisper == 'a'\"}}]\n")
    (project / "roles" / "web" / "tasks").mkdir()
    (project / "roles" / "web" / "tasks" / "main.yml").write_text("- assert: {that: \"'a' | shout == 'A!'\"}\n")
    (project / "site.yml").write_text("- import_playbook: plays/one.yml\n- {hosts: all, roles: [web]}\n")
    ended = call(project, "run", "site.yml", "-i", "localhost,", "-e", "ansible_connection=local")
    assert ended.status == 0, ended.said


OF_COLLECTION = {
    "filter/text.py": "class FilterModule:\n    def filters(self):\n        return {'shout': str.upper}\n",
    "filter/theirs.py": "from ansible.errors import X\nclass FilterModule:\n    def filters(self):\n"
    "        return {'other': X}\n",
    "filter/broken.py": "class FilterModule(:\n",
    "test/numbers.py": "class TestModule:\n    def tests(self):\n        return {'big': lambda value: value > 10}\n",
    "lookup/echo.py": "class LookupModule:\n    def run(self, terms, variables=None, **options):\n"
    "        return [f'{term}!' for term in terms]\n",
}


@pytest.mark.parametrize("installed", [False, True])
def test_those_of_collections_are_found_by_their_full_names(tmp_path: Path, installed: bool) -> None:
    top = tmp_path / ("there" if installed else "collections") / "ansible_collections" / "our" / "tools" / "plugins"
    for name, text in OF_COLLECTION.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    (tmp_path / "ansible.cfg").write_text("[defaults]\ncollections_path = there\n")
    (tmp_path / "site.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - assert: {that: [\"'a' | our.tools.shout == 'A'\", 11 is our.tools.big,"
        " \"lookup('our.tools.echo', 'x') == 'x!'\"]}\n"
        "    - assert: {that: item == 'y!'}\n      with_our.tools.echo: [y]\n"
    )
    ended = call(tmp_path, "run", "site.yml", "-i", "a,", "-e", "ansible_connection=local")
    assert ended.status == 0, ended.said
    (tmp_path / "site.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        '    - debug: {msg: "{{ 1 | our.tools.other }}{{ 1 | our.tools.unknown }}{{ 1 | our.nothing.x }}"}\n'
    )
    said = " ".join(call(tmp_path, "plan", "site.yml", "-i", "a,").said.split())
    assert "theirs.py has 'other', and needs Ansible's own Python ('ansible.errors')" in said
    assert "broken.py:1:20: " in said
    assert "'our.nothing.x' is not there yet" in said
