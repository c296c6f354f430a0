"""The options about log-ins and other users: on a real host whose user has to give a password to become another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.program import Ended, call, wait_until
from support.terminal import Terminal
from support.users import User, needs_users, temporary_user

from drumline_lab.sshd import Sshd

PLAYBOOK = """
- hosts: all
  tasks:
    - {command: id -un, register: who}
    - {debug: "msg=as-{{ who.stdout }}"}
"""


class Place:
    """A directory with a playbook, and a host to log in to."""

    def __init__(self, directory: Path, user: User, server: Sshd) -> None:
        self.directory, self.user = directory, user
        self.key = str(server.client_key)
        (directory / "site.yml").write_text(PLAYBOOK)
        (directory / "hosts").write_text(
            f"web1 ansible_host={server.address} ansible_port={server.port}"
            f" ansible_ssh_known_hosts_file={server.known_hosts} ansible_ssh_config_file=none\n"
        )
        self.login = ("-i", "hosts", "-u", user.name, "--private-key", self.key)

    def run(self, *options: str, playbook: str = "site.yml") -> Ended:
        return call(self.directory, "run", playbook, *options)


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with temporary_user() as user:
        user.sudo("Defaults:NAME timestamp_timeout=0", "NAME ALL=(ALL:ALL) ALL")
        yield user


@pytest.fixture(scope="module")
def server(user: User, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    keys = user.home / "keys"
    with Sshd(tmp_path_factory.mktemp("logins") / "sshd", settings={"AuthorizedKeysFile": str(keys)}) as server:
        shutil.copy(f"{server.client_key}.pub", keys)
        keys.chmod(0o644)
        yield server


@pytest.fixture
def place(tmp_path: Path, user: User, server: Sshd) -> Place:
    return Place(tmp_path, user, server)


pytestmark = needs_users


def test_who_logs_in(place: Place) -> None:
    ended = place.run(*place.login)
    assert f"as-{place.user.name}" in ended.out, ended.said
    ended = place.run("-i", "hosts", "-c", "local", "-u", "nosuchuser")
    assert f"as-{os.environ.get('USER', 'root')}" in ended.out, ended.said


def test_a_password_in_a_file_or_of_a_program(place: Place) -> None:
    (place.directory / "word").write_text(f"{place.user.password}\n")
    program = place.directory / "program"
    program.write_text(f"#!/bin/sh\necho {place.user.password}\n")
    program.chmod(0o755)
    for file in ("word", "program"):
        ended = place.run(*place.login, "-b", "--become-password-file", file)
        assert "as-root" in ended.out, ended.said
        assert place.user.password not in ended.said
    ended = place.run(*place.login, "-b", "--become-user", "nobody", "--become-pass-file", "word")
    assert "as-nobody" in ended.out, ended.said
    journal = b"".join(path.read_bytes() for path in (place.directory / "state").rglob("*") if path.is_file())
    assert place.user.password.encode() not in journal


def test_a_password_from_stdin_and_in_settings(place: Place) -> None:
    command = ("exec", "web1", *place.login, "-b", "--become-password-file", "-", "--", "id", "-un")
    ended = call(place.directory, *command, input=f"{place.user.password}\n")
    assert "root" in ended.out, ended.said
    (place.directory / "word").write_text(place.user.password)
    (place.directory / "ansible.cfg").write_text(
        f"[defaults]\nremote_user = {place.user.name}\nprivate_key_file = {place.key}\nbecome_password_file = word\n"
        "[privilege_escalation]\nbecome = yes\nbecome_user = nobody\nbecome_flags = -H\n"
    )
    assert "as-nobody" in place.run("-i", "hosts").out
    assert "as-root" in place.run("-i", "hosts", "--become-user", "root").out


@pytest.mark.parametrize("keyword", ["", "  become_user: root\n"])
def test_keywords_win_over_options_and_variables_over_both(place: Place, keyword: str) -> None:
    (place.directory / "word").write_text("wrong")
    text = PLAYBOOK.replace("  tasks:", f"  become: true\n  remote_user: {place.user.name}\n{keyword}  tasks:")
    (place.directory / "own.yml").write_text(text)
    login = ("-i", "hosts", "-u", "nosuchuser", "--private-key", place.key, "--become-user", "nobody")
    right = ("-e", f"ansible_become_pass={place.user.password}")
    ended = place.run(*login, "--become-password-file", "word", *right, playbook="own.yml")
    assert ("as-root" if keyword else "as-nobody") in ended.out, ended.said
    ended = place.run(*login, *right, "-e", "ansible_become_user=daemon", playbook="own.yml")
    assert "as-daemon" in ended.out, ended.said


def test_a_wrong_password_is_said_for_the_task_and_the_host(place: Place) -> None:
    (place.directory / "word").write_text("wr0ng-one")
    ended = place.run(*place.login, "-b", "--become-password-file", "word")
    assert ended.status == 2
    assert "Incorrect sudo password" in ended.out
    assert "--ask-become-pass or ansible_become_password" in " ".join(ended.out.replace("│", " ").split())
    assert "web1" in ended.out
    assert "wr0ng-one" not in ended.said
    ended = place.run(*place.login, "-b")
    assert "Missing sudo password" in ended.out


def test_a_password_is_asked_for_at_the_terminal(place: Place) -> None:
    with Terminal(place.directory, "run", "site.yml", *place.login, "-b", "-K") as terminal:
        wait_until(lambda: "BECOME password:" in terminal.text)
        terminal.type(f"{place.user.password}\n")
        assert terminal.end() == 0, terminal.text
        assert "as-root" in terminal.text
        assert place.user.password not in terminal.text


def test_the_password_of_the_log_in_is_the_default(place: Place) -> None:
    with Terminal(place.directory, "run", "site.yml", *place.login, "-b", "-k", "-K") as terminal:
        wait_until(lambda: "SSH password:" in terminal.text)
        terminal.type(f"{place.user.password}\n")
        wait_until(lambda: "BECOME password[defaults to SSH password]:" in terminal.text)
        terminal.type("\n")
        assert terminal.end() == 0, terminal.text
        assert "as-root" in terminal.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-K",), "A password can't be asked for"),
        (("-K", "--become-password-file", "site.yml"), "A password is given twice"),
        (("--conn-pass-file", "nope"), "--connection-password-file: there is no file 'nope'."),
        (("--private-key", "nope"), "--private-key: there is no file 'nope'."),
        (("--become-password-file", "empty"), "A password can't be read"),
        (("-b", "--become-method", "sduo"), "become_method is 'sduo': known are"),
        (("-c", "shh"), "Unknown transport"),
    ],
)
def test_what_can_not_be_meant(place: Place, options: tuple[str, ...], message: str) -> None:
    (place.directory / "empty").touch()
    ended = place.run("-i", "hosts", *options)
    assert ended.status == 5
    assert message in ended.err


def test_a_plan_asks_for_nothing(place: Place) -> None:
    ended = call(place.directory, "plan", "site.yml", *place.login, "-b", "-K", "-k")
    assert ended.status == 0, ended.said


def test_arguments_of_ssh(place: Place) -> None:
    (place.directory / "hosts").write_text("web1\n")
    arguments = "-o HostName=127.0.0.1 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    port = place.run("-i", "hosts", "--ssh-extra-args", "-p 1", "--ssh-common-args", arguments, "-u", "x")
    assert port.status == 4
    assert "127.0.0.1 port 1" in port.out


@pytest.mark.parametrize("value", ["{{ lookup('env', 'WORD') }}", "{{ lookup('secret', 'env:WORD') }}", "!vault"])
def test_a_password_from_a_store_a_vault_or_the_environment(place: Place, value: str) -> None:
    (place.directory / "key").write_text("open")
    env = {"WORD": place.user.password}
    if value == "!vault":
        encrypted = ("vault", "encrypt-string", "--vault-password-file", "key", place.user.password)
        text = f"ansible_become_password: {call(place.directory, *encrypted).out}"
    else:
        text = f'ansible_become_password: "{value}"\n'
    (place.directory / "host_vars").mkdir()
    (place.directory / "host_vars" / "web1.yml").write_text(text)
    ended = call(place.directory, "run", "site.yml", *place.login, "-b", "--vault-password-file", "key", "-vv", env=env)
    assert "as-root" in ended.out, ended.said
    assert place.user.password not in ended.said
