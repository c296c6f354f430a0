"""Secrets that a playbook gives as arguments or items: masked in all that is shown and kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.program import call

PLAYBOOK = """\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - add_host: {name: n, ansible_password: SECRET-1, db_pass: SECRET-2}
    - set_stats: {data: {my_password: SECRET-3}}
    - debug: {msg: "{{ item.name }}"}
      loop: [{name: x, password: SECRET-4}]
    - command: "echo {{ item }}"
      loop: [SECRET-5, shown]
      no_log: "{{ item == 'SECRET-5' }}"
    - command: "echo {{ item }}"
      loop: [a, b]
      check_mode: "{{ item == 'a' }}"
"""


@pytest.mark.parametrize("more", [["-vv"], ["--events", "-"]])
def test_what_is_given_under_a_secret_name_is_masked(tmp_path: Path, more: list[str]) -> None:
    (tmp_path / "playbook.yml").write_text(PLAYBOOK)
    ended = call(tmp_path, "run", "-i", "localhost,", "playbook.yml", *more)
    assert ended.status == 0, ended.said
    assert "SECRET" not in ended.said
    journal = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert b"SECRET" not in journal
