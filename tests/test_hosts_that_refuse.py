"""Hosts that refuse a log-in, or one more session, with the real program and real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.needs import need
from support.program import call

from drumline_lab.sshd import Sshd
from drumline_lab.wsman import Settings, Sh, WsmanServer

USER, PASSWORD = "operator", "right-word"


def side_by_side(action: str) -> str:
    """A playbook of four jobs that could run at once."""
    tasks = "".join(f"    - {{id: t{number}, needs: [], {action}: sleep 0.3}}\n" for number in range(4))
    return f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WsmanServer]:
    with WsmanServer(Settings(users={USER: PASSWORD}), backend=Sh(tmp_path)) as server:
        yield server


def over_winrm(server: WsmanServer, password: str = PASSWORD) -> str:
    return (
        f"win1 ansible_connection=winrm ansible_host={server.host} ansible_port={server.port}"
        f" ansible_winrm_scheme=http ansible_winrm_transport=ntlm ansible_user={USER} ansible_password={password}\n"
    )


def run(directory: Path, inventory: str, playbook: str) -> tuple[int, str]:
    (directory / "hosts.ini").write_text(inventory)
    (directory / "play.yml").write_text(playbook)
    ended = call(directory, "run", "play.yml", "-i", "hosts.ini")
    return ended.status, ended.said


def log_ins(server: WsmanServer) -> int:
    """How often a password was tried: each time the host is asked, challenges, and refuses."""
    return sum(exchange.status == 401 for exchange in server.log) // 3


class TestOneSession:
    """A host with room for one session gets its jobs one after the other."""

    def test_winrm(self, server: WsmanServer, tmp_path: Path) -> None:
        server.change(max_shells=1)
        status, said = run(tmp_path, over_winrm(server), side_by_side("win_command"))
        assert status == 0, said
        assert server.kinds().count("Command") >= 4

    def test_ssh(self, tmp_path: Path) -> None:
        need("sshd")
        with Sshd(tmp_path / "sshd", settings={"MaxSessions": "1"}) as sshd:
            inventory = (
                f"web1 ansible_host={sshd.address} ansible_port={sshd.port} ansible_user={sshd.user}"
                f" ansible_ssh_private_key_file={sshd.client_key}"
                f" ansible_ssh_common_args='-o UserKnownHostsFile={sshd.known_hosts}'\n"
            )
            status, said = run(tmp_path, inventory, side_by_side("command"))
        assert status == 0, said


@pytest.mark.parametrize(
    "task",
    [
        "wait_for_connection: {timeout: 8, sleep: 1}",
        "wait_for_connection: {timeout: 8, sleep: 1}\n      retries: 5\n      delay: 0\n      until: false",
        "raw: echo x\n      loop: [1, 2, 3, 4, 5]",
        "raw: echo x\n      retries: 9\n      delay: 0",
    ],
)
def test_a_refused_password_is_not_repeated(server: WsmanServer, tmp_path: Path, task: str) -> None:
    tasks = f"    - {task}\n      ignore_errors: true\n      ignore_unreachable: true\n" * 3
    _status, said = run(
        tmp_path, over_winrm(server, "wrong-word"), f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}"
    )
    assert "Log-in rejected" in said
    assert log_ins(server) == 1
