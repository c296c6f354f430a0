"""Logging in by Kerberos: a real KDC, the real ``kinit``, and the practice server as a member of the domain."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.kerberos import HOSTS, NAME, Realm, realm
from support.program import call

from drumline.plugin import AuthenticationFailed, HostError, Language, OptionInvalid, PackageMissing, Run, Secret
from drumline.testing.collect import collect
from drumline_lab.wsman import Settings, Sh, Tls, WsmanServer
from drumline_winrm.tickets import NoTicket
from drumline_winrm.transport import Winrm

ALICE, BOB = f"alice@{NAME}", f"bob@{NAME}"
WORDS = {"alice": "p:ss $wörd 'x", "bob": "another one"}
_, WEB1, WEB2 = HOSTS


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    with realm(tmp_path_factory.mktemp("realm"), WORDS) as made:
        yield made


@pytest.fixture
def winrm(domain: Realm) -> Iterator[Winrm]:
    """A transport that has no tickets yet, for a user who has none either."""
    domain.forget()
    yield Winrm()
    domain.forget()


@pytest.fixture
def serve(domain: Realm, tmp_path: Path) -> Iterator[Callable[..., WsmanServer]]:
    servers: list[WsmanServer] = []

    def start(**settings: Any) -> WsmanServer:
        wanted = {"keytab": domain.keytab, **settings}
        servers.append(WsmanServer(Settings(**wanted), backend=Sh(tmp_path)).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def target(target_for: Callable[..., Any]) -> Callable[..., Any]:
    """How a member of the domain is reached: as alice, with her password, by its name in the domain."""

    def make(server: WsmanServer, **options: Any) -> Any:
        usual = {"user": ALICE, "password": Secret(WORDS["alice"]), "kerberos_hostname": WEB1}
        return target_for(server, **usual | options)

    return make


@contextmanager
def session(transport: Winrm, target: Any) -> Iterator[Any]:
    connection = transport.connect(target)
    try:
        yield connection.open_session()
    finally:
        connection.close()


def hear(opened: Any, text: str = "echo ran") -> bytes:
    return bytes(collect(opened, Run(language=Language.CMD, text=text)).stdout)


def owners(server: WsmanServer) -> set[str]:
    """Whom the host has opened shells for."""
    return {server.shells.find(shell).owner for shell in server.shells.ids()}


class TestLogIn:
    def test_a_password_gets_a_ticket_and_messages_are_sealed(self, winrm: Winrm, serve: Any, target: Any) -> None:
        server = serve()
        with session(winrm, target(server)) as opened:
            assert hear(opened) == b"ran\n"
            assert owners(server) == {ALICE}

    def test_a_ticket_that_is_there_is_used_without_a_password(
        self, winrm: Winrm, domain: Realm, serve: Any, target: Any
    ) -> None:
        domain.log_in("bob", WORDS["bob"])
        for user in (BOB, None):
            server = serve()
            with session(winrm, target(server, user=user, password=None, transport=("kerberos",))) as opened:
                assert hear(opened) == b"ran\n"
                assert owners(server) == {BOB}

    def test_the_own_cache_stays_as_it_was(self, winrm: Winrm, domain: Realm, serve: Any, target: Any) -> None:
        domain.log_in("bob", WORDS["bob"])
        before = domain.own_cache.read_bytes()
        server = serve()
        with session(winrm, target(server)):
            assert owners(server) == {ALICE}
        assert domain.own_cache.read_bytes() == before

    @pytest.mark.parametrize("way", [{}, {"kinit_mode": "manual"}], ids=["password", "ticket"])
    @pytest.mark.parametrize("encryption", [None, "always"])
    def test_https_with_strict_channel_binding(
        self, winrm: Winrm, domain: Realm, serve: Any, target: Any, certificate: Tls, way: Any, encryption: Any
    ) -> None:
        domain.log_in("alice", WORDS["alice"])
        server = serve(tls=certificate, channel_binding="strict")
        trusting = {"ca_trust_path": str(certificate.certificate), "encryption": encryption}
        with session(winrm, target(server, **trusting, **way)) as opened:
            assert hear(opened) == b"ran\n"

    def test_a_server_that_demands_channel_binding_refuses_without(
        self, winrm: Winrm, serve: Any, target: Any, certificate: Tls
    ) -> None:
        server = serve(tls=certificate, channel_binding="strict")
        wanted = target(server, ca_trust_path=str(certificate.certificate), send_cbt=False)
        with pytest.raises(AuthenticationFailed, match=r"Ticket rejected.*winrm_send_cbt"):
            winrm.connect(wanted)
        assert "BadBindingsError" in server.last_auth_error

    def test_a_host_that_takes_tickets_by_the_other_name_only(self, winrm: Winrm, serve: Any, target: Any) -> None:
        with session(winrm, target(serve(schemes=("Kerberos",)))) as opened:
            assert hear(opened) == b"ran\n"

    def test_a_lost_connection_is_opened_anew(self, winrm: Winrm, serve: Any, target: Any, certificate: Tls) -> None:
        for tls in (None, certificate):
            server = serve(tls=tls)
            with session(winrm, target(server, cert_validation="ignore")) as opened:
                hear(opened)
                server.drop_connections()
                assert hear(opened, "echo again") == b"again\n"

    def test_the_ticket_is_delegated_where_that_is_wanted(self, winrm: Winrm, serve: Any, target: Any) -> None:
        server = serve()
        with session(winrm, target(server)):
            assert [connection.delegated for connection in server.connections()] == [""]
        server = serve()
        with session(winrm, target(server, kerberos_delegation=True)):
            assert [connection.delegated for connection in server.connections()] == [ALICE]

    def test_a_ticket_that_cannot_be_delegated_is_no_good_for_that(
        self, winrm: Winrm, domain: Realm, serve: Any, target: Any
    ) -> None:
        domain.log_in("alice", WORDS["alice"])
        for how in ({"kinit_mode": "manual"}, {"kinit_args": "-l 1h"}):
            with pytest.raises(HostError, match=r"can't be delegated.*kinit -f"):
                winrm.connect(target(serve(), kerberos_delegation=True, **how))


class TestTicket:
    def test_many_hosts_share_one_and_many_users_have_their_own(
        self, winrm: Winrm, domain: Realm, serve: Any, target: Any
    ) -> None:
        before = len(domain.answers("alice")), len(domain.answers("bob"))
        bob = {"user": BOB, "password": Secret(WORDS["bob"]), "kerberos_hostname": WEB2}
        servers = [(serve(), options) for options in ({}, bob) for _ in range(4)]
        together = threading.Barrier(len(servers))

        def work(server: WsmanServer, options: Any) -> set[str]:
            together.wait(10)
            with session(winrm, target(server, **options)) as opened:
                assert hear(opened) == b"ran\n"
                return owners(server)

        with ThreadPoolExecutor(len(servers)) as pool:
            seen = list(pool.map(lambda pair: work(*pair), servers))
        assert seen == [{ALICE}] * 4 + [{BOB}] * 4
        assert (len(domain.answers("alice")), len(domain.answers("bob"))) == (before[0] + 1, before[1] + 1)

    def test_it_is_renewed_before_it_ends(self, winrm: Winrm, domain: Realm, serve: Any, target: Any) -> None:
        before = domain.answers("alice")
        server = serve()
        with session(winrm, target(server, kinit_args="-l 2s")) as opened:
            assert hear(opened) == b"ran\n"
            time.sleep(2.5)  # it has ended by then, as in a run that lasts longer than a working day
            assert hear(opened, "echo late") == b"late\n"
            server.drop_connections()
            assert hear(opened, "echo anew") == b"anew\n"
        assert domain.answers("alice") == [*before, "ISSUE", "ISSUE"]

    def test_the_password_is_seen_nowhere_and_nothing_is_left(
        self, domain: Realm, serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        temporary = tmp_path / "tmp"
        temporary.mkdir()
        spy = tmp_path / "kinit"
        spy.write_text(
            f"#!/bin/sh\ntr '\\0' '\\n' </proc/$$/cmdline >>{tmp_path}/seen\nenv >>{tmp_path}/seen\n"
            f'kinit "$@"; status=$?\nstat -c "%a %n" "${{KRB5CCNAME#FILE:}}" {temporary}/* >>{tmp_path}/modes\n'
            "exit $status\n"
        )
        spy.chmod(0o755)
        servers = {WEB1: serve(), WEB2: serve()}
        users = {WEB1: "alice", WEB2: "bob"}
        lines = [
            f"{name} ansible_host=127.0.0.1 ansible_port={server.port} ansible_winrm_kerberos_hostname_override={name} "
            f'ansible_user={users[name]}@{NAME} ansible_password="{WORDS[users[name]]}"'
            for name, server in servers.items()
        ]
        common = f"ansible_connection=winrm\nansible_winrm_scheme=http\nansible_winrm_kinit_cmd={spy}\n"
        common += "ansible_winrm_kinit_env_vars=WANTED\n"
        (tmp_path / "hosts.ini").write_text("\n".join([*lines, "[all:vars]", common]))
        told = {"TMPDIR": str(temporary), "WANTED": "passed on", "UNWANTED": "kept back"}
        (tmp_path / "play.yml").write_text(
            "- hosts: all\n  tasks:\n    - {name: ask, shell: exit 0, args: {executable: cmd}}\n"
        )
        done = call(tmp_path, "run", "play.yml", "-i", "hosts.ini", env=told)
        assert done.status == 0, done.said
        seen = (tmp_path / "seen").read_text()
        assert [text for text in (ALICE, BOB, "passed on") if text not in seen] == []
        assert [text for text in (*WORDS.values(), "kept back") if text in seen + done.said] == []
        modes = [line.split()[0] for line in (tmp_path / "modes").read_text().splitlines()]
        assert set(modes) == {"600", "700"}
        assert list(temporary.iterdir()) == []

    def test_what_a_killed_process_has_left_goes_with_the_next(
        self, winrm: Winrm, serve: Any, target: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        left = tmp_path / "drumline-kerberos-left"
        left.mkdir()
        (left / "ticket").write_text("of a process that was killed")
        with session(winrm, target(serve())), session(Winrm(), target(serve())):
            assert not left.exists()
            assert len(list(tmp_path.glob("drumline-kerberos-*"))) == 2  # those in use are left alone


class TestRefused:
    def test_a_wrong_password_is_sent_once_however_many_hosts_there_are(
        self, winrm: Winrm, domain: Realm, serve: Any, target: Any
    ) -> None:
        """Also with a ticket of someone else's at hand."""
        domain.log_in("bob", WORDS["bob"])
        before = domain.answers("alice")
        wrong = Secret("wrong-word")
        servers = [serve() for _ in range(6)]

        def refusal(server: WsmanServer) -> str:
            with pytest.raises(AuthenticationFailed, match=r"^Wrong password\..*alice.*ansible_password") as caught:
                winrm.connect(target(server, password=wrong))
            return str(caught.value)

        with ThreadPoolExecutor(len(servers)) as pool:
            said = list(pool.map(refusal, servers))
        assert domain.answers("alice") == [*before, "PREAUTH_FAILED"]
        assert not [exchange for server in servers for exchange in server.log]
        assert not [text for text in said if "wrong-word" in text]

    @pytest.mark.parametrize("ahead", range(4096 - 14, 4097, 2))
    def test_no_part_of_the_password_is_shown(
        self, winrm: Winrm, serve: Any, target: Any, tmp_path: Path, ahead: int
    ) -> None:
        """Also where what is read of kinit's words ends in the middle of it."""
        kinit = tmp_path / "kinit"
        kinit.write_text(f"#!/bin/sh\nread word\nprintf '.%{ahead - 1}s%s%9000s' '' \"$word\" .\nexit 1\n")
        kinit.chmod(0o755)
        with pytest.raises(AuthenticationFailed, match=r"kinit failed\. It said: \.") as caught:
            winrm.connect(target(serve(), transport=("kerberos",), kinit_cmd=str(kinit), password=Secret("QXZJQXZJ")))
        assert not set("QXZJ") & set(caught.value.said)

    @pytest.mark.parametrize(
        ("change", "kind", "message"),
        [
            ({"user": f"eve@{NAME}"}, AuthenticationFailed, r"Unknown user\..*knows no eve@"),
            ({"user": "eve@NO.WHERE"}, NoTicket, r"Unknown Kerberos realm\..*NO\.WHERE"),
            ({"user": "alice@drumline.test"}, NoTicket, r"Unknown Kerberos realm\..*upper case: DRUMLINE\.TEST"),
            ({"password": None}, NoTicket, r"No Kerberos ticket\. There is no ticket of alice.*kinit"),
            ({"kinit_mode": "manual"}, NoTicket, r"No Kerberos ticket\. There is no ticket of alice.*kinit"),
            ({"user": None, "password": None}, NoTicket, r"No Kerberos ticket\. .*whoever runs drumline.*kinit"),
            ({"kerberos_hostname": "x.drumline.test"}, NoTicket, r"Kerberos doesn't know the host.*HTTP/x\.drumline"),
            ({"kerberos_hostname": None}, NoTicket, r"Kerberos doesn't know the host.*HTTP/127\.0\.0\.1.*override"),
            ({"kinit_cmd": "true"}, NoTicket, r"kinit got no ticket.*'true' succeeded"),
            ({"kinit_cmd": "false"}, AuthenticationFailed, r"No Kerberos ticket\..*false says: nothing"),
            ({"kinit_cmd": "/no/kinit"}, OptionInvalid, r"No program to get tickets with.*winrm_kinit_cmd.*/no/kinit"),
            ({"kinit_args": "'"}, OptionInvalid, r"winrm_kinit_args of web1"),
            ({"kinit_mode": "managed", "password": None}, OptionInvalid, r"set ansible_user and ansible_password"),
        ],
    )
    def test_each_reason_has_its_own_words(
        self, winrm: Winrm, serve: Any, target: Any, change: Any, kind: type[HostError], message: str
    ) -> None:
        with pytest.raises(HostError, match=message) as caught:
            winrm.connect(target(serve(), transport=("kerberos",), **change))
        assert type(caught.value) is kind

    @pytest.mark.parametrize(
        ("change", "back", "message"),
        [
            ("-expire yesterday", "-expire never", r"^Account disabled\."),
            ("-allow_tix", "+allow_tix", r"^Account disabled\."),
            ("-pwexpire yesterday", "-pwexpire never", r"^The password has expired\."),
        ],
    )
    def test_accounts_that_are_of_no_more_use(
        self, winrm: Winrm, domain: Realm, serve: Any, target: Any, change: str, back: str, message: str
    ) -> None:
        domain.administer(f"modprinc {change} alice")
        try:
            with pytest.raises(AuthenticationFailed, match=message):
                winrm.connect(target(serve()))
        finally:
            domain.administer(f"modprinc {back} alice")

    def test_a_host_that_offers_no_kerberos(self, winrm: Winrm, serve: Any, target: Any) -> None:
        with pytest.raises(AuthenticationFailed, match=r'Kerberos not offered\. web1 offers Basic realm="WSMAN"'):
            winrm.connect(target(serve(schemes=("Basic",))))

    def test_a_host_without_the_keys(self, winrm: Winrm, serve: Any, target: Any, tmp_path: Path) -> None:
        with pytest.raises(AuthenticationFailed, match=r"Ticket rejected\..*HTTP/web1\.drumline\.test.*setspn"):
            winrm.connect(target(serve(keytab=tmp_path / "none"), transport=("kerberos",)))

    def test_a_host_that_does_not_prove_itself(self, winrm: Winrm, serve: Any, target: Any) -> None:
        """Whoever stands between takes any ticket."""
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def answer() -> None:
                connected, _ = listener.accept()
                with connected:
                    connected.recv(1 << 16)
                    connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

            thread = threading.Thread(target=answer)
            thread.start()
            with pytest.raises(HostError, match=r"^The host is not who it should be\..*sent no proof"):
                winrm.connect(target(serve(), port=listener.getsockname()[1]))
            thread.join(10)


class TestNoDomain:
    """The KDC is down, does not answer, or has another idea of the time."""

    @pytest.fixture
    def domain(self, tmp_path: Path) -> Iterator[Realm]:
        (tmp_path / "realm").mkdir()
        with realm(tmp_path / "realm", WORDS, "kdc_timesync = 0") as made:
            yield made

    def test_one_that_is_down_is_named(self, domain: Realm, winrm: Winrm, serve: Any, target: Any) -> None:
        domain.stop()
        with pytest.raises(NoTicket, match=r"^No answer from the Kerberos domain\..*\(KDC\)"):
            winrm.connect(target(serve(), transport=("kerberos",)))

    @pytest.mark.parametrize("by", ["password", "ticket"])
    def test_one_that_is_silent_is_given_up_in_time(
        self, domain: Realm, winrm: Winrm, serve: Any, target: Any, by: str
    ) -> None:
        domain.log_in("alice", WORDS["alice"])
        domain.stop()
        with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.create_server(("127.0.0.1", domain.port)):
            udp.bind(("127.0.0.1", domain.port))
            wanted = target(
                serve(),
                transport=("kerberos",),
                connect_timeout=0.5,
                kinit_mode="manual" if by == "ticket" else "managed",
            )
            started = time.monotonic()
            with pytest.raises(NoTicket, match=r"^No answer from the Kerberos domain\..*0\.5 seconds"):
                winrm.connect(wanted)
            assert time.monotonic() - started < 5

    def test_clocks_that_differ(self, domain: Realm, winrm: Winrm, serve: Any, target: Any) -> None:
        domain.stop()
        domain.start(ahead=3600)
        with pytest.raises(AuthenticationFailed, match=r"^Clocks differ\..*NTP"):
            winrm.connect(target(serve()))


class TestOtherwise:
    """NTLM takes over where Kerberos can't be had, and nothing has judged the password."""

    @pytest.fixture
    def server(self, serve: Any) -> WsmanServer:
        return serve(users={ALICE: WORDS["alice"], "eve@NO.WHERE": "secret"})  # type: ignore[no-any-return]  # a fixture's callable

    @pytest.mark.parametrize(
        "transport", [None, ("kerberos", "ntlm"), ("kerberos", "basic"), ("kerberos", "basic", "ntlm")]
    )
    def test_for_a_realm_that_this_machine_does_not_know(
        self, winrm: Winrm, server: WsmanServer, target: Any, transport: Any
    ) -> None:
        wanted = target(server, user="eve@NO.WHERE", password=Secret("secret"), transport=transport)
        if transport == ("kerberos", "basic"):  # which is no way out over http
            with pytest.raises(NoTicket):
                winrm.connect(wanted)
            return
        with session(winrm, wanted) as opened:
            assert hear(opened) == b"ran\n"
            assert {owner.lower() for owner in owners(server)} == {"eve@no.where"}

    def test_for_a_host_that_the_domain_does_not_know(self, winrm: Winrm, server: WsmanServer, target: Any) -> None:
        with session(winrm, target(server, kerberos_hostname=None)) as opened:
            assert hear(opened) == b"ran\n"

    def test_both_reasons_are_told_when_that_fails_too(self, winrm: Winrm, server: WsmanServer, target: Any) -> None:
        with pytest.raises(AuthenticationFailed, match=r"Kerberos was tried before: Unknown Kerberos realm\."):
            winrm.connect(target(server, user="eve@NO.WHERE", password=Secret("wrong")))

    def test_but_not_after_a_wrong_password(self, winrm: Winrm, server: WsmanServer, target: Any) -> None:
        with pytest.raises(AuthenticationFailed, match=r"^Wrong password\."):
            winrm.connect(target(server, password=Secret("wrong")))
        assert not server.log

    @pytest.mark.parametrize("missing", ["gssapi", "krb5", "kinit"])
    def test_for_what_this_machine_lacks(
        self, winrm: Winrm, server: WsmanServer, target: Any, missing: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if missing == "kinit":
            monkeypatch.setenv("PATH", "/nowhere")
        else:
            monkeypatch.setattr("drumline_winrm.logins.find_spec", lambda name: None if name == missing else name)
        winrm.connect(target(server)).close()
        with pytest.raises(PackageMissing, match=rf"needs (the program )?{missing}: .*install"):
            winrm.connect(target(server, transport=("kerberos",)))
        if missing != "kinit":
            with pytest.raises(PackageMissing, match=rf"needs {missing}: .*install"):
                winrm.connect(target(server, password=None))
