"""Servers to test, and clients of three kinds: bare HTTP, pywinrm and pypsrp."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.wsman import PASSWORD, USER, Client

from drumline_lab.wsman import Settings, Sh, Tls, WsmanServer, self_signed


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., WsmanServer]]:
    """Starts servers with these settings, whose lines ``sh`` runs."""
    servers: list[WsmanServer] = []

    def start(**settings: Any) -> WsmanServer:
        settings = {"users": {USER: PASSWORD}, "allow_unencrypted": True, **settings}
        servers.append(WsmanServer(Settings(**settings), backend=Sh(tmp_path)).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def dial() -> Iterator[Callable[..., Client]]:
    """Opens bare clients."""
    connections: list[http.client.HTTPConnection] = []

    def connect(server: WsmanServer, context: ssl.SSLContext | None = None, **fields: Any) -> Client:
        if context is None:
            connections.append(http.client.HTTPConnection(server.host, server.port, timeout=30))
        else:
            connections.append(http.client.HTTPSConnection(server.host, server.port, timeout=30, context=context))
        return Client(connection=connections[-1], **fields)

    yield connect
    for connection in connections:
        connection.close()


@pytest.fixture
def pywinrm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Makes pywinrm's Protocol for a server; sessions are closed at the end."""
    from winrm.protocol import Protocol

    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    protocols: list[Any] = []

    def connect(server: WsmanServer, **options: Any) -> Any:
        given = {"transport": "ntlm", "username": USER, "password": PASSWORD, "proxy": None, "ca_trust_path": None}
        protocols.append(Protocol(server.url, **{**given, **options}))
        return protocols[-1]

    yield connect
    for protocol in protocols:
        protocol.transport.close_session()


@pytest.fixture
def pypsrp_shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Opens pypsrp's WinRS on a server."""
    from pypsrp.shell import WinRS
    from pypsrp.wsman import WSMan

    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    opened: list[Any] = []

    def connect(server: WsmanServer, **options: Any) -> Any:
        given = {"port": server.port, "username": USER, "password": PASSWORD, "ssl": False, "no_proxy": True}
        opened.append(WSMan(server.host, **{**given, **options}))
        shell = WinRS(opened[-1])
        shell.open()
        return shell

    yield connect
    for wsman in opened:
        wsman.close()


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for 127.0.0.1."""
    return self_signed(tmp_path_factory.mktemp("tls"), "localhost", "127.0.0.1")


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Waits until a condition holds, at most ten seconds."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "the condition never held"
            time.sleep(0.005)

    return wait
