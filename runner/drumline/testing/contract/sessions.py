"""Several sessions of one connection, and their ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from drumline.model.outcome import Completed, Ending
from drumline.model.request import Put
from drumline.model.target import Target
from drumline.plugin.transports import Connection, Session, Transport
from drumline.testing.contract.base import Contract
from drumline.testing.contract.started import Started


class SessionsContract(Contract):
    """Sessions side by side."""

    def test_two_sessions_at_once(self, session: Session, second_session: Session, directory: str) -> None:
        a, b = self.commands.join(directory, "a"), self.commands.join(directory, "b")
        first = Started(session, self.commands.meet(a, b))
        second = Started(second_session, self.commands.meet(b, a))
        assert first.outcome(self.patience).stdout == b"met"
        assert second.outcome(self.patience).stdout == b"met"

    def test_files_pass_while_a_command_runs(self, session: Session, second_session: Session, directory: str) -> None:
        a, b = self.commands.join(directory, "a"), self.commands.join(directory, "b")
        started = Started(session, self.commands.meet(a, b))
        second_session.put(Put(source=b"", destination=b))
        assert started.outcome(self.patience).stdout == b"met"

    def test_sessions_share_nothing(self, connection: Connection, directory: str) -> None:
        sessions = [connection.open_session() for _ in range(3)]
        with ThreadPoolExecutor(len(sessions)) as pool:
            said = list(pool.map(lambda numbered: self._talk(*numbered), enumerate(sessions)))
        for session in sessions:
            session.close()
        assert said == [[f"{number}.{turn}" for turn in range(5)] for number in range(len(sessions))]

    def _talk(self, number: int, session: Session) -> list[str]:
        return [self.said(session, self.commands.say(f"{number}.{turn}")) for turn in range(5)]

    def test_interrupt_is_for_one_session(self, session: Session, second_session: Session, directory: str) -> None:
        a, b = self.commands.join(directory, "a"), self.commands.join(directory, "b")
        patient = Started(session, self.commands.meet(a, b))
        ended = Started(second_session, self.commands.say_and_wait("ready"))
        ended.wait_until_said(b"ready", self.patience)
        second_session.interrupt()
        assert ended.outcome(self.patience).ending is Ending.INTERRUPTED
        self.said(second_session, self.commands.make_file(b))
        assert patient.outcome(self.patience) == Completed(code=0, stdout=b"met")

    def test_close_twice_and_after_errors(self, transport: Transport, target: Target) -> None:
        connection = transport.connect(target)
        session, unused = connection.open_session(), connection.open_session()
        self.assert_usable(session)
        session.close()
        session.close()
        connection.close()
        unused.close()
        connection.close()
