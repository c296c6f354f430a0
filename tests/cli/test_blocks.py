"""What people see of blocks: in the plan, while they run, and afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.program import call

TASKS = """
- hosts: all
  tasks:
    - id: work
      block:
        - {id: make, command: "{{ 'false' if inventory_hostname == 'a' else 'true' }}"}
        - {id: use, command: "true"}
      rescue:
        - {id: mend, command: "true"}
      always:
        - {id: tidy, command: "true"}
    - {id: after, command: "true"}
"""
OPTIONS = ("site.yml", "-i", "a,b,", "-e", "ansible_connection=local")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "site.yml").write_text(TASKS)
    return tmp_path


def test_the_plan_says_what_is_for_failures_only(directory: Path) -> None:
    text = call(directory, "plan", *OPTIONS).out
    assert "    mend  on a, b; rescue of work\n" in text
    assert "    tidy  on a, b; always of work\n" in text
    assert "    after  on a, b; waits for work\n" in text
    plan = json.loads(call(directory, "plan", *OPTIONS, "--format", "json").out)
    waves = plan["plays"][0]["batches"][0]["waves"]
    assert [(wave["tasks"][0]["id"], wave["tasks"][0]["block"]) for wave in waves] == [
        ("make", {"id": "work", "part": "tasks"}),
        ("use", {"id": "work", "part": "tasks"}),
        ("mend", {"id": "work", "part": "rescue"}),
        ("tidy", {"id": "work", "part": "always"}),
        ("after", None),
    ]
    dot = call(directory, "plan", *OPTIONS, "--format", "dot").out
    assert "s0 -> s1" in dot
    assert "s3 -> s4" in dot


def test_a_failure_that_was_rescued_leaves_nothing_to_do(directory: Path) -> None:
    ended = call(directory, "run", *OPTIONS, "--recap")
    assert ended.status == 0, ended.said
    assert "  a  3 changed, 1 rescued, 1 abandoned\n" in ended.out
    assert "not run on" not in ended.out
    assert "to continue" not in ended.out
    assert "\nwave 3 of 5: mend (1 job)\n" in ended.out


def test_a_rescue_that_no_one_needed_leaves_no_trace(directory: Path) -> None:
    ended = call(directory, "run", *OPTIONS, "--limit", "b")
    assert ended.status == 0, ended.said
    shown = call(directory, "runs", "show").out
    assert "mend" not in ended.out + shown
    assert "wave 4 of 5: tidy" in shown
    assert "done: 4 changed; 1 host" in shown


def test_other_views_know_blocks(directory: Path) -> None:
    assert call(directory, "simulate", *OPTIONS, "--hosts", "20", "--rounds", "3").status == 0
    assert call(directory, "plan", *OPTIONS, "--lint-waits").status == 0
