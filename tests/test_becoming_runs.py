"""Whole runs as another user with a password: files, several hosts at once, a start, what is included."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.program import Ended, call, running, wait_until
from support.users import User, needs_users, temporary_user

from drumline_lab.sshd import Sshd

pytestmark = needs_users
_HOSTS = 20


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    """Who logs in."""
    with temporary_user() as user:
        user.sudo("Defaults:NAME timestamp_timeout=0, lecture=always", "NAME ALL=(ALL:ALL) ALL")
        yield user


@pytest.fixture(scope="module")
def other() -> Iterator[User]:
    """Whom tasks run as, and no administrator."""
    with temporary_user() as user:
        yield user


@pytest.fixture(scope="module")
def server(user: User, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    keys, directory = user.home / "keys", tmp_path_factory.mktemp("becoming") / "sshd"
    addresses = [f"127.0.0.{number}" for number in range(1, _HOSTS + 1)]
    with Sshd(directory, addresses=addresses, settings={"AuthorizedKeysFile": str(keys)}) as server:
        shutil.copy(f"{server.client_key}.pub", keys)
        keys.chmod(0o644)
        yield server


class Fleet:
    """Twenty hosts, which are one machine."""

    def __init__(self, directory: Path, user: User, other: User, server: Sshd) -> None:
        self.directory, self.user, self.other = directory, user, other
        hosts = "".join(f"h{number} ansible_host={address}\n" for number, address in enumerate(server.addresses))
        (directory / "hosts").write_text(
            f"{hosts}[all:vars]\nansible_port={server.port}\nansible_user={user.name}\n"
            f"ansible_ssh_private_key_file={server.client_key}\nansible_ssh_known_hosts_file={server.known_hosts}\n"
            "ansible_ssh_config_file=none\n"
        )
        (directory / "word").write_text(user.password)
        (directory / "words").write_text(other.password)

    def write(self, tasks: str, hosts: str = "h0", keywords: str = "") -> None:
        (self.directory / "site.yml").write_text(f"- hosts: {hosts}\n{keywords}  tasks:\n{tasks}")

    def run(self, *options: str, word: str = "word") -> Ended:
        become = ("-b", "--become-user", self.other.name, "--become-password-file", word)
        return call(self.directory, "run", "site.yml", "-i", "hosts", *become, *options)


@pytest.fixture
def fleet(tmp_path: Path, user: User, other: User, server: Sshd) -> Fleet:
    return Fleet(tmp_path, user, other, server)


@pytest.mark.parametrize("method", ["sudo", "su"])
def test_files_that_only_the_other_user_may_read(fleet: Fleet, other: User, method: str) -> None:
    (fleet.directory / "large").write_bytes(bytes(range(256)) * 10_000)
    (fleet.directory / "small.j2").write_text("{{ 6 * 7 }}")
    (fleet.directory / "who.sh").write_text("#!/bin/sh\nid -un; umask\n")
    place = other.home / method
    fleet.write(f"""
    - file: {{path: {place}, state: directory, mode: '0700'}}
    - copy: {{src: large, dest: {place}/large, mode: '0600'}}
    - template: {{src: small.j2, dest: {place}/small, mode: '0600'}}
    - script: who.sh
      register: who
    - fetch: {{src: {place}/large, dest: fetched, flat: true}}
    - assert: {{that: "who.stdout_lines[0] == '{other.name}'"}}
""")
    ended = fleet.run("--become-method", method, word="words" if method == "su" else "word")
    assert ended.status == 0, ended.said
    assert (place / "small").read_text() == "42"
    assert (fleet.directory / "fetched").read_bytes() == (place / "large").read_bytes()
    assert {path.owner() for path in place.iterdir()} == {other.name}
    assert sorted(path.name for path in place.iterdir()) == ["large", "small"]


def test_many_hosts_at_once(fleet: Fleet, other: User) -> None:
    fleet.write(
        "    - {command: id -un, register: who}\n    - {assert: {that: who.stdout == '" + other.name + "'}}\n", "all"
    )
    ended = fleet.run()
    assert ended.status == 0, ended.said
    assert f"{_HOSTS} hosts" in ended.out.splitlines()[-1]


def test_a_start_at_one_moment(fleet: Fleet, other: User) -> None:
    tasks = f"    - {{shell: 'id -un >{other.home}/started.$$', start: {{together: true}}}}\n"
    fleet.write(tasks, "h0:h1:h2:h3:h4:h5")
    ended = fleet.run()
    assert ended.status == 0, ended.said
    started = list(other.home.glob("started.*"))
    assert len(started) == 6
    assert {path.read_text().strip() for path in started} == {other.name}
    fleet.write(tasks.replace("started", "never"), "h0:h1")
    (fleet.directory / "word").write_text("wrong")
    ended = fleet.run()
    assert ended.status == 2
    assert "Incorrect sudo password" in ended.out
    assert not list(other.home.glob("never.*"))


def test_what_is_included(fleet: Fleet, other: User) -> None:
    (fleet.directory / "more.yml").write_text("- {command: id -un, register: who}\n- debug: msg=as-{{ who.stdout }}\n")
    fleet.write("    - include_tasks: more.yml\n    - import_tasks: more.yml\n")
    ended = fleet.run()
    assert ended.out.count(f"as-{other.name}") == 2, ended.said


def test_an_interrupt_ends_what_the_other_user_runs(fleet: Fleet, other: User) -> None:
    fleet.write("    - {shell: sleep 1234; true, timeout: 100}\n")
    become = ("-b", "--become-user", other.name, "--become-password-file", "word")
    with running(fleet.directory, "run", "site.yml", "-i", "hosts", *become) as program:
        wait_until(lambda: any("sleep 1234" in line for line in other.processes().values()))
        program.send(signal.SIGTERM)  # which means at once
        assert program.end().status == 130
    assert not any("sleep 1234" in line for line in other.processes().values())
    fleet.write("    - {shell: sleep 1234; true, timeout: 1}\n")
    ended = fleet.run()
    assert ended.status == 2
    assert not any("sleep 1234" in line for line in other.processes().values())
