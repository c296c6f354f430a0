"""The transport contract: on a real sshd, on one without SFTP, and on the practice fleet's embedded server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drumline.plugin import Target
from drumline.testing.contract import ConnectionLossContract, PosixContract
from drumline.testing.staging import StagingContract
from drumline_lab.embedded_sshd import EmbeddedSshd
from drumline_lab.sshd import Sshd, find_sshd
from drumline_ssh.transport import SshTransport

needs_sshd = pytest.mark.skipif(find_sshd() is None, reason="OpenSSH's server isn't installed")


@pytest.fixture(scope="class")
def transport() -> SshTransport:
    return SshTransport()


@pytest.fixture(scope="class")
def target(server: Sshd | EmbeddedSshd, options_of: Callable[[Any], dict[str, Any]]) -> Target:
    return Target(host="practice", transport="ssh", options=options_of(server))


@pytest.fixture
def lose_connection(server: Sshd | EmbeddedSshd) -> Callable[[], None]:
    return server.drop_connections


@needs_sshd
class TestOnSshd(ConnectionLossContract, StagingContract, PosixContract):
    """The usual host."""

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
        with Sshd(tmp_path_factory.mktemp("usual") / "sshd") as server:
            yield server


@needs_sshd
class TestOnSshdWithoutSftp(PosixContract):
    """Files go through the shell."""

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
        with Sshd(tmp_path_factory.mktemp("plain") / "sshd", sftp=None) as server:
            yield server


class TestOnEmbeddedServer(ConnectionLossContract, StagingContract, PosixContract):
    """What newcomers without sshd practise on."""

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSshd]:
        with EmbeddedSshd(tmp_path_factory.mktemp("embedded") / "sshd") as server:
            yield server
