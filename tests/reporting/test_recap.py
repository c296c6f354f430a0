"""The last lines of a run: hosts with their counts, what failed, what wasn't run, and a command that goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.program import Ended, call, shell

SITE = """
- name: Roll out
  hosts: web
  tasks:
    - {name: Stop, command: "true"}
    - {name: Migrate, shell: "test -e {{ playbook_dir }}/mended || test {{ inventory_hostname }} != web2"}
    - {name: Add to balancer, command: "true"}
    - {name: Call for help, trigger_rule: one_failed, hosts: web3, command: "true"}
- hosts: lb
  tasks:
    - {command: echo {{ greeting }}}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "my hosts").write_text("[all:vars]\nansible_connection=local\n[web]\nweb[1:3]\n[lb]\nlb1\n")
    (tmp_path / "site.yml").write_text(SITE.replace("{command: echo {{ greeting }}}", "command: echo {{ greeting }}"))
    return tmp_path


def recap(ended: Ended) -> list[str]:
    """The lines from the recap on, but for the verdict."""
    lines = ended.out.splitlines()
    return lines[lines.index("recap") : -1] if "recap" in lines else []


def again(ended: Ended, directory: Path) -> Ended:
    """What is said to go on with, pasted into a shell."""
    [line] = [line for line in ended.out.splitlines() if line.startswith("to continue: ")]
    return shell(directory, line.removeprefix("to continue: "))


def test_after_a_failure_the_last_lines_say_all_that_matters(directory: Path) -> None:
    ended = call(directory, "run", "site.yml", "-i", "my hosts", "-e", "greeting='a b'", "--forks=3")
    assert recap(ended) == [
        "recap",
        "  web1  3 changed",
        "  web2  1 changed, 1 failed, 1 abandoned",
        "  web3  3 changed, 1 skipped",
        "  lb1   1 abandoned",
        "failed on web2: 'Migrate'",
        "not run on web2: 'Add to balancer'",
        "not run on lb1: 'command: echo {{ greeting }}'",
        "to continue: drumline run site.yml -i 'my hosts' -e 'greeting='\"'\"'a b'\"'\"'' -f 3 --limit web2,lb1",
    ]
    assert ended.out.splitlines()[-1].startswith("failed: ")
    (directory / "mended").touch()
    gone_on = again(ended, directory)
    assert gone_on.status == 0, gone_on.said
    assert "web[1-3]" not in gone_on.out
    assert "command: echo {{ greeting }}: lb1" in gone_on.out


def test_a_limit_of_the_run_is_replaced_and_other_options_stay(directory: Path) -> None:
    words = ["run", "-vl", "web2", "site.yml", "-i", "my hosts", "-e", "greeting=x", "-e", "api_token=hunter2"]
    [line] = [line for line in recap(call(directory, *words)) if line.startswith("to continue")]
    assert line == (
        "to continue: drumline run site.yml -i 'my hosts' -e greeting=x -e 'api_token=********' -v --limit web2"
    )


def test_without_a_failure_there_is_a_recap_where_it_is_asked_for(directory: Path) -> None:
    (directory / "mended").touch()
    words = ["run", "site.yml", "-i", "my hosts", "-e", "greeting=x"]
    assert recap(call(directory, *words)) == []
    assert recap(call(directory, *words, "--recap")) == [
        "recap",
        "  web1  3 changed",
        "  web2  3 changed",
        "  web3  3 changed, 1 skipped",
        "  lb1   1 changed",
    ]


def test_unreachable_hosts_are_named(directory: Path) -> None:
    (directory / "my hosts").write_text("[web]\nweb[1:2] ansible_host=127.0.0.1 ansible_port=1 ansible_user=x\n")
    (directory / "site.yml").write_text("- hosts: web\n  tasks:\n    - ping:\n    - {name: Start, command: 'true'}\n")
    ended = call(directory, "run", "site.yml", "-i", "my hosts")
    assert ended.status == 4
    assert recap(ended)[1:] == [
        "  web1  1 unreachable, 1 abandoned",
        "  web2  1 unreachable, 1 abandoned",
        "unreachable: web1, web2 (at 'ping')",
        "not run on web1, web2: 'Start'",
        "to continue: drumline run site.yml -i 'my hosts' --limit web1,web2",
    ]


def test_an_exec_goes_on_with_its_own_words(directory: Path) -> None:
    command = "test -e mended || { test {{ inventory_hostname }} != web3; }"
    ended = call(directory, "exec", "-i", "my hosts", "web", command)
    assert ended.status == 2
    assert "failed on web3: " in ended.out
    (directory / "mended").touch()
    gone_on = again(ended, directory)
    assert gone_on.status == 0
    assert "web3  " in gone_on.out
    assert "web1" not in gone_on.out


def test_hosts_with_equal_counts_share_a_line_where_they_are_many(directory: Path) -> None:
    (directory / "my hosts").write_text("[all:vars]\nansible_connection=local\n[web]\nweb[1:30]\n")
    (directory / "site.yml").write_text("- hosts: web\n  tasks:\n    - shell: test {{ inventory_hostname }} != web7\n")
    assert recap(call(directory, "run", "site.yml", "-i", "my hosts"))[1:] == [
        "  web[1-6,8-30]  1 changed",
        "  web7           1 failed",
        "failed on web7: 'shell: test {{ inventory_hostname }} != web7'",
        "to continue: drumline run site.yml -i 'my hosts' --limit web7",
    ]
