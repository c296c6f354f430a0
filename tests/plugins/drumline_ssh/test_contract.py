"""The transport contract, on a real sshd."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drumline.plugin import Target
from drumline.testing.contract import ConnectionLossContract, PosixContract
from drumline_lab.sshd import Sshd
from drumline_ssh.transport import SshTransport


@pytest.fixture(scope="class")
def transport() -> SshTransport:
    return SshTransport()


@pytest.fixture(scope="class")
def server(sshd: Sshd) -> Sshd:
    return sshd


@pytest.fixture(scope="class")
def target(server: Sshd) -> Target:
    options = {
        "host": server.address,
        "port": server.port,
        "user": server.user,
        "private_key_file": str(server.client_key),
        "known_hosts_file": str(server.known_hosts),
        "ssh_config_file": "none",
    }
    return Target(host="practice", transport="ssh", options=options)


class TestOnSshd(PosixContract):
    """Everything but what breaks connections."""
