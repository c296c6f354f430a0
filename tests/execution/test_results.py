"""``results``: what templates see of the tasks before them, and what is kept for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.running import Ran, run_tasks, run_text


def shown(ran: Ran, task: str = "told", host: str = "a") -> object:
    assert ran.exit_status == 0, ran.result(task, host)
    return ran.result(task, host)["msg"]


def test_a_template_sees_the_results_of_earlier_tasks_by_task_and_host(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - id: said
          command: echo hello {{ inventory_hostname }}
        - id: told
          debug: {msg: "{{ results['said']['b'].stdout }} {{ results.said.a.stdout_lines }} {{ results.said | list }}"}
        """,
    )
    assert shown(ran) == "hello b ['hello a'] ['a', 'b']"


def test_tasks_of_other_plays_are_named_with_their_play_and_batches_add_up(tmp_path: Path) -> None:
    ran = run_text(
        tmp_path,
        """
        - id: first
          hosts: all
          serial: 1
          tasks: [{id: said, command: "echo {{ inventory_hostname }}"}]
        - hosts: a
          tasks:
            - {id: said, command: echo own}
            - id: told
              debug: {msg: "{{ results['first.said'] | dictsort | map('last') | map(attribute='stdout') | list + [results.said.a.stdout] }}"}
        """,  # noqa: E501
    )
    assert shown(ran) == ["a", "b", "own"]


def test_a_run_once_task_has_its_result_on_every_host(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - {id: once, command: echo once, run_once: true}
        - id: told
          debug: {msg: "{{ results.once.b.stdout }}"}
        """,
    )
    assert shown(ran) == "once"


def test_text_of_a_host_is_never_evaluated(tmp_path: Path) -> None:
    """Promise 7."""
    ran = run_tasks(
        tmp_path,
        """
        - {id: said, command: "echo '{{ '{{ 1 + 1 }}' }}'"}
        - {id: told, debug: {msg: "{{ results.said.a.stdout }}"}}
        """,
    )
    assert shown(ran) == "{{ 1 + 1 }}"


@pytest.mark.parametrize(
    ("task", "host", "message"),
    [
        ("part", "b", "'part' doesn't run on b in this run. Does --limit leave it out?"),
        ("part", "aa", "'part' doesn't run on aa in this run. Did you mean 'a'?"),
        ("later", "a", "'later' has no result on a: it didn't run there, or hasn't ended yet."),
        ("parts", "a", "'results' has no task 'parts'. Did you mean 'part'?"),
        ("left", "a", "'left' isn't part of this run. Does --tags, --skip-tags or --limit leave it out?"),
    ],
)
def test_a_result_that_is_missing_is_explained(tmp_path: Path, task: str, host: str, message: str) -> None:
    """Where the template computes what it asks for; what it names is looked at when the plan is made."""
    ran = run_tasks(
        tmp_path,
        """
        - {id: part, hosts: a, command: echo x}
        - {id: left, command: echo x, tags: never}
        - {id: tolerant, debug: {msg: "{{ results[task][host].stdout | default('nothing') }}"}, needs: [part]}
        - {id: asks, debug: {msg: "{{ results[task][host].stdout }}"}, needs: [part], hosts: b}
        - {id: later, command: echo x, needs: [asks], hosts: a}
        """,
        extra=[f"task={task}", f"host={host}"],
    )
    assert ran.result("tolerant", "b")["msg"] == "nothing"
    assert ran.result("asks", "b")["msg"] == message


def test_only_what_templates_ask_for_is_kept(tmp_path: Path) -> None:
    """Promise 5, for ten thousand hosts: a template file may ask for what has a ``register``."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "file.j2").write_text("{{ results.kept.a.stdout }} {{ results.dropped.a.stdout }}")
    ran = run_tasks(
        tmp_path,
        f"""
        - {{id: kept, command: echo x, register: kept}}
        - {{id: dropped, command: echo x}}
        - {{id: told, template: {{src: file.j2, dest: {tmp_path}/made}}}}
        """,
    )
    assert ran.result("told")["msg"] == (
        "The results of 'dropped' are not kept: only those are that a template of the playbook asks for, or that have a"
        " 'register'. Give 'dropped' one."
    )


def test_an_argument_that_names_a_variable_keeps_results_too(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - {id: said, command: echo x}
        - {id: told, debug: {var: results.said.b.stdout}}
        """,
    )
    assert ran.exit_status == 0
    assert ran.result("told")["results.said.b.stdout"] == "x"


def test_secrets_are_there_in_clear_and_reported_masked(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - {id: said, command: "echo {{ db_password }}", vars: {db_password: hunter2hunter2}}
        - {id: told, shell: "test {{ results.said.a.stdout }} = hunter2hunter2 && echo same"}
        """,
    )
    assert ran.result("told")["stdout"] == "same"
    assert "hunter2hunter2" not in str(ran.events)
