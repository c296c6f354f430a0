"""``debugger``: a person at the terminal looks at a job, changes it, has it run again, or ends the run."""

from __future__ import annotations

from pathlib import Path

from support.program import call, wait_until
from support.terminal import Terminal

HOSTS = ("-i", "a,", "-e", "ansible_connection=local")
PROMPT = "[a] (debug)> "
PLAYBOOK = """
- hosts: all
  gather_facts: false
  vars: {code: 3, app_password: hidden-word}
  tasks:
    - name: Try it
      shell: "exit {{ code }}"
      debugger: on_failed
      register: tried
    - debug: {msg: "it ended with {{ tried.rc }}"}
"""


def project(directory: Path, text: str = PLAYBOOK) -> Path:
    (directory / "site.yml").write_text(text)
    return directory


def answered(terminal: Terminal, *lines: tuple[str, str]) -> None:
    """Type each line when its text has been shown since the line before, and the terminal is asked again."""
    seen = 0
    for awaited, typed in lines:
        wait_until(lambda text=awaited, start=seen: text in terminal.text[start:])  # type: ignore[misc]
        seen = terminal.text.index(awaited, seen)
        wait_until(lambda start=seen: PROMPT in terminal.text[start:])  # type: ignore[misc]
        seen = len(terminal.text)
        terminal.type(f"{typed}\r")


def test_a_job_is_looked_at_changed_and_run_again(tmp_path: Path) -> None:
    with Terminal(project(tmp_path), "run", "site.yml", *HOSTS) as terminal:
        answered(
            terminal,
            ("h: help", "p 'rc is ' ~ result.rc"),
            ("'rc is 3'", "p task.args"),
            ("exit 3", "p task_vars['app_password'] ~ '!'"),
            ("*!'", "nonsense"),
            ("There is no command", "p nowhere.at"),
            ("'nowhere'", "task_vars['code'] = 4"),
            ("is 4", "u"),
            ("made anew", "r"),
            ("h: help", "p 'rc is ' ~ result.rc"),
            ("'rc is 4'", "task.args['_raw_params'] = 'exit 0'"),
            ("is 'exit 0'", "r"),
        )
        assert terminal.end() == 0
    assert "it ended with 0" in terminal.text
    assert "hidden-word" not in terminal.text


def test_it_goes_on_as_it_is_or_ends(tmp_path: Path) -> None:
    with Terminal(project(tmp_path), "run", "site.yml", *HOSTS) as terminal:
        answered(terminal, ("h: help", "c"))
        assert terminal.end() == 2
    assert "it ended with 3" not in terminal.text
    rest = PLAYBOOK.replace("on_failed", "always").replace("code: 3", "code: 0")
    with Terminal(project(tmp_path, rest), "run", "site.yml", *HOSTS) as terminal:
        answered(terminal, ("h: help", "q"))
        assert terminal.end() == 130
    assert "it ended with 0" not in terminal.text


def test_it_is_there_after_every_failure_if_the_strategy_or_a_setting_says_so(tmp_path: Path) -> None:
    plain = PLAYBOOK.replace("      debugger: on_failed\n", "")
    strategies = ("debug", "ansible.builtin.debug")
    for text in (*(plain.replace("gather_facts: false", f"strategy: {name}") for name in strategies), plain):
        (tmp_path / "ansible.cfg").write_text("[defaults]\nenable_task_debugger = True\n" if text == plain else "")
        with Terminal(project(tmp_path, text), "run", "site.yml", *HOSTS) as terminal:
            answered(terminal, ("h: help", "task.args['_raw_params'] = 'exit 0'"), ("is 'exit 0'", "r"))
            assert terminal.end() == 0
        assert "it ended with 0" in terminal.text
    ended = call(tmp_path, "run", "site.yml", *HOSTS)
    assert (ended.status, "(debug)>" in ended.said) == (2, False)  # no one is there, so it counts as it is
    never = plain.replace("gather_facts: false", "debugger: never")
    with Terminal(project(tmp_path, never), "run", "site.yml", *HOSTS) as terminal:
        assert terminal.end() == 2
    assert "(debug)>" not in terminal.text


def test_it_is_refused_where_no_one_can_be_asked(tmp_path: Path) -> None:
    ended = call(project(tmp_path), "run", "site.yml", *HOSTS)
    assert ended.status == 5
    assert "'debugger: on_failed' asks at the terminal how to go on, and here is none." in " ".join(ended.said.split())
    assert call(tmp_path, "plan", "site.yml", *HOSTS).status == 0
    skipped = PLAYBOOK.replace("on_failed", "never")
    assert call(project(tmp_path, skipped), "run", "site.yml", *HOSTS).status == 2
