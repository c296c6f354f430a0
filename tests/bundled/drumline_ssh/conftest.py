"""Real OpenSSH servers to connect to."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.needs import need
from support.proxy import Proxy

from drumline.plugin import Connection, Target
from drumline_lab.sshd import Sshd
from drumline_ssh.transport import SshTransport

pytest.register_assert_rewrite("drumline.testing.contract", "drumline.testing.staging")


@pytest.fixture(autouse=True)
def _no_agent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the agent nor the files of whoever runs the tests count."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Any]]:
    """A real ssh-agent; called with a key file, it takes the key."""
    path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()  # It listens when it says so.
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    yield lambda key: subprocess.run(["ssh-add", "-q", str(key)], check=True, stdin=subprocess.DEVNULL)
    process.terminate()
    process.stdout.close()
    process.wait()


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A server that many tests share; none may stop it or drop its connections."""
    need("sshd")
    with Sshd(tmp_path_factory.mktemp("shared") / "sshd", host_keys=("ed25519", "ecdsa", "rsa")) as server:
        yield server


@pytest.fixture
def start_sshd(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    """Starts servers of one test's own."""
    need("sshd")
    started: list[Sshd] = []

    def start(**settings: Any) -> Sshd:
        server = Sshd(tmp_path / f"sshd{len(started)}", **settings)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def options_of() -> Callable[[Any], dict[str, Any]]:
    """The connection variables of a practice server."""
    return lambda server: {
        "host": server.address,
        "port": server.port,
        "user": server.user,
        "private_key_file": str(server.client_key),
        "known_hosts_file": str(server.known_hosts),
        "ssh_config_file": "none",
    }


@pytest.fixture
def connect(options_of: Callable[[Any], dict[str, Any]]) -> Iterator[Callable[..., Connection]]:
    """Connects to a server, with its key and known_hosts unless told otherwise; closes the connection in the end."""
    opened: list[Connection] = []
    transport = SshTransport()

    def open_connection(server: Any, **options: Any) -> Connection:
        target = Target(host="web1", transport="ssh", options={**options_of(server), **options})
        opened.append(transport.connect(target))
        return opened[-1]

    yield open_connection
    for connection in opened:
        connection.close()


@pytest.fixture
def proxy(sshd: Sshd) -> Iterator[Proxy]:
    """A bad network on the way to the shared server."""
    with Proxy(sshd.address, sshd.port) as proxy:
        yield proxy
