"""``winrm`` keeps the contract of transports, against the real server and a real Windows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from drumline.plugin import Language, Run
from drumline.testing.contract import ConnectionLossContract, WindowsContract
from drumline.testing.staging import StagingContract
from drumline_lab.wsman import Settings, WsmanServer


@pytest.mark.windows
class TestEncryptedNtlm(StagingContract, ConnectionLossContract, WindowsContract):
    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, windows_host: Any) -> Iterator[WsmanServer]:
        with WsmanServer(Settings(users={"vagrant": "pässw:örd"}), backend=windows_host) as server:
            yield server

    @pytest.fixture(scope="class")
    @classmethod
    def target(cls, server: WsmanServer, target_for: Any) -> Any:
        return target_for(server)

    @pytest.fixture
    def lose_connection(self, server: WsmanServer) -> Any:
        return server.drop_connections

    def test_loss_while_a_command_runs(  # type: ignore[override]  # pytest gives what it asks for
        self, lost: Any, transport: Any, target: Any, lose_connection: Any, server: WsmanServer
    ) -> None:
        """A Receive under way may have had output that is lost with its answer; between two of them nothing is."""
        receiving = threading.Event()
        server.before = lambda kind: receiving.set() if kind == "Receive" else None
        server.after = lambda kind: receiving.clear() if kind == "Receive" else None

        def lose() -> None:
            assert receiving.wait(self.patience)
            lose_connection()

        try:
            super().test_loss_while_a_command_runs(lost, transport, target, lose)
        finally:
            server.before = server.after = None

    def test_loss_while_nothing_runs(self, lost: Any, transport: Any, target: Any, lose_connection: Any) -> None:
        """A loss is an error for what runs at that moment only: afterwards the PowerShell is found again."""
        session = lost.open_session()
        self.assert_usable(session)
        process = Run(language=Language.POWERSHELL, text="$PID")
        before = self.said(session, process)
        lose_connection()
        assert self.said(session, process) == before
        self.assert_usable(session)
