"""``drumline coverage``: what loads, what is missing, and that nothing stops it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from support.program import call

Project = Callable[[Mapping[str, str]], Path]

FILES = {
    "good.yml": "- hosts: web:&db:!old*\n  tasks:\n    - command: echo {{ undefined }} {{ groups['cache'] | first }}\n",
    "also.yml": (
        "- hosts: '{{ target | default(\"mons:osds\") }}'\n"
        "- hosts: '{{ target }}'\n  serial: '{{ size }}'\n  tasks: [{debug: {msg: hi}}]\n"
    ),
    "missing.yml": "- hosts: all\n  tasks:\n    - ec2: {a: 1}\n    - ec2: {a: 2}\n    - ovh_monthly_billing: {}\n",
    "typo.yml": "- hosts: all\n  tasks:\n    - comand: echo\n",
    "filter.yml": "- hosts: all\n  tasks:\n    - debug: {msg: '{{ 1 | nosuchfilter }}'}\n",
    "library/own_module.py": "",
    "own.yml": "- hosts: all\n  tasks:\n    - own_module: free text 'with a quote\n",
    "broken.yml": "- hosts: all\n tasks: []\n",
}


def test_shares_and_what_is_missing(project: Project) -> None:
    root = project(FILES)
    found = json.loads(call(root, "coverage", ".", "--format", "json", "--list").out)
    assert (found["units"], found["loading"], found["share"]) == ({"playbook": 7}, {"playbook": 2}, 28.6)
    assert found["missing"]["actions"]["ec2"] == {"times": 2, "units": 1}
    assert found["missing"]["filters"] == {"nosuchfilter": {"times": 1, "units": 1}}
    assert list(found["failing"]) == ["broken.yml", "filter.yml", "missing.yml", "own.yml", "typo.yml"]
    assert "typo.yml:3:7: error: Unknown action" in found["failing"]["typo.yml"][0]


def test_stubs_stand_in_for_modules_but_not_for_typos(project: Project) -> None:
    root = project(FILES)
    ended = call(root, "coverage", "--stubs", "--most", "1", ".")
    assert ended.status == 0
    lines = ended.out.splitlines()
    assert lines[:2] == ["57.1% load: 4 of 7", "  4 of 7 playbooks"]
    assert "Missing actions (files, times):" in lines
    assert "3 names were stood in for: ec2 (1)" in ended.out


def test_each_mistake_is_listed_where_that_is_wanted(project: Project) -> None:
    ended = call(project(FILES), "coverage", "--list", "typo.yml")
    assert ended.out.startswith("playbook typo.yml\n  typo.yml:3:7: error: Unknown action\n")
    assert ended.out.endswith("Missing actions (files, times):\n  comand      1      1\n")


def test_nothing_is_found(tmp_path: Path) -> None:
    assert call(tmp_path, "coverage", ".").out == "Found no playbook and no role.\n"


def test_filters_beside_a_playbook_are_its_own(project: Project) -> None:
    plugin = "class FilterModule:\n    def filters(self):\n        return {'shout': str.upper}\n"
    play = "- hosts: all\n  tasks:\n    - debug: {msg: \"{{ 'a' | shout }}\"}\n"
    root = project({"a/site.yml": play, "a/filter_plugins/x.py": plugin, "b/site.yml": play})
    found = json.loads(call(root, "coverage", ".", "--format", "json", "--list").out)
    assert list(found["failing"]) == ["b/site.yml"]


@pytest.mark.parametrize("text", ["", "\0", "- hosts: [", "- 1", "{}", "- hosts: all\n  tasks: x", "- {}", "&a [*a]"])
def test_nothing_that_stands_in_a_file_stops_it(project: Project, text: str) -> None:
    ended = call(project({"x.yml": text}), "coverage", "x.yml")
    assert (ended.status, ended.err) == (0, "")
    assert "0.0% load" in ended.out


def test_a_projects_own_collection_and_plugins_are_found(project: Project) -> None:
    task = "- debug: {msg: \"{{ 1 | acme.shop.own_filter }} {{ lookup('own_lookup', 'x') }}\"}\n"
    root = project(
        {
            "site.yml": "- hosts: all\n  roles: [acme.shop.web]\n",
            "galaxy.yml": "namespace: acme\nname: shop\n",
            "roles/web/tasks/main.yml": task,
            "plugins/filter/more.py": "FILTERS = {'own_filter': 1}\n",
            "plugins/lookup/own_lookup.py": "",
        }
    )
    ended = call(root, "coverage", "--stubs", "--list", ".")
    assert ended.out.splitlines()[-3:] == ["100.0% load: 2 of 2", "  1 of 1 playbooks", "  1 of 1 roles"], ended.said
    assert "0 of 1 playbooks" in call(root, "coverage", "site.yml").out


def test_roles_from_elsewhere_are_stood_in_for(project: Project) -> None:
    root = project({"site.yml": "- hosts: all\n  roles: [geerlingguy.nginx]\n"})
    ended = call(root, "coverage", "--stubs", ".")
    assert ended.out.splitlines()[0] == "100.0% load: 1 of 1"
    assert ended.out.splitlines()[-1] == "1 names were stood in for: role geerlingguy.nginx (1)"
    assert call(root, "coverage", ".").out.splitlines()[0] == "0.0% load: 0 of 1"


def test_what_ansible_refuses_too_is_counted_apart(project: Project) -> None:
    files = {
        "good.yml": "- hosts: all\n",
        "removed.yml": "- hosts: all\n  tasks:\n    - include: x.yml\n    - copy: {dest: /x, srcs: y}\n",
        "own.yml": "- hosts: all\n  tasks:\n    - debug: {msg: '{{ 1 | shout }}'}\n",
        "text.yml": "- hosts: all\n  tasks:\n    - ping: {data: {}}\n",
        "filter_plugins/own.py": "import ansible\nclass FilterModule:\n    filters = lambda self: {'shout': str}\n",
        "of_a_collection.yml": "- hosts: all\n  tasks:\n    - debug: {msg: '{{ 1 | a.b.shout }}'}\n",
    }
    root = project(files)
    found = json.loads(call(root, "coverage", ".", "--format", "json").out)
    assert (found["units"], found["loading"]) == ({"playbook": 5}, {"playbook": 1})
    assert (found["refused_by_ansible"], found["share_of_valid"]) == (1, 25.0)
    assert list(found["missing"]["refused"]) == ["Keyword removed from Ansible", "Unknown argument"]
    said = call(root, "coverage", ".").out
    assert "Ansible refuses 1 of the others too; of the rest 25.0% load" in said.splitlines()
    assert "Mistakes that Ansible refuses too (files, times):" in said


def test_what_depends_on_the_inventory_or_on_who_uses_the_tasks_is_not_counted(project: Project) -> None:
    files = {
        "hosts.yml": "- hosts: <your host>:$name\n- hosts: ~x.+\n- {hosts: '{{ group }}', vars: {group: osds}}\n",
        "machine.yml": "- hosts: all\n  tasks:\n    - copy: {src: /no/such/file, dest: /x}\n",
        "web/templates/page.j2": "",
        "web/parts/setup.yml": "- template: {src: page.j2, dest: /x}\n- debug:\n",
        "web/parts/wrong.yml": "- template: {src: nope.j2, dest: /x}\n",
        "roles/a/tasks/main.yml": "- copy: {src: roles/b/key, dest: /x}\n",
        "roles/b/key": "",
    }
    found = json.loads(call(project(files), "coverage", ".", "--format", "json", "--list").out)
    assert list(found["failing"]) == ["web/parts/wrong.yml"]


def test_playbooks_of_the_project_s_collection_are_found(project: Project) -> None:
    files = {
        "galaxy.yml": "namespace: acme\nname: platform\n",
        "playbooks/all.yml": "- {hosts: all, roles: [web]}\n",
        "roles/web/tasks/main.yml": "- debug:\n",
        "tests/converge.yml": "- import_playbook: acme.platform.all\n- import_playbook: acme.platform.none\n",
    }
    found = json.loads(call(project(files), "coverage", ".", "--format", "json", "--list").out)
    assert list(found["failing"]) == ["tests/converge.yml"]
    assert "There is no file 'tests/acme.platform.none'" in "".join(found["failing"]["tests/converge.yml"])


def test_filters_of_a_package_of_the_project_are_its_own(project: Project) -> None:
    files = {
        "acme/__init__.py": "",
        "acme/filters.py": "def get_filters():\n    return {'shout': str.upper}\n",
        "ansible/filter_plugins/own.py": (
            "import json\nfrom acme import filters as f, nothing\nclass FilterModule:\n    filters = f.get_filters\n"
        ),
        "ansible/site.yml": "- hosts: all\n  tasks:\n    - debug: {msg: '{{ 1 | shout }}'}\n",
        "ansible/typo.yml": "- hosts: all\n  tasks:\n    - debug: {msg: '{{ 1 | shoot }}'}\n",
    }
    found = json.loads(call(project(files), "coverage", "--stubs", ".", "--format", "json", "--list").out)
    assert list(found["failing"]) == ["ansible/typo.yml"]
