"""Which hosts a play's variables name, and what hosts show of each other: each expectation is ansible-core 2.19's."""

from pathlib import Path

import pytest
from support.running import run_tasks, run_text

HOSTS = "all:\n  vars: {ansible_connection: local}\n  hosts: {a: , b: , c: , d: , e: }\n"
SHOWN = "{{ ansible_play_batch }} {{ ansible_play_hosts }} {{ ansible_play_hosts_all }} {{ play_hosts }}"
PLAYS = f"""
- hosts: a,b,c
  tasks:
    - fail:
      when: inventory_hostname == 'a'
    - {{id: one, run_once: true, debug: {{msg: "{SHOWN}"}}}}
- hosts: all
  tasks:
    - {{id: two, run_once: true, debug: {{msg: "{SHOWN}"}}}}
- hosts: all
  serial: 2
  tasks:
    - {{id: three, debug: {{msg: "{SHOWN}"}}}}
    - fail:
      when: inventory_hostname == 'd'
      ignore_errors: true
- hosts: d,c
  tasks:
    - {{id: four, debug: {{msg: "{SHOWN}"}}}}
- id: apart
  needs: []
  hosts: a,b
  tasks:
    - {{id: five, run_once: true, debug: {{msg: "{SHOWN}"}}}}
"""


def test_hosts_that_failed_are_in_no_later_play(tmp_path: Path) -> None:
    ran = run_text(tmp_path, PLAYS, inventory=HOSTS)
    left = str(["b", "c", "d", "e"])
    everyone = str(["a", "b", "c", "d", "e"])
    said = {task: ran.result(task, host)["msg"] for task, host in [("one", "b"), ("two", "b"), ("four", "c")]}
    assert said == {
        "one": "['b', 'c'] ['b', 'c'] ['a', 'b', 'c'] ['b', 'c']",
        "two": f"{left} {left} {everyone} {left}",
        "four": "['d', 'c'] ['d', 'c'] ['d', 'c'] ['d', 'c']",
    }
    assert ran.result("three", "b")["msg"] == f"['b'] {left} {everyone} ['b']"
    assert ran.result("three", "e")["msg"] == f"['e'] {left} {everyone} ['e']"


def test_a_play_that_needs_no_other_has_all_its_hosts(tmp_path: Path) -> None:
    ran = run_text(tmp_path, PLAYS, inventory=HOSTS)
    assert ran.result("five", "a")["msg"] == "['a', 'b'] ['a', 'b'] ['a', 'b'] ['a', 'b']"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("of_play", "none"),
        ("of_task", "none"),
        ("of_host", "b"),
        ("given", "extra"),
        ("fact", "set"),
        ("inventory_hostname", "b"),
        ("ansible_play_hosts", "none"),
    ],
)
def test_hostvars_show_what_the_host_has_and_nothing_of_the_play(tmp_path: Path, name: str, expected: str) -> None:
    ran = run_tasks(
        tmp_path,
        f"""
        - set_fact: {{fact: set}}
        - id: shown
          debug: {{msg: "{{{{ hostvars['b'].{name} | default('none') }}}}"}}
          vars: {{of_task: 1}}
        """,
        keywords="vars: {of_play: 1}",
        inventory="all:\n  vars: {ansible_connection: local}\n  hosts: {a: {of_host: a}, b: {of_host: b}}\n",
        extra=["given=extra"],
    )
    assert {ran.result("shown", host)["msg"] for host in "ab"} == {expected}


def test_connection_variables_of_the_play_still_say_how_a_host_is_reached(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path, "- ping:", keywords="vars: {ansible_connection: local}", inventory="all: {hosts: {a: }}\n"
    )
    assert ran.exit_status == 0


def test_facts_may_have_names_that_templates_give(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path,
        """
        - set_fact: {"{{ key }}": 5, "x_{{ key }}": "{{ key }}"}
        - set_fact: {"{{ item }}_v": "{{ item }}"}
          loop: [1, 2]
          ignore_errors: true
        - set_fact: "v_{{ key }}=7 w=8"
        - set_fact: {"v_{{ item }}": "{{ item }}"}
          loop: [a, b]
        - {id: shown, debug: {msg: "{{ dyn }} {{ x_dyn }} {{ v_dyn }} {{ w }} {{ v_a }}{{ v_b }}"}}
        - {id: spaced, set_fact: {"{{ 'a b' }}": 1}, ignore_errors: true}
        - {id: number, set_fact: {"{{ 5 }}": 1}}
        """,
        keywords="vars: {key: dyn}",
    )
    assert ran.result("shown")["msg"] == "5 dyn 7 8 ab"
    assert "'a b' is not valid" in ran.result("spaced")["msg"]
    assert "has to be text, but this gives 5" in ran.result("number")["msg"]
