"""Sessions beyond the contract: quotas, peers that vanish, what ending a command must leave alone, other users."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.program import wait_until
from support.proxy import Proxy

from drumline.plugin import (
    Become,
    Completed,
    Connection,
    ConnectionLost,
    Ending,
    Get,
    HostError,
    Language,
    Put,
    QuotaExceeded,
    Run,
    Session,
    TransferFailed,
)
from drumline.testing.collect import collect
from drumline_lab.embedded_sshd import EmbeddedSshd
from drumline_lab.sshd import Sshd

Connect = Callable[..., Connection]
needs_sudo = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("sudo") is None, reason="needs root and sudo to become other users"
)


def sh(text: str, **fields: Any) -> Run:
    return Run(language=Language.SH, text=text, **fields)


def out(session: Session, text: str) -> str:
    completed = collect(session, sh(text))
    assert completed.code == 0, completed
    return completed.stdout.decode()


@pytest.fixture
def session(sshd: Sshd, connect: Connect) -> Session:
    return connect(sshd).open_session()


class TestWarmShell:
    def test_one_shell_serves_all_commands(self, session: Session) -> None:
        assert len({out(session, "cut -d ' ' -f 4 /proc/self/stat") for _ in range(3)}) == 3  # a subshell each
        assert len({out(session, "cut -d ' ' -f 5 /proc/self/stat") for _ in range(3)}) == 1  # of one group

    def test_a_script_that_asks_for_its_own_process_has_one(self, session: Session) -> None:
        assert out(session, "kill -0 $$ && printf $$") != out(session, "printf ${$}")
        assert collect(session, sh("kill -9 $$")).code == 137

    def test_kill_of_the_whole_group_spares_the_session(self, session: Session) -> None:
        assert collect(session, sh("kill 0; sleep 60")).code == 128 + signal.SIGTERM
        assert out(session, "echo fine") == "fine\n"

    def test_the_end_of_the_shell_itself_is_told(self, session: Session) -> None:
        with pytest.raises(ConnectionLost, match="ended the shell"):
            collect(session, sh("kill -9 0"))

    def test_nothing_is_said_about_commands_that_were_killed(self, session: Session) -> None:
        assert collect(session, sh("sh -c 'kill -SEGV $PPID'; sleep 60")).stderr == b""

    def test_output_of_a_child_left_behind_belongs_to_no_later_command(self, session: Session, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        out(session, f"(until [ -e {gate} ]; do sleep 0.01; done; echo late; : > {gate}.said) &")
        gate.touch()
        out(session, f"until [ -e {gate}.said ]; do sleep 0.01; done")
        assert out(session, "echo mine") == "mine\n"

    def test_nothing_of_it_is_in_the_process_list(self, session: Session) -> None:
        look = "friend='mel''lon'; cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
        assert "mellon" not in out(session, look)
        for text, executable in ((f"{look} # $$ mellon", None), (f"{look} # mellon", "/bin/bash")):
            said = collect(session, sh(text, executable=executable)).stdout
            assert b"sshd" in said
            assert b"mellon" not in said


class TestSideBySide:
    def test_eight_sessions_of_one_host(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        connection = connect(sshd)

        def work(number: int) -> None:
            session = connection.open_session()
            mine = b"%d" % number * 20_000
            for turn in range(10):
                assert collect(session, sh("cat; echo $PPID >&2", stdin=mine)).stdout == mine
                assert out(session, f"echo {number} {turn}") == f"{number} {turn}\n"
            session.put(Put(source=mine, destination=str(tmp_path / f"{number}")))
            assert (tmp_path / f"{number}").read_bytes() == mine

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))


class TestQuota:
    def test_one_session_too_many(self, start_sshd: Callable[..., Sshd], connect: Connect) -> None:
        connection = connect(start_sshd(settings={"MaxSessions": "1"}))
        assert out(connection.open_session(), "echo one") == "one\n"
        with pytest.raises(QuotaExceeded, match="MaxSessions"):
            out(connection.open_session(), "echo two")

    def test_all_works_with_one_session(
        self, start_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path
    ) -> None:
        session = connect(start_sshd(settings={"MaxSessions": "1"})).open_session()
        assert out(session, "echo warm") == "warm\n"
        much = b"x" * 1_000_000
        assert collect(session, sh("cat", stdin=much)).stdout == much
        assert out(session, "echo warm") == "warm\n"
        assert collect(session, sh("sleep 60", timeout=0.2)) == Completed(code=None, ending=Ending.TIMED_OUT)
        session.put(Put(source=b"content", destination=str(tmp_path / "there")))
        session.get(Get(source=str(tmp_path / "there"), destination=tmp_path / "here"))
        assert (tmp_path / "here").read_bytes() == b"content"


class TestRekeying:
    """New keys are agreed on while much goes to and fro, when the host wants them and not when paramiko does."""

    def _exercise(self, session: Session, tmp_path: Path) -> None:
        much = bytes(range(256)) * 8_000
        assert collect(session, sh("cat", stdin=much)).stdout == much
        session.put(Put(source=much, destination=str(tmp_path / "there")))
        session.get(Get(source=str(tmp_path / "there"), destination=tmp_path / "here"))
        assert (tmp_path / "here").read_bytes() == much
        assert out(session, "echo fine") == "fine\n"

    def test_the_host_wants_it(self, start_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path) -> None:
        server = start_sshd(settings={"RekeyLimit": "500K", "LogLevel": "DEBUG1"})
        self._exercise(connect(server, keepalive=0.05).open_session(), tmp_path)
        assert server.log.read_text().count("rekeying") > 5

    def test_paramiko_does_not_want_it_by_itself(
        self, start_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("paramiko.packet.Packetizer.REKEY_BYTES", 500_000)
        server = start_sshd(settings={"LogLevel": "DEBUG1"})
        self._exercise(connect(server).open_session(), tmp_path)
        assert "rekeying" not in server.log.read_text()


class TestEnding:
    def test_what_earlier_commands_left_running_goes_on(self, session: Session) -> None:
        service = int(out(session, "sleep 1000 >/dev/null 2>&1 & echo $!"))
        try:
            completed = collect(session, sh("sleep 1001 & sleep 1002", timeout=0.3))
            assert completed.ending is Ending.TIMED_OUT
            assert b"sleep" in Path(f"/proc/{service}/cmdline").read_bytes()
        finally:
            os.kill(service, signal.SIGKILL)

    def test_children_with_sessions_of_their_own_end_too(self, session: Session, tmp_path: Path) -> None:
        pids = tmp_path / "pids"
        text = f"setsid sh -c 'echo $$ >> {pids}; sleep 1000; :' & (sleep 1001 & echo $! >> {pids}); sleep 1002"
        assert collect(session, sh(text, timeout=0.5)).ending is Ending.TIMED_OUT
        written = pids.read_text().split()
        assert len(written) == 2
        assert [pid for pid in written if is_running(int(pid))] == []

    def test_a_command_may_put_down_what_it_holds(self, session: Session) -> None:
        completed = collect(session, sh("trap 'echo tidy; exit' TERM; while :; do :; done", timeout=0.3))
        assert completed == Completed(code=None, stdout=b"tidy\n", ending=Ending.TIMED_OUT)

    def test_with_much_input_on_its_way(self, session: Session) -> None:
        completed = collect(session, sh("sleep 60", stdin=b"x" * 20_000_000, timeout=0.3))
        assert completed.ending is Ending.TIMED_OUT
        assert out(session, "echo fine") == "fine\n"

    def test_the_session_stays_warm(self, session: Session) -> None:
        group = out(session, "cut -d ' ' -f 5 /proc/self/stat")
        assert collect(session, sh("sleep 60", timeout=0.2)).ending is Ending.TIMED_OUT
        assert out(session, "cut -d ' ' -f 5 /proc/self/stat") == group

    def test_interrupts_and_ends_race(self, session: Session) -> None:
        for _ in range(50):
            thread = threading.Thread(target=session.interrupt)
            thread.start()
            completed = collect(session, sh("echo on time"))
            thread.join()
            assert completed.ending is Ending.INTERRUPTED or completed == Completed(code=0, stdout=b"on time\n")
        assert out(session, "echo fine") == "fine\n"


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@needs_sudo
class TestBecome:
    def test_another_user(self, session: Session) -> None:
        completed = collect(session, sh("id -un; cat", stdin=b"input", become=Become(user="nobody")))
        assert completed == Completed(code=0, stdout=b"nobody\ninput")

    def test_time_out(self, session: Session, tmp_path: Path) -> None:
        pid = tmp_path / "pid"
        pid.touch()
        pid.chmod(0o666)
        tmp_path.chmod(0o755)
        text = "(sleep 1000 & echo $!); sleep 1001"
        completed = collect(session, sh(text, become=Become(user="nobody"), timeout=0.5))
        assert completed.ending is Ending.TIMED_OUT
        assert not is_running(int(completed.stdout))


@pytest.fixture
def administrator(start_sshd: Callable[..., Sshd]) -> Iterator[Callable[[str], dict[str, object]]]:
    """Makes a temporary user with the given rights of sudo; returns how to log in as that user, with ``server``."""
    name = f"drumline{os.getpid()}"
    rights = Path("/etc/sudoers.d") / name
    # Below pytest's own directory no other user could read the key that is let in.
    with tempfile.TemporaryDirectory(prefix="drumline-test-") as directory:
        Path(directory).chmod(0o755)
        subprocess.run(["useradd", "-s", "/bin/sh", "-m", "-d", f"{directory}/home", "-p", "*", name], check=True)
        try:

            def prepare(sudoers: str) -> dict[str, object]:
                rights.write_text(f"{name} ALL=(ALL) NOPASSWD: {sudoers}\n")
                rights.chmod(0o440)
                server = start_sshd(settings={"AuthorizedKeysFile": f"{directory}/keys"})
                shutil.copy(f"{server.client_key}.pub", f"{directory}/keys")
                return {"server": server, "user": name}

            yield prepare
        finally:
            rights.unlink(missing_ok=True)
            # They are still there for a moment after the signal, and then userdel refuses.
            wait_until(lambda: subprocess.run(["pkill", "-KILL", "-u", name], check=False).returncode == 1)
            subprocess.run(["userdel", name], check=True)


@needs_sudo
@pytest.mark.skipif(shutil.which("useradd") is None, reason="needs useradd to make a temporary user")
class TestBecomeOfAnOrdinaryUser:
    """Who logs in may not end the processes of the user whom the command became: that user does it."""

    _TREE = "(sleep 1000 & echo $!); sleep 1001 & echo $!; wait"

    def test_becoming_root(self, administrator: Callable[[str], dict[str, object]], connect: Connect) -> None:
        session = connect(**administrator("ALL")).open_session()
        assert out(session, "id -u") != "0\n"
        assert collect(session, sh("id -u", become=Become(user="root"))).stdout == b"0\n"

    @pytest.mark.parametrize("user", ["root", "nobody"])
    def test_time_out_leaves_nothing(
        self, administrator: Callable[[str], dict[str, object]], connect: Connect, user: str
    ) -> None:
        session = connect(**administrator("ALL")).open_session()
        completed = collect(session, sh(self._TREE, become=Become(user=user), timeout=0.7))
        assert completed.ending is Ending.TIMED_OUT
        pids = [int(pid) for pid in completed.stdout.split()]
        assert len(pids) == 2
        assert not any(is_running(pid) for pid in pids)
        assert out(session, "echo fine") == "fine\n"

    def test_what_can_not_be_ended_is_told(
        self, administrator: Callable[[str], dict[str, object]], connect: Connect
    ) -> None:
        """The command of the other user has itself started something as a third one."""
        session = connect(**administrator("ALL\nnobody ALL=(root) NOPASSWD: /bin/sh")).open_session()
        said: list[bytes] = []
        try:
            text = "sudo -n /bin/sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' & wait"
            request = sh(text, become=Become(user="nobody"), timeout=0.7)
            with pytest.raises(HostError, match=r"can't be ended.*whom this one may not end"):
                session.run(request, lambda _, data: said.append(data))
            assert out(session, "echo fine") == "fine\n"
        finally:
            for pid in b"".join(said).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


class TestLoss:
    def test_a_cut_in_the_middle(self, sshd: Sshd, connect: Connect, proxy: Proxy) -> None:
        session = connect(sshd, port=proxy.port, host_key_checking="off", known_hosts_file=os.devnull).open_session()
        with pytest.raises(ConnectionLost):
            session.run(sh("echo ready; sleep 60"), lambda *_: proxy.cut())

    def test_a_peer_that_falls_silent_is_noticed(self, sshd: Sshd, connect: Connect, proxy: Proxy) -> None:
        options = {"host_key_checking": "off", "known_hosts_file": os.devnull, "keepalive": 0.2}
        session = connect(sshd, port=proxy.port, **options).open_session()
        began = time.monotonic()
        with pytest.raises(ConnectionLost, match="no sign of life"):
            session.run(sh("echo ready; sleep 60"), lambda *_: proxy.swallows.set())
        assert time.monotonic() - began < 10

    def test_a_peer_that_answers_may_be_silent_for_long(self, sshd: Sshd, connect: Connect) -> None:
        session = connect(sshd, keepalive=0.1).open_session()
        assert out(session, "sleep 1.5; echo still there") == "still there\n"

    def test_without_keepalive(self, sshd: Sshd, connect: Connect) -> None:
        assert out(connect(sshd, keepalive=0).open_session(), "echo fine") == "fine\n"


class TestFiles:
    @pytest.fixture(params=["sftp", "shell", "embedded"])
    def session(
        self, request: pytest.FixtureRequest, start_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path
    ) -> Iterator[Session]:
        if request.param == "embedded":
            with EmbeddedSshd(tmp_path / "embedded") as server:
                connection = connect(server)
                yield connection.open_session()
                connection.close()
        else:
            sftp = "internal-sftp" if request.param == "sftp" else None
            yield connect(start_sshd(sftp=sftp)).open_session()

    def test_a_file_nobody_else_may_read_while_it_arrives(self, session: Session, tmp_path: Path) -> None:
        session.put(Put(source=b"private", destination=str(tmp_path / "file"), mode=0o4600))
        assert (tmp_path / "file").stat().st_mode & 0o7777 == 0o4600

    def test_a_link_is_replaced_and_not_followed(self, session: Session, tmp_path: Path) -> None:
        (tmp_path / "old").write_bytes(b"old")
        (tmp_path / "link").symlink_to("old")
        session.put(Put(source=b"new", destination=str(tmp_path / "link")))
        assert ((tmp_path / "old").read_bytes(), (tmp_path / "link").read_bytes()) == (b"old", b"new")

    def test_a_directory_is_not_written_into(self, session: Session, tmp_path: Path) -> None:
        (tmp_path / "directory").mkdir()
        with pytest.raises(TransferFailed, match="directory"):
            session.put(Put(source=b"x", destination=str(tmp_path / "directory")))
        assert list((tmp_path / "directory").iterdir()) == []

    def test_nothing_is_left_after_a_failure(self, session: Session, tmp_path: Path) -> None:
        before = sorted(tmp_path.iterdir())
        with pytest.raises(TransferFailed, match="missing"):
            session.get(Get(source=str(tmp_path / "missing"), destination=tmp_path / "here"))
        with pytest.raises(TransferFailed, match=r"No such file|nonexistent"):
            session.put(Put(source=b"x", destination=str(tmp_path / "missing" / "file")))
        with pytest.raises(TransferFailed, match="no-such-source"):
            session.put(Put(source=tmp_path / "no-such-source", destination=str(tmp_path / "file")))
        assert sorted(tmp_path.iterdir()) == before

    def test_a_file_without_a_size(self, session: Session, tmp_path: Path) -> None:
        session.get(Get(source="/proc/self/mounts", destination=tmp_path / "here"))
        assert b"/proc" in (tmp_path / "here").read_bytes()

    def test_a_directory_here_that_is_missing(self, session: Session, tmp_path: Path) -> None:
        with pytest.raises(TransferFailed, match="can't be kept here"):
            session.get(Get(source="/etc/passwd", destination=tmp_path / "missing" / "here"))
