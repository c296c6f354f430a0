"""Staged commands beyond the contract: hosts that allow little, what dies meanwhile, other users, wrong clocks."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace
from support.program import below
from support.proxy import Proxy

from drumline.plugin import (
    Become,
    CommandRefused,
    Completed,
    Connection,
    ConnectionLost,
    Ending,
    HostError,
    Language,
    Run,
    Staged,
    StagingSession,
)
from drumline.testing.collect import collect, collect_staged
from drumline_lab.sshd import Sshd

Connect = Callable[..., Connection]
UNSEEN = {"host_key_checking": "off", "known_hosts_file": os.devnull}
needs_sudo = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("sudo") is None, reason="needs root and sudo to become other users"
)


def sh(text: str, **fields: Any) -> Run:
    return replace(Run(language=Language.SH, text=text), **fields)


def open_session(connection: Connection) -> StagingSession:
    return cast(StagingSession, connection.open_session())


def until_check_raises(staged: Staged, kind: type[Exception]) -> str:
    """Word of what happened on the host takes a moment to get here."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            staged.check()
        except kind as error:
            return str(error)
        time.sleep(0.01)
    raise AssertionError("check never raised")


def start(staged: Staged, at: float | None = None) -> Completed:
    staged.release(at)
    return collect_staged(staged)


@pytest.fixture
def session(sshd: Sshd, connect: Connect) -> StagingSession:
    return open_session(connect(sshd))


class TestOneSession:
    """sshd with MaxSessions 1: nothing beside the command that waits."""

    @pytest.fixture
    def session(self, start_sshd: Callable[..., Sshd], connect: Connect) -> StagingSession:
        return open_session(connect(start_sshd(settings={"MaxSessions": "1"})))

    @pytest.mark.parametrize("stdin", [b"", b"little", b"much" * 100_000], ids=["no input", "little", "much"])
    def test_all_works(self, session: StagingSession, stdin: bytes) -> None:
        assert collect(session, sh("echo warm")).stdout == b"warm\n"
        assert start(session.stage(sh("cat", stdin=stdin))).stdout == stdin
        session.stage(sh("cat", stdin=stdin)).cancel()
        staged = session.stage(sh("cat; sleep 60", stdin=stdin))
        session.interrupt()
        assert start(staged).ending is Ending.INTERRUPTED
        assert start(session.stage(sh("cat; sleep 60", stdin=stdin, timeout=0.3))).ending is Ending.TIMED_OUT
        assert collect(session, sh("echo warm")).stdout == b"warm\n"


class TestDeathWhileItWaits:
    #: Writes the process that waits, and those above it, into a file. The text is a process of its own, for its ``$$``.
    _TEXT = ": $$; : > {directory}/started"

    def _waiting(self, session: StagingSession, directory: Path, **fields: Any) -> tuple[Staged, int]:
        """A staged command, and the shell on the host that it is a child of."""
        shell = int(collect(session, sh("echo $PPID")).stdout)
        return session.stage(sh(self._TEXT.format(directory=directory), **fields)), shell

    @pytest.mark.parametrize("stdin", [b"", b"input"], ids=["without input", "with input"])
    def test_of_the_process_that_waits(self, session: StagingSession, tmp_path: Path, stdin: bytes) -> None:
        staged, shell = self._waiting(session, tmp_path, stdin=stdin)
        for pid in below(shell):
            with suppress(ProcessLookupError):  # it ended with the one before it
                os.kill(pid, signal.SIGKILL)
        told = until_check_raises(staged, CommandRefused)
        assert "while it waited" in told
        staged.release()
        staged.cancel()
        assert collect(session, sh("echo fine")) == Completed(code=0, stdout=b"fine\n")
        assert list(tmp_path.iterdir()) == []

    def test_of_the_shell(self, session: StagingSession, tmp_path: Path) -> None:
        staged, shell = self._waiting(session, tmp_path)
        under = below(shell)
        os.kill(shell, signal.SIGKILL)
        until_check_raises(staged, ConnectionLost)
        staged.release()
        with pytest.raises(ConnectionLost):
            collect_staged(staged)
        _wait_until_gone(under)
        assert collect(session, sh("echo fine")) == Completed(code=0, stdout=b"fine\n")
        assert list(tmp_path.iterdir()) == []

    def test_of_the_connection(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        with Proxy(sshd.address, sshd.port) as proxy:
            session = open_session(connect(sshd, port=proxy.port, **UNSEEN))
            staged, shell = self._waiting(session, tmp_path)
            under = below(shell)
            proxy.cut()
            until_check_raises(staged, ConnectionLost)
            staged.cancel()
            staged.release()
            with pytest.raises(ConnectionLost):
                collect_staged(staged)
            _wait_until_gone([shell, *under])
        assert list(tmp_path.iterdir()) == []

    def test_of_the_connection_between_the_release_and_its_instant(
        self, sshd: Sshd, connect: Connect, tmp_path: Path
    ) -> None:
        """The others start at that instant, and so does this one."""
        with Proxy(sshd.address, sshd.port) as proxy:
            session = open_session(connect(sshd, port=proxy.port, **UNSEEN))
            staged, _ = self._waiting(session, tmp_path)
            at = time.time() + 1.5
            staged.release(at)
            threading.Event().wait(1.0)  # the word has long been there, and the instant not
            proxy.cut()
            with pytest.raises(ConnectionLost):
                collect_staged(staged)
        deadline = time.monotonic() + 20
        while not (tmp_path / "started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert (tmp_path / "started").stat().st_mtime >= at - 0.01

    def test_a_session_that_is_closed_starts_nothing(self, session: StagingSession, tmp_path: Path) -> None:
        staged, shell = self._waiting(session, tmp_path)
        under = below(shell)
        session.close()
        _wait_until_gone([shell, *under])
        staged.cancel()
        assert list(tmp_path.iterdir()) == []


def _wait_until_gone(pids: list[int]) -> None:
    assert pids
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "it still waits there"
        time.sleep(0.01)


class TestStaging:
    def test_a_slow_login_may_be_interrupted(self, session: StagingSession, tmp_path: Path) -> None:
        """It is a shell that waits for something before it is one."""
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        program = tmp_path / "bash"
        program.write_text(f'#!/bin/sh\nread -r line < {fifo}\nexec bash "$@"\n')
        program.chmod(0o755)
        timer = threading.Timer(0.3, session.interrupt)
        timer.start()
        staged = session.stage(sh("echo started", executable=str(program)))
        timer.join()
        assert start(staged) == Completed(code=None, ending=Ending.INTERRUPTED)
        assert collect(session, sh("echo fine")).stdout == b"fine\n"

    @pytest.mark.parametrize("text", ["echo one\nif true; then", "echo 'open"])
    def test_what_can_not_be_parsed_is_told(self, session: StagingSession, text: str) -> None:
        with pytest.raises(CommandRefused, match=r"exit code 2 before it was to start\. It said: .*[Ss]yntax error"):
            session.stage(sh(text))
        assert collect(session, sh("echo fine")).stdout == b"fine\n"

    def test_a_process_of_its_own(self, session: StagingSession) -> None:
        completed = start(session.stage(sh("echo $$; kill -9 $$; echo lives on")))
        assert completed.code == 137
        assert completed.stderr == b""
        assert not Path(f"/proc/{int(completed.stdout)}").exists()

    def test_the_end_of_the_shell_itself_is_told(self, session: StagingSession) -> None:
        with pytest.raises(ConnectionLost, match="ended the shell"):
            start(session.stage(sh("kill -9 0")))
        assert collect(session, sh("echo fine")).stdout == b"fine\n"

    def test_a_host_far_away_with_a_wrong_clock(self, start_sshd: Callable[..., Sshd], connect: Connect) -> None:
        server = start_sshd(clock_offset=-3600.25)
        with Proxy(server.address, server.port, there=0.02, back=0.04) as proxy:
            session = open_session(connect(server, port=proxy.port, **UNSEEN))
            staged = session.stage(sh("date +%s.%N", timeout=0.2))
            at = time.time() - 3600.25 + 0.4
            completed = start(staged, at)
            assert at <= (staged.started or 0) <= float(completed.stdout) < at + 1


@needs_sudo
class TestBecome:
    def test_another_user(self, session: StagingSession) -> None:
        request = sh("id -un; cat; echo $A; pwd", stdin=b"in\0put\n", become=Become(user="nobody"))
        staged = session.stage(replace(request, environment={"A": "a 'b'"}, directory="/tmp"))
        before = time.time()
        completed = start(staged, at=before + 0.2)
        assert completed == Completed(code=0, stdout=b"nobody\nin\0put\na 'b'\n/tmp\n")
        assert before + 0.2 <= (staged.started or 0) < time.time()

    def test_a_user_whom_sudo_refuses(self, session: StagingSession) -> None:
        with pytest.raises(CommandRefused, match="unknown user"):
            session.stage(sh("id", become=Become(user="nosuchuser")))
        assert collect(session, sh("echo fine")).stdout == b"fine\n"

    def test_what_waits_is_ended(self, session: StagingSession) -> None:
        request = sh("echo started", become=Become(user="nobody"))
        session.stage(request).cancel()
        staged = session.stage(request)
        session.interrupt()
        assert start(staged) == Completed(code=None, ending=Ending.INTERRUPTED)
        shell = int(collect(session, sh("echo $PPID")).stdout)
        assert below(shell) == []

    def test_death_of_what_waits(self, session: StagingSession) -> None:
        become = Become(user="nobody")
        sudo = int(collect(session, sh("echo $PPID", become=become)).stdout)
        staged = session.stage(sh("echo started", become=become))
        for pid in reversed(below(sudo)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until_check_raises(staged, HostError)
        staged.cancel()
        assert collect(session, sh("echo fine", become=become)).stdout == b"fine\n"
