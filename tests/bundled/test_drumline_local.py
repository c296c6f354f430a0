"""The transport ``local`` keeps the contract, and leaves nothing behind on this machine."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

from drumline.errors import OptionInvalid, TransferFailed, TransferStopped
from drumline.model.outcome import Completed, Ending
from drumline.model.request import Become, Get, Language, Put, Run
from drumline.model.target import Target
from drumline.plugin import Transport
from drumline.testing.collect import collect, collect_staged
from drumline.testing.contract import PosixContract
from drumline.testing.staging import StagingContract
from drumline_local import process
from drumline_local.terminal import Terminal
from drumline_local.transport import LocalSession, LocalTransport

#: Stands in for sudo, which needs a second user.
SUDO = '#!/bin/sh\nwhile [ "${1#-}" != "$1" ]; do [ "$1" != -u ] || shift; shift; done\nexec "$@"\n'


class TestLocal(StagingContract, PosixContract):
    @pytest.fixture(scope="class")
    @classmethod
    def transport(cls) -> Transport:
        return LocalTransport()

    @pytest.fixture(scope="class")
    @classmethod
    def target(cls) -> Target:
        return Target(host="localhost", transport="local")


@pytest.fixture
def session() -> Iterator[LocalSession]:
    session = LocalSession()
    yield session
    session.close()


@pytest.fixture
def sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "sudo").write_text(SUDO)
    (directory / "sudo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    monkeypatch.setattr("drumline_local.transport.own_name", lambda: "someone")


def sh(text: str, **more: Any) -> Run:
    return Run(language=Language.SH, text=text, **more)


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_windows_workstation_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drumline_local.transport.os", SimpleNamespace(name="nt"))
    with pytest.raises(OptionInvalid, match="POSIX workstation"):
        LocalTransport().connect(Target(host="localhost", transport="local"))


def test_a_child_with_a_session_of_its_own_is_ended_too(session: LocalSession) -> None:
    pids = b""

    def emit(stream: str, data: bytes) -> None:
        nonlocal pids
        pids += data
        if b"\n" in pids:
            session.interrupt()

    request = sh("setsid sh -c 'trap \"\" TERM; echo $$; sleep 60; :' & wait")
    assert session.run(request, emit).ending is Ending.INTERRUPTED
    assert not is_alive(int(pids))


def test_what_another_user_runs_is_ended_through_sudo(
    session: LocalSession, sudo: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that this user may not signal is played by an ``os.kill`` that refuses."""
    children: list[int] = []
    kill = os.kill

    def refuse(pid: int, number: int) -> None:
        if pid in children:
            raise PermissionError
        kill(pid, number)

    monkeypatch.setattr(os, "kill", refuse)

    def emit(stream: str, data: bytes) -> None:
        children.append(int(data))
        session.interrupt()

    assert session.run(sh("sh -c 'echo $$; exec sleep 60' & wait"), emit).ending is Ending.INTERRUPTED
    assert not is_alive(children[0])


def test_another_user_gets_script_and_stdin(session: LocalSession, sudo: None) -> None:
    request = sh("cat; echo $A", stdin=b"in\n", environment={"A": "b"}, become=Become(user="joe"))
    assert collect(session, request) == Completed(code=0, stdout=b"in\nb\n")


def test_the_time_out_of_another_users_command(session: LocalSession, sudo: None) -> None:
    before = time.monotonic()
    completed = collect(session, sh("echo on; sleep 60", timeout=0.5, become=Become()))
    assert (completed.ending, completed.stdout) == (Ending.TIMED_OUT, b"on\n")
    assert time.monotonic() - before < 20


def test_an_emit_that_raises_ends_the_command(session: LocalSession) -> None:
    pids: list[int] = []

    def emit(stream: str, data: bytes) -> None:
        pids.append(int(data))
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        session.run(sh("echo $$; exec sleep 60"), emit)
    assert not is_alive(pids[0])


def test_the_script_is_in_no_process_list(session: LocalSession) -> None:
    said = collect(session, sh(": hidden\ntr '\\0' ' ' < /proc/$$/cmdline", environment={"A": "hidden"})).stdout
    assert b"/bin/sh" in said
    assert b"hidden" not in said


def test_nothing_is_left_open(session: LocalSession) -> None:
    collect(session, sh("true"))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        collect(session, sh("cat; sleep 0.01 &", stdin=b"x"))
    collect(session, sh("sleep 9", timeout=0.05))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_command_that_closed_its_streams_is_waited_for(session: LocalSession) -> None:
    assert collect(session, sh("exec >&- 2>&-; sleep 0.2; exit 4")).code == 4


def test_put_keeps_the_mode_of_an_old_file_and_gives_a_new_one_the_umask(session: LocalSession, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch(mode=0o600)
    (tmp_path / "reference").touch()
    session.put(Put(source=b"x", destination=str(old)))
    session.put(Put(source=b"x", destination=str(new)))
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert new.stat().st_mode == (tmp_path / "reference").stat().st_mode


def test_transfers_name_the_file_that_is_to_blame(session: LocalSession, tmp_path: Path) -> None:
    with pytest.raises(TransferFailed, match=r"no-source: No such file"):
        session.put(Put(source=tmp_path / "no-source", destination=str(tmp_path / "x")))
    with pytest.raises(TransferFailed, match=r"no-directory/x: No such file"):
        session.put(Put(source=b"", destination=str(tmp_path / "no-directory" / "x")))
    with pytest.raises(TransferFailed, match="Is a directory"):
        session.get(Get(source=str(tmp_path), destination=tmp_path / "x"))
    assert list(tmp_path.iterdir()) == []


_HIT = """
import signal, sys
from drumline.plugin import Language, Run, Target
from drumline_local.terminal import Terminal
from drumline_local.transport import LocalTransport

signal.signal(signal.SIGINT, lambda *_: None)
session = LocalTransport().connect(Target(host="h", transport="local")).open_session()
print("ready", flush=True)
exits = [session.run(Run(language=Language.SH, text="true"), lambda *_: None).code for _ in range(150)]
print(*sorted(set(exits)))
"""


def test_ctrl_c_at_the_moment_of_a_start_hits_no_command() -> None:
    """The first one lets what runs end; a terminal sends it to the whole group of processes."""
    with subprocess.Popen([sys.executable, "-c", _HIT], stdout=subprocess.PIPE, text=True, process_group=0) as program:
        said = program.stdout
        assert said is not None
        assert said.readline() == "ready\n"
        while program.poll() is None:
            os.killpg(program.pid, signal.SIGINT)
            time.sleep(0.0005)  # a start takes about as long; without a pause the program would do nothing else
        assert said.read() == "0\n"


def test_a_command_that_interrupts_itself_runs_once(session: LocalSession, tmp_path: Path) -> None:
    completed = collect(session, sh(f"echo x >> {tmp_path}/log; kill -INT $$"))
    assert completed.code == 130
    assert (tmp_path / "log").read_text() == "x\n"


@pytest.fixture
def hit_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first shell is killed by the signal of a Ctrl-C before it has read its script."""
    start = process._start
    hits: list[IO[bytes]] = []

    def hit(script: IO[bytes], terminal: Terminal | None) -> subprocess.Popen[bytes]:
        if hits:
            return start(script, terminal)
        hits.append(script)
        pipe = subprocess.PIPE
        command = ["/bin/sh", "-c", "kill -INT $$"]
        killed = subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe)
        killed.wait()
        return killed

    monkeypatch.setattr(process, "_start", hit)


def test_what_was_hit_begins_again_with_all_of_its_input(session: LocalSession, hit_once: None) -> None:
    assert collect(session, sh("cat; exit 3", stdin=b"in" * 100_000)) == Completed(code=3, stdout=b"in" * 100_000)


def test_what_was_hit_and_is_to_end_does_not_begin_again(hit_once: None, tmp_path: Path) -> None:
    command = process.Process(f"touch {tmp_path}/begun")
    command.interrupt()
    assert command.communicate(lambda *_: None).ending is Ending.INTERRUPTED
    command.close()
    assert list(tmp_path.iterdir()) == []


def test_a_staged_command_that_was_hit_waits_all_the_same(session: LocalSession, hit_once: None) -> None:
    staged = session.stage(sh("cat", stdin=b"in"))
    staged.release()
    assert collect_staged(staged) == Completed(code=0, stdout=b"in")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file that takes no room, and as a copy far more than can be written in a moment."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(50_000_000_000)
    return tmp_path / "large"


@pytest.mark.parametrize("way", ["put", "get"])
def test_a_transfer_ends_in_the_middle(large: Path, tmp_path: Path, way: str) -> None:
    session = LocalSession()

    def transfer(timeout: float | None) -> None:
        if way == "put":
            session.put(Put(source=large, destination=str(tmp_path / "other"), timeout=timeout))
        else:
            session.get(Get(source=str(large), destination=tmp_path / "other", timeout=timeout))

    with pytest.raises(TransferStopped, match=r"within 0\.2 s") as raised:
        transfer(0.2)
    assert raised.value.timed_out
    threading.Timer(0.2, session.interrupt).start()
    with pytest.raises(TransferStopped, match="interrupted"):
        transfer(None)
    assert [path.name for path in tmp_path.iterdir()] == ["large"]


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TransferFailed, match="pipe is no file"):
        LocalSession().get(Get(source=str(tmp_path / "pipe"), destination=tmp_path / "other"))
