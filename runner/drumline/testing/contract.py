"""The contract that every transport keeps, as a pytest class. It needs pytest, as its neighbour ``staging`` does.

Subclass the suite of the platform that your transport reaches and give it two fixtures, class-wide or wider::

    import pytest
    from drumline.plugin import Target
    from drumline.testing.contract import PosixContract
    from drumline_local.transport import LocalTransport

    class TestLocal(PosixContract):
        @pytest.fixture(scope="class")
        @classmethod
        def transport(cls):
            return LocalTransport()

        @pytest.fixture(scope="class")
        @classmethod
        def target(cls):
            return Target(host="practice", transport="local", options={})

A transport whose connections can break adds ``ConnectionLossContract`` and the fixture ``lose_connection``; one that
can hold commands back adds :class:`drumline.testing.staging.StagingContract`. Put
``pytest.register_assert_rewrite("drumline.testing.contract")`` into your ``conftest.py`` to see what was compared.

The suite reaches one host. It writes into temporary directories there and removes them. One session serves test after
test, which is itself part of the contract; after a test that failed the next one gets a new session.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from drumline.errors import ConnectionLost, HostError, TransferFailed
from drumline.model.outcome import Completed, Ending
from drumline.model.request import Become, Get, Language, Put, Run
from drumline.model.target import Platform, Target
from drumline.plugin.transports import Connection, Session, Staged, Stream, Transport
from drumline.testing.collect import collect, collect_staged
from drumline.testing.commands import LINE, MEGABYTE, Commands, PosixCommands, WindowsCommands, cmd, with_timeout

EVERY_BYTE = bytes(range(256))
UNICODE = "Grüße, 世界 🥁 \u2018q\u2019 \u201cQ\u201d €"
#: Text that shells, templates and quoting like to spoil.
AWKWARD = "  a 'b' \"c\" $HOME `d` $(e) %PATH% ^f !g! \\h\\ {{ i }} <j> & | ; # ~ * ? [k] \t "
#: Output that looks like the marks with which transports and PowerShell tell commands apart.
MARKS = "#< CLIXML\n<Objs></Objs>\ndrumline:0123456789abcdef:0\n\x1e\x1f0\n__END__ 0\nEOF\nAAAA==\n$?\n\n0\n"


class Started:
    """A command that is run in a thread of its own, and what it said so far."""

    def __init__(self, session: Session, what: Run | Staged) -> None:
        """``what`` is run, or has been staged on the session and released."""
        self.session = session
        self._said = bytearray()
        self._change = threading.Condition()
        self._outcome: Future[Completed] = Future()
        threading.Thread(target=self._run, args=(what,), daemon=True).start()

    def wait_until_said(self, text: bytes, patience: float) -> None:
        """Wait for output; fails when it doesn't come, or the command ends without it."""
        with self._change:
            self._change.wait_for(lambda: text in self._said or self._outcome.done(), patience)
            assert text in self._said, f"said only {bytes(self._said)!r}; {self._outcome!r}"

    def outcome(self, patience: float) -> Completed:
        """What came of it; raises what ``run`` raised, and ``TimeoutError`` when it hangs."""
        return self._outcome.result(patience)

    def _run(self, what: Run | Staged) -> None:
        try:
            outcome = (
                collect(self.session, what, self._note) if isinstance(what, Run) else collect_staged(what, self._note)
            )
            self._outcome.set_result(outcome)
        except BaseException as error:
            self._outcome.set_exception(error)
        with self._change:
            self._change.notify_all()

    def _note(self, _stream: Stream, data: bytes) -> None:
        with self._change:
            self._said += data
            self._change.notify_all()


class TransportContract:
    """What holds on every platform. Subclass ``PosixContract`` or ``WindowsContract``, not this class."""

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

    # What it says of itself

    def test_names_itself_and_its_platform(self, transport: Transport, target: Target) -> None:
        assert transport.name == transport.name.lower().strip()
        assert " " not in transport.name
        assert transport.platform(target) is self.platform
        names = [option.name for option in transport.options]
        assert len(names) == len(set(names))

    def test_options_have_help(self, transport: Transport) -> None:
        assert [option.name for option in transport.options if not option.help] == []

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
        [b"", b"x", EVERY_BYTE, (UNICODE + "\n").encode(), EVERY_BYTE * (MEGABYTE // 256)],
        ids=["empty", "one byte", "every byte", "unicode", "a megabyte"],
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

    # Time-out and interrupt

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

    # Files

    @pytest.mark.parametrize(
        "content",
        [b"", b"x", EVERY_BYTE, b"\r\n\n\r\x1a\x00", EVERY_BYTE * (10 * MEGABYTE // 256)],
        ids=["0 bytes", "1 byte", "every byte", "line ends", "10 MB"],
    )
    def test_put_and_get(self, session: Session, directory: str, tmp_path: Path, content: bytes) -> None:
        remote, local = self.commands.join(directory, "file"), tmp_path / "got"
        session.put(Put(source=content, destination=remote))
        session.get(Get(source=remote, destination=local))
        assert local.read_bytes() == content

    def test_put_a_file_to_an_awkward_path(self, session: Session, directory: str, tmp_path: Path) -> None:
        remote = self.path_in(session, directory, self.commands.awkward_name)
        source, local = tmp_path / "source", tmp_path / "got"
        source.write_bytes(UNICODE.encode())
        session.put(Put(source=source, destination=remote))
        session.get(Get(source=remote, destination=local))
        assert local.read_bytes() == UNICODE.encode()

    def test_put_replaces_the_whole_file_and_leaves_nothing_else(
        self, session: Session, directory: str, tmp_path: Path
    ) -> None:
        remote, local = self.commands.join(directory, "file"), tmp_path / "got"
        session.put(Put(source=b"long" * 100_000, destination=remote))
        session.put(Put(source=b"short", destination=remote))
        session.get(Get(source=remote, destination=local))
        assert local.read_bytes() == b"short"
        assert self.said(session, self.commands.list_directory(directory)).split() == ["file"]

    def test_put_into_a_missing_directory_fails(self, session: Session, directory: str) -> None:
        remote = self.commands.join(self.commands.join(directory, "missing"), "file")
        with pytest.raises(TransferFailed, match="missing"):
            session.put(Put(source=b"x", destination=remote))
        assert self.said(session, self.commands.list_directory(directory)) == ""

    def test_put_over_a_directory_fails(self, session: Session, directory: str) -> None:
        remote = self.commands.join(directory, "taken")
        self.said(session, self.commands.make_directory(remote))
        with pytest.raises(TransferFailed, match="taken"):
            session.put(Put(source=b"x", destination=remote))
        assert self.said(session, self.commands.list_directory(directory)).split() == ["taken"]
        assert self.said(session, self.commands.list_directory(remote)) == ""

    def test_get_of_a_missing_file_fails(self, session: Session, directory: str, tmp_path: Path) -> None:
        local = tmp_path / "got"
        local.write_bytes(b"as it was")
        with pytest.raises(TransferFailed, match="missing"):
            session.get(Get(source=self.commands.join(directory, "missing"), destination=local))
        assert local.read_bytes() == b"as it was"
        assert [path.name for path in tmp_path.iterdir()] == ["got"]
        self.assert_usable(session)

    # Several sessions

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

    # Refusals

    def test_text_in_another_platforms_language_is_refused(self, session: Session) -> None:
        foreign = Language.POWERSHELL if self.platform is Platform.POSIX else Language.SH
        with pytest.raises(HostError):
            collect(session, Run(language=foreign, text="exit 0"))
        self.assert_usable(session)


class PosixContract(TransportContract):
    """For a transport to hosts with a POSIX ``sh``."""

    commands: Commands = PosixCommands()
    platform = Platform.POSIX
    exit_codes = tuple((code, code) for code in range(256))

    def test_a_signal_gives_128_and_its_number(self, session: Session) -> None:
        assert collect(session, Run(language=Language.EXEC, text="sh -c 'kill -9 $$'")).code == 137

    @pytest.mark.parametrize(("mode", "shown"), [(0o640, "-rw-r-----"), (0o755, "-rwxr-xr-x"), (0o600, "-rw-------")])
    def test_put_honours_the_mode(self, session: Session, directory: str, mode: int, shown: str) -> None:
        remote = self.commands.join(directory, "file")
        session.put(Put(source=b"#!/bin/sh\n", destination=remote, mode=mode))
        listing = Run(language=Language.SH, text='ls -l file | cut -c "1-10"', directory=directory)
        assert self.said(session, listing).strip() == shown

    def test_another_shell_reads_the_text(self, session: Session) -> None:
        request = replace(self.commands.say(AWKWARD), executable="/bin/sh")
        assert self.said(session, replace(request, stdin=b"unread")) == AWKWARD

    def test_a_command_without_a_shell(self, session: Session) -> None:
        request = Run(language=Language.EXEC, text=r"printf '%s|' 'a b' c\ d")
        assert self.said(session, request) == "a b|c d|"


class WindowsContract(TransportContract):
    """For a transport to Windows hosts."""

    commands: Commands = WindowsCommands()
    platform = Platform.WINDOWS
    exit_codes = (
        *((code, code) for code in (0, 1, 2, 3, 127, 255, 256, 259, 65536, 2147483647)),
        *((code - 2**32, code) for code in (3221225786, 4294967295, 2147943401)),
    )
    patience = 120
    moment = 4
    time_out = 8

    def test_a_cmd_line(self, session: Session) -> None:
        completed = collect(session, cmd("echo out& echo err>&2& exit 5"))
        assert (completed.code, completed.stdout, completed.stderr) == (5, b"out\r\n", b"err\r\n")

    def test_a_cmd_line_with_unicode(self, session: Session) -> None:
        request = replace(cmd("echo ü %DRUMLINE_TEST%"), environment={"DRUMLINE_TEST": "世界 €"})
        assert self.said(session, request) == "ü 世界 €\r\n"

    def test_a_cmd_line_has_32_bits_too(self, session: Session) -> None:
        assert collect(session, cmd("exit -1073741510")).code == 3221225786

    def test_a_cmd_line_in_a_directory(self, session: Session, directory: str) -> None:
        assert self.said(session, replace(cmd("cd"), directory=directory)).strip() == directory

    def test_time_out_of_a_program(self, session: Session) -> None:
        waiting = replace(self.commands.repeat_stdin(), text="powershell -NoProfile -Command Start-Sleep 120")
        completed = Started(session, with_timeout(waiting, 5)).outcome(self.patience)
        assert completed.ending is Ending.TIMED_OUT
        self.assert_usable(session)

    def test_powershell_output_is_text_with_line_ends(self, session: Session) -> None:
        said = self.said(session, Run(language=Language.POWERSHELL, text="'ü'; 1 + 1; Write-Host 'host'"))
        assert said.splitlines() == ["ü", "2", "host"]

    def test_a_powershell_error_is_told_on_stderr(self, session: Session) -> None:
        completed = collect(session, Run(language=Language.POWERSHELL, text="throw 'a clear reason'"))
        assert completed.code == 1
        assert b"a clear reason" in completed.stderr
        assert b"CLIXML" not in completed.stderr

    def test_powershell_reads_text_from_stdin(self, session: Session) -> None:
        text = "$t = [Console]::In.ReadToEnd(); [Console]::Out.Write($t.ToUpperInvariant())"
        request = Run(language=Language.POWERSHELL, text=text, stdin="ünï\n".encode())
        assert self.said(session, request) == "ÜNÏ\n"

    def test_another_user_is_refused(self, session: Session) -> None:
        with pytest.raises(HostError):
            collect(session, replace(self.commands.say("no"), become=Become()))
        self.assert_usable(session)


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
