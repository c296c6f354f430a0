"""What comes of a command: output, exit codes, input, environment, directory, scripts."""

from __future__ import annotations

import threading

import pytest
from msgspec.structs import replace

from drumline.errors import HostError
from drumline.model.outcome import Completed
from drumline.model.request import Language, Run
from drumline.model.target import Platform
from drumline.plugin.transports import Session
from drumline.testing.collect import collect
from drumline.testing.contract.base import Contract
from drumline.testing.contract.commands import LINE, MEGABYTE
from drumline.testing.contract.started import Started
from drumline.testing.contract.texts import AWKWARD, EVERY_BYTE, MARKS, UNICODE


class RunningContract(Contract):
    """Commands that end by themselves."""

    # Output

    def test_keeps_the_streams_apart(self, session: Session) -> None:
        completed = collect(session, self.commands.say_to_both("out", "err", 0))
        assert completed == Completed(code=0, stdout=b"out", stderr=b"err")

    def test_says_nothing_of_its_own(self, session: Session) -> None:
        assert collect(session, self.commands.leave(0)) == Completed(code=0)

    def test_output_is_binary_safe(self, session: Session) -> None:
        assert collect(session, self.commands.say_every_byte()).stdout == EVERY_BYTE

    def test_output_without_a_newline_comes_as_it_is(self, session: Session) -> None:
        assert self.said(session, self.commands.say("no newline")) == "no newline"

    @pytest.mark.parametrize("text", [UNICODE, AWKWARD, MARKS], ids=["unicode", "awkward", "marks"])
    def test_text_in_a_command_and_its_output(self, session: Session, text: str) -> None:
        assert self.said(session, self.commands.say(text)) == text

    def test_marks_on_both_streams(self, session: Session) -> None:
        completed = collect(session, self.commands.say_to_both(MARKS, MARKS[::-1], 3))
        assert completed == Completed(code=3, stdout=MARKS.encode(), stderr=MARKS[::-1].encode())

    def test_20_megabytes_of_output(self, session: Session) -> None:
        completed = collect(session, self.commands.say_much(20))
        assert completed.code == 0
        assert len(completed.stdout) == 20 * MEGABYTE
        assert completed.stdout == LINE * (20 * MEGABYTE // len(LINE))
        self.assert_usable(session)

    def test_output_is_handed_over_on_the_thread_that_runs(self, session: Session) -> None:
        threads: set[int] = set()
        session.run(self.commands.say("here"), lambda _stream, _data: threads.add(threading.get_ident()))
        assert threads == {threading.get_ident()}

    # Exit codes

    def test_exit_codes(self, session: Session) -> None:
        came = {code: collect(session, self.commands.leave(code)).code for code, _ in self.exit_codes}
        assert came == dict(self.exit_codes)

    # Input

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"x",
            b"-----BEGIN KEY-----\n%s\n",
            b"-" * 5000,
            EVERY_BYTE,
            (UNICODE + "\n").encode(),
            EVERY_BYTE * (MEGABYTE // 256),
        ],
        ids=["empty", "one byte", "dashes", "many dashes", "every byte", "unicode", "a megabyte"],
    )
    def test_stdin(self, session: Session, data: bytes) -> None:
        completed = collect(session, replace(self.commands.repeat_stdin(), stdin=data))
        assert completed.code == 0
        assert completed.stdout == data

    @pytest.mark.parametrize("size", [5, MEGABYTE], ids=["little", "a megabyte"])
    def test_stdin_that_nobody_reads(self, session: Session, size: int) -> None:
        request = replace(self.commands.say("didn't look"), stdin=b"exit" * (size // 4))
        assert self.said(session, request) == "didn't look"
        self.assert_usable(session)

    # Environment and working directory

    @pytest.mark.parametrize(
        "value",
        ["plain", "", UNICODE, AWKWARD, "two\nlines\n", "'\"'\"'", "-n", "\\n \\0 \\x41"],
        ids=["plain", "empty", "unicode", "awkward", "newlines", "quotes", "dash", "backslashes"],
    )
    def test_environment(self, session: Session, value: str) -> None:
        request = replace(self.commands.say_variable("DRUMLINE_TEST"), environment={"DRUMLINE_TEST": value})
        assert self.said(session, request) == value

    def test_environment_is_for_one_command(self, session: Session) -> None:
        request = self.commands.say_variable("DRUMLINE_TEST")
        assert self.said(session, replace(request, environment={"DRUMLINE_TEST": "once"})) == "once"
        assert self.said(session, request) == ""

    def test_working_directory_with_an_awkward_name(self, session: Session, directory: str) -> None:
        awkward = self.commands.join(directory, self.commands.awkward_name)
        self.said(session, self.commands.make_directory(awkward))
        assert self.said(session, replace(self.commands.say_directory(), directory=awkward)) == awkward

    def test_working_directory_is_for_one_command(self, session: Session, directory: str) -> None:
        before = self.said(session, self.commands.say_directory())
        assert self.said(session, replace(self.commands.say_directory(), directory=directory)) == directory
        assert self.said(session, self.commands.say_directory()) == before

    def test_missing_working_directory_is_told(self, session: Session, directory: str) -> None:
        missing = self.commands.join(directory, "missing")
        request = replace(self.commands.say("ran"), directory=missing)
        try:
            completed = collect(session, request)
        except HostError as error:
            told = str(error)
        else:
            assert completed.code != 0
            assert completed.stdout == b""
            told = completed.stderr.decode(errors="replace")
        assert "missing" in told
        self.assert_usable(session)

    # Scripts

    def test_a_script_longer_than_linux_lets_an_argument_be(self, session: Session) -> None:
        assert self.said(session, self.commands.long_script(150_000, "the end")) == "the end"

    def test_a_script_with_odd_lines(self, session: Session) -> None:
        assert self.said(session, self.commands.script_with_odd_lines()) == "odd"

    def test_no_command_takes_its_session_with_it(self, session: Session) -> None:
        home = self.said(session, self.commands.say_directory())
        for name, ruin in self.commands.ruins().items():
            Started(session, ruin).outcome(self.patience)
            assert self._state(session) == (7, b"fine", b"too", home), f"after a command that {name}"

    def _state(self, session: Session) -> tuple[int | None, bytes, bytes, str]:
        probe = Started(session, self.commands.say_to_both("fine", "too", 7)).outcome(self.patience)
        return probe.code, probe.stdout, probe.stderr, self.said(session, self.commands.say_directory())

    def test_a_child_left_behind_is_not_waited_for(
        self, session: Session, second_session: Session, directory: str
    ) -> None:
        started = Started(session, self.commands.leave_child_behind(directory))
        try:
            completed = started.outcome(self.patience)
        finally:
            collect(second_session, self.commands.make_file(self.commands.join(directory, "release")))
        assert completed == Completed(code=0, stdout=b"left")
        self.assert_usable(session)

    # Refusals

    def test_text_in_another_platforms_language_is_refused(self, session: Session) -> None:
        foreign = Language.POWERSHELL if self.platform is Platform.POSIX else Language.SH
        with pytest.raises(HostError):
            collect(session, Run(language=foreign, text="exit 0"))
        self.assert_usable(session)
