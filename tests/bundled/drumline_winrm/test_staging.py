"""Commands that are held back on Windows hosts: what the contract of all transports doesn't know of."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drumline.execution.clocks import read_clock
from drumline.plugin import (
    CommandRefused,
    Completed,
    ConnectionLost,
    Ending,
    HostError,
    Language,
    Platform,
    Run,
)
from drumline.testing.collect import collect, collect_staged
from drumline_lab.wsman import Dropped, Settings, WsmanServer
from drumline_winrm.staging import Awake
from drumline_winrm.transport import Winrm

#: Seconds for anything that must come soon; it only bounds a failure.
PATIENCE = 30
#: Seconds by which the clock of these hosts is wrong.
OFFSET = -3000.25

PROCESS = Run(language=Language.POWERSHELL, text="$PID")


def line(text: str, **more: Any) -> Run:
    return Run(language=Language.CMD, text=text, **more)


def script(text: str, **more: Any) -> Run:
    return Run(language=Language.POWERSHELL, text=text, **more)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_host_without_powershell_cannot_hold_a_line_back(
    transport: Winrm, sh_server: WsmanServer, target_for: Any
) -> None:
    connection = transport.connect(target_for(sh_server))
    session = connection.open_session()
    with pytest.raises(CommandRefused, match=r"can't be held back.*web1 has no Windows PowerShell 'powershell'"):
        session.stage(line("echo x"))
    with pytest.raises(HostError, match="PowerShell can't be started"):
        session.stage(script("1"))
    assert collect(session, line("echo x")).stdout == b"x\n"
    connection.close()


def test_signs_of_life_end_at_a_failure_and_do_not_hold_up_who_stops_them() -> None:
    def fail() -> None:
        raise ConnectionLost("Connection lost", "for good")

    failing = Awake(fail, 0.01)
    failing.start()
    until(lambda: failing.lost is not None)
    assert failing.stop()

    answer = threading.Event()
    asked = threading.Event()

    def hang() -> None:
        asked.set()
        answer.wait()

    hanging = Awake(hang, 0.01)
    hanging.start()
    assert asked.wait(PATIENCE)
    assert not hanging.stop(0.01)
    answer.set()
    assert hanging.stop()
    assert Awake(fail, 0.01).stop()


@pytest.mark.windows
class TestStaged:
    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, windows_host: Any) -> Iterator[WsmanServer]:
        settings = Settings(users={"vagrant": "pässw:örd"}, clock_offset=OFFSET)
        with WsmanServer(settings, backend=windows_host) as server:
            yield server

    @pytest.fixture(scope="class")
    @classmethod
    def session(cls, transport: Winrm, server: WsmanServer, target_for: Any) -> Iterator[Any]:
        connection = transport.connect(target_for(server))
        yield connection.open_session()
        connection.close()

    @pytest.mark.parametrize(
        ("request_", "expected"),
        [
            (line("echo out& exit 5"), Completed(code=5, stdout=b"out\r\n")),
            (Run(language=Language.EXEC, text="cmd /c exit 6"), Completed(code=6)),
            (Run(language=Language.EXEC, text=r"C:\windows\system32\cmd /c exit 6"), Completed(code=6)),
        ],
        ids=["cmd", "from the path", "by its path"],
    )
    def test_lines(self, session: Any, request_: Run, expected: Completed) -> None:
        staged = session.stage(request_)
        staged.release()
        assert collect_staged(staged) == expected
        assert staged.started is not None

    @pytest.mark.parametrize(
        ("request_", "said"),
        [
            (Run(language=Language.EXEC, text="no-such-program x"), "no-such-program"),
            (Run(language=Language.EXEC, text=r'"C:\not\there.exe" x'), r"C:\\not\\there.exe"),
            (line("echo x", directory=r"C:\not\there"), r"C:\\not\\there"),
            (script("'x' | {"), "Missing closing"),
            (script("[Environment]::Exit(3)}"), "Unexpected token"),
        ],
        ids=["a program", "a path", "a directory", "an open script", "a broken script"],
    )
    def test_what_could_not_start_is_told_when_it_is_staged(self, session: Any, request_: Run, said: str) -> None:
        before = collect(session, PROCESS)
        with pytest.raises(CommandRefused, match=f"web1 says: .*{said}"):
            session.stage(request_)
        assert collect(session, PROCESS) == before

    def test_giving_up_what_waits_costs_no_powershell(self, session: Any) -> None:
        before = collect(session, PROCESS)
        session.stage(script("'ran'")).cancel()
        interrupted = session.stage(script("'ran'"))
        session.interrupt()
        assert collect_staged(interrupted) == Completed(code=None, ending=Ending.INTERRUPTED)
        assert collect(session, PROCESS) == before

    def test_a_library_is_known_to_what_is_held_back(self, session: Any) -> None:
        library = "function Get-Twice($a) { $a + $a }"
        for number in (3, 4):
            staged = session.stage(script(f"Get-Twice {number}", library=library))
            staged.release()
            assert collect_staged(staged).stdout == f"{2 * number}\r\n".encode()

    def test_nothing_is_sent_by_whoever_releases(self, server: WsmanServer, session: Any) -> None:
        staged = session.stage(script("'ran'"))
        server.log.clear()
        staged.check()
        staged.release()
        assert server.kinds() == []
        assert collect_staged(staged).stdout == b"ran\r\n"
        assert server.kinds()[0] == "Send"

    def test_words_whose_answer_is_lost_are_taken_once(self, server: WsmanServer, session: Any) -> None:
        count = "$f = Join-Path ([IO.Path]::GetTempPath()) held; [IO.File]::AppendAllText($f, 'x')"
        collect(session, PROCESS)
        drops = iter((True,))

        def drop(kind: str) -> None:
            if kind == "Send" and next(drops, False):
                raise Dropped

        server.after = drop
        try:
            staged = session.stage(script(count))
            drops = iter((True,))
            staged.release()
            assert collect_staged(staged).code == 0
        finally:
            server.after = None
        assert collect(session, script(f"{count}; [IO.File]::ReadAllText($f)")).stdout == b"xx\r\n"

    def test_the_start_of_what_is_ended_is_known(self, session: Any) -> None:
        staged = session.stage(script("Start-Sleep 60", timeout=0.4))
        before = time.time() + OFFSET
        staged.release()
        assert collect_staged(staged).ending is Ending.TIMED_OUT
        assert before <= staged.started < before + PATIENCE

    def test_the_start_of_what_ends_its_powershell_is_known(self, session: Any) -> None:
        staged = session.stage(script("[Environment]::Exit(4)"))
        staged.release()
        assert collect_staged(staged).code == 4
        assert staged.started is not None

    def test_a_wrong_clock_is_read_and_kept(self, session: Any) -> None:
        reading = read_clock(session, Platform.WINDOWS, time.time)
        assert abs(reading.offset - OFFSET) <= reading.uncertainty < 0.5
        staged = session.stage(script("([DateTime]::UtcNow.Ticks - 621355968000000000) / 1e7"))
        instant = time.time() + 0.3
        staged.release(instant + reading.offset)
        said = float(collect_staged(staged).stdout)
        assert instant + reading.offset <= staged.started < said < instant + reading.offset + 2

    def test_what_waits_keeps_its_shell_alive_with_one_request_at_a_time(
        self, transport: Winrm, server: WsmanServer, target_for: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("drumline_winrm.staging._PERIOD", 0.3)
        server.change(shell_idle=1.0)
        connection = transport.connect(target_for(server))
        server.change(shell_idle=7200.0)
        session = connection.open_session()
        staged = session.stage(script("'ran'"))
        server.log.clear()
        until(lambda: len(server.log) >= 5)
        assert set(server.kinds()) == {"Send"}
        staged.check()
        staged.release()
        assert collect_staged(staged).stdout == b"ran\r\n"
        connection.close()

    def test_a_shell_that_goes_meanwhile_is_noticed(
        self, server: WsmanServer, session: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("drumline_winrm.staging._PERIOD", 0.05)
        staged = session.stage(script("'ran'"))
        (shell,) = server.shells.ids()
        server.shells.delete(shell)
        with pytest.raises(ConnectionLost, match="went with it"):
            until(lambda: staged.check() is not None)
        staged.release()
        with pytest.raises(ConnectionLost, match="went with it"):
            collect_staged(staged)
        assert collect(session, script("'on'")).stdout == b"on\r\n"
