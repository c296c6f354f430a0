"""What can go wrong, or be different, before a session is there: on real servers."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.sessions import says

from drumline.plugin import (
    AuthenticationFailed,
    Connection,
    ConnectionLost,
    ConnectionRefused,
    ConnectTimedOut,
    HostError,
    HostKeyChanged,
    HostKeyUnknown,
    Language,
    NameNotResolved,
    OptionInvalid,
    Platform,
    QuotaExceeded,
    Run,
    Secret,
    Target,
)
from drumline_lab.embedded_sshd import EmbeddedSshd
from drumline_lab.sshd import Sshd, make_key
from drumline_ssh.transport import SshTransport

Connect = Callable[..., Connection]


class Answering:
    """Answers every connection with the same words, and hangs up."""

    def __init__(self, said: bytes) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._answer, args=(said,))
        self._thread.start()
        self.port: int = self._listener.getsockname()[1]
        self.answered = 0

    def _answer(self, said: bytes) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                self.answered += 1
                client.sendall(said)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], Answering]]:
    """Starts servers that say the given words to everybody."""
    started: list[Answering] = []

    def start(said: bytes) -> Answering:
        started.append(Answering(said))
        return started[-1]

    yield start
    for server in started:
        server.close()


class TestWay:
    def test_a_name_that_does_not_resolve(self, sshd: Sshd, connect: Connect) -> None:
        with pytest.raises(NameNotResolved, match=r"no-such-host\.invalid"):
            connect(sshd, host="no-such-host.invalid")

    def test_a_name_that_no_resolver_takes(self, sshd: Sshd, connect: Connect) -> None:
        with pytest.raises(NameNotResolved):
            connect(sshd, host="a..b")

    def test_nothing_listens(self, sshd: Sshd, connect: Connect) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            with pytest.raises(ConnectionRefused, match="Is sshd running"):
                connect(sshd, port=unused.getsockname()[1])

    def test_no_file_is_left_for_a_connection(self, sshd: Sshd, connect: Connect) -> None:
        connect(sshd)  # so that all is loaded
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        with socket.socket() as last:
            resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno(), limits[1]))
            try:
                with pytest.raises(HostError, match="ulimit"):
                    connect(sshd)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    def test_a_server_that_says_nothing(self, sshd: Sshd, connect: Connect) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ConnectTimedOut, match="greeting"):
            connect(sshd, port=silent.getsockname()[1], timeout=0.3)

    def test_no_answer_to_the_attempt_to_connect(self, sshd: Sshd, connect: Connect) -> None:
        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
            for _ in range(3):  # more than its queue takes: Linux answers no more of them
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(listener.getsockname())
            with pytest.raises(ConnectTimedOut, match=r"didn't answer within 0\.3 s.*ansible_timeout"):
                connect(sshd, port=listener.getsockname()[1], timeout=0.3)

    def test_a_server_that_hangs_up_is_asked_again_in_time(
        self, sshd: Sshd, connect: Connect, answering: Callable[[bytes], Answering]
    ) -> None:
        listener = answering(b"")
        with pytest.raises(QuotaExceeded, match="MaxStartups"):
            connect(sshd, port=listener.port, timeout=1)
        assert 1 < listener.answered < 20

    @pytest.mark.parametrize(
        ("said", "error", "told"),
        [
            (b"Exceeded MaxStartups\r\n", QuotaExceeded, "Try with fewer forks"),
            (b"HTTP/1.1 400 Bad\x1b[31m Request\r\n\r\n", ConnectionLost, r"'HTTP/1.1 400 Bad\[31m Request'.*port"),
            (b"SSH-2.0-Half\r\n", ConnectionLost, "during the SSH greeting"),
            (b"SSH-1.5-Old\r\n", ConnectionLost, "SSH-1.5-Old.*nothing in common"),
        ],
        ids=["busy", "http", "half", "old"],
    )
    def test_a_server_that_says_the_wrong_thing(
        self,
        sshd: Sshd,
        connect: Connect,
        answering: Callable[[bytes], Answering],
        said: bytes,
        error: type[HostError],
        told: str,
    ) -> None:
        with pytest.raises(error, match=told):
            connect(sshd, port=answering(said).port, timeout=0.3)

    def test_too_many_logins_for_as_long_as_it_waits(self, start_sshd: Callable[..., Sshd], connect: Connect) -> None:
        server = start_sshd(settings={"MaxStartups": "1"})
        with socket.create_connection((server.address, server.port)) as other:
            assert other.recv(4) == b"SSH-"
            with pytest.raises(QuotaExceeded, match="MaxStartups"):
                connect(server, timeout=0.5)

    def test_more_logins_at_once_than_the_server_takes(self, start_sshd: Callable[..., Sshd], connect: Connect) -> None:
        server = start_sshd(settings={"MaxStartups": "2:50:4"})
        with ThreadPoolExecutor(20) as pool:
            connections = list(pool.map(lambda _: connect(server, timeout=60), range(20)))
        assert [says(connection, "echo in") for connection in connections] == ["in\n"] * 20
        assert "drop connection" in server.log.read_text() or "Exceeded MaxStartups" in server.log.read_text()

    def test_fifty_hosts_at_once(self, start_sshd: Callable[..., Sshd], connect: Connect) -> None:
        addresses = [f"127.0.3.{number}" for number in range(1, 51)]
        server = start_sshd(addresses=addresses)
        with ThreadPoolExecutor(len(addresses)) as pool:
            said = pool.map(lambda address: says(connect(server, host=address), "echo $SSH_CONNECTION"), addresses)
            assert [line.split()[2] for line in said] == addresses


class TestHostKeys:
    def test_an_unknown_key_is_refused_with_the_line_that_lets_it_in(
        self, sshd: Sshd, connect: Connect, tmp_path: Path
    ) -> None:
        known = tmp_path / "known"
        with pytest.raises(HostKeyUnknown) as caught:
            connect(sshd, known_hosts_file=str(known))
        assert not known.exists()
        shown = subprocess.run(
            ["ssh-keygen", "-lf", str(sshd.directory / "host_ed25519.pub")], capture_output=True, text=True, check=True
        )
        assert shown.stdout.split()[1] in str(caught.value)
        command = next(line for line in caught.value.detail.splitlines() if line.startswith("echo"))
        subprocess.run(["sh", "-c", command], check=True)
        connect(sshd, known_hosts_file=str(known))

    @pytest.mark.parametrize("checking", ["strict", "accept-new", "off", False])
    def test_a_changed_key_is_refused_always(
        self, sshd: Sshd, start_sshd: Callable[..., Sshd], connect: Connect, checking: object
    ) -> None:
        other = start_sshd()
        other.known_hosts.write_text(sshd.known_hosts.read_text().replace(str(sshd.port), str(other.port)))
        with pytest.raises(HostKeyChanged, match="ssh-keygen -R"):
            connect(other, host_key_checking=checking)

    def test_accept_new_notes_the_key_and_minds_it(
        self, sshd: Sshd, start_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path
    ) -> None:
        known = tmp_path / "new" / "known"
        connect(sshd, known_hosts_file=str(known), host_key_checking="accept-new")
        connect(sshd, known_hosts_file=str(known))
        assert known.stat().st_mode & 0o777 == 0o600
        other = start_sshd()
        known.write_text(known.read_text().replace(f":{sshd.port}", f":{other.port}"))
        with pytest.raises(HostKeyChanged):
            connect(other, known_hosts_file=str(known), host_key_checking="accept-new")

    def test_accept_new_of_many_at_once_notes_each_once(
        self, start_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path
    ) -> None:
        known = tmp_path / "known"
        known.write_text("# no newline at the end")
        addresses = [f"127.0.4.{number}" for number in range(1, 11)]
        server = start_sshd(addresses=addresses)
        options = {"known_hosts_file": str(known), "host_key_checking": "accept-new"}
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda address: connect(server, host=address, **options), addresses * 2))
        lines = known.read_text().splitlines()
        assert lines[0] == "# no newline at the end"
        assert sorted(line.split("]")[0][1:] for line in lines[1:]) == sorted(addresses)

    def test_off_asks_nothing_and_notes_nothing(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        connect(sshd, known_hosts_file=str(tmp_path / "known"), host_key_checking=False)
        assert not (tmp_path / "known").exists()

    @pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
    def test_the_host_is_asked_for_the_key_that_is_known(
        self, sshd: Sshd, connect: Connect, tmp_path: Path, kind: str
    ) -> None:
        known = tmp_path / "known"
        known.write_text("\n".join(line for line in sshd.known_hosts_lines() if kind in line) + "\n")
        connect(sshd, known_hosts_file=str(known))

    def test_hashed_names(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        known = tmp_path / "known"
        known.write_text(sshd.known_hosts.read_text())
        subprocess.run(["ssh-keygen", "-H", "-f", str(known)], check=True, capture_output=True)
        assert sshd.address not in known.read_text()
        connect(sshd, known_hosts_file=str(known))

    def test_hashed_names_are_written_where_asked_for(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        known = tmp_path / "known"
        options = {"known_hosts_file": str(known), "ssh_args": "-o HashKnownHosts=yes"}
        connect(sshd, host_key_checking="accept-new", **options)
        found = subprocess.run(
            ["ssh-keygen", "-F", f"[{sshd.address}]:{sshd.port}", "-f", str(known)], capture_output=True, text=True
        )
        assert found.returncode == 0
        assert sshd.address not in known.read_text()
        connect(sshd, **options)

    def test_a_revoked_key(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        known = tmp_path / "known"
        known.write_text("".join(f"{line}\n@revoked * {line.split(' ', 1)[1]}\n" for line in sshd.known_hosts_lines()))
        with pytest.raises(HostKeyChanged, match="revoked"):
            connect(sshd, known_hosts_file=str(known))

    @pytest.mark.parametrize(("name", "refused"), [("other", False), ("{address}", True), ("[{address}]:{port}", True)])
    def test_a_key_that_is_revoked_for_some(
        self, sshd: Sshd, connect: Connect, tmp_path: Path, name: str, refused: bool
    ) -> None:
        (tmp_path / "known").write_text(
            "".join(
                f"{line}\n@revoked {name.format(address=sshd.address, port=sshd.port)} {line.split(' ', 1)[1]}\n"
                for line in sshd.known_hosts_lines()
            )
        )
        with pytest.raises(HostKeyChanged, match="revoked") if refused else contextlib.nullcontext():
            connect(sshd, known_hosts_file=str(tmp_path / "known"))

    @pytest.mark.parametrize("what", ["known_hosts_file", "ssh_config_file", "private_key_file", "IdentityFile"])
    def test_pipes_in_place_of_files(self, sshd: Sshd, connect: Connect, tmp_path: Path, what: str) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe, 0o600)
        options = {what: str(pipe)}
        if what == "IdentityFile":
            options = {"ssh_args": f"-o IdentityFile={pipe}", "private_key_file": ""}
        with pytest.raises(HostError, match=r"pipe|unknown|isn't there"):
            connect(sshd, **options)


class TestLogin:
    @pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
    @pytest.mark.parametrize("passphrase", ["", "open sesame"], ids=["plain", "encrypted"])
    def test_keys(
        self, start_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path, kind: str, passphrase: str
    ) -> None:
        make_key(tmp_path / "key", kind, passphrase)
        server = start_sshd(client_key=tmp_path / "key")
        connect(server, private_key_passphrase=Secret(passphrase) if passphrase else None)

    def test_a_pem_key(self, start_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path) -> None:
        key = tmp_path / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", str(key)], check=True)
        connect(start_sshd(client_key=key))

    def test_an_encrypted_key_without_its_passphrase(
        self, start_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path
    ) -> None:
        make_key(tmp_path / "key", "ed25519", "open sesame")
        server = start_sshd(client_key=tmp_path / "key")
        with pytest.raises(AuthenticationFailed, match="ansible_private_key_passphrase"):
            connect(server)
        with pytest.raises(AuthenticationFailed, match="Is the passphrase right") as caught:
            connect(server, private_key_passphrase=Secret("wrong-words"))
        assert "wrong-words" not in str(caught.value)

    def test_a_strange_key_is_refused_and_named(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        make_key(tmp_path / "stranger", "ed25519")
        with pytest.raises(AuthenticationFailed, match=f"key {tmp_path}/stranger. .*authorized_keys there"):
            connect(sshd, private_key_file=str(tmp_path / "stranger"))

    def test_a_key_file_that_is_not_there(self, sshd: Sshd, connect: Connect) -> None:
        with pytest.raises(OptionInvalid, match="/no/such/key"):
            connect(sshd, private_key_file="/no/such/key")

    def test_a_key_file_that_is_none(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("not a key\n")
        (tmp_path / "key").chmod(0o600)
        with pytest.raises(AuthenticationFailed, match="it is no key"):
            connect(sshd, private_key_file=str(tmp_path / "key"))

    def test_nothing_to_log_in_with(self, sshd: Sshd, connect: Connect) -> None:
        with pytest.raises(AuthenticationFailed, match="there is no key, no agent and no password"):
            connect(sshd, private_key_file=None)

    def test_the_usual_files_of_the_user(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        (tmp_path / ".ssh").mkdir()
        shutil.copy(sshd.client_key, tmp_path / ".ssh" / "id_ed25519")
        connect(sshd, private_key_file=None)

    def test_a_password_the_host_does_not_take(self, sshd: Sshd, connect: Connect) -> None:
        with pytest.raises(AuthenticationFailed, match=r"password \(not taken by the host\)") as caught:
            connect(sshd, private_key_file=None, password=Secret("hush-hush"))
        assert "hush-hush" not in str(caught.value)

    def test_too_many_failures(self, start_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path) -> None:
        server = start_sshd(settings={"MaxAuthTries": "1"})
        make_key(tmp_path / "one", "ed25519")
        with pytest.raises(AuthenticationFailed):
            connect(server, private_key_file=str(tmp_path / "one"), ssh_args=f"-i {server.client_key}")


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedSshd]:
    with EmbeddedSshd(tmp_path / "embedded", password=Secret("open sesame")) as server:
        yield server


class TestPassword:
    """On the embedded server: OpenSSH's would want a password of this machine's own users."""

    def test_right(self, embedded: EmbeddedSshd, connect: Connect) -> None:
        connection = connect(embedded, private_key_file=None, password=Secret("open sesame"))
        assert says(connection, "echo in") == "in\n"

    def test_after_a_key_that_is_refused(self, embedded: EmbeddedSshd, connect: Connect, tmp_path: Path) -> None:
        make_key(tmp_path / "stranger", "ed25519")
        connect(embedded, private_key_file=str(tmp_path / "stranger"), password=Secret("open sesame"))

    def test_wrong(self, embedded: EmbeddedSshd, connect: Connect) -> None:
        with pytest.raises(AuthenticationFailed, match="Tried: password") as caught:
            connect(embedded, private_key_file=None, password=Secret("open barley"))
        assert "barley" not in str(caught.value)


class TestAgent:
    @pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
    def test_its_keys(
        self, start_sshd: Callable[..., Sshd], connect: Connect, agent: Callable[[Path], Any], tmp_path: Path, kind: str
    ) -> None:
        make_key(tmp_path / "key", kind)
        agent(tmp_path / "key")
        connect(start_sshd(client_key=tmp_path / "key"), private_key_file=None)

    def test_an_agent_at_another_place(
        self,
        sshd: Sshd,
        connect: Connect,
        agent: Callable[[Path], Any],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        agent(sshd.client_key)
        monkeypatch.delenv("SSH_AUTH_SOCK")
        with pytest.raises(AuthenticationFailed):
            connect(sshd, private_key_file=None)
        connect(sshd, private_key_file=None, ssh_args=f"-o IdentityAgent={tmp_path / 'agent'}")

    def test_named_keys_come_first(
        self, start_sshd: Callable[..., Sshd], connect: Connect, agent: Callable[[Path], Any], tmp_path: Path
    ) -> None:
        for number in range(8):
            make_key(tmp_path / f"key{number}", "ed25519")
            agent(tmp_path / f"key{number}")
        server = start_sshd(settings={"MaxAuthTries": "2"})
        connect(server)
        with pytest.raises(AuthenticationFailed, match="agent's key"):
            connect(server, private_key_file=None)

    def test_an_agent_that_is_gone(self, sshd: Sshd, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSH_AUTH_SOCK", "/no/such/agent")
        with pytest.raises(AuthenticationFailed):
            connect(sshd, private_key_file=None)


class TestConfig:
    def test_a_host_of_the_users_configuration(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        (tmp_path / ".ssh").mkdir()
        (tmp_path / ".ssh" / "config").write_text(
            f"Host flag*\n  HostName {sshd.address}\n  Port {sshd.port}\n  User {sshd.user}\n"
            f"  IdentityFile {sshd.client_key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {sshd.known_hosts}\n"
        )
        bare = dict.fromkeys(("port", "user", "private_key_file", "known_hosts_file", "ssh_config_file"))
        assert says(connect(sshd, host="flagship", **bare), "echo in") == "in\n"

    def test_a_host_key_alias(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        known = tmp_path / "known"
        known.write_text(sshd.known_hosts.read_text().replace(f"[{sshd.address}]:{sshd.port}", "flagship"))
        with pytest.raises(HostKeyUnknown):
            connect(sshd, known_hosts_file=str(known))
        connect(sshd, known_hosts_file=str(known), ssh_args="-o HostKeyAlias=flagship")

    def test_arguments_of_ssh(self, sshd: Sshd, connect: Connect) -> None:
        bare = dict.fromkeys(("port", "user", "private_key_file", "known_hosts_file"))
        arguments = f"-p {sshd.port} -l {sshd.user} -i {sshd.client_key} -o UserKnownHostsFile={sshd.known_hosts} -C"
        assert says(connect(sshd, ssh_common_args=arguments, **bare), "echo in") == "in\n"

    def test_over_other_hosts(self, sshd: Sshd, start_sshd: Callable[..., Sshd], connect: Connect) -> None:
        first, second = start_sshd(client_key=sshd.client_key), start_sshd(client_key=sshd.client_key)
        for hop in (first, second):
            hop.known_hosts.write_text("".join(server.known_hosts.read_text() for server in (sshd, first, second)))
        jump = f"{first.user}@{first.address}:{first.port},{second.address}:{second.port}"
        connection = connect(sshd, known_hosts_file=str(first.known_hosts), ssh_common_args=f"-J {jump}")
        assert says(connection, "echo in") == "in\n"
        assert [hop.log.read_text().count("Accepted publickey") for hop in (first, second)] == [1, 1]

    def test_a_fault_on_the_way_says_so(self, sshd: Sshd, connect: Connect) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            with pytest.raises(ConnectionRefused, match=f"On the way to the host.*{port}"):
                connect(sshd, ssh_common_args=f"-o ProxyJump=127.0.0.1:{port}")

    def test_a_target_that_the_last_jump_can_not_reach(self, sshd: Sshd, connect: Connect) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            jump = f"{sshd.address}:{sshd.port}"
            with pytest.raises(ConnectionRefused, match=str(unused.getsockname()[1])):
                connect(sshd, port=unused.getsockname()[1], ssh_common_args=f"-J {jump}")


class TestTransport:
    @pytest.mark.parametrize("shell", ["powershell", "cmd"])
    def test_windows_over_ssh_is_refused(self, shell: str) -> None:
        target = Target(host="win1", transport="ssh", options={"shell_type": shell})
        with pytest.raises(OptionInvalid, match="winrm"):
            SshTransport().platform(target)
        assert SshTransport().platform(Target(host="web1", transport="ssh")) is Platform.POSIX

    def test_arguments_that_can_not_be_honoured_are_known_without_connecting(self) -> None:
        target = Target(host="web1", transport="ssh", options={"ssh_args": "-C", "ssh_common_args": "-D 1080"})
        with pytest.raises(OptionInvalid, match="-D"):
            SshTransport().platform(target)

    def test_a_login_without_a_shell(self, start_sshd: Callable[..., Sshd], connect: Connect) -> None:
        server = start_sshd(settings={"ForceCommand": "echo This account is closed; exit 1"})
        session = connect(server).open_session()
        with pytest.raises(HostError, match="This account is closed"):
            session.run(Run(language=Language.SH, text="true"), lambda *_: None)

    def test_noise_of_the_login_is_not_output(self, start_sshd: Callable[..., Sshd], connect: Connect) -> None:
        noisy = 'echo noise; echo more >&2; exec sh -c "$SSH_ORIGINAL_COMMAND"'
        server = start_sshd(settings={"ForceCommand": noisy}, sftp=None)
        session = connect(server).open_session()
        output: list[bytes] = []
        for text, stdin in (("echo one", b""), ("cat; echo two", b"x" * 100_000)):
            session.run(Run(language=Language.SH, text=text, stdin=stdin), lambda _, data: output.append(data))
        assert b"".join(output) == b"one\n" + b"x" * 100_000 + b"two\n"
