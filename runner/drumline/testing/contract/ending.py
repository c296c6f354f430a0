"""Time-outs and interrupts: what ends a command ends all that it started, and the session goes on."""

from __future__ import annotations

import time

from drumline.model.outcome import Completed, Ending
from drumline.plugin.transports import Session
from drumline.testing.collect import collect
from drumline.testing.contract.base import Contract
from drumline.testing.contract.commands import with_timeout
from drumline.testing.contract.started import Started


class EndingContract(Contract):
    """Commands that are ended."""

    def test_a_command_in_time_is_not_ended(self, session: Session) -> None:
        completed = collect(session, with_timeout(self.commands.say_to_both("o", "e", 5), self.patience))
        assert completed == Completed(code=5, stdout=b"o", stderr=b"e")

    def test_time_out_is_kept_and_keeps_what_was_said(self, session: Session) -> None:
        before = time.monotonic()
        started = Started(session, with_timeout(self.commands.say_and_wait("so far"), self.moment))
        completed = started.outcome(self.patience)
        assert self.moment <= time.monotonic() - before < self.patience
        assert (completed.ending, completed.code) == (Ending.TIMED_OUT, None)
        assert completed.stdout == b"so far"
        self.assert_usable(session)

    def test_time_out_ends_the_tree(self, session: Session, directory: str) -> None:
        started = Started(session, with_timeout(self.commands.start_tree(directory), self.time_out))
        started.wait_until_said(b"ready", self.patience)
        assert started.outcome(self.patience).ending is Ending.TIMED_OUT
        assert self.said(session, self.commands.probe_tree(directory)) == "", "these children live on"

    def test_interrupt_ends_the_tree(self, session: Session, directory: str) -> None:
        started = Started(session, self.commands.start_tree(directory))
        started.wait_until_said(b"ready", self.patience)
        session.interrupt()
        completed = started.outcome(self.patience)
        assert (completed.ending, completed.code) == (Ending.INTERRUPTED, None)
        assert self.said(session, self.commands.probe_tree(directory)) == "", "these children live on"

    def test_a_tree_that_nobody_ends_answers_the_probe(
        self, session: Session, second_session: Session, directory: str
    ) -> None:
        started = Started(session, self.commands.start_tree(directory))
        started.wait_until_said(b"ready", self.patience)
        answers = self.said(second_session, self.commands.probe_tree(directory))
        session.interrupt()
        assert started.outcome(self.patience).ending is Ending.INTERRUPTED
        assert answers == "12"

    def test_interrupt_when_nothing_runs_has_no_effect(self, session: Session) -> None:
        session.interrupt()
        self.assert_usable(session)
        session.interrupt()
        session.interrupt()
        self.assert_usable(session)

    def test_interrupt_twice_ends_one_command(self, session: Session) -> None:
        started = Started(session, self.commands.say_and_wait("ready"))
        started.wait_until_said(b"ready", self.patience)
        session.interrupt()
        session.interrupt()
        assert started.outcome(self.patience).ending is Ending.INTERRUPTED
        self.assert_usable(session)
