"""Who a task runs as: keywords of play and task, and variables of the host, which win over them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.running import run_text

#: Called as ``sudo -H -S -n -u USER -- COMMAND…``: lets the command know the user instead of changing it.
_SUDO = """#!/bin/sh
[ "$1 $2 $3 $4 $6" = "-H -S -n -u --" ] || exit 99
export BECAME="$5"
shift 6
exec "$@"
"""


@pytest.fixture
def sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "sudo"
    program.parent.mkdir()
    program.write_text(_SUDO)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setattr("drumline_local.transport.own_name", lambda: "someone")


@pytest.mark.usefixtures("sudo")
@pytest.mark.parametrize(
    ("play", "task", "variables", "user"),
    [
        ("", "", "{}", ""),
        ("become: true", "", "{}", "root"),
        ("become: true", "become: false", "{}", ""),
        ("become_user: deploy", "become: '{{ wanted }}'", "{wanted: true}", "deploy"),
        ("become: true", "become_user: '{{ owner }}'", "{owner: app}", "app"),
        ("", "", "{ansible_become: true, ansible_become_user: '{{ owner }}', owner: app}", "app"),
        ("become: true", "become_user: root", "{ansible_become_user: app}", "app"),
        ("become: true", "", "{ansible_become: false}", ""),
        ("become: true", "", "{ansible_become: false, drumline_become: true, drumline_become_user: app}", "app"),
    ],
)
def test_who_a_task_runs_as(tmp_path: Path, play: str, task: str, variables: str, user: str) -> None:
    ran = run_text(
        tmp_path,
        f"""
        - hosts: a
          {play or "any_errors_fatal: false"}
          tasks:
            - id: one
              shell: echo "as $BECAME"
              {task}
        """,
        inventory=f"""
        all:
          vars: {{ansible_connection: local}}
          hosts:
            a: {variables}
        """,
    )
    assert ran.exit_status == 0
    assert ran.result("one", "a")["stdout"] == f"as {user}"
