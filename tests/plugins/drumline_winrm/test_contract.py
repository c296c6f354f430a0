"""``winrm`` keeps the contract of transports, against the real server and a real Windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from drumline_lab.wsman import Settings, WsmanServer

from drumline.testing.contract import ConnectionLossContract, WindowsContract


@pytest.mark.windows
class TestEncryptedNtlm(ConnectionLossContract, WindowsContract):
    recovers = False

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, windows: Any) -> Iterator[WsmanServer]:
        with WsmanServer(Settings(users={"vagrant": "pässw:örd"}), backend=windows) as server:
            yield server

    @pytest.fixture(scope="class")
    @classmethod
    def target(cls, server: WsmanServer, target_for: Any) -> Any:
        return target_for(server)

    @pytest.fixture
    def lose_connection(self, server: WsmanServer) -> Any:
        return server.drop_connections
