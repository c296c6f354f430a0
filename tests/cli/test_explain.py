"""``drumline explain``: where values come from."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
from support.program import call

FILES = {
    "hosts.yml": """\
        all:
          vars: {port: 1, derived: "{{ port }}-x"}
          children:
            web:
              hosts:
                web1: {port: 4}
                web2:
              vars:
                port: 3
                db_password: hidden-word
        """,
    "more.ini": "[web]\nweb2 from_ini=5\n[web:vars]\nport=33\n",
    "group_vars/web.yml": "port: 5\n",
    "host_vars/web2.yml": "other: 0\nport: 6\n",
    "roles/web/defaults/main.yml": "port: 80\nonly_role: a\n",
    "roles/web/vars/main.yml": "of_role: b\n",
    "roles/web/tasks/main.yml": "- id: go\n  debug: {msg: x}\n  vars:\n    of_task: 1\n",
    "site.yml": "- hosts: web\n  vars:\n    port: 7\n  roles: [web]\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return tmp_path


def explained(project: Path, *arguments: str) -> list[str]:
    ended = call(project, "explain", "-i", "hosts.yml", *arguments)
    assert ended.status == 0, ended.said
    return ended.out.replace(f"{project}/", "").splitlines()


def test_what_wins_and_what_it_overrides(project: Path) -> None:
    assert explained(project, "web2", "port") == [
        "port on web2: 6",
        "  host_vars/web2.yml:2:1: 6  (host 'web2', beside the inventory)",
        "overrides",
        "  group_vars/web.yml:1:1: 5  (group 'web', beside the inventory)",
        "  hosts.yml:9:9: 3  (group 'web')",
        "  hosts.yml:2:10: 1  (group 'all')",
    ]


def test_a_later_source(project: Path) -> None:
    lines = explained(project, "-i", "more.ini", "web2", "port")
    assert "  more.ini:4:1: 33  (group 'web')" in lines
    assert lines.index("  more.ini:4:1: 33  (group 'web')") < lines.index("  hosts.yml:9:9: 3  (group 'web')")
    assert explained(project, "-i", "more.ini", "web2", "from_ini")[1] == "  more.ini:2:1: 5  (host 'web2')"


def test_a_template_is_shown_as_written_too(project: Path) -> None:
    lines = explained(project, "web2", "derived")
    assert lines == ['derived on web2: "6-x"', "  hosts.yml:2:19: \"{{ port }}-x\"  (group 'all')"]


def test_plays_roles_and_the_command_line(project: Path) -> None:
    lines = explained(project, "web1", "port", "site.yml", "--task", "go", "-e", "port=9")
    assert lines[:4] == [
        'port on web1: "9"',
        '  "9"  (the command line (-e))',
        "overrides",
        "  site.yml:3:5: 7  (vars of play 'web')",
    ]
    assert lines[-1] == "  roles/web/defaults/main.yml:1:1: 80  (defaults of role 'web')"


@pytest.mark.parametrize("task", ["go", "web.go"])
def test_a_task(project: Path, task: str) -> None:
    lines = explained(project, "web1", "of_task", "site.yml", "--task", task)
    assert lines[1].startswith("  roles/web/tasks/main.yml:4:5: 1  (vars of task ")
    lines = explained(project, "web1", "of_role", "site.yml", "--task", task)
    assert lines[1] == "  roles/web/vars/main.yml:1:1: b  (vars of role 'web')"


def test_data(project: Path) -> None:
    found = json.loads("\n".join(explained(project, "web1", "port", "--format", "json")))
    assert (found["value"], found["definitions"][0]["of"]) == (4, "host 'web1'")


def test_secrets_are_masked(project: Path) -> None:
    assert "hidden-word" not in "".join(explained(project, "web1", "db_password"))
    assert "hidden-word" in "".join(explained(project, "web1", "db_password", "--reveal"))


def test_what_drumline_sets(project: Path) -> None:
    assert explained(project, "web1", "inventory_hostname") == [
        "inventory_hostname on web1: web1",
        "  set by drumline itself",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["web1", "prot"], "'prot' isn't defined on web1. Did you mean 'port'?"),
        (["wb1", "port"], "no host 'wb1'. Did you mean 'web1'?"),
        (["web1", "port", "site.yml", "--task", "gx"], "no task 'gx'"),
        (["web1", "port", "--task", "go"], "--task needs a playbook"),
        (["web1", "broken", "-e", "broken={{ nowhere }}"], "'broken' at -e"),
    ],
)
def test_mistakes(project: Path, arguments: list[str], said: str) -> None:
    ended = call(project, "explain", "-i", "hosts.yml", *arguments)
    assert (ended.status, ended.out) == (5, "")
    assert said in ended.err


def test_secrets_within_other_values_are_masked(project: Path) -> None:
    (project / "group_vars" / "all.yml").write_text(
        "url: http://u:{{ db_password }}@x\nlisted: ['{{ db_password }}']\n"
    )
    for name in ("url", "listed"):
        assert "hidden-word" not in "".join(explained(project, "web1", name))
    assert "hidden-word" in "".join(explained(project, "web1", "url", "--reveal"))
