"""The talk with a program that makes one user another: what it is asked, what its words mean, how each is called."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from drumline.errors import CommandRefused, OptionInvalid
from drumline.model.request import Become
from drumline.plugin.become_methods import METHODS, method_fault, method_of
from drumline.plugin.becoming import Dialogue, NeedsTerminal
from drumline.secret import Secret

PASSWORD = Secret("s3cret")


def dialogue(**fields: Any) -> Dialogue:
    return Dialogue(Become(**{"user": "joe", "password": PASSWORD, **fields}), "web1")


@pytest.mark.parametrize(
    ("method", "without", "with_password"),
    [
        ("sudo", "-H -S -n -u joe --", "-H -S -p [PROMPT]: -u joe --"),
        ("su", "joe -c", "joe -c"),
        ("doas", "-n -u joe", "-u joe"),
        ("dzdo", "-H -S -n -u joe", "-H -S -p [PROMPT]: -u joe"),
        ("ksu", "joe -e", "joe -e"),
        ("pbrun", "-u joe", "-u joe"),
        ("pfexec", "", ""),
        ("pmrun", "", ""),
        ("sesu", "joe -c", "joe -c"),
        ("sudosu", "-H -S -n su -l joe -c", "-H -S -p [PROMPT]: su -l joe -c"),
    ],
)
def test_how_each_program_is_called(tmp_path: Path, method: str, without: str, with_password: str) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    program.chmod(0o755)
    for password, expected in ((None, without), (PASSWORD, with_password)):
        talk = dialogue(method=method, password=password, exe=str(program))
        done = subprocess.run(["sh"], input=talk.script.encode(), capture_output=True, check=True)
        said = done.stdout.decode().replace(f"drumline {talk.word.decode().strip()}", "PROMPT")
        wanted = expected.replace(" ", "\n")
        assert said.startswith(wanted)
        assert "/bin/sh -c" in said.removeprefix(wanted).replace("\n", " ")
        assert "s3cret" not in talk.script


def test_every_method_has_its_case() -> None:
    assert set(METHODS) == {"sudo", "su", "doas", "dzdo", "ksu", "pbrun", "pfexec", "pmrun", "sesu", "sudosu"}


@pytest.mark.parametrize(
    ("flags", "password", "expected"),
    [
        ("-i", None, "sudo -i -u joe"),
        ("", None, "sudo  -u joe"),
        ("-H -n", PASSWORD, "sudo -H -S -p x: -u joe"),
        ("-E -p 'own prompt:'", None, "sudo -E -p 'own prompt:' -u joe"),
    ],
)
def test_flags(flags: str, password: Secret | None, expected: str) -> None:
    become = Become(user="joe", flags=flags, password=password)
    assert method_of(become).command(become, "x:").startswith(expected)


def test_a_question_is_answered_once() -> None:
    talk = dialogue()
    assert talk.take("stderr", b"We trust you have received the usual lecture:\n\n  #1) Respect\n") == b""
    assert talk.take("stderr", b"[sudo] pass") == b""
    assert talk.take("stderr", "wort für joe: ".encode()) == b"s3cret\n"
    with pytest.raises(CommandRefused, match=r"(?s)^Incorrect sudo password.*Sorry") as refused:
        talk.take("stderr", b"\nSorry, try again.\nPassword:")
    assert "s3cret" not in str(refused.value)


def test_what_the_program_says_of_itself_is_no_question() -> None:
    talk = dialogue()
    assert talk.take("stderr", b"sudo: ") == b""
    assert talk.take("stderr", b"unknown user joe\n") == b""
    assert "unknown user joe" in str(talk.ended())


def test_the_shell_is_there() -> None:
    talk = dialogue()
    word = talk.word.strip()
    assert talk.take("stdout", b"noise of a login:\n\x1e" + word[:5]) == b""
    assert talk.take("stdout", word[5:] + b"\n") is None


def test_a_question_in_a_prompt_of_another_script() -> None:
    assert dialogue(method="su").take("terminal", "密码\uff1a".encode()) == b"s3cret\n"


@pytest.mark.parametrize(
    ("said", "summary"),
    [
        (b"sudo: sorry, you must have a tty to run sudo\n", "The program to become another user needs a terminal"),
        (b"su: must be run from a terminal\n", "The program to become another user needs a terminal"),
        (b"joe is not in the sudoers file.\n", "Becoming another user was refused"),
    ],
)
def test_why_it_ended(said: bytes, summary: str) -> None:
    talk = dialogue()
    talk.take("stderr", said)
    assert talk.ended().summary == summary
    assert isinstance(talk.ended(), NeedsTerminal) == ("terminal" in summary)
    again = Dialogue(Become(user="joe", password=PASSWORD), "web1", terminal=True)
    again.take("stderr", said)
    assert not isinstance(again.ended(), NeedsTerminal)


def test_a_password_of_two_lines_is_refused() -> None:
    with pytest.raises(OptionInvalid, match="more than one line") as refused:
        dialogue(password=Secret("one\ntwo")).take("stderr", b"Password: ")
    assert "two" not in str(refused.value)


@pytest.mark.parametrize("name", ["become_flags", "become_exe"])
def test_words_that_can_not_be_taken_apart(name: str) -> None:
    with pytest.raises(OptionInvalid, match=f"{name} can't be read"):
        dialogue(**{name.removeprefix("become_"): "it's"})


def test_names_of_methods() -> None:
    assert method_fault("community.general.doas") is None
    assert method_fault("runas") is None
    assert method_fault("community.general.machinectl") is not None
    with pytest.raises(OptionInvalid, match="'runas' is not one of sudo, su"):
        dialogue(method="runas")
