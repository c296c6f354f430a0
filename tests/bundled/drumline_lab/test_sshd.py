"""Real sshd processes: they start, let their key in, and leave nothing behind."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from drumline.plugin import UsageError
from drumline_lab.sshd import Sshd, find_sshd, stop_sshd

pytestmark = pytest.mark.skipif(find_sshd() is None, reason="OpenSSH's server isn't installed")


def ssh(server: Sshd, *command: str, address: str | None = None) -> subprocess.CompletedProcess[str]:
    options = ["-F", "none", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={server.known_hosts}"]
    options += ["-o", "IdentitiesOnly=yes", "-i", str(server.client_key), "-p", str(server.port)]
    return subprocess.run(
        ["ssh", *options, address or server.address, *command], capture_output=True, text=True, check=False
    )


def with_mark(server: Sshd) -> list[int]:
    mark = f"DRUMLINE_LAB_SSHD={server.directory}".encode()
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            raw = Path(f"/proc/{name}/environ").read_bytes() + Path(f"/proc/{name}/cmdline").read_bytes()
        except OSError:
            continue
        if mark in raw or str(server.directory).encode() in raw:
            found.append(int(name))
    return found


def test_a_login_with_its_key_works_on_every_address(tmp_path: Path) -> None:
    with Sshd(tmp_path / "sshd", addresses=("127.0.0.1", "127.0.0.2")) as server:
        for address in server.addresses:
            answer = ssh(server, "echo", "hello", address=address)
            assert (answer.returncode, answer.stdout, answer.stderr) == (0, "hello\n", "")


def test_it_listens_on_more_addresses_than_one_daemon_can(tmp_path: Path) -> None:
    addresses = [f"127.0.2.{number}" for number in range(1, 21)]
    with Sshd(tmp_path / "sshd", addresses=addresses) as server:
        for address in (addresses[0], addresses[-1]):
            assert ssh(server, "echo", "hello", address=address).stdout == "hello\n"
    assert with_mark(server) == []


def test_the_host_key_is_the_one_in_known_hosts(tmp_path: Path) -> None:
    with Sshd(tmp_path / "a") as one, Sshd(tmp_path / "b") as other:
        one.known_hosts.write_text(other.known_hosts.read_text().replace(str(other.port), str(one.port)))
        assert "Host key verification failed" in ssh(one, "true").stderr


def test_stop_ends_sessions_and_what_they_left_in_the_background(tmp_path: Path) -> None:
    server = Sshd(tmp_path / "sshd")
    server.start()
    try:
        ssh(server, "nohup setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo")
        deadline = time.monotonic() + 20
        while len(with_mark(server)) < 2:  # it can't be seen for the moment in which it becomes "sleep"
            assert time.monotonic() < deadline
    finally:
        server.stop()
        server.stop()
    assert with_mark(server) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.address, server.port))


def test_a_server_is_stopped_by_its_directory_alone(tmp_path: Path) -> None:
    server = Sshd(tmp_path / "sshd")
    server.start()
    stop_sshd(server.directory)
    assert with_mark(server) == []
    server.stop()


def test_it_starts_again_with_the_same_keys(tmp_path: Path) -> None:
    with Sshd(tmp_path / "sshd", host_keys=("ed25519", "ecdsa")) as server:
        port, lines = server.port, server.known_hosts_lines()
    with Sshd(tmp_path / "sshd", host_keys=("ed25519", "ecdsa"), port=port) as server:
        assert server.known_hosts_lines() == lines
        assert ssh(server, "true").returncode == 0


def test_settings_win_over_the_defaults(tmp_path: Path) -> None:
    with Sshd(tmp_path / "sshd", settings={"PubkeyAuthentication": "no"}) as server:
        assert "Permission denied" in ssh(server, "true").stderr


def test_a_port_that_is_taken_is_an_error_with_the_servers_own_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="Address already in use"):
            Sshd(tmp_path / "sshd", port=taken.getsockname()[1]).start()
    assert with_mark(Sshd(tmp_path / "sshd")) == []
