"""``vars_prompt``: who is asked for what, and what holds where no one can be."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from support.program import call, wait_until
from support.terminal import Terminal

HOSTS = ("-i", "a,", "-e", "ansible_connection=local")


def write(directory: Path, prompts: str, say: str = "{{ it }}") -> None:
    text = f'- hosts: a\n  vars: {{it: below}}\n  vars_prompt:\n{prompts}  tasks:\n    - debug: {{msg: "{say}"}}\n'
    (directory / "p.yml").write_text(text)


def test_what_is_typed_is_the_value(tmp_path: Path) -> None:
    write(tmp_path, "    - {name: it, prompt: Which one, default: d, private: false}\n", "it is {{ it }}")
    with Terminal(tmp_path, "run", "p.yml", *HOSTS) as terminal:
        wait_until(lambda: "Which one [d]:" in terminal.text)
        terminal.type("{{ typed }}\r")
        wait_until(lambda: "it is {{ typed }}" in terminal.text)
        assert terminal.end() == 0


def test_nothing_typed_is_the_default(tmp_path: Path) -> None:
    write(tmp_path, "    - {name: it, default: d, private: false}\n", "it is {{ it }}")
    with Terminal(tmp_path, "run", "p.yml", *HOSTS) as terminal:
        wait_until(lambda: "it [d]:" in terminal.text)
        terminal.type("\r")
        wait_until(lambda: "it is d" in terminal.text)
        assert terminal.end() == 0


#: How often the question must have been put, the question, and what is typed then.
_DIALOGUE = (
    (1, "Password:", "hunter2!"),
    (1, "Again, Password:", "other"),
    (1, "The two differ.", "hunter2!"),
    (2, "Again, Password:", "hunter2!"),
)


def is_asked(terminal: Terminal, question: str, times: int) -> bool:
    """Whether the question has been put so often."""
    return terminal.text.count(question) >= times


def test_a_password_is_asked_for_until_both_are_the_same_and_never_shown(tmp_path: Path) -> None:
    prompt = "    - {name: it, prompt: Password, confirm: true, encrypt: sha512_crypt, salt: abcdefgh}\n"
    hashed = "{{ it == ('hunter2!' | password_hash('sha512_crypt', 'abcdefgh')) }}"
    write(tmp_path, prompt, f"it is {hashed} and hunter2!")
    with Terminal(tmp_path, "run", "p.yml", *HOSTS) as terminal:
        for times, question, typed in _DIALOGUE:
            wait_until(partial(is_asked, terminal, question, times))
            terminal.type(f"{typed}\r")
        wait_until(lambda: "it is True and ********" in terminal.text)
        assert terminal.end() == 0
        assert "The two differ." in terminal.text
        assert "hunter2" not in terminal.text


@pytest.mark.parametrize(
    ("prompt", "options", "said"),
    [
        ("{name: it, default: \"{{ 'd' }}\"}", (), "it is d"),
        ("{name: it, default: 3}", (), "it is 3"),
        ("{name: it}", ("-e", "it=given"), "it is given"),
        ("{name: it, default: d}", ("-e", "it=given"), "it is given"),
    ],
)
def test_where_no_one_can_be_asked(tmp_path: Path, prompt: str, options: tuple[str, ...], said: str) -> None:
    write(tmp_path, f"    - {prompt}\n", "it is {{ it }}")
    ended = call(tmp_path, "run", "p.yml", *HOSTS, *options)
    assert said in ended.out, ended.said


def test_without_a_default_the_option_is_named(tmp_path: Path) -> None:
    write(tmp_path, "    - {name: it}\n    - {name: other}\n")
    ended = call(tmp_path, "run", "p.yml", *HOSTS)
    assert ended.status == 5
    assert "p.yml:4:7: error: A variable can't be asked for" in ended.err
    assert "There is no terminal to ask at. Give 'it' with -e it=VALUE, or a 'default'." in ended.err
    assert "Give 'other' with -e other=VALUE" in ended.err


def test_a_plan_asks_no_one(tmp_path: Path) -> None:
    write(tmp_path, "    - {name: it}\n")
    assert call(tmp_path, "plan", "p.yml", *HOSTS).status == 0
    (tmp_path / "p.yml").write_text("- hosts: '{{ it }}'\n  vars_prompt: [{name: it}]\n")
    ended = call(tmp_path, "plan", "p.yml", *HOSTS)
    assert "'it' is asked for when a run begins (vars_prompt). Give -e it=VALUE." in ended.err


def test_a_hash_of_an_unknown_kind(tmp_path: Path) -> None:
    write(tmp_path, "    - {name: it, default: d, encrypt: rot13}\n")
    ended = call(tmp_path, "run", "p.yml", *HOSTS)
    assert "p.yml:4:7: error: A value can't be hashed" in ended.err
