"""Hosts that never stop talking, say nothing, or say what makes no sense: nothing waits for ever, or takes in all."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.mounts import mounted
from support.narrowing import expect
from support.proxy import Proxy

from drumline.plugin import (
    Connection,
    Ending,
    Get,
    HostError,
    Language,
    Put,
    Run,
    Session,
    TransferFailed,
    TransferStopped,
)
from drumline.testing import collect
from drumline_lab.sshd import Sshd
from drumline_ssh import bounds, files, shell
from drumline_ssh.session import SshSession

Connect = Callable[..., object]
Forced = Callable[[str], str]
SERVER = Path(__file__).with_name("sftp_that_misbehaves.py")
#: More than one connection takes in within a second or two.
MUCH = 600_000_000


def sh(text: str, **settings: Any) -> Run:
    return Run(language=Language.SH, text=text, **settings)


@pytest.fixture
def open_session(start_sshd: Callable[..., Sshd], connect: Callable[..., Connection]) -> Callable[..., Session]:
    """A session on a server with these settings, or with this way of misbehaving in SFTP."""

    def open_(mode: str = "", **settings: str) -> Session:
        sftp = f"{sys.executable} {SERVER} {mode}" if mode else "internal-sftp"
        return connect(start_sshd(sftp=sftp, settings=settings)).open_session()

    return open_


@pytest.fixture
def forced(tmp_path: Path) -> Forced:
    """Makes a script that a server runs in place of what a client asks for; gives its path."""

    def make(text: str) -> str:
        script = tmp_path / "login"
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
        return str(script)

    return make


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file that takes no room."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MUCH)
    return tmp_path / "large"


class TestLogin:
    @pytest.mark.parametrize("stream", ["", " >&2"])
    def test_one_that_never_stops_talking(
        self, open_session: Callable[..., Session], forced: Forced, stream: str
    ) -> None:
        session = open_session(ForceCommand=forced(f"exec yes welcome{stream}"))
        began = time.monotonic()
        with pytest.raises(HostError, match=r"no usable shell.*within 1048576 bytes.*It said: .*welcome"):
            collect(session, sh("echo hi"))
        assert time.monotonic() - began < 20

    def test_one_that_talks_slowly_for_ever(
        self, open_session: Callable[..., Session], forced: Forced, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shell, "_START_PATIENCE", 0.5)
        session = open_session(ForceCommand=forced("while :; do echo tick; sleep 0.1; done"))
        with pytest.raises(HostError, match=r"did not answer in time.*tick"):
            collect(session, sh("echo hi"))

    def test_the_time_of_the_task_counts(self, open_session: Callable[..., Session], forced: Forced) -> None:
        session = open_session(ForceCommand=forced("sleep 60"))
        began = time.monotonic()
        with pytest.raises(HostError, match="did not answer in time"):
            collect(session, sh("echo hi", timeout=0.5))
        assert time.monotonic() - began < 10

    def test_an_interrupt_ends_the_waiting(self, open_session: Callable[..., Session], forced: Forced) -> None:
        session = open_session(ForceCommand=forced("sleep 60"))
        threading.Timer(0.3, session.interrupt).start()
        with pytest.raises(HostError, match=r"no usable shell"):
            collect(session, sh("echo hi"))

    def test_what_repeats_its_input_is_masked_before_it_is_cut(
        self, open_session: Callable[..., Session], forced: Forced
    ) -> None:
        session = open_session(ForceCommand=forced("timeout 1 cat"))
        with pytest.raises(HostError, match="no usable shell") as raised:
            collect(session, sh(f"echo {'the-secret' * 60}"))
        assert "secret" not in raised.value.told(lambda text: text.replace("the-secret" * 60, "****"))

    def test_a_command_that_floods_ends_in_time(self, open_session: Callable[..., Session]) -> None:
        session = open_session()
        seen: list[int] = []
        exit_ = session.run(sh("exec yes", timeout=0.5), lambda _stream, data: seen.append(len(data)))
        assert exit_.ending is Ending.TIMED_OUT
        assert collect(session, sh("echo fine")).stdout == b"fine\n"

    @pytest.mark.parametrize("size", [0, 100, 100_000])
    def test_one_that_reads_a_line(self, open_session: Callable[..., Session], forced: Forced, size: int) -> None:
        session = open_session(ForceCommand=forced('read line; exec sh -c "$SSH_ORIGINAL_COMMAND"'))
        data = b"x" * size
        assert collect(session, sh("trap; cat", stdin=data)).stdout == data

    def test_one_that_reads_lines_has_no_input_run_as_a_command(
        self, open_session: Callable[..., Session], forced: Forced, tmp_path: Path
    ) -> None:
        read = 'read a; read b; exec sh -c "$SSH_ORIGINAL_COMMAND"'
        session = open_session(ForceCommand=forced(read))
        data = f"touch {tmp_path}/run\n".encode() * 1000
        with pytest.raises(HostError, match="no usable shell"):
            collect(session, sh("cat", stdin=data, timeout=1))
        assert not (tmp_path / "run").exists()

    def test_an_exit_status_that_is_none(self, open_session: Callable[..., Session], forced: Forced) -> None:
        # As the shell of a host may do it: its printf puts in a word of its own.
        text = "sed -u 's/%s/x%s/g' | sh"
        session = open_session(ForceCommand=forced(text))
        with pytest.raises(HostError):
            collect(session, sh("echo hi"))


class TestSftp:
    @pytest.mark.parametrize(("mode", "way"), [("stuck", "get"), ("dribble", "get"), ("stuck", "put")])
    def test_the_time_of_the_task(
        self, open_session: Callable[..., Session], tmp_path: Path, large: Path, mode: str, way: str
    ) -> None:
        session, began = open_session(mode), time.monotonic()
        with pytest.raises(TransferStopped, match="within 2 s") as raised:
            _transfer(session, way, tmp_path, large, timeout=2)
        assert raised.value.timed_out
        assert time.monotonic() - began < 12
        assert collect(session, sh("echo fine")).stdout == b"fine\n"

    @pytest.mark.parametrize("mode", ["stuck", "dribble"])
    def test_silence(
        self,
        open_session: Callable[..., Session],
        tmp_path: Path,
        large: Path,
        mode: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(files, "_SILENCE", 1.0)
        session = open_session(mode)
        expect(SshSession, session)._files._timeout = 0.1
        with pytest.raises(TransferFailed, match="moved less than 4096 bytes within 1 s"):
            _transfer(session, "get", tmp_path, large)
        assert sorted(path.name for path in tmp_path.iterdir() if "drumline" in path.name) == []

    @pytest.mark.parametrize("way", ["get", "put"])
    def test_silence_from_the_start_means_no_sftp(
        self, open_session: Callable[..., Session], tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(files, "_OPENING", 0.5)
        (tmp_path / "small").write_bytes(b"content")
        session = open_session("mute")
        _transfer(session, way, tmp_path, tmp_path / "small")
        assert (tmp_path / "other").read_bytes() == b"content"

    @pytest.mark.parametrize(
        ("mode", "way", "told"),
        [
            ("huge", "get", "has 4611686018427387904 bytes; this machine has"),
            ("unsized", "get", "gives more than 67108864 bytes"),
            ("long", "get", "with another length"),
            ("chatty", "get", "more often than it was asked"),
            ("chatty", "put", "more often than it was asked"),
            ("words", "put", "can't be written"),
        ],
    )
    def test_what_makes_no_sense(
        self, open_session: Callable[..., Session], tmp_path: Path, large: Path, mode: str, way: str, told: str
    ) -> None:
        session = open_session(mode)
        with pytest.raises(TransferFailed, match=told):
            _transfer(session, way, tmp_path, large)
        assert collect(session, sh("echo fine")).stdout == b"fine\n"

    def test_text_before_it_begins(self, open_session: Callable[..., Session], forced: Forced, tmp_path: Path) -> None:
        session = open_session("plain", ForceCommand=forced('echo hello\nexec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'))
        session.put(Put(source=b"content", destination=str(tmp_path / "there")))
        session.get(Get(source=str(tmp_path / "there"), destination=tmp_path / "here"))
        assert (tmp_path / "here").read_bytes() == b"content"


def _transfer(session: Session, way: str, tmp_path: Path, large: Path, timeout: float | None = None) -> None:
    if way == "put":
        session.put(Put(source=large, destination=str(tmp_path / "other"), timeout=timeout))
    else:
        session.get(Get(source=str(large), destination=tmp_path / "other", timeout=timeout))


@pytest.fixture(params=["internal-sftp", None], ids=["sftp", "shell"])
def session(
    request: pytest.FixtureRequest, start_sshd: Callable[..., Sshd], connect: Callable[..., Connection]
) -> Session:
    """A session on a server with SFTP, and on one without."""
    return connect(start_sshd(sftp=request.param)).open_session()


@pytest.mark.parametrize("way", ["get", "put"])
class TestInTheMiddle:
    """Of 600 MB; nothing is left, on either side."""

    def test_interrupt(self, session: Session, tmp_path: Path, large: Path, way: str) -> None:
        threading.Timer(0.7, session.interrupt).start()
        began = time.monotonic()
        with pytest.raises(TransferStopped, match="interrupted"):
            _transfer(session, way, tmp_path, large)
        assert time.monotonic() - began < 10
        self.assert_nothing_is_left(session, tmp_path)

    def test_time(self, session: Session, tmp_path: Path, large: Path, way: str) -> None:
        with pytest.raises(TransferStopped, match=r"within 0\.7 s"):
            _transfer(session, way, tmp_path, large, timeout=0.7)
        self.assert_nothing_is_left(session, tmp_path)

    def assert_nothing_is_left(self, session: Session, tmp_path: Path) -> None:
        assert [path.name for path in tmp_path.iterdir() if "drumline" in path.name or path.name == "other"] == []
        assert collect(session, sh("echo fine")).stdout == b"fine\n"


def test_a_connection_that_takes_nothing_more(
    sshd: Sshd,
    connect: Callable[..., Connection],
    proxy: Proxy,
    tmp_path: Path,
    large: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "_GRACE", 0.5)
    options = {"host_key_checking": "off", "known_hosts_file": "/dev/null", "keepalive": 0}
    session = connect(sshd, port=proxy.port, **options).open_session()
    assert collect(session, sh("echo warm")).stdout == b"warm\n"
    threading.Timer(0.3, proxy.stalls.set).start()
    began = time.monotonic()
    with pytest.raises(HostError):
        session.put(Put(source=large, destination=str(tmp_path / "other"), timeout=2))
    assert time.monotonic() - began < 15


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with a megabyte."""
    with mounted(tmp_path / "disk", "size=1m") as directory:
        yield directory


def test_the_hosts_own_reason(session: Session, small_disk: Path, tmp_path: Path) -> None:
    (small_disk / "old").write_text("old")
    with pytest.raises(TransferFailed, match="No space left on device"):
        session.put(Put(source=b"x" * 3_000_000, destination=str(small_disk / "old"), mode=0o600))
    assert [path.name for path in small_disk.iterdir()] == ["old"]
    assert (small_disk / "old").read_text() == "old"
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(TransferFailed, match="Read-only file system"):
        session.put(Put(source=b"x", destination=str(small_disk / "new")))
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    (tmp_path / "large").write_bytes(b"x" * 3_000_000)
    with pytest.raises(TransferFailed, match=r"can't be kept here.*has 3000000 bytes; this machine has"):
        session.get(Get(source=str(tmp_path / "large"), destination=small_disk / "got"))
    assert [path.name for path in small_disk.iterdir()] == ["old"]
