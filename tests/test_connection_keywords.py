"""``connection``, ``port`` and ``remote_user``, over a real sshd: as variables, but weaker than all of those."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.needs import need
from support.program import Ended, call

from drumline_lab.sshd import Sshd


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    need("sshd")
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


def run(directory: Path, sshd: Sshd, play: dict[str, Any], **variables: Any) -> Ended:
    """A play for host ``web``, whose variables don't say of themselves how it is reached."""
    host = {
        "ansible_host": sshd.address,
        "ansible_ssh_private_key_file": str(sshd.client_key),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={sshd.known_hosts}",
        **variables,
    }
    (directory / "hosts.json").write_text(json.dumps({"all": {"hosts": {"web": host}}}))
    (directory / "site.yml").write_text(json.dumps([{"hosts": "web", **play}]))
    return call(directory, "run", "site.yml", "-i", "hosts.json", "-v")


#: Where a command runs: below sshd, or not.
WHERE = 'if [ "$SSH_CONNECTION" ]; then echo over ssh; else echo here; fi'


@pytest.mark.parametrize("user", ["remote_user", "user"])
def test_a_play_says_how_its_hosts_are_reached(tmp_path: Path, sshd: Sshd, user: str) -> None:
    tasks = [
        {"shell": WHERE},
        {"shell": WHERE, "connection": "local"},
        {"debug": {"msg": "as {{ ansible_user }} at {{ ansible_port }} by {{ ansible_connection }}"}},
    ]
    play = {"connection": "{{ way }}", user: sshd.user, "port": sshd.port, "vars": {"way": "ssh"}, "tasks": tasks}
    ended = run(tmp_path, sshd, play)
    assert ended.status == 0, ended.said
    assert "over ssh" in ended.out
    assert "here\n" in ended.out
    assert f"as {sshd.user} at {sshd.port} by ssh" in ended.out


def test_variables_win(tmp_path: Path, sshd: Sshd) -> None:
    play = {"connection": "local", "port": 1, "remote_user": "no-one", "tasks": [{"shell": WHERE}]}
    ways = {"ansible_connection": "ssh", "ansible_port": sshd.port, "ansible_user": sshd.user}
    ended = run(tmp_path, sshd, play, **ways)
    assert ended.status == 0, ended.said
    assert "over ssh" in ended.out


def test_tasks_of_a_play_that_differ_are_reached_differently(tmp_path: Path, sshd: Sshd) -> None:
    here = {"connection": "local", "shell": WHERE}
    over = {"remote_user": sshd.user, "port": sshd.port, "shell": WHERE}
    ended = run(tmp_path, sshd, {"tasks": [here, over, here, over]})
    assert ended.status == 0, ended.said
    said = [line.partition("│")[2].strip() for line in ended.out.splitlines() if line.startswith("      ")]
    assert said == ["here", "over ssh", "here", "over ssh"]


@pytest.mark.parametrize("place", ["play", "task"])
def test_a_connection_that_is_unknown(tmp_path: Path, sshd: Sshd, place: str) -> None:
    named = {"connection": "shh"}
    task = {"shell": WHERE} | (named if place == "task" else {})
    ended = run(tmp_path, sshd, {"tasks": [task]} | (named if place == "play" else {}))
    assert ended.status == 5
    assert "error: Unknown transport" in ended.err
    assert "site.yml:1:" in ended.err
    assert "Did you mean 'ssh'?" in ended.err
