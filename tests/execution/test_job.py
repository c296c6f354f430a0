"""What the words of a task do, on the real local transport."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import pytest
from support.running import run_tasks, run_text

from drumline.app import prepare
from drumline.config import Settings
from drumline.errors import UsageError
from drumline.execution.approvals import Approvals
from drumline.execution.context import RunContext
from drumline.execution.output import LEAST, LIMIT
from drumline.execution.runner import JobRunner
from drumline.journal.store import Journal
from drumline.masking import Secrets
from drumline.model.event import Input, JobFinished
from drumline.model.outcome import Status
from drumline.model.plan import Job
from drumline.plugin.runs import Stopped
from drumline.reporting.history import output_of


def test_register_makes_the_result_a_variable_of_its_host(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - command: echo hello {{ inventory_hostname }}
          register: said
        - id: told
          debug: {msg: "{{ said.stdout }}/{{ said.rc }}/{{ said.stdout_lines | length }}/{{ said is changed }}"}
        - id: others
          debug: {msg: "{{ hostvars['b'].said.stdout }}"}
        """,
    )
    assert ran.exit_status == 0
    assert ran.result("told", "b")["msg"] == "hello b/0/1/True"
    assert ran.result("others", "a")["msg"] == "hello b"


def test_when_is_evaluated_on_each_host(tmp_path: Path) -> None:
    ran = run_tasks(tmp_path, "- {id: one, command: 'true', when: inventory_hostname == 'a'}")
    assert [ran.status("one", "a"), ran.status("one", "b")] == ["changed", "skipped"]


def test_a_list_of_conditions_has_to_hold_as_a_whole(tmp_path: Path) -> None:
    ran = run_tasks(tmp_path, "- {id: one, command: 'true', when: [true, \"1 == 2\"]}")
    assert ran.status("one") == "skipped"


def test_a_command_in_the_background_outlives_the_run_that_started_it(tmp_path: Path) -> None:
    environment = f"environment: {{ANSIBLE_ASYNC_DIR: {tmp_path}/jobs}}"
    text = f"while [ ! -e {tmp_path}/gate ]; do sleep 0.05; done; echo {{{{ inventory_hostname }}}}"
    tasks = f"- {{id: one, async: '{{{{ 60 }}}}', poll: 0, shell: '{text}'}}"
    started = run_tasks(tmp_path, tasks, keywords=environment)
    assert started.status("one") == "changed"
    job = started.result("one")["ansible_job_id"]
    (tmp_path / "gate").touch()
    ran = run_tasks(
        tmp_path,
        f"""
        - id: two
          async_status: {{jid: {job}}}
          register: it
          until: it is finished
          retries: 100
          delay: 0.1
          when: inventory_hostname == 'a'
        """,
        keywords=environment,
    )
    assert ran.result("two")["stdout"] == "a"


def test_what_is_left_in_the_background_gives_its_own_result(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        f"""
        - {{id: one, file: {{path: "{tmp_path}/{{{{ inventory_hostname }}}}", state: directory}}, register: started}}
        - {{id: two, async_status: {{jid: "{{{{ started.ansible_job_id }}}}"}}, register: it, until: it is finished,
           retries: 100, delay: 0.1}}
        """.replace("id: one", "id: one, async: 60, poll: 0"),
        keywords=f"environment: {{ANSIBLE_ASYNC_DIR: {tmp_path}/jobs}}",
    )
    for host in "ab":
        found = ran.result("two", host)
        assert (ran.status("two", host), found["path"], found["uid"]) == ("changed", f"{tmp_path}/{host}", os.getuid())
        assert found["ansible_job_id"] == ran.result("one", host)["ansible_job_id"]


def test_async_limits_the_time_of_what_is_waited_for(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - {id: slow, command: sleep 60, async: 1, poll: 1, ignore_errors: true}
        - {id: fast, ping: , async: 60}
        - {id: unknown, debug: , async: 60, poll: "{{ 0 }}", ignore_errors: true}
        - {id: none, ping: , async: "{{ 0 }}", poll: "{{ 0 }}"}
        """,
    )
    assert (ran.status("slow"), ran.result("slow")["timedout"]) == ("failed", {"period": 1})
    assert (ran.result("fast")["started"], ran.result("fast")["finished"]) == (True, True)
    assert "'debug' can't be left to run in the background" in ran.result("unknown")["msg"]
    assert ran.status("none") == "ok"


def test_delegating_to_no_one_is_not_delegating(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - {id: own, set_fact: {x: 1}, delegate_to: "{{ nowhere | default(omit) }}", delegate_facts: true}
        - {id: told, debug: {msg: "{{ x }}"}}
        - {id: wrong, ping: , delegate_to: "{{ 'a b' }}", ignore_errors: true}
        """,
    )
    assert [ran.result("told", host)["msg"] for host in "ab"] == [1, 1]
    assert "'delegate_to' gives no host" in ran.result("wrong")["msg"]


def test_what_gives_arguments_gives_a_dictionary(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - {id: none, file: {path: /}, args: "{{ [1] }}", ignore_errors: true}
        - {id: wrong, file: "{{ {'pat': '/'} }}", ignore_errors: true}
        - {id: missing, file: "{{ {'state': 'file'} }}", ignore_errors: true}
        - {id: other, file: {path: /}, args: "{{ {'dest': '/nowhere', 'state': 'directory'} }}"}
        """,
    )
    assert ran.result("none")["msg"] == "Arguments are a dictionary, but this gives list."
    assert "Did you mean 'path'?" in ran.result("wrong")["msg"]
    assert "'file' needs 'path'" in ran.result("missing")["msg"]
    assert ran.result("other")["path"] == "/"


def test_loop_gives_a_result_for_each_item(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - id: each
          shell: test {{ item }} != two && echo {{ number }}:{{ item }}
          loop: [one, two, three]
          loop_control: {index_var: number, label: "item {{ item }}"}
          when: item != 'three'
          register: found
          ignore_errors: true
        - id: told
          debug: {msg: "{{ found.results | map(attribute='rc', default='-') | list }}"}
        """,
    )
    results = ran.result("each")["results"]
    assert [item.get("stdout") for item in results] == ["0:one", "", None]
    assert [item["label"] for item in results] == ["item one", "item two", "item three"]
    assert ran.result("each")["msg"] == "One or more items failed"
    assert ran.result("told")["msg"] == [0, 1, "-"]


def test_a_loop_over_nothing_is_skipped(tmp_path: Path) -> None:
    assert run_tasks(tmp_path, "- {id: one, command: 'true', loop: []}").status("one") == "skipped"


def test_a_loop_over_something_undefined_is_skipped_when_its_condition_is_false(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - id: one
          command: echo {{ item }}
          loop: "{{ nothing }}"
          when: nothing is defined
        """,
    )
    assert ran.status("one") == "skipped"


def test_until_repeats_until_it_is_true(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        f"""
        - id: one
          shell: echo x >> {tmp_path}/{{{{ inventory_hostname }}}}; wc -l < {tmp_path}/{{{{ inventory_hostname }}}}
          register: count
          until: count.stdout | int >= 3
          retries: 5
          delay: 0.01
        """,
    )
    assert (ran.status("one"), ran.result("one")["attempts"]) == ("changed", 3)


def test_items_see_what_the_items_before_them_set(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - set_fact: {sum: "{{ sum | default([]) + [item] }}"}
          loop: [1, 2, 3]
          when: item != 2
        - {id: sum, debug: {msg: "{{ sum }}"}}
        - set_fact: {first: "{{ item }}"}
          loop: [x, y]
          when: first is undefined
        - {id: first, debug: {msg: "{{ first }}"}}
        """,
    )
    assert [ran.result(task)["msg"] for task in ("sum", "first")] == [[1, 3], "x"]


def test_items_see_what_the_item_before_them_registered(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - id: one
          shell: test {{ item }} -ge 2
          loop: [1, 2, 3, 4]
          register: it
          when: it is undefined or it.rc != 0
          ignore_errors: true
        """,
    )
    results = ran.result("one")["results"]
    assert [item.get("skipped", False) for item in results] == [False, False, True, False]
    assert "'it' has no 'rc'" in results[3]["msg"]


def test_until_that_never_becomes_true_fails(tmp_path: Path) -> None:
    ran = run_tasks(tmp_path, "- {id: one, command: 'true', register: it, until: it.rc == 1, retries: 2, delay: 0.01}")
    assert (ran.status("one"), ran.result("one")["attempts"]) == ("failed", 2)


def test_retries_without_until_repeat_a_failure(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        f"""
        - id: one
          shell: mkdir {tmp_path}/{{{{ inventory_hostname }}}} && exit 1; test -d {tmp_path}
          retries: 2
          delay: 0.01
        """,
    )
    assert (ran.status("one"), ran.result("one")["attempts"]) == ("changed", 2)


def test_changed_when_and_failed_when_have_the_last_word(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - {id: quiet, command: 'true', changed_when: false}
        - {id: fine, shell: exit 3, register: it, failed_when: it.rc > 3}
        - {id: bad, command: echo ERROR, register: it, failed_when: "'ERROR' in it.stdout"}
        """,
    )
    assert [ran.status(task) for task in ("quiet", "fine", "bad")] == ["ok", "changed", "failed"]
    assert ran.exit_status == 2


def test_ignore_errors_lets_the_host_go_on(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - {id: bad, shell: exit 3, ignore_errors: "{{ inventory_hostname == 'a' }}"}
        - {id: after, command: 'true'}
        """,
    )
    assert [ran.status("after", "a"), ran.status("after", "b")] == ["changed", "abandoned"]


def test_a_time_out_ends_the_command_and_its_children_and_says_so(tmp_path: Path) -> None:
    started = time.monotonic()
    ran = run_tasks(tmp_path, "- {id: slow, shell: sleep 60 & sleep 60, timeout: 0.5}")
    assert time.monotonic() - started < 20
    assert ran.status("slow") == "failed"
    assert "0.5" in ran.result("slow")["msg"]
    assert "children" in ran.result("slow")["msg"]


def test_a_time_out_counts_for_waiting_too(tmp_path: Path) -> None:
    ran = run_tasks(tmp_path, "- {id: slow, pause: {seconds: 60}, timeout: 0.2}")
    assert ran.status("slow") == "failed"


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("timeout: '{{ bad }}'", "'timeout' has to be a number of 0 or more, but this gives 'soon'."),
        ("retries: '{{ bad }}'", "'retries' has to be a number"),
        ("become: '{{ bad }}'", "'become' has to be true or false"),
        ("environment: '{{ bad }}'", "'environment' has to be a dictionary"),
        ("loop: '{{ bad }}'", "'loop' needs a list"),
        ("when: bad", "true or false"),
    ],
)
def test_a_word_that_a_template_makes_wrong_fails_at_its_place(tmp_path: Path, word: str, problem: str) -> None:
    ran = run_tasks(tmp_path, f"- id: one\n  command: 'true'\n  {word}", keywords="vars: {bad: soon}")
    assert ran.status("one") == "failed"
    assert problem in ran.result("one")["msg"]
    assert ran.result("one")["at"].startswith(f"{tmp_path}/playbook.yml:")


def test_environment_reaches_the_command(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - id: one
          shell: echo "$OUTER-$INNER"
          environment: {INNER: "{{ inventory_hostname }} it's"}
        """,
        keywords="environment: {OUTER: 1, INNER: 2}",
    )
    assert ran.result("one")["stdout"] == "1-a it's"


@pytest.mark.parametrize(("given", "text"), [("", "# Ansible managed"), ("vars: {ansible_managed: ours}", "# ours")])
def test_a_template_may_say_who_manages_the_file(tmp_path: Path, given: str, text: str) -> None:
    (tmp_path / "x.j2").write_text("# {{ ansible_managed }}\n")
    run_tasks(tmp_path, f"- template: {{src: x.j2, dest: '{tmp_path}/{{{{ inventory_hostname }}}}.x'}}\n  {given}\n")
    assert (tmp_path / "a.x").read_text() == f"{text}\n"


def test_set_fact_is_a_variable_from_then_on_and_data_from_a_host_is_never_a_template(tmp_path: Path) -> None:
    """Promise 7: what looks like a template in a host's output stays text wherever it goes."""
    ran = run_tasks(
        tmp_path,
        """
        - command: echo '{{ "{{" }} inventory_hostname {{ "}}" }}'
          register: said
        - set_fact: {kept: "{{ said.stdout }}", both: ["{{ said.stdout }}", x]}
        - id: told
          debug: {msg: "{{ kept }} {{ both[0] }}"}
        - id: again
          shell: echo "$TEXT"
          environment: {TEXT: "{{ kept }}"}
        """,
    )
    assert ran.result("told")["msg"] == "{{ inventory_hostname }} {{ inventory_hostname }}"
    assert ran.result("again")["stdout"] == "{{ inventory_hostname }}"


def test_run_once_gives_its_result_to_all_hosts(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - {id: once, command: 'echo from {{ inventory_hostname }}', register: said, run_once: true}
        - {id: told, debug: {msg: "{{ said.stdout }}"}}
        """,
    )
    assert [event.job.host for event in ran.ends()][:1] == ["a"]
    assert ran.result("told", "b")["msg"] == "from a"


def test_delegate_to_gives_a_host_and_no_path(tmp_path: Path) -> None:
    ran = run_tasks(tmp_path, "- {id: one, command: 'true', delegate_to: '{{ \"../../x\" }}'}")
    finished = next(event for event in ran.events if isinstance(event, JobFinished))
    assert "'delegate_to' gives no host: The host name '../../x' reads as a path" in finished.result["msg"]


def test_delegate_to_runs_elsewhere_with_the_own_hosts_variables(tmp_path: Path) -> None:
    inventory = """
    all:
      vars: {ansible_connection: local}
      hosts:
        a: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}
        b:
    """
    ran = run_text(
        tmp_path,
        """
        - hosts: a
          tasks:
            - {id: one, command: 'echo for {{ inventory_hostname }}', delegate_to: b}
        """,
        inventory=inventory,
    )
    assert ran.result("one", "a")["stdout"] == "for a"


def test_no_log_hides_a_result_from_events_but_not_from_later_tasks(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - {id: quiet, command: echo s3cr3t, register: it, no_log: true}
        - {id: size, debug: {msg: "{{ it.stdout | length }}"}}
        """,
    )
    assert "s3cr3t" not in repr(ran.events)
    assert "hidden" in ran.result("quiet")["censored"]
    assert ran.result("size")["msg"] == 6


def test_no_log_says_that_a_template_took_until_the_time_out(tmp_path: Path) -> None:
    forever = """{{ ('a' * 40 ~ 'b') is search('(a+)+$') }}"""
    ran = run_tasks(tmp_path, f'- {{id: slow, debug: {{msg: "{forever}"}}, timeout: 0.2, no_log: true}}')
    assert ran.result("slow")["timedout"] == {"period": 0.2}
    assert ran.result("slow")["censored"].startswith("Timed out after 0.2 seconds.")


def test_an_undefined_variable_of_one_host_fails_there_with_its_place(tmp_path: Path) -> None:
    inventory = "all: {vars: {ansible_connection: local}, hosts: {a: {color: red}, b: {}}}"
    ran = run_tasks(tmp_path, "- {id: one, command: 'echo {{ color }}'}", inventory=inventory)
    assert [ran.status("one", "a"), ran.status("one", "b")] == ["changed", "failed"]
    assert "'color' is undefined" in ran.result("one", "b")["msg"]
    assert ran.result("one", "b")["at"].startswith(f"{tmp_path}/playbook.yml:")


def test_a_refused_connection_is_unreachable_with_its_class_and_advice(tmp_path: Path) -> None:
    inventory = "all: {hosts: {a: {ansible_host: 127.0.0.1, ansible_port: 1, ansible_user: x}}}"
    ran = run_tasks(tmp_path, "- {id: one, command: 'true'}\n- {id: two, command: 'true'}", inventory=inventory)
    assert (ran.status("one"), ran.status("two"), ran.exit_status) == ("unreachable", "abandoned", 4)
    assert ran.result("one")["kind"] == "ConnectionRefused"


def test_ignore_unreachable_goes_on(tmp_path: Path) -> None:
    inventory = "all: {hosts: {a: {ansible_host: 127.0.0.1, ansible_port: 1, ansible_user: x}}}"
    ran = run_tasks(
        tmp_path,
        "- {id: one, command: 'true', ignore_unreachable: true}\n- {id: two, debug: {msg: here}}",
        inventory=inventory,
    )
    assert (ran.status("two"), ran.exit_status) == ("ok", 0)


def test_output_beyond_the_limit_is_cut_in_memory_and_kept_in_the_journal(tmp_path: Path) -> None:
    """Promise 5."""
    inventory = "all: {vars: {ansible_connection: local}, hosts: {a: }}"
    ran = run_tasks(tmp_path, "- {id: much, shell: yes 0123456789 | head -c 3000000}", inventory=inventory)
    result = ran.result("much")
    assert len(result["stdout"]) <= 1024 * 1024
    assert result["cut"] == 3_000_000 - 1024 * 1024
    journal = Journal(tmp_path / "state")
    assert output_of(journal, journal.find(None), "much", "a", "stdout") == (b"0123456789\n" * 300_000)[:3_000_000]
    with pytest.raises(UsageError, match="Did you mean 'much'"):
        output_of(journal, journal.find(None), "mch", "a", "stdout")
    journal.close()


def test_the_items_of_a_loop_share_the_limit(tmp_path: Path) -> None:
    inventory = "all: {vars: {ansible_connection: local}, hosts: {a: }}"
    tasks = "- {id: much, shell: yes 0123456789 | head -c 1500000, loop: [1, 2, 3]}"
    results = run_tasks(tmp_path, tasks, inventory=inventory).result("much")["results"]
    assert [len(item["stdout"]) for item in results] == [LIMIT, LEAST, LEAST]
    assert [item["cut"] for item in results] == [1_500_000 - LIMIT, 1_500_000 - LEAST, 1_500_000 - LEAST]


def test_values_that_become_secret_while_the_run_goes_on_are_masked(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - set_fact: {db_password: "one-{{ inventory_hostname }}-two"}
        - {id: fact, command: "echo {{ db_password }}"}
        - {id: made, command: "echo {{ api_token }}", vars: {api_token: "{{ inventory_hostname }}-three-four"}}
        """,
    )
    assert ran.result("made")["stdout"] == "********"
    assert "one-a-two" not in repr(ran.events)
    assert "a-three-four" not in repr(ran.events)


def test_events_of_a_run_are_those_of_its_journal(tmp_path: Path) -> None:
    ran = run_tasks(tmp_path, "- {id: one, command: 'true'}\n- {id: two, shell: exit 1}")
    journal = Journal(tmp_path / "state")
    run = journal.find(None)
    assert list(journal.events(run)) == ran.events
    journal.close()


@pytest.mark.parametrize(("sessions", "together"), [(1, False), (4, True)])
def test_independent_jobs_of_a_host_run_side_by_side_up_to_its_sessions(
    tmp_path: Path, sessions: int, together: bool
) -> None:
    inventory = "all: {vars: {ansible_connection: local}, hosts: {a: }}"
    tasks = "- {id: one, shell: sleep 0.4, needs: []}\n- {id: two, shell: sleep 0.4, needs: []}"
    ran = run_tasks(tmp_path, tasks, inventory=inventory, sessions=sessions)
    first, second = ran.ends()
    overlap = min(first.at, second.at) - max(first.started, second.started)
    assert (overlap > 0) == together


def test_the_delay_between_tries_does_not_count_for_the_time_out_of_a_try(tmp_path: Path) -> None:
    ran = run_tasks(tmp_path, "- {id: t, command: 'false', timeout: 2, retries: 1, delay: 2.2}\n")
    assert ran.result("t")["attempts"] == 1
    assert ran.result("t")["rc"] == 1


def test_a_run_may_open_as_many_files_as_its_user(tmp_path: Path) -> None:
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, most), most))
    try:
        run_tasks(tmp_path, "- {id: one, debug: {msg: here}}")
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(most, 65_536)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))


def test_half_a_surrogate_pair_from_a_host_ends_nothing(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - command: 'echo "\\"\\ud800\\""'
          register: said
        - debug: {msg: "{{ said.stdout | from_json }}"}
        - ping:
        """,
    )
    assert ran.exit_status == 0
    assert ran.result("debug")["msg"] == "\ud800"
    assert ran.status("ping") == "ok"


def _not_told(event: Input) -> None:
    raise AssertionError(f"this job has nothing to tell: {event}")


def test_a_job_that_is_stopped_before_a_thread_has_begun_it_sends_nothing(tmp_path: Path) -> None:
    (tmp_path / "inventory.yml").write_text("all: {hosts: {a: {ansible_connection: local}}}")
    (tmp_path / "playbook.yml").write_text(f"- hosts: a\n  tasks: [{{command: touch {tmp_path}/sent}}]\n")
    made = prepare(
        [tmp_path / "playbook.yml"], Settings(inventory=(str(tmp_path / "inventory.yml"),), state=tmp_path / "state")
    )
    context = RunContext(
        plan=made.plan,
        inventory=made.inventory,
        actions=made.registry.actions,
        transports=made.registry.transports,
        templating=made.templating,
        extra_variables={},
        secrets=Secrets(),
        keep_output=lambda *_piece: True,
    )
    runner = JobRunner(context, note=_not_told, approvals=Approvals(note=_not_told))
    assert runner.stop(Job(0, "a"), Stopped(Status.CANCELLED, "")) is None
    report = runner.run(Job(0, "a"))
    context.sessions.close()
    assert report is not None
    assert report.event.status is Status.CANCELLED
    assert not (tmp_path / "sent").exists()


def test_how_a_host_is_reached_follows_the_variables_that_templates_look_at(tmp_path: Path) -> None:
    inventory = """
    all:
      hosts:
        a: {ansible_connection: "{{ way }}", way: local, ansible_host: 127.0.0.1, ansible_port: 1, ansible_user: u}
    """
    tasks = "- ping:\n- set_fact: {way: ssh}\n- {id: after, ping: }\n"
    ran = run_tasks(tmp_path, tasks, inventory=inventory)
    assert ran.status("after") == "unreachable"


# Jobs that are stopped because they are late.

_SLOW_ON_B = "shell: \"echo begun; {{ 'sleep 30' if inventory_hostname == 'b' else 'true' }}\""


def test_a_late_job_is_stopped_and_has_failed_with_what_it_said_until_then(tmp_path: Path) -> None:
    began = time.monotonic()
    ran = run_tasks(
        tmp_path, f"- {{id: slow, {_SLOW_ON_B}, barrier: {{deadline: 500ms}}, ignore_errors: true, register: it}}"
    )
    assert time.monotonic() - began < 10
    assert ran.exit_status == 2
    assert [ran.status("slow", host) for host in "ab"] == ["changed", "failed"]
    assert ran.result("slow", "b")["msg"].startswith("late at the barrier: ")
    assert ran.result("slow", "b")["stdout"].strip() == "begun"


def test_the_host_of_a_dropped_job_is_no_play_host_any_more(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        f"""
        - {{id: slow, {_SLOW_ON_B}, barrier: {{deadline: 500ms, late: drop}}}}
        - {{id: told, debug: {{msg: "{{{{ play_hosts | join }}}} {{{{ ansible_play_hosts | join }}}}"}}}}
        """,
    )
    assert ran.exit_status == 0
    assert ran.status("slow", "b") == "skipped"
    assert ran.result("slow", "b")["msg"].startswith("late at the barrier: ")
    assert ran.status("told", "b") == "skipped"
    assert ran.result("told")["msg"] == "a a"


def test_a_job_that_catches_up_goes_on(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        f"""
        - id: slow
          shell: |
            {{% if inventory_hostname == 'b' %}}until test -e {tmp_path}/told; do sleep 0.01; done{{% endif %}}
          barrier: {{deadline: 200ms, late: catch_up}}
        - {{id: told, command: touch {tmp_path}/told}}
        """,
    )
    assert ran.exit_status == 0
    assert [ran.status(task, host) for task in ("slow", "told") for host in "ab"] == ["changed"] * 4
