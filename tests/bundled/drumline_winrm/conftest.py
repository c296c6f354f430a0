"""Practice hosts for the tests of ``winrm``: the real server, with a real Windows behind it where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drumline.plugin import Secret, Target
from drumline_lab.wsman import Settings, Sh, Tls, WsmanServer, self_signed
from drumline_winrm.options import OPTIONS
from drumline_winrm.transport import Winrm

USER, PASSWORD = "vagrant", "pässw:örd"


def make_target(server: WsmanServer, **options: Any) -> Target:
    """How the server is reached; options not given have their defaults."""
    values = {option.name: option.default for option in OPTIONS}
    values |= {"host": server.host, "port": server.port, "scheme": server.url.partition(":")[0]}
    values |= {"user": USER, "password": Secret(PASSWORD)}
    return Target(host="web1", transport="winrm", options=values | options)


@pytest.fixture(scope="session")
def transport() -> Winrm:
    return Winrm()


@pytest.fixture(scope="session")
def target_for() -> Callable[..., Target]:
    return make_target


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return self_signed(tmp_path_factory.mktemp("tls"), "localhost", "127.0.0.1")


@pytest.fixture
def sh_server(tmp_path: Path) -> Iterator[WsmanServer]:
    """A host without PowerShell, for everything that lies below it."""
    home = tmp_path / "home"
    home.mkdir()
    with WsmanServer(Settings(users={USER: PASSWORD}), backend=Sh(home)) as server:
        yield server


@pytest.fixture
def tls_server(tmp_path: Path, certificate: Tls) -> Iterator[WsmanServer]:
    """The same behind TLS."""
    home = tmp_path / "home"
    home.mkdir()
    with WsmanServer(Settings(users={USER: PASSWORD}, tls=certificate), backend=Sh(home)) as server:
        yield server
