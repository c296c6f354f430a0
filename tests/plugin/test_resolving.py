"""Names to addresses within a time, where name servers are silent: in a namespace with a resolver of its own."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from support.namespaces import run_with_silent_name_servers

from drumline.plugin.resolving import resolve_name


def test_silent_name_servers_cost_the_time_that_is_allowed(tmp_path: Path) -> None:
    said = run_with_silent_name_servers(
        tmp_path,
        """
        from drumline.plugin.resolving import resolve_name
        began = time.monotonic()
        try:
            resolve_name("web1.example", 22, 1.0)
        except TimeoutError as error:
            print(f"{time.monotonic() - began:.1f}", error)
        """,
    )
    seconds, _, words = said.partition(" ")
    assert 1.0 <= float(seconds) < 5
    assert words == "no name server answered within 1 s\n"


def test_addresses_and_names_that_are_known() -> None:
    assert {address[4][0] for address in resolve_name("localhost", 22, 5.0, socket.AF_INET)} == {"127.0.0.1"}
    began = time.monotonic()
    assert resolve_name("127.1.2.3", 22, 0.0)[0][4] == ("127.1.2.3", 22)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a..b", "a" * 70])
def test_names_that_do_not_resolve(name: str) -> None:
    with pytest.raises(socket.gaierror):
        resolve_name(name, 22, 30.0)
