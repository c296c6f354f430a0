"""What every part of the contract works with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from drumline.errors import HostError
from drumline.model.outcome import Completed
from drumline.model.request import Run
from drumline.model.target import Platform, Target
from drumline.plugin.transports import Connection, Session, Transport
from drumline.testing.collect import collect
from drumline.testing.contract.commands import Commands


class Contract:
    """What all parts of a suite work with: the host's vocabulary, its sessions, and how long things may take."""

    commands: Commands
    platform: Platform
    #: Exit codes as a command gives them, and as they come back.
    exit_codes: tuple[tuple[int, int], ...]
    #: Seconds that anything which should end soon may take: generous, since it only bounds a failure.
    patience: float = 30
    #: Seconds of the time-outs that are meant to strike: long enough to say a word, and to start three processes.
    moment: float = 1
    time_out: float = 2

    @pytest.fixture(scope="class")
    @classmethod
    def connection(cls, transport: Transport, target: Target) -> Iterator[Connection]:
        """The connection that all tests share."""
        connection = transport.connect(target)
        yield connection
        connection.close()
        connection.close()

    @pytest.fixture(scope="class")
    @classmethod
    def _kept(cls, connection: Connection) -> Iterator[list[Session]]:
        kept: list[Session] = []
        yield kept
        for session in kept:
            session.close()

    @pytest.fixture
    def session(
        self, connection: Connection, _kept: list[Session], request: pytest.FixtureRequest
    ) -> Iterator[Session]:
        """A session that earlier tests may have used, as long as they passed."""
        failed = request.session.testsfailed
        if not _kept:
            _kept.append(connection.open_session())
        yield _kept[0]
        if request.session.testsfailed > failed:
            _kept.pop().close()

    @pytest.fixture
    def second_session(self, connection: Connection) -> Iterator[Session]:
        """A session beside the first."""
        session = connection.open_session()
        yield session
        session.close()

    @pytest.fixture
    def directory(self, session: Session) -> Iterator[str]:
        """The path of an empty directory on the host."""
        path = self.said(session, self.commands.make_temporary_directory())
        yield path
        with suppress(HostError):
            collect(session, self.commands.remove(path))

    def said(self, session: Session, request: Run) -> str:
        """What a command wrote to stdout, after checking that it ended well and wrote nothing else."""
        completed = collect(session, request)
        assert completed.code == 0, completed
        assert completed.stderr == b""
        return completed.stdout.decode()

    def assert_usable(self, session: Session) -> None:
        """The session runs a command as if nothing had been before."""
        assert collect(session, self.commands.say_to_both("fine", "too", 7)) == Completed(
            code=7, stdout=b"fine", stderr=b"too"
        )

    def path_in(self, session: Session, directory: str, name: str) -> str:
        """A path for a new file in an awkwardly named directory, which is made."""
        awkward = self.commands.join(directory, self.commands.awkward_name)
        self.said(session, self.commands.make_directory(awkward))
        return self.commands.join(awkward, name)
