"""What is typed by habit is answered with what does the same here."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from support.program import Ended, call, needs_sudo

from drumline.cli.program import program

#: Every option of ansible-playbook and ansible (ansible-core 2.19), but for those that ask for help.
PLAYBOOK = re.findall(
    r"\S+",
    """
    --become-password-file --become-pass-file --connection-password-file --conn-pass-file --flush-cache
    --force-handlers --list-hosts --list-tags --list-tasks --skip-tags --start-at-task --step --syntax-check
    --vault-id --vault-password-file --vault-pass-file -C --check -D --diff -J --ask-vault-password --ask-vault-pass
    -K --ask-become-pass -M --module-path -e --extra-vars -f --forks -i --inventory --inventory-file -k --ask-pass
    -l --limit -t --tags -v --verbose --private-key --key-file --scp-extra-args --sftp-extra-args --ssh-common-args
    --ssh-extra-args -T --timeout -c --connection -u --user --become-method --become-user -b --become
    """,
)
ADHOC = re.findall(
    r"\S+",
    """
    --become-password-file --become-pass-file --connection-password-file --conn-pass-file --flush-cache --list-hosts
    --playbook-dir --task-timeout --vault-id --vault-password-file --vault-pass-file -B --background -C --check -D
    --diff -J --ask-vault-password --ask-vault-pass -K --ask-become-pass -M --module-path -P --poll -a --args -e
    --extra-vars -f --forks -i --inventory --inventory-file -k --ask-pass -l --limit -m --module-name -o --one-line
    -t --tree -v --verbose --private-key --key-file --scp-extra-args --sftp-extra-args --ssh-common-args
    --ssh-extra-args -T --timeout -c --connection -u --user --become-method --become-user -b --become
    """,
)


def known(name: str) -> set[str]:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    return {name for option in command.params for name in option.opts}


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        program(list(words), prog_name="drumline")
    assert ended.value.code == 5
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (command, option)
        for command, options in (("run", PLAYBOOK), ("exec", ADHOC))
        for option in options
        if option not in known(command)
    ],
)
def test_each_option_of_ansible_is_answered_by_name(
    capsys: pytest.CaptureFixture[str], command: str, option: str
) -> None:
    said = answered(capsys, command, option)
    assert said.startswith("error: No such option\n")
    assert f"{option}: " in said
    assert "Did you mean" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rum", "site.yml"], "Did you mean 'run'?"),
        (["site.yml"], "To run it: drumline run site.yml"),
        (["my site.yaml"], "To run it: drumline run 'my site.yaml'"),
        (["ansible-playbook", "site.yml"], "Did you mean 'drumline run'?"),
        (["runs", "lst"], "Did you mean 'list'?"),
        (["inventory", "--list"], "'drumline inventory list'"),
        (["help", "rum"], "Did you mean 'run'?"),
        (["-i", "hosts", "run", "site.yml"], "options come after the command"),
        (["run", "--chekc", "site.yml"], "Did you mean '--check'?"),
        (["runs", "show", "--fromat", "json"], "Did you mean '--format'?"),
        (["run", "-oT", "site.yml"], "leave it out: equal outputs"),
        (["run", "-T5", "site.yml"], "ansible_timeout=SECONDS"),
        (["nonsense"], "See drumline --help."),
    ],
)
def test_what_was_meant_is_said(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert said in answered(capsys, *words)


def test_help_is_a_command_too(tmp_path: Path) -> None:
    def out(*words: str) -> Ended:
        ended = call(tmp_path, *words)
        assert ended.status == 0, ended.said
        return ended

    assert out("help").out == out("--help").out
    assert out("help", "runs", "show").out == out("runs", "show", "--help").out


def test_variables_do_what_options_of_ansible_do(tmp_path: Path) -> None:
    """The answers are true: who and how to become are variables that -e may give."""
    needs_sudo()
    (tmp_path / "site.yml").write_text(
        "- hosts: all\n  tasks:\n    - {command: id -un, register: who}\n    - debug: var=who.stdout\n"
    )
    ended = call(
        tmp_path,
        "run",
        "site.yml",
        "-i",
        "web1,",
        *("-e", "ansible_connection=local", "-e", "ansible_become=true", "-e", "ansible_become_user=nobody"),
    )
    assert '"who.stdout": "nobody"' in ended.out, ended.said


def test_facts_are_the_cache_that_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert "DRUMLINE_FACT_CACHE=off" in answered(capsys, "run", "--flush-cache", "site.yml")
