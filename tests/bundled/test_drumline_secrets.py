"""The bundled stores of secrets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.program import call

from drumline.plugin import SecretUnavailable
from drumline_secrets.stores import check_commands, from_environment, from_file, from_pass, from_program, of_program

WORD = "hunter2-horse"


def program(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_variable_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", f" {WORD} ")
    assert from_environment("DB_PASSWORD") == f" {WORD} "
    monkeypatch.delenv("DB_PASSWORD")
    with pytest.raises(SecretUnavailable, match="no such variable"):
        from_environment("DB_PASSWORD")


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_file_without_the_end_of_its_last_line(tmp_path: Path, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_bytes(f"one\ntwo\n{end}".encode())
    monkeypatch.setenv("HOME", str(tmp_path))
    assert from_file("~/key") == ("one\ntwo\n" if end else "one\ntwo")
    assert from_file(str(tmp_path / "key")) == from_file("~/key")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"x" * (1024 * 1024 + 1))
    for name, told in [("none", "No such file"), (".", "Is a directory"), ("binary", "UTF-8"), ("large", "1 MiB")]:
        with pytest.raises(SecretUnavailable, match=told):
            from_file(str(tmp_path / name))


def test_a_program_gets_the_name_as_one_argument_that_no_shell_reads(tmp_path: Path) -> None:
    show = program(tmp_path, "show", 'printf "%s|" "$#" "$@"; echo')
    assert from_program([str(show), "read"], 60, "a b; $(id) 'c'") == "2|read|a b; $(id) 'c'|"
    assert of_program("safe", f"{show} read", 60).resolve("db") == "2|read|db|"
    assert of_program("safe", [str(show)], 60).resolve("db") == "1|db|"


def test_a_name_is_never_an_option_of_the_program(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    with pytest.raises(SecretUnavailable, match="begins with '-'"):
        from_program([str(program(tmp_path, "show", f"touch {ran}"))], 60, "--help")
    assert not ran.exists()


def test_a_program_that_fails_is_told_with_its_words_but_not_with_its_output(tmp_path: Path) -> None:
    show = program(tmp_path, "show", f"echo {WORD}; echo 'the safe is locked' >&2; exit 3")
    with pytest.raises(SecretUnavailable) as raised:
        from_program([str(show)], 60, "db")
    assert str(raised.value) == f"{show} ended with exit status 3: the safe is locked"
    with pytest.raises(SecretUnavailable, match="can't be run: No such file"):
        from_program([str(tmp_path / "none")], 60, "db")
    with pytest.raises(SecretUnavailable, match="can't be run: embedded null byte"):
        from_program([str(show)], 60, "d\0b")


def test_a_program_that_asks_for_ever_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(SecretUnavailable, match=r"took longer than 0\.3 s \(secrets\.timeout\)"):
        from_program([sys.executable, "-c", "import time; time.sleep(60)"], 0.3, "db")
    assert time.monotonic() - began < 20


def test_a_program_is_not_given_the_terminal() -> None:
    assert from_program(["sh", "-c", "cat; echo nothing to read"], 60, "db") == "nothing to read"


def test_pass_gives_the_first_line_of_an_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "pass", f'[ "$1 $2" = "show web/db" ] && printf "%s\\n" {WORD} "user: ann"')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert from_pass(60, "web/db") == WORD


@pytest.mark.skipif(not (shutil.which("pass") and shutil.which("gpg")), reason="pass is not installed")
def test_pass_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    monkeypatch.setenv("PASSWORD_STORE_DIR", str(tmp_path / "store"))
    quick = ["gpg", "--batch", "--passphrase", "", "--quick-generate-key", "me@example.org"]
    subprocess.run(quick, check=True, capture_output=True)
    subprocess.run(["pass", "init", "me@example.org"], check=True, capture_output=True)
    subprocess.run(["pass", "insert", "-m", "web/db"], input=f"{WORD}\nuser: ann\n".encode(), check=True)
    try:
        assert from_pass(60, "web/db") == WORD
        with pytest.raises(SecretUnavailable, match="web/none is not in the password store"):
            from_pass(60, "web/none")
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False)


@pytest.mark.parametrize(
    ("kind", "command", "told"),
    [
        ("env", "echo", "can't have a kind of secret 'env'."),
        ("a b", "echo", "can't have a kind of secret 'a b'."),
        ("safe", "echo 'a", "has a command for 'safe' that can't be read: No closing quotation."),
        ("safe", "", "has to have a command line for 'safe', or a list of a program and its arguments."),
        ("safe", 7, "has to have a command line for 'safe', or a list of a program and its arguments."),
        ("safe", ["a", 7], "has to have a command line for 'safe', or a list of a program and its arguments."),
    ],
)
def test_a_command_that_cannot_be_used(kind: str, command: object, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        check_commands({kind: command})


def test_kinds_of_the_settings(tmp_path: Path) -> None:
    program(tmp_path, "show", f"[ $1 = db ] && echo {WORD}")
    (tmp_path / "drumline.toml").write_text('[secrets.commands]\nsafe = "./show"\npass = ["./show"]\n')
    (tmp_path / "site.yml").write_text(
        "- hosts: localhost\n  tasks:\n"
        "    - assert: {that: \"query('secret', 'safe:db', 'pass:db') | unique | length == 1\"}\n"
    )
    ended = call(tmp_path, "run", "site.yml", "-i", "localhost,")
    assert ended.status == 0, ended.said
    assert "  secrets: env, file, pass, safe\n" in call(tmp_path, "plugins").out
    (tmp_path / "drumline.toml").write_text("[secrets.commands]\nsafe = 7\n")
    ended = call(tmp_path, "run", "site.yml", "-i", "localhost,")
    assert ended.status == 5
    assert "drumline.toml:1" in ended.err
    assert "'secrets.commands' has to have a command line for 'safe', or" in ended.err
