"""Each rule of advice: what it says, and what it leaves alone."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from drumline.built_in import all_plugins
from drumline.lint.advice import advise
from drumline.loading.playbook import load_playbooks

ACTIONS = all_plugins().actions


def advice(directory: Path, tasks: str) -> list[tuple[str, int]]:
    path = directory / "site.yml"
    path.write_text(f"- hosts: all\n  tasks:\n{textwrap.indent(textwrap.dedent(tasks), '    ')}")
    found = advise(load_playbooks([path], ACTIONS), ACTIONS)
    return [(rule, diagnostic.position.line) for rule, diagnostic in found if diagnostic.position]


@pytest.mark.parametrize(
    ("rule", "wrong", "right"),
    [
        ("unnamed-task", "- debug: {msg: hi}", "- name: a\n  debug: {msg: hi}"),
        ("command-instead-of-action", "- command: mkdir /srv/app", "- command: systemctl is-active x"),
        ("command-instead-of-action", "- command: /bin/chmod 0600 /x", "- shell: mkdir /a && touch /b"),
        ("needless-shell", "- shell: uptime -p", "- shell: uptime | wc"),
        ("needless-shell", "- shell: 'echo {{ a }}'", "- shell: '[ -e /x ]'"),
        ("needless-shell", "- shell: systemctl stop x", "- shell: echo hi\n  args: {executable: /bin/bash}"),
        ("always-changed", "- command: app migrate", "- command: app migrate\n  changed_when: false"),
        ("always-changed", "- command: app init", "- command: app init creates=/srv/app"),
        ("open-mode", "- file: {path: /x, mode: '0777'}", "- file: {path: /x, mode: '0775'}"),
        ("open-mode", "- copy: {src: a, dest: /x, mode: 'a=rw'}", "- copy: {src: a, dest: /x, mode: 'u=rw,o=r'}"),
        ("open-mode", "- copy: {src: a, dest: /x, mode: 0666}", "- copy: {src: a, dest: /x, mode: 0644}"),
        ("ignored-errors", "- ping:\n  ignore_errors: true", "- ping:\n  ignore_errors: true\n  register: r"),
        ("ignored-errors", "- ping:\n  ignore_errors: yes", "- ping:\n  ignore_errors: '{{ ansible_check_mode }}'"),
        ("old-form", "- local_action: command echo", "- command: echo\n  delegate_to: localhost"),
        ("old-form", "- action: ping", "- ping:"),
        ("become-user-alone", "- ping:\n  become_user: app", "- ping:\n  become_user: app\n  become: true"),
        ("unused-register", "- ping:\n  register: r", "- ping:\n  register: r\n- debug: {var: r}"),
        (
            "unused-register",
            "- ping:\n  register: r",
            "- ping:\n  register: r\n- debug: {msg: x}\n  when: r is changed",
        ),
    ],
)
def test_rules(tmp_path: Path, rule: str, wrong: str, right: str) -> None:
    assert rule in [found for found, _ in advice(tmp_path, wrong)]
    assert rule not in [found for found, _ in advice(tmp_path, right)]


def test_a_result_may_be_used_by_a_file_that_is_rendered(tmp_path: Path) -> None:
    tasks = "- ping:\n  register: r\n- template: {src: a.j2, dest: /a}\n"
    assert "unused-register" not in [rule for rule, _ in advice(tmp_path, tasks)]


def test_places(tmp_path: Path) -> None:
    assert advice(tmp_path, "- name: a\n  file:\n    path: /x\n    mode: '0777'\n") == [("open-mode", 6)]
