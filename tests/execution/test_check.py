"""What tasks do that are only checked, on the real local transport."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.running import Ran, run_tasks

#: In a check ``command`` can't be checked; ``result`` is what it registers.
_UNKNOWN = """
        - {id: first, command: 'true', register: result}
"""


def _check(directory: Path, tasks: str, **options: Any) -> Ran:
    return run_tasks(directory, tasks, check=True, **options)


def test_what_cannot_be_checked_is_not_run(tmp_path: Path) -> None:
    ran = _check(tmp_path, f"- {{id: one, raw: touch {tmp_path}/made}}")
    assert (ran.status("one"), ran.exit_status) == ("unclear", 0)
    assert not (tmp_path / "made").exists()
    assert ran.result("one")["skipped"]
    assert ran.result("one")["unclear"] == "'raw' can't be checked, so it wasn't run."


def test_a_task_that_says_so_is_run_even_in_a_check(tmp_path: Path) -> None:
    ran = _check(tmp_path, f"- {{id: one, shell: touch {tmp_path}/made, check_mode: false}}")
    assert ran.status("one") == "changed"
    assert (tmp_path / "made").exists()
    assert [end.check for end in ran.ends()] == [False, False]


def test_a_task_that_says_so_is_only_checked_in_any_run(tmp_path: Path) -> None:
    ran = run_tasks(tmp_path, f"- {{id: one, shell: touch {tmp_path}/made, check_mode: '{{{{ true }}}}'}}")
    assert (ran.status("one"), ran.exit_status) == ("unclear", 0)
    assert not (tmp_path / "made").exists()


def test_templates_know_of_the_modes_of_the_run(tmp_path: Path) -> None:
    tasks = "- {id: one, debug: {msg: '{{ ansible_check_mode }} {{ ansible_diff_mode }}'}}"
    assert _check(tmp_path, tasks, diff=True).result("one")["msg"] == "True True"
    assert run_tasks(tmp_path, tasks).result("one")["msg"] == "False False"


@pytest.mark.parametrize(
    "task",
    [
        "{id: then, debug: {msg: hi}, when: result.rc == 0}",
        "{id: then, debug: {msg: hi}, when: result is changed}",
        "{id: then, debug: {msg: '{{ result.stdout }}'}}",
        "{id: then, debug: {var: result}}",
        "{id: then, debug: {msg: \"{{ result.stdout | default('none') }}\"}}",
        "{id: then, debug: {msg: '{{ item }}'}, loop: '{{ result.stdout_lines }}'}",
        "{id: then, debug: {msg: '{{ hostvars.a.result.rc }}'}}",
        "{id: then, debug: {msg: \"{{ results['first'].a.rc }}\"}}",
        "{id: then, debug: {msg: hi}, changed_when: result.rc == 0}",
        "{id: then, assert: {that: result.rc == 0}}",
        "{id: then, command: 'echo {{ result.rc }}', check_mode: false}",
        "{id: then, debug: {msg: hi}, trigger_rule: all_success}",
        "{id: then, debug: {msg: '{{ set }}'}, vars: {set: '{{ result.rc }}'}}",
        "{id: then, debug: {msg: hi}, delegate_to: '{{ result.stdout }}'}",
    ],
)
def test_what_depends_on_what_is_not_known_is_unclear_too(tmp_path: Path, task: str) -> None:
    ran = _check(tmp_path, f"{_UNKNOWN}        - {task}\n")
    assert (ran.status("then"), ran.exit_status) == ("unclear", 0)


@pytest.mark.parametrize(
    ("task", "status"),
    [
        ("{id: then, debug: {msg: hi}, when: [result.rc == 0, false]}", "skipped"),
        ("{id: then, debug: {msg: hi}, when: false and result.rc == 0}", "skipped"),
        ("{id: then, debug: {msg: hi}, when: result is defined}", "ok"),
        ("{id: then, debug: {msg: hi}, trigger_rule: all_done}", "ok"),
        ("{id: then, debug: {msg: hi}, trigger_rule: one_failed}", "skipped"),
    ],
)
def test_what_does_not_depend_on_it_is_known(tmp_path: Path, task: str, status: str) -> None:
    assert _check(tmp_path, f"{_UNKNOWN}        - {task}\n").status("then") == status


def test_the_reason_names_the_beginning_of_a_chain(tmp_path: Path) -> None:
    ran = _check(
        tmp_path,
        f"""{_UNKNOWN}
        - {{id: second, debug: {{msg: '{{{{ result.rc }}}}'}}, register: other}}
        - {{id: third, debug: {{msg: '{{{{ other.msg }}}}'}}}}
""",
    )
    reason = ran.result("third")["unclear"]
    assert reason.startswith("it depends on 'other', which can't be known: ")
    assert reason.count("can't be known") == 1
    assert reason.endswith(ran.result("first")["unclear"])


def test_a_check_tries_what_it_cannot_know_once(tmp_path: Path) -> None:
    ran = _check(tmp_path, "- {id: one, command: 'true', register: it, until: it.rc == 0, retries: 3, delay: 600}")
    assert ran.status("one") == "unclear"


def test_a_command_that_changes_nothing_is_no_change_at_all(tmp_path: Path) -> None:
    ran = _check(tmp_path, "- {id: one, command: 'true', changed_when: false}")
    assert ran.status("one") == "skipped"


def test_items_of_a_loop_are_unclear_by_themselves(tmp_path: Path) -> None:
    ran = _check(
        tmp_path,
        """
        - {id: one, command: 'true', loop: [1, 2], when: item == 2, register: it}
        - {id: skipped, debug: {msg: '{{ it.results[0].skipped }}'}}
        - {id: unclear, debug: {msg: '{{ it.results[1].rc }}'}}
        - {id: all, debug: {msg: "{{ it.results | map(attribute='rc') | list }}"}}
        """,
    )
    assert ran.status("one") == "unclear"
    assert [ran.status(task) for task in ("skipped", "unclear", "all")] == ["ok", "unclear", "unclear"]
