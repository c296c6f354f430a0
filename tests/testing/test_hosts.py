"""Hosts that tests open by any transport."""

from __future__ import annotations

import pytest

from drumline.plugin import ConnectionRefused, Option, Platform, Secret, Target
from drumline.testing import FakeTransport, open_host


def test_an_installed_transport_by_its_name() -> None:
    with open_host("local") as host:
        assert host.platform is Platform.POSIX
        assert host("command", cmd="echo here").values["stdout"] == "here"


def test_options_have_their_defaults_and_secrets_are_hidden() -> None:
    seen: list[Target] = []

    class Noting(FakeTransport):
        def platform(self, target: Target) -> Platform:
            seen.append(target)
            return Platform.WINDOWS

    options = (Option(name="host"), Option(name="port", type=int, default=22), Option(name="word", secret=True))
    transport = Noting(options=options)
    with open_host(transport, host="web1", word="abc") as host:
        assert host.platform is Platform.WINDOWS
    assert seen[0].host == "web1"
    assert seen[0].options == {"host": "web1", "port": 22, "word": Secret("abc")}
    assert [connection.closed for connection in transport.connections] == [True]


def test_an_option_that_the_transport_lacks_is_told() -> None:
    with pytest.raises(AssertionError, match="local has no option port"), open_host("local", port=22):
        pass


def test_a_host_that_can_not_be_reached_is_told() -> None:
    with pytest.raises(ConnectionRefused), open_host("ssh", host="127.0.0.1", port=1, ssh_config_file="none"):
        pass
