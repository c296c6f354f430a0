"""What tasks do that are only checked, on the real local transport."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.running import Ran, run_tasks, run_text

from drumline.journal.past import past_runs
from drumline.journal.reading import Reader
from drumline.model.event import JobFinished
from drumline.model.outcome import Status

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


@pytest.mark.parametrize(
    "setting",
    [
        "{set_fact: {known: '{{ result.rc }}'}}",
        "{set_fact: {known: 1}, when: result is changed}",
        "{set_fact: {known: 1}, trigger_rule: all_success}",
        "{debug: {msg: hi}, register: known, trigger_rule: all_success}",
    ],
)
@pytest.mark.parametrize("text", ["{{ known }}", "{{ known | int }}", "{{ known == 'a' }}", "{{ hostvars.a.known }}"])
def test_a_variable_that_may_not_be_set_is_not_known_either(tmp_path: Path, setting: str, text: str) -> None:
    ran = _check(tmp_path, f'{_UNKNOWN}        - {setting}\n        - {{id: then, debug: {{msg: "{text}"}}}}\n')
    assert (ran.status("then"), ran.exit_status) == ("unclear", 0)


def test_a_command_that_would_run_is_known_to_change_something_and_no_more(tmp_path: Path) -> None:
    ran = _check(
        tmp_path,
        f"""
        - {{id: one, shell: touch {tmp_path}/made, args: {{creates: {tmp_path}/made}}, register: it}}
        - {{id: changed, debug: {{msg: hi}}, when: it is changed}}
        - {{id: said, debug: {{msg: "{{{{ it.stdout }}}}"}}}}
        - {{id: there, command: 'true', args: {{creates: {tmp_path}}}, register: it}}
        - {{id: told, debug: {{msg: "{{{{ it.stdout }}}}"}}}}
        """,
    )
    assert [ran.status(task) for task in ("one", "changed", "said", "there")] == ["changed", "ok", "unclear", "ok"]
    assert ran.result("told")["msg"] == f"skipped, since {tmp_path} exists"
    assert not (tmp_path / "made").exists()


def test_results_have_the_texts_of_ansible(tmp_path: Path) -> None:
    ran = _check(
        tmp_path,
        f"""
        - {{id: bare, command: echo hi}}
        - {{id: made, command: echo hi, args: {{creates: {tmp_path}/made}}}}
        - {{id: there, command: echo hi, args: {{creates: {tmp_path}}}}}
        - {{id: raw, raw: echo hi}}
        """,
    )
    command: dict[str, Any] = {"cmd": ["echo", "hi"], "rc": 0, "stderr": ""}
    would = {**command, "stdout": "", "msg": "Command would have run if not in check mode"}
    kept = {**command, "stdout": f"skipped, since {tmp_path} exists"}
    kept["msg"] = f"Would not run command since '{tmp_path}' exists"
    for task, expected in (("bare", would), ("made", would), ("there", kept)):
        found = ran.result(task)
        assert {name: found[name] for name in expected} == expected
    assert (ran.result("bare")["skipped"], "skipped" in ran.result("made")) == (True, False)
    assert ran.result("raw")["msg"] == "remote module (raw) does not support check mode"


def test_waiting_in_a_check_is_a_look(tmp_path: Path) -> None:
    ran = _check(
        tmp_path,
        f"""
        - {{id: there, wait_for: {{path: {tmp_path}, delay: 600}}}}
        - {{id: later, wait_for: {{path: {tmp_path}/later}}}}
        - {{id: command, wait_for: {{command: touch {tmp_path}/made}}}}
        - {{id: time, wait_for: {{timeout: 600}}}}
        """,
    )
    assert [ran.status(task) for task in ("there", "later", "command", "time")] == ["ok", "unclear", "unclear", "ok"]
    assert not (tmp_path / "made").exists()


def test_a_diff_is_in_the_event_only_where_it_is_to_be_shown(tmp_path: Path) -> None:
    tasks = f"""
        - {{id: one, copy: {{content: a, dest: {tmp_path}/one}}, hosts: a, register: it}}
        - {{id: two, copy: {{content: b, dest: {tmp_path}/two}}, hosts: a, diff: false}}
        - {{id: three, copy: {{content: "{{{{ item }}}}", dest: {tmp_path}/three}}, hosts: a, loop: [c]}}
        - {{id: silent, copy: {{content: d, dest: {tmp_path}/silent}}, hosts: a, no_log: true}}
        """
    ran = run_tasks(tmp_path, tasks, diff=True)
    assert ran.result("one")["diff"] == [{"before": "", "after": "a", "after_header": f"{tmp_path}/one"}]
    assert "diff" not in ran.result("two")
    assert ran.result("three")["results"][0]["diff"][0]["after"] == "c"
    assert "diff" not in ran.result("silent")
    again = run_tasks(tmp_path, tasks, check=True)
    assert all("diff" not in end.result for end in again.ends())


def test_secrets_are_masked_in_diffs(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        f"""
        - {{id: one, copy: {{content: "key={{{{ db_password }}}}", dest: {tmp_path}/one}}, hosts: a}}
        """,
        diff=True,
        extra=["db_password=hunter2-and-more"],
    )
    assert "hunter2" not in str(ran.result("one"))
    assert ran.result("one")["diff"][0]["after"].startswith("key=")


def test_a_check_in_the_journal_stays_one(tmp_path: Path) -> None:
    _check(tmp_path, "- {id: one, command: 'true'}", diff=True)
    with closing(Reader(tmp_path / "state")) as history:
        run = history.find(None)
        plan = history.plan(run)
        ends = [event for event in history.events(run) if isinstance(event, JobFinished)]
    assert (run.check, plan.check, plan.diff) == (True, True, True)
    assert all(end.check and end.status is Status.UNCLEAR and end.result["unclear"] for end in ends)
    assert [past.endings for past in past_runs(tmp_path / "state", str(tmp_path / "playbook.yml"))] == [[]]


@pytest.mark.parametrize(
    ("task", "status"),
    [
        ("{command: 'true', notify: restart}", "unclear"),
        ("{debug: {msg: '{{ result.rc }}'}, notify: restart, changed_when: true}", "unclear"),
        ("{debug: {msg: hi}, when: result is changed, notify: restart}", "unclear"),
        ("{copy: {content: a, dest: '{{ playbook_dir }}/new'}, notify: restart}", "unclear"),
        ("{copy: {content: a, dest: '{{ playbook_dir }}/new'}, notify: reload}", "ok"),
        ("{debug: {msg: hi}, notify: restart}", "unneeded"),
    ],
)
def test_a_handler_that_is_perhaps_notified_is_unclear(tmp_path: Path, task: str, status: str) -> None:
    name = "reload" if "reload" in task else "restart"
    ran = run_text(
        tmp_path,
        f"""
        - hosts: a
          tasks:
            - {{command: 'true', register: result}}
            - {task}
          handlers:
            - {{name: restart, command: 'true'}}
            - {{name: reload, debug: {{msg: hi}}}}
        """,
        check=True,
    )
    assert (ran.status(name), ran.exit_status) == (status, 0)


def test_a_variable_of_a_file_that_is_not_known_is_not_known_either(tmp_path: Path) -> None:
    ran = _check(
        tmp_path,
        f"""{_UNKNOWN}
        - {{include_vars: '{{{{ result.stdout }}}}.yml'}}
        - {{id: then, debug: {{msg: '{{{{ from_file }}}}'}}}}
        """,
    )
    assert (ran.status("then"), ran.exit_status) == ("unclear", 0)
    assert "it depends on 'from_file'" in ran.result("then")["unclear"]


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


def test_what_an_unclear_include_would_set_is_not_known_either(tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("- set_fact: {from_more: 1}\n")
    ran = _check(
        tmp_path,
        f"""{_UNKNOWN}
        - {{include_tasks: more.yml, when: result.rc == 0}}
        - {{id: then, debug: {{msg: '{{{{ from_more }}}}'}}}}
        """,
    )
    assert (ran.status("then"), ran.exit_status) == ("unclear", 0)


#: Tasks that ask for a variable in ways that don't fail where there is none.
_CAREFUL: list[dict[str, Any]] = [
    {"debug": {"msg": "{{ port | default(80) }}"}},
    {"debug": {"msg": "{{ (port | default(80)) ~ 1 }}"}},
    {"debug": {"msg": "hi"}, "when": "port is defined"},
    {"debug": {"msg": "hi"}, "when": "port is undefined"},
    {"debug": {"msg": "hi"}, "when": "'port' in hostvars[inventory_hostname]"},
    {"debug": {"msg": "{{ lookup('vars', 'port', default=80) }}"}},
    {"debug": {"msg": "{{ hostvars[inventory_hostname].port | default(80) }}"}},
    {"debug": {"msg": "{{ hostvars[inventory_hostname]['port'] is defined }}"}},
    {"debug": {"msg": "{{ address }}"}, "vars": {"address": "x:{{ port | d(80) }}"}},
    {"debug": {"msg": "{{ item }}"}, "loop": "{{ port | default([80]) }}"},
    {"copy": {"content": "{{ port | default(80) }}", "dest": "/absent/x"}, "ignore_errors": True},
]


def test_what_an_unclear_include_may_set_is_neither_defined_nor_undefined(tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("- set_fact: {port: 1}\n")
    tasks = "".join(f"\n        - {json.dumps({'id': f'ask{number}', **task})}" for number, task in enumerate(_CAREFUL))
    include = "\n        - {include_tasks: more.yml, when: result.rc == 0}"
    ran = _check(tmp_path, f"{_UNKNOWN}{include}{tasks}")
    reasons = [ran.result(f"ask{number}")["unclear"] for number in range(len(_CAREFUL))]
    why = "it depends on 'port', which can't be known: What a command does isn't known before it has run"
    assert [reason.partition(",")[0] for reason in reasons] == ["it depends on 'port'"] * len(_CAREFUL)
    assert all(reason.startswith(why) for reason in reasons)
    assert (ran.exit_status, {ran.status(f"ask{number}") for number in range(len(_CAREFUL))}) == (0, {"unclear"})
    known = _check(tmp_path, f"{_UNKNOWN}{include.replace('result.rc == 0', 'false')}{tasks}")
    assert "unclear" not in {known.status(f"ask{number}") for number in range(len(_CAREFUL))}


def test_what_no_include_sets_is_known_all_the_same(tmp_path: Path) -> None:
    tasks = [
        {"include_vars": "{{ result.stdout }}.yml"},
        {"id": "magic", "debug": {"msg": "{{ range(3) | list }}"}, "when": "role_name is undefined"},
        {"id": "loop", "debug": {"msg": "hi"}, "when": "ansible_loop is undefined"},
        {"id": "own", "debug": {"msg": "{{ mine | default(1) }}"}, "vars": {"mine": 2}},
        {"id": "reached", "stat": {"path": "/"}, "vars": {"ansible_connection": "{{ way | default('local') }}"}},
    ]
    ran = _check(tmp_path, _UNKNOWN + "".join(f"\n        - {json.dumps(task)}" for task in tasks))
    assert [ran.status(task) for task in ("magic", "loop", "own", "reached")] == ["ok"] * 4
