"""The contract of sessions that can hold a command back (``start`` of a task). Like the other suite, it needs pytest.

Listed before the platform's suite::

    from drumline.testing.contract import PosixContract
    from drumline.testing.staging import StagingContract

    class TestLocal(StagingContract, PosixContract):
        ...  # the same fixtures
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import cast

import pytest
from msgspec.structs import replace

from drumline.errors import HostError
from drumline.model.outcome import Completed, Ending
from drumline.model.request import Run
from drumline.plugin.transports import Session, Staged, StagingSession
from drumline.testing.collect import collect, collect_staged
from drumline.testing.contract import TransportContract
from drumline.testing.contract.commands import MEGABYTE, with_timeout
from drumline.testing.contract.started import Started
from drumline.testing.contract.texts import AWKWARD, EVERY_BYTE, MARKS, UNICODE


class StagingContract(TransportContract):
    """For a transport that can stage commands; to be listed before the platform's suite."""

    #: Seconds from a release to the instant that it names.
    lead: float = 0.5
    #: Seconds for which an instant may be missed by a host that other tests keep busy.
    lateness: float = 2

    def stage(self, session: Session, request: Run) -> Staged:
        """Hold a command back."""
        return cast(StagingSession, session).stage(request)

    def start(self, session: Session, request: Run) -> Completed:
        """Hold a command back, let it start at once, and follow it to its end."""
        staged = self.stage(session, request)
        staged.check()
        staged.release()
        return collect_staged(staged)

    def host_time(self, session: Session) -> float:
        """What the host's clock shows, in seconds since the epoch."""
        return float(self.said(session, self.commands.say_time()))

    # Waiting for the word

    def test_nothing_starts_before_the_release(self, session: Session, second_session: Session, directory: str) -> None:
        path = self.commands.join(directory, "started")
        staged = self.stage(session, self.commands.make_file(path))
        staged.check()
        assert self.said(second_session, self.commands.list_directory(directory)) == ""
        staged.release()
        assert collect_staged(staged) == Completed(code=0)
        assert self.said(second_session, self.commands.list_directory(directory)).split() == ["started"]
        staged.cancel()
        self.assert_usable(session)

    def test_sessions_wait_side_by_side(self, session: Session, second_session: Session, directory: str) -> None:
        a, b = self.commands.join(directory, "a"), self.commands.join(directory, "b")
        staged = [
            self.stage(session, self.commands.meet(a, b)),
            self.stage(second_session, self.commands.meet(b, a)),
        ]
        for one in staged:
            one.release()
        with ThreadPoolExecutor(2) as pool:
            assert [done.stdout for done in pool.map(collect_staged, staged)] == [b"met", b"met"]

    def test_the_release_may_come_from_another_thread(self, session: Session) -> None:
        staged = self.stage(session, self.commands.say("released"))
        thread = threading.Thread(target=staged.release)
        thread.start()
        thread.join()
        assert collect_staged(staged) == Completed(code=0, stdout=b"released")

    # As with run

    @pytest.mark.parametrize("text", [UNICODE, AWKWARD, MARKS], ids=["unicode", "awkward", "marks"])
    def test_staged_text_and_its_output(self, session: Session, text: str) -> None:
        assert self.start(session, self.commands.say(text)) == Completed(code=0, stdout=text.encode())

    def test_staged_streams_and_exit_codes(self, session: Session) -> None:
        completed = self.start(session, self.commands.say_to_both(MARKS, UNICODE, 7))
        assert completed == Completed(code=7, stdout=MARKS.encode(), stderr=UNICODE.encode())

    @pytest.mark.parametrize("size", [0, 1, 256, MEGABYTE], ids=["none", "one byte", "every byte", "a megabyte"])
    def test_staged_stdin(self, session: Session, size: int) -> None:
        data = (EVERY_BYTE * (size // 256 + 1))[:size]
        assert self.start(session, replace(self.commands.repeat_stdin(), stdin=data)).stdout == data

    def test_staged_stdin_that_nobody_reads(self, session: Session) -> None:
        request = replace(self.commands.say("didn't look"), stdin=b"exit\n" * 5)
        assert self.start(session, request) == Completed(code=0, stdout=b"didn't look")
        self.assert_usable(session)

    def test_staged_environment_and_directory(self, session: Session, directory: str) -> None:
        awkward = self.commands.join(directory, self.commands.awkward_name)
        self.said(session, self.commands.make_directory(awkward))
        assert self.start(session, replace(self.commands.say_directory(), directory=awkward)).stdout.decode() == awkward
        request = replace(self.commands.say_variable("DRUMLINE_TEST"), environment={"DRUMLINE_TEST": AWKWARD})
        assert self.start(session, request).stdout.decode() == AWKWARD
        assert self.said(session, self.commands.say_variable("DRUMLINE_TEST")) == ""

    def test_a_long_script_is_staged(self, session: Session) -> None:
        assert self.start(session, self.commands.long_script(150_000, "the end")).stdout == b"the end"

    def test_a_script_with_odd_lines_is_staged(self, session: Session) -> None:
        assert self.start(session, self.commands.script_with_odd_lines()).stdout == b"odd"

    def test_no_staged_command_takes_its_session_with_it(self, session: Session) -> None:
        for name, ruin in self.commands.ruins().items():
            with suppress(HostError):  # it may be found out when it is staged
                self.start(session, ruin)
            probe = collect(session, self.commands.say_to_both("fine", "too", 7))
            assert probe == Completed(code=7, stdout=b"fine", stderr=b"too"), f"after a command that {name}"

    def test_a_child_that_a_staged_command_leaves_is_not_waited_for(
        self, session: Session, second_session: Session, directory: str
    ) -> None:
        staged = self.stage(session, self.commands.leave_child_behind(directory))
        staged.release()
        try:
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(collect_staged, staged).result(self.patience) == Completed(code=0, stdout=b"left")
        finally:
            collect(second_session, self.commands.make_file(self.commands.join(directory, "release")))
        self.assert_usable(session)

    def test_what_can_not_be_staged_is_told_before_the_release(self, session: Session, directory: str) -> None:
        request = replace(self.commands.say("ran"), directory=self.commands.join(directory, "missing"))
        with pytest.raises(HostError, match="missing"):
            self.stage(session, request)
        self.assert_usable(session)

    # Giving it up

    def test_a_cancelled_command_leaves_nothing(self, session: Session, directory: str) -> None:
        staged = self.stage(session, self.commands.make_file(self.commands.join(directory, "started")))
        staged.cancel()
        staged.cancel()
        self.assert_usable(session)
        assert self.said(session, self.commands.list_directory(directory)) == ""
        assert staged.started is None

    def test_a_cancelled_command_with_input(self, session: Session) -> None:
        self.stage(session, replace(self.commands.repeat_stdin(), stdin=EVERY_BYTE * 400)).cancel()
        self.assert_usable(session)

    @pytest.mark.parametrize("released", [False, True], ids=["and not released", "and released"])
    def test_an_interrupt_while_it_waits(self, session: Session, directory: str, released: bool) -> None:
        staged = self.stage(session, self.commands.make_file(self.commands.join(directory, "started")))
        session.interrupt()
        if released:
            staged.release()
        assert collect_staged(staged) == Completed(code=None, ending=Ending.INTERRUPTED)
        assert self.said(session, self.commands.list_directory(directory)) == ""
        self.assert_usable(session)

    def test_an_interrupted_command_can_be_cancelled(self, session: Session, directory: str) -> None:
        staged = self.stage(session, self.commands.make_file(self.commands.join(directory, "started")))
        session.interrupt()
        staged.cancel()
        self.assert_usable(session)
        assert self.said(session, self.commands.list_directory(directory)) == ""

    def test_an_interrupt_between_the_release_and_its_instant(self, session: Session, directory: str) -> None:
        request = self.commands.make_file(self.commands.join(directory, "started"))
        now = self.host_time(session)
        staged = self.stage(session, request)
        staged.release(at=now + self.patience * 2)
        timer = threading.Timer(self.lead, session.interrupt)
        timer.start()
        before = time.monotonic()
        assert collect_staged(staged) == Completed(code=None, ending=Ending.INTERRUPTED)
        timer.join()
        assert time.monotonic() - before < self.patience
        assert self.said(session, self.commands.list_directory(directory)) == ""
        self.assert_usable(session)

    def test_an_interrupt_after_the_start_ends_the_tree(self, session: Session, directory: str) -> None:
        staged = self.stage(session, self.commands.start_tree(directory))
        staged.release()
        started = Started(session, staged)
        started.wait_until_said(b"ready", self.patience)
        session.interrupt()
        completed = started.outcome(self.patience)
        assert (completed.ending, completed.code) == (Ending.INTERRUPTED, None)
        assert self.said(session, self.commands.probe_tree(directory)) == "", "these children live on"

    # Time

    def test_the_time_out_counts_from_the_release(self, session: Session) -> None:
        staged = self.stage(session, with_timeout(self.commands.say("in time"), self.moment))
        threading.Event().wait(self.moment * 1.2)
        staged.release()
        assert collect_staged(staged) == Completed(code=0, stdout=b"in time")

    def test_the_time_out_of_a_staged_command(self, session: Session) -> None:
        staged = self.stage(session, with_timeout(self.commands.say_and_wait("so far"), self.moment))
        before = time.monotonic()
        staged.release()
        completed = collect_staged(staged)
        assert self.moment <= time.monotonic() - before < self.patience
        assert completed == Completed(code=None, stdout=b"so far", ending=Ending.TIMED_OUT)
        self.assert_usable(session)

    def test_started_is_what_the_hosts_clock_showed_then(self, session: Session, second_session: Session) -> None:
        staged = self.stage(session, self.commands.say_time())
        before = self.host_time(second_session)
        staged.release()
        said = float(collect_staged(staged).stdout)
        assert staged.started is not None
        assert before <= staged.started <= said < before + self.patience

    def test_an_instant_is_kept_by_the_hosts_clock(self, session: Session) -> None:
        # The time-out is shorter than the way to the instant: it counts from there.
        request = with_timeout(self.commands.say_time(), self.moment)
        now = self.host_time(session)
        staged = self.stage(session, request)
        at = now + self.moment + self.lead
        staged.release(at)
        completed = collect_staged(staged)
        assert completed.code == 0
        assert staged.started is not None
        assert at <= staged.started <= float(completed.stdout) < at + self.lateness

    def test_an_instant_that_is_over_starts_at_once(self, session: Session) -> None:
        now = self.host_time(session)
        staged = self.stage(session, self.commands.say("late"))
        staged.release(at=now - 10)
        assert collect_staged(staged) == Completed(code=0, stdout=b"late")
