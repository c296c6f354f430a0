"""Ways to a host beside a plain TCP connection, and what breaks on them: on real servers."""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest
from support.sessions import says

from drumline.plugin import Connection, ConnectionLost, ConnectTimedOut, HostError
from drumline_lab.sshd import Sshd
from drumline_ssh import faults

Connect = Callable[..., Connection]
#: A proxy: host and port to standard input and output.
_RELAY = """
import os, socket, sys, threading
link = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while data := os.read(0, 65536): link.sendall(data)
    os._exit(0)
threading.Thread(target=up, daemon=True).start()
while data := link.recv(65536): os.write(1, data)
"""


@pytest.fixture
def relay(tmp_path: Path) -> str:
    """The command of a proxy, without its arguments."""
    script = tmp_path / "relay.py"
    script.write_text(_RELAY)
    return f"{sys.executable} {script}"


def processes_of(text: str) -> list[str]:
    found = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if text in line and "ps -eww" not in line]


class TestProxyCommand:
    def test_it_is_the_connection(self, sshd: Sshd, connect: Connect, relay: str) -> None:
        arguments = f"-o 'ProxyCommand={relay} %h %p'"
        connection = connect(sshd, ssh_args=arguments)
        assert says(connection, "echo in") == "in\n"
        assert len(says(connection, "head -c 3000000 /dev/zero | tr '\\\\0' x")) == 3_000_000
        assert processes_of(relay)
        connection.close()
        deadline = time.monotonic() + 10
        while processes_of(relay) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert processes_of(relay) == []

    def test_with_ssh_itself_over_another_host(
        self, sshd: Sshd, start_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path
    ) -> None:
        bastion = start_sshd(client_key=sshd.client_key)
        config = tmp_path / "bastion"
        config.write_text(
            f"Host bastion\n  HostName {bastion.address}\n  Port {bastion.port}\n  IdentityFile {sshd.client_key}\n"
            f"  UserKnownHostsFile {bastion.known_hosts}\n"
        )
        arguments = f"-o 'ProxyCommand=ssh -F {config} -W %h:%p bastion'"
        assert says(connect(sshd, ssh_args=arguments), "echo in") == "in\n"
        assert bastion.log.read_text().count("Accepted publickey") == 1

    def test_none_is_none(self, sshd: Sshd, connect: Connect) -> None:
        assert says(connect(sshd, ssh_args="-o ProxyCommand=none"), "echo in") == "in\n"

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            ('sh -c "echo no way there >&2; exit 7"', "ended with status 7 and said 'no way there'"),
            ("/no/such/proxy --password hush-hush", "'/no/such/proxy' ended with status 127"),
            ("true", "'true' ended with status 0"),
        ],
    )
    def test_one_that_fails_is_named_with_its_last_words(
        self, sshd: Sshd, connect: Connect, command: str, said: str
    ) -> None:
        began = time.monotonic()
        with pytest.raises(ConnectionLost, match="The proxy command failed") as caught:
            connect(sshd, ssh_args=f"-o 'ProxyCommand={command}'")
        assert said in str(caught.value)
        assert "hush-hush" not in str(caught.value)
        assert time.monotonic() - began < 8

    def test_one_that_says_nothing(self, sshd: Sshd, connect: Connect) -> None:
        with pytest.raises(ConnectTimedOut, match="didn't finish its SSH greeting"):
            connect(sshd, ssh_args="-o 'ProxyCommand=sleep 3456'", timeout=0.5)
        deadline = time.monotonic() + 10
        while processes_of("sleep 3456") and time.monotonic() < deadline:
            time.sleep(0.02)
        assert processes_of("sleep 3456") == []

    def test_in_front_of_a_jump(
        self, sshd: Sshd, start_sshd: Callable[..., Sshd], connect: Connect, relay: str, tmp_path: Path
    ) -> None:
        first = start_sshd(client_key=sshd.client_key)
        first.known_hosts.write_text(first.known_hosts.read_text() + sshd.known_hosts.read_text())
        config = tmp_path / "config"
        config.write_text(
            f"Host first\n  HostName {first.address}\n  Port {first.port}\n  ProxyCommand {relay} %h %p\n"
            "Host web1 127.0.0.1\n  ProxyJump first\n"
        )
        connection = connect(sshd, ssh_config_file=str(config), known_hosts_file=str(first.known_hosts))
        assert says(connection, "echo in") == "in\n"
        assert processes_of(relay)
        assert first.log.read_text().count("Accepted publickey") == 1


class TestAddresses:
    def test_the_address_that_it_comes_from(self, sshd: Sshd, connect: Connect) -> None:
        connection = connect(sshd, ssh_args="-o BindAddress=127.0.0.77")
        assert says(connection, "echo $SSH_CONNECTION").split()[0] == "127.0.0.77"

    def test_an_address_of_another_family(self, sshd: Sshd, connect: Connect) -> None:
        with pytest.raises(HostError, match="doesn't resolve"):
            connect(sshd, ssh_args="-o AddressFamily=inet6", timeout=5)
        assert says(connect(sshd, host="localhost", ssh_args="-4", host_key_checking="off"), "echo in") == "in\n"


class Speaking:
    """Answers each connection by a function of the test's."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(answer,))
        self._thread.start()

    def _serve(self, answer: Callable[[socket.socket], None]) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                with client, contextlib.suppress(OSError):
                    answer(client)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def speaking() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Starts servers; the port of each."""
    servers: list[Speaking] = []

    def start(answer: Callable[[socket.socket], None]) -> int:
        servers.append(Speaking(answer))
        return servers[-1].port

    yield start
    for server in servers:
        server.close()


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_in_the_greeting(client: socket.socket) -> None:
    client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    heard = 0
    while heard < 300:  # the client's KEXINIT: now it waits for ours
        heard += len(client.recv(4096))
    reset(client)


def talk_for_ever(client: socket.socket) -> None:
    while True:
        client.sendall(b"x" * 65536)


def lines_for_ever(client: socket.socket) -> None:
    while True:
        client.sendall(b"welcome\r\n" * 5000)


def packets_of_nonsense(client: socket.socket) -> None:
    client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    client.recv(4096)
    client.sendall(bytes(range(256)) * 8)
    client.recv(4096)


def a_packet_cut_short(client: socket.socket) -> None:
    client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    client.recv(4096)
    client.sendall(struct.pack(">IB", 12, 4) + b"\x14" + b"\x00" * 10)  # a KEXINIT without its lists
    client.recv(4096)


def bytes_that_are_no_text(client: socket.socket) -> None:
    client.sendall(b"SSH-2.0-\xff\xfe\xe4\r\n")
    client.recv(4096)


class TestWhatBreaks:
    @pytest.mark.parametrize(
        "answer",
        [
            reset_in_the_greeting,
            talk_for_ever,
            lines_for_ever,
            packets_of_nonsense,
            a_packet_cut_short,
            bytes_that_are_no_text,
        ],
    )
    def test_a_host_that_breaks_the_greeting_is_told_with_what_to_do(
        self, sshd: Sshd, connect: Connect, speaking: Callable[..., int], answer: Callable[[socket.socket], None]
    ) -> None:
        began = time.monotonic()
        with pytest.raises(HostError) as caught:
            connect(sshd, port=speaking(answer), timeout=3)
        assert time.monotonic() - began < 15
        assert "ansible_port" in str(caught.value) or "forks" in str(caught.value), str(caught.value)
        assert "paramiko" not in str(caught.value)

    def test_a_reset_in_the_greeting_says_what_it_was(
        self, sshd: Sshd, connect: Connect, speaking: Callable[..., int]
    ) -> None:
        with pytest.raises(ConnectionLost, match=r"Connection reset by peer.*firewall.*Run again"):
            connect(sshd, port=speaking(reset_in_the_greeting), timeout=3)

    def test_a_lost_connection_says_what_to_do(self, start_sshd: Callable[..., Sshd], connect: Connect) -> None:
        server = start_sshd()
        connection = connect(server)
        assert says(connection, "echo in") == "in\n"
        server.drop_connections()
        with pytest.raises(ConnectionLost, match="run again") as caught:  # noqa: PT012 - it takes a moment to be noticed
            for _ in range(100):
                says(connection, "echo in")
        assert "journalctl" in str(caught.value)

    @pytest.mark.parametrize(
        ("error", "alive", "kind", "words"),
        [
            (paramiko.SSHException("Timeout opening channel."), True, ConnectionLost, "ansible_timeout"),
            (paramiko.ChannelException(4, "Resource shortage"), True, HostError, "MaxSessions"),
            (EOFError(), False, ConnectionLost, "the host closed it"),
            (OSError(104, "Connection reset by peer"), False, ConnectionLost, "Connection reset by peer"),
            (ValueError("bad field"), False, ConnectionLost, r"what can't be understood \(bad field\)"),
            (faults.Disconnected("go \x1b[2Jaway"), False, ConnectionLost, r"the host said 'go \[2Jaway'"),
            (None, False, ConnectionLost, "the host closed it"),
        ],
    )
    def test_a_session_that_is_not_opened(
        self, error: BaseException, alive: bool, kind: type[HostError], words: str
    ) -> None:
        with pytest.raises(kind, match=words):
            raise faults.of_channel(error, "web1 port 22", alive=alive)
