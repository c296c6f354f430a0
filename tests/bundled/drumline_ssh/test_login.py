"""Ways to log in, on real servers, beside what OpenSSH's own client does there."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.server import InteractiveQuery
from support.agents import PlainKey, SecurityKey, Signer, TestAgent
from support.program import wait_until
from support.terminal import Terminal

from drumline.plugin import AuthenticationFailed, Connection, OptionInvalid, Secret
from drumline_lab.sshd import Sshd, make_key

Connect = Callable[..., Connection]
StartSshd = Callable[..., Sshd]
#: Takes a key file.
Agent = Callable[[Path], object]
#: Signs a key file, with options of ssh-keygen; gives the certificate.
Authority = Callable[..., Path]
#: Starts a host that asks; gives it, and its options for a connection.
Ask = Callable[..., tuple["Asking", dict[str, Any]]]
#: The inventory names no key.
NO_KEY = {"private_key_file": None}


def allow(server: Sshd, *lines: str) -> None:
    """Let keys in, and no others."""
    (server.directory / "authorized_keys").write_text("".join(f"{line}\n" for line in lines))


def public(path: Path) -> str:
    return Path(f"{path}.pub").read_text().strip()


def offered(server: Sshd) -> list[str]:
    """The keys and methods that the server has seen, in order."""
    pattern = r"(?:Failed|Accepted|Postponed) (\S+) for .*?(?:: (\S+ SHA256:\S+))?$"
    return [" ".join(filter(None, found)) for found in re.findall(pattern, server.log.read_text(), re.MULTILINE)]


class TestNamedByAPublicKey:
    def test_the_agent_has_its_private_key(
        self, start_sshd: StartSshd, connect: Connect, agent: Agent, tmp_path: Path
    ) -> None:
        for number in range(8):
            make_key(tmp_path / f"other{number}", "ed25519")
            agent(tmp_path / f"other{number}")
        make_key(tmp_path / "work", "ed25519")
        agent(tmp_path / "work")
        server = start_sshd()
        allow(server, public(tmp_path / "work"))
        (tmp_path / "work").unlink()
        arguments = f"-i {tmp_path}/work.pub -o IdentitiesOnly=yes"
        connect(server, **NO_KEY, ssh_args=arguments)
        assert server.log.read_text().count("Accepted publickey") == 1
        connect(server, **NO_KEY, ssh_args=f"-i {tmp_path}/work")  # the private file is gone, its .pub is there

    def test_nobody_has_its_private_key(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        shutil.copy(f"{sshd.client_key}.pub", tmp_path / "work.pub")
        with pytest.raises(AuthenticationFailed, match=r"work\.pub \(it is a public key, and the agent doesn't hold"):
            connect(sshd, **NO_KEY, ssh_args=f"-i {tmp_path}/work.pub")

    def test_identities_only_keeps_other_keys_of_the_agent_back(
        self, sshd: Sshd, connect: Connect, agent: Agent, tmp_path: Path
    ) -> None:
        agent(sshd.client_key)
        make_key(tmp_path / "stranger", "ed25519")
        with pytest.raises(AuthenticationFailed):
            connect(sshd, **NO_KEY, ssh_args=f"-i {tmp_path}/stranger -o IdentitiesOnly=yes")
        connect(sshd, **NO_KEY, ssh_args=f"-i {tmp_path}/stranger")


class TestFiles:
    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o444])
    def test_a_private_key_that_others_may_read_is_not_used(
        self, sshd: Sshd, connect: Connect, tmp_path: Path, mode: int
    ) -> None:
        shutil.copy(sshd.client_key, tmp_path / "open")
        (tmp_path / "open").chmod(mode)
        with pytest.raises(AuthenticationFailed, match=rf"others may read it \(mode {mode:04o}\).*chmod 600"):
            connect(sshd, private_key_file=str(tmp_path / "open"))
        (tmp_path / "open").chmod(0o400)
        connect(sshd, private_key_file=str(tmp_path / "open"))

    def test_an_encrypted_key_is_found_in_the_agent(
        self, start_sshd: StartSshd, connect: Connect, agent: Agent, tmp_path: Path
    ) -> None:
        make_key(tmp_path / "key", "ed25519")
        agent(tmp_path / "key")
        subprocess.run(["ssh-keygen", "-q", "-p", "-N", "open sesame", "-f", str(tmp_path / "key")], check=True)
        Path(f"{tmp_path}/key.pub").unlink()
        server = start_sshd(client_key=None)
        allow(server, subprocess.run(["ssh-add", "-L"], capture_output=True, text=True, check=True).stdout.strip())
        connect(server, private_key_file=str(tmp_path / "key"))

    @pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
    @pytest.mark.parametrize("form", ["PEM", "PKCS8", "RFC4716"])
    @pytest.mark.parametrize("passphrase", ["", "open sesame"], ids=["plain", "encrypted"])
    def test_forms_of_private_keys(
        self, start_sshd: StartSshd, connect: Connect, tmp_path: Path, kind: str, form: str, passphrase: str
    ) -> None:
        key = tmp_path / "key"
        command = ["ssh-keygen", "-q", "-t", kind, "-m", form, "-N", passphrase, "-f", str(key)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        connect(start_sshd(client_key=key), private_key_passphrase=Secret(passphrase) if passphrase else None)

    @pytest.mark.parametrize(
        "content",
        [b"", b"\xff\xfe\x00binary", b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n", b"ssh-rsa AAAA"],
        ids=["empty", "binary", "cut", "public and broken"],
    )
    def test_broken_files_are_named(self, sshd: Sshd, connect: Connect, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "key").write_bytes(content)
        (tmp_path / "key").chmod(0o600)
        with pytest.raises(AuthenticationFailed, match=rf"key {tmp_path}/key \("):
            connect(sshd, private_key_file=str(tmp_path / "key"))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Signs keys: an authority's key, made once; called with a key file, it makes the certificate beside it."""
    make_key(tmp_path / "authority", "ed25519")

    def sign(key: Path, *options: str) -> Path:
        command = ["ssh-keygen", "-q", "-s", str(tmp_path / "authority"), "-I", "test", *options, f"{key}.pub"]
        subprocess.run(command, check=True)
        return Path(f"{key}-cert.pub")

    return sign


class TestUserCertificates:
    @pytest.fixture
    def server(self, start_sshd: StartSshd, authority: Authority, tmp_path: Path) -> Sshd:
        server = start_sshd(settings={"TrustedUserCAKeys": f"{tmp_path}/authority.pub"})
        allow(server)
        return server

    @pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
    def test_beside_the_key(
        self, server: Sshd, connect: Connect, authority: Authority, tmp_path: Path, kind: str
    ) -> None:
        make_key(tmp_path / "key", kind)
        with pytest.raises(AuthenticationFailed):
            connect(server, private_key_file=str(tmp_path / "key"))
        authority(tmp_path / "key", "-n", server.user)
        connect(server, private_key_file=str(tmp_path / "key"))

    def test_named(self, server: Sshd, connect: Connect, authority: Authority, tmp_path: Path) -> None:
        make_key(tmp_path / "key", "ed25519")
        authority(tmp_path / "key", "-n", server.user).rename(tmp_path / "elsewhere")
        connect(server, private_key_file=str(tmp_path / "key"), ssh_args=f"-o CertificateFile={tmp_path}/elsewhere")

    def test_in_the_agent(
        self, server: Sshd, connect: Connect, authority: Authority, agent: Agent, tmp_path: Path
    ) -> None:
        make_key(tmp_path / "key", "rsa")
        authority(tmp_path / "key", "-n", server.user)
        agent(tmp_path / "key")  # with the certificate beside it
        (tmp_path / "key").unlink()
        connect(server, **NO_KEY)

    def test_named_and_its_key_in_the_agent(
        self, server: Sshd, connect: Connect, authority: Authority, agent: Agent, tmp_path: Path
    ) -> None:
        make_key(tmp_path / "key", "ed25519")
        agent(tmp_path / "key")
        certificate = authority(tmp_path / "key", "-n", server.user)
        (tmp_path / "key").unlink()
        connect(server, **NO_KEY, ssh_args=f"-o CertificateFile={certificate} -o IdentitiesOnly=yes")


class TestAgents:
    def test_a_security_key(self, start_sshd: StartSshd, connect: Connect, tmp_path: Path) -> None:
        key, stranger = SecurityKey(), SecurityKey()
        server = start_sshd()
        allow(server, key.line)
        (tmp_path / "id_sk.pub").write_text(key.line)
        keys: dict[bytes, Signer] = {stranger.blob: stranger.sign, key.blob: key.sign}
        with TestAgent(tmp_path / "agent", keys) as agent:
            connect(server, **NO_KEY, ssh_args=f"-o IdentityAgent={tmp_path}/agent")
            assert agent.asked == [key.blob]  # no one was asked to touch the other
            named = f"-o IdentityAgent={tmp_path}/agent -i {tmp_path}/id_sk -o IdentitiesOnly=yes"
            connect(server, **NO_KEY, ssh_args=named)

    def test_a_comment_that_is_not_utf_8(self, start_sshd: StartSshd, connect: Connect, tmp_path: Path) -> None:
        key = PlainKey()
        server = start_sshd()
        allow(server, key.line)
        with TestAgent(tmp_path / "agent", {b"\x00": key.sign, key.blob: key.sign}, comment=b"B\xe4r"):
            connect(server, **NO_KEY, ssh_args=f"-o IdentityAgent={tmp_path}/agent")

    def test_one_that_refuses_to_sign_leaves_other_ways(
        self, start_sshd: StartSshd, connect: Connect, tmp_path: Path
    ) -> None:
        key = PlainKey()
        server = start_sshd()
        allow(server, key.line, public(server.client_key))
        with TestAgent(tmp_path / "agent", {key.blob: key.sign}, refuses=True) as agent:
            connect(server, **NO_KEY, ssh_args=f"-o IdentityAgent={tmp_path}/agent -i {server.client_key}")
            assert agent.asked == [key.blob]
            with pytest.raises(AuthenticationFailed, match="the agent refuses to sign"):
                connect(server, **NO_KEY, ssh_args=f"-o IdentityAgent={tmp_path}/agent")

    def test_its_place_has_tokens(
        self, sshd: Sshd, connect: Connect, agent: Agent, tmp_path: Path, monkeypatch: Any
    ) -> None:
        agent(sshd.client_key)
        monkeypatch.delenv("SSH_AUTH_SOCK")
        monkeypatch.setenv("AGENT_PLACE", str(tmp_path))
        (tmp_path / f"agent-{sshd.user}").symlink_to(tmp_path / "agent")
        connect(sshd, **NO_KEY, ssh_args="-o 'IdentityAgent=${AGENT_PLACE}/agent-%r'")

    def test_more_keys_than_the_host_takes(
        self, start_sshd: StartSshd, connect: Connect, agent: Agent, tmp_path: Path
    ) -> None:
        for number in range(8):
            make_key(tmp_path / f"key{number}", "ed25519")
            agent(tmp_path / f"key{number}")
        server = start_sshd()
        with pytest.raises(AuthenticationFailed, match=r"Too many authentication failures.*IdentitiesOnly"):
            connect(server, **NO_KEY)
        # What is named is tried by itself then.
        connect(server, **NO_KEY, ssh_args=f"-i {server.client_key}")

    def test_the_order_is_that_of_ssh(
        self, start_sshd: StartSshd, connect: Connect, agent: Agent, tmp_path: Path
    ) -> None:
        for name in ("first", "second", "third", "fourth"):
            make_key(tmp_path / name, "ed25519")
        for name in ("third", "second"):
            agent(tmp_path / name)
        config = tmp_path / "config"
        server = start_sshd(settings={"MaxAuthTries": "20"})
        config.write_text(
            f"IdentityFile {tmp_path}/first\nIdentityFile {tmp_path}/second\nIdentityFile {tmp_path}/fourth\n"
            f"Port {server.port}\nUser {server.user}\nUserKnownHostsFile {server.known_hosts}\nBatchMode yes\n"
        )
        allow(server)
        subprocess.run(["ssh", "-F", str(config), server.address, "true"], check=False, capture_output=True)
        by_ssh = offered(server)
        server.log.write_text("")
        with pytest.raises(AuthenticationFailed):
            connect(server, **NO_KEY, ssh_config_file=str(config))
        assert offered(server) == by_ssh
        assert len(by_ssh) == 4


class Asking(paramiko.ServerInterface):
    """A host that asks questions after a key."""

    def __init__(self, rounds: Sequence[Sequence[tuple[str, bool]]], answers: Sequence[str], *, first: str) -> None:
        self._rounds = list(rounds)
        self._expected = list(answers)
        self._first = first
        self.said: list[str] = []
        self.tried: list[str] = []
        self._key = first == "keyboard-interactive"

    def get_allowed_auths(self, username: str) -> str:
        return "keyboard-interactive,password" if self._key else self._first

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._key = True
        return paramiko.common.AUTH_PARTIALLY_SUCCESSFUL

    def check_auth_password(self, username: str, password: str) -> int:
        self.tried.append("password")
        return paramiko.common.AUTH_FAILED

    def check_auth_interactive(self, username: str, submethods: object) -> Any:
        self.tried.append("keyboard-interactive")
        return self._ask()

    def check_auth_interactive_response(self, responses: list[str]) -> Any:
        self.said += responses
        if self._rounds:
            return self._ask()
        return paramiko.common.AUTH_SUCCESSFUL if self.said == self._expected else paramiko.common.AUTH_FAILED

    def _ask(self) -> InteractiveQuery:
        return InteractiveQuery("", "", *self._rounds.pop(0))


@pytest.fixture
def asking(sshd: Sshd, tmp_path: Path) -> Iterator[Ask]:
    """Starts a host that asks; its options for a connection."""
    listeners: list[socket.socket] = []
    transports: list[paramiko.Transport] = []

    def start(rounds: Any, answers: Any, first: str = "publickey") -> tuple[Asking, dict[str, Any]]:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        server = Asking(rounds, answers, first=first)
        key = paramiko.Ed25519Key.from_private_key_file(str(sshd.directory / "host_ed25519"))

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    transports.append(paramiko.Transport(listener.accept()[0]))
                    transports[-1].add_server_key(key)
                    transports[-1].start_server(server=server)

        threading.Thread(target=serve, daemon=True).start()
        known = tmp_path / "known"
        port = listener.getsockname()[1]
        known.write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
        return server, {"port": port, "known_hosts_file": str(known), "ssh_args": "-o BatchMode=yes"}

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for transport in transports:
        transport.close()


class TestQuestions:
    def test_the_password_answers_the_one_hidden_question_after_a_key(
        self, sshd: Sshd, connect: Connect, asking: Ask
    ) -> None:
        server, options = asking([[("Password: ", False)], []], ["hunter2 x"])
        connect(sshd, **options, password=Secret("hunter2 x"))
        assert server.tried == ["keyboard-interactive"]

    def test_a_password_that_was_refused_is_not_repeated(self, sshd: Sshd, connect: Connect, asking: Ask) -> None:
        server, options = asking([[("Password: ", False)]], ["right"], first="keyboard-interactive")
        with pytest.raises(AuthenticationFailed, match="the host has refused it already") as caught:
            connect(sshd, **options, **NO_KEY, password=Secret("barley sugar"))
        assert server.tried == ["keyboard-interactive"]
        assert "barley" not in str(caught.value)

    @pytest.mark.parametrize(
        "question", ["Verification code: ", "One-time password (OTP): ", "Enter PASSCODE: ", "Token_Response: "]
    )
    def test_a_code_is_no_password(self, sshd: Sshd, connect: Connect, asking: Ask, question: str) -> None:
        server, options = asking([[(question, False)]], ["x"])
        with pytest.raises(AuthenticationFailed, match=r"it asks .*, and BatchMode forbids"):
            connect(sshd, **options, password=Secret("hunter2 x"))
        assert server.said == []

    def test_a_password_that_nobody_has_set(self, sshd: Sshd, connect: Connect, asking: Ask) -> None:
        _, options = asking([[("Password: ", False)]], ["x"], first="keyboard-interactive")
        with pytest.raises(AuthenticationFailed, match="it asks 'Password:', and ansible_password isn't set"):
            connect(sshd, **options, **NO_KEY)


class TestAtTheTerminal:
    """The program itself, on a terminal of its own."""

    def run(self, tmp_path: Path, options: dict[str, Any], key: Path, password: str) -> Terminal:
        variables = {
            "ansible_host": "127.0.0.1",
            "ansible_port": options["port"],
            "ansible_ssh_known_hosts_file": options["known_hosts_file"],
            "ansible_ssh_config_file": "none",
            "ansible_ssh_private_key_file": str(key),
            "ansible_password": password,
        }
        (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": {"web1": variables}}}))
        return Terminal(tmp_path, "exec", "web1", "-i", "hosts.json", "--", "true", env={"SSH_AUTH_SOCK": ""})

    @pytest.mark.parametrize("shown", [False, True])
    def test_a_code_is_asked_for_after_key_and_password(
        self, sshd: Sshd, asking: Ask, tmp_path: Path, shown: bool
    ) -> None:
        rounds = [[("Password: ", False)], [("Verification \x1b[2Jcode: ", shown)]]
        server, options = asking(rounds, ["hunter2 x", "123 456"])
        with self.run(tmp_path, options, sshd.client_key, "hunter2 x") as terminal:
            assert wait_until(lambda: f"port {options['port']} asks: Verification  [2Jcode:" in terminal.text)
            terminal.type("123 456\n")
            assert wait_until(lambda: server.said == ["hunter2 x", "123 456"])
            terminal.end()
            assert ("123 456" in terminal.text) is shown
            assert "hunter2" not in terminal.text
            assert not terminal.shows("asks:")  # what stood there stands there again

    def test_a_terminal_that_goes_away(self, sshd: Sshd, asking: Ask, tmp_path: Path) -> None:
        server, options = asking([[("Verification code: ", False)]], ["1"])
        with self.run(tmp_path, options, sshd.client_key, "hunter2 x") as terminal:
            assert wait_until(lambda: "asks: Verification code:" in terminal.text)
            assert terminal.hang_up() != 0
        assert server.said == []


class TestSeveralMethods:
    def test_two_keys(self, start_sshd: StartSshd, connect: Connect, tmp_path: Path) -> None:
        make_key(tmp_path / "second", "ed25519")
        server = start_sshd(settings={"AuthenticationMethods": "publickey,publickey"})
        with pytest.raises(AuthenticationFailed, match="accepted, but not enough"):
            connect(server)
        allow(server, public(server.client_key), public(tmp_path / "second"))
        connect(server, ssh_args=f"-i {tmp_path}/second")

    def test_switches(self, sshd: Sshd, connect: Connect) -> None:
        with pytest.raises(AuthenticationFailed, match="Tried: password"):
            connect(sshd, ssh_args="-o PubkeyAuthentication=no", password=Secret("hush-hush"))
        with pytest.raises(AuthenticationFailed, match="Tried: password"):
            connect(sshd, ssh_args="-o PreferredAuthentications=password", password=Secret("hush-hush"))


class TestHostCertificates:
    @pytest.fixture
    def certified(self, start_sshd: StartSshd, authority: Authority, tmp_path: Path) -> StartSshd:
        """A server with a certificate for its key; its known_hosts holds the authority alone."""

        def start(*options: str, line: str = "@cert-authority *") -> Sshd:
            directory = tmp_path / "certified"
            directory.mkdir()
            make_key(directory / "host_ed25519", "ed25519")
            authority(directory / "host_ed25519", "-h", *options)
            server = start_sshd(settings={"HostCertificate": f"{directory}/host_ed25519-cert.pub"})
            # The server has made a key of its own; its certificate's is put in its place.
            for name in ("host_ed25519", "host_ed25519.pub"):
                shutil.copy(directory / name, server.directory / name)
            server.stop()
            server.start()
            server.known_hosts.write_text(f"{line} {public(tmp_path / 'authority')}\n")
            return server

        return start

    @pytest.mark.parametrize(
        ("options", "line", "fault"),
        [
            (("-n", "127.0.0.1"), "@cert-authority *", ""),
            (("-n", "127.0.0.*"), "@cert-authority *", r"it is for 127\.0\.0\.\*, not for"),
            (("-n", "other,127.0.0.1"), "@cert-authority [127.0.0.1]:*,nobody", ""),
            (("-n", "other"), "@cert-authority *", "it is for other, not for 127.0.0.1"),
            (("-n", "127.0.0.1", "-V", "20200101:20210101"), "@cert-authority *", "it has expired"),
            (("-n", "127.0.0.1", "-V", "20400101:20410101"), "@cert-authority *", "it isn't valid yet"),
            (("-n", "127.0.0.1"), "@cert-authority elsewhere", "unknown"),
        ],
        ids=["right", "pattern", "place", "name", "expired", "early", "authority"],
    )
    def test_it_counts_where_ssh_lets_it_count(
        self, certified: StartSshd, connect: Connect, options: Sequence[str], line: str, fault: str
    ) -> None:
        server = certified(*options, line=line)
        arguments = [f"-oUserKnownHostsFile={server.known_hosts}", "-oGlobalKnownHostsFile=none", "-oBatchMode=yes"]
        command = ["ssh", "-F", "none", *arguments, "-i", str(server.client_key), "-p", str(server.port)]
        by_ssh = subprocess.run([*command, f"{server.user}@{server.address}", "true"], capture_output=True)
        if fault:
            with pytest.raises(Exception, match=fault):
                connect(server)
        else:
            connect(server)
        assert (by_ssh.returncode == 0) is (not fault), by_ssh.stderr

    def test_a_certificate_that_does_not_count_leaves_its_key(self, certified: StartSshd, connect: Connect) -> None:
        server = certified("-n", "other")
        server.known_hosts.write_text(
            server.known_hosts.read_text() + "".join(f"{line}\n" for line in server.known_hosts_lines())
        )
        connect(server)

    def test_an_authority_that_is_revoked(self, certified: StartSshd, connect: Connect) -> None:
        server = certified("-n", "127.0.0.1")
        key = server.known_hosts.read_text().split(" ", 2)[2]
        server.known_hosts.write_text(f"{server.known_hosts.read_text()}@revoked * {key}")
        with pytest.raises(Exception, match="no authority that is known"):
            connect(server)

    def test_a_file_of_revoked_keys(self, sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
        (tmp_path / "revoked").write_text("".join(f"{line.split(' ', 1)[1]}\n" for line in sshd.known_hosts_lines()))
        with pytest.raises(Exception, match="revoked"):
            connect(sshd, ssh_args=f"-o RevokedHostKeys={tmp_path}/revoked")
        with pytest.raises(OptionInvalid, match="no-such"):
            connect(sshd, ssh_args=f"-o RevokedHostKeys={tmp_path}/no-such")


def test_ssh_is_asked_for_a_real_connection(
    sshd: Sshd, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", pwd.getpwuid(os.getuid()).pw_dir)
    config = tmp_path / "config"
    config.write_text(
        f"Match exec true\n  HostName {sshd.address}\n  Port {sshd.port}\n  IdentityFile {sshd.client_key}\n"
        f"UserKnownHostsFile {sshd.known_hosts}\n"
    )
    bare = dict.fromkeys(("host", "port", "private_key_file", "known_hosts_file"))
    connect(sshd, **bare, ssh_config_file=str(config))
