"""The contract of transports whose connections can break."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from drumline.errors import ConnectionLost
from drumline.model.outcome import Ending
from drumline.model.request import Put
from drumline.model.target import Target
from drumline.plugin.transports import Connection, Session, Transport
from drumline.testing.collect import collect
from drumline.testing.contract.commands import with_timeout
from drumline.testing.contract.started import Started
from drumline.testing.contract.suite import TransportContract


class ConnectionLossContract(TransportContract):
    """For a transport whose connections can break; to be listed before the platform's suite.

    The fixture ``lose_connection`` is a callable without arguments. It breaks every connection to the host that is
    open at that moment, as a pulled cable would or a server that goes away; new ones are accepted afterwards.
    """

    #: The transport takes a lost connection up again by itself, and the command goes on meanwhile.
    recovers: bool = False

    @pytest.fixture
    def lost(self, transport: Transport, target: Target) -> Iterator[Connection]:
        """A connection to be broken, apart from the one that other tests share."""
        connection = transport.connect(target)
        yield connection
        connection.close()

    def test_loss_while_a_command_runs(
        self, lost: Connection, transport: Transport, target: Target, lose_connection: Callable[[], Any]
    ) -> None:
        session = lost.open_session()
        started = Started(session, with_timeout(self.commands.say_and_wait("ready"), self.time_out * 3))
        started.wait_until_said(b"ready", self.patience)
        lose_connection()
        if self.recovers:
            assert started.outcome(self.patience).ending is Ending.TIMED_OUT
        else:
            with pytest.raises(ConnectionLost):
                started.outcome(self.patience)
        session.close()
        self._assert_reachable(transport, target)

    def test_loss_while_nothing_runs(
        self, lost: Connection, transport: Transport, target: Target, lose_connection: Callable[[], Any]
    ) -> None:
        session = lost.open_session()
        self.assert_usable(session)
        lose_connection()
        if self.recovers:
            self.assert_usable(session)
        else:
            with pytest.raises(ConnectionLost):
                Started(session, self.commands.say("gone")).outcome(self.patience)
        session.interrupt()
        session.close()
        self._assert_reachable(transport, target)

    def test_files_after_a_loss(
        self, lost: Connection, transport: Transport, target: Target, lose_connection: Callable[[], Any]
    ) -> None:
        session = lost.open_session()
        directory = self.said(session, self.commands.make_temporary_directory())
        remote = self.commands.join(directory, "file")
        lose_connection()
        with suppress(ConnectionLost):
            session.put(Put(source=b"x", destination=remote))
        session.close()
        with self._fresh(transport, target) as fresh:
            fresh.put(Put(source=b"again", destination=remote))
            assert self.said(fresh, self.commands.list_directory(directory)).split() == ["file"]
            collect(fresh, self.commands.remove(directory))

    def test_a_lost_connection_opens_no_dead_sessions(
        self, lost: Connection, lose_connection: Callable[[], Any]
    ) -> None:
        self.assert_usable(lost.open_session())
        lose_connection()
        with suppress(ConnectionLost):
            session = lost.open_session()
            assert Started(session, self.commands.say("fine")).outcome(self.patience).stdout == b"fine"

    def _assert_reachable(self, transport: Transport, target: Target) -> None:
        with self._fresh(transport, target) as session:
            self.assert_usable(session)

    @contextmanager
    def _fresh(self, transport: Transport, target: Target) -> Iterator[Session]:
        connection = transport.connect(target)
        try:
            yield connection.open_session()
        finally:
            connection.close()
