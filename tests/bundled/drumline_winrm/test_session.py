"""Sessions against the real server: round trips, renewal, faults and quotas. Most need no Windows behind it."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drumline.plugin import (
    AuthenticationFailed,
    CertificateInvalid,
    CommandRefused,
    ConnectionLost,
    ConnectionRefused,
    ConnectTimedOut,
    Ending,
    Get,
    HostError,
    Language,
    NameNotResolved,
    OptionInvalid,
    PackageMissing,
    Put,
    QuotaExceeded,
    Run,
    Secret,
)
from drumline.testing.collect import collect
from drumline_lab.wsman import Canned, Dropped, Fault, Settings, Sh, Tls, WsmanServer, faults, self_signed
from drumline_winrm.transport import Winrm


def line(text: str, **more: Any) -> Run:
    return Run(language=Language.CMD, text=text, **more)


def script(text: str, **more: Any) -> Run:
    return Run(language=Language.POWERSHELL, text=text, **more)


class TestWithoutPowerShell:
    """What ``sh`` can run: lines as commands of the shell itself."""

    @pytest.fixture
    def session(self, transport: Winrm, sh_server: WsmanServer, target_for: Any) -> Any:
        connection = transport.connect(target_for(sh_server))
        yield connection.open_session()
        connection.close()
        assert sh_server.shells.ids() == ()

    def test_lines_run_all_the_same(self, session: Any) -> None:
        completed = collect(session, line("echo out; echo err >&2; exit 3"))
        assert (completed.code, completed.stdout, completed.stderr) == (3, b"out\n", b"err\n")

    def test_stdin_environment_and_directory(self, session: Any, tmp_path: Any) -> None:
        request = line('cat; echo "$A"; pwd', stdin=b"in\n", environment={"A": "1 <2>"}, directory=str(tmp_path))
        assert collect(session, request).stdout == f"in\n1 <2>\n{tmp_path}\n".encode()

    def test_a_directory_that_is_not_there_is_the_commands_fault_not_the_ways(self, session: Any) -> None:
        with pytest.raises(CommandRefused, match="directory"):
            collect(session, line("echo x", directory="/nowhere"))
        assert collect(session, line("echo x")).stdout == b"x\n"

    def test_a_script_says_that_there_is_no_powershell(self, session: Any) -> None:
        with pytest.raises(HostError, match=r"PowerShell can't be started.*drumline_winrm_shell"):
            collect(session, script("1"))

    def test_one_that_ends_without_a_word_is_tried_again(
        self, transport: Winrm, sh_server: WsmanServer, target_for: Any, tmp_path: Any
    ) -> None:
        program = tmp_path / "powershell"
        program.write_text(f"#!/bin/sh\necho x >> {tmp_path}/starts\nexit 126\n")
        program.chmod(0o755)
        connection = transport.connect(target_for(sh_server, shell=str(program)))
        session = connection.open_session()
        with pytest.raises(HostError, match="it ended with exit code 126 and said nothing"):
            collect(session, script("1"))
        assert (tmp_path / "starts").read_text() == "x\nx\n"
        assert collect(session, line("echo x")).stdout == b"x\n"
        connection.close()

    def test_the_shell_is_renewed_before_the_quota(
        self, transport: Winrm, sh_server: WsmanServer, target_for: Any
    ) -> None:
        sh_server.change(max_operations=4)
        connection = transport.connect(target_for(sh_server, max_operations=4))
        session = connection.open_session()
        assert [collect(session, line("echo x")).code for _ in range(9)] == [0] * 9
        connection.close()
        assert not [entry for entry in sh_server.log if entry.kind == "Command" and entry.status != 200]

    def test_a_full_quota_is_made_room_in(self, session: Any, sh_server: WsmanServer) -> None:
        sh_server.change(max_operations=3)
        assert [collect(session, line("echo x")).code for _ in range(7)] == [0] * 7

    def test_a_quota_that_others_use_up_is_told(self, session: Any, sh_server: WsmanServer) -> None:
        sh_server.change(max_operations=0)
        with pytest.raises(QuotaExceeded, match="MaxConcurrentOperationsPerUser"):
            collect(session, line("echo x"))

    def test_an_idle_shell_that_is_gone_is_replaced(self, session: Any, sh_server: WsmanServer) -> None:
        collect(session, line("echo x"))
        for shell in sh_server.shells.ids():
            sh_server.shells.delete(shell)
        assert collect(session, line("echo again")).stdout == b"again\n"

    def test_a_shell_that_was_idle_for_too_long_is_replaced(
        self, transport: Winrm, sh_server: WsmanServer, target_for: Any
    ) -> None:
        sh_server.change(shell_idle=0.2)
        connection = transport.connect(target_for(sh_server))
        session = connection.open_session()
        before = sh_server.shells.ids()
        deadline = time.monotonic() + 20
        while sh_server.shells.ids():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert collect(session, line("echo again")).stdout == b"again\n"
        assert sh_server.shells.ids() != before
        connection.close()

    def test_a_command_without_an_exit_code_is_told(self, session: Any, sh_server: WsmanServer) -> None:
        sh_server.script = lambda asked: Canned(exit_code=None) if asked.text == "anything" else None
        with pytest.raises(ConnectionLost, match=r"no exit code.*web1"):
            collect(session, line("anything"))
        assert collect(session, line("echo on")).stdout == b"on\n"

    def test_a_busy_host_is_asked_again(self, session: Any, sh_server: WsmanServer) -> None:
        collect(session, line("echo x"))
        refusals = iter((True, True))

        def busy(kind: str) -> None:
            if kind == "Send" and next(refusals, False):
                raise faults.busy()

        sh_server.before = busy
        assert collect(session, line("cat", stdin=b"once")).stdout == b"once"

    @pytest.mark.parametrize("encryption", ["always", "never"])
    def test_a_loss_is_for_one_command(
        self, transport: Winrm, sh_server: WsmanServer, target_for: Any, encryption: str
    ) -> None:
        sh_server.change(allow_unencrypted=True)
        connection = transport.connect(target_for(sh_server, encryption=encryption, allow_unencrypted=True))
        session = connection.open_session()
        collect(session, line("echo x"))
        drops = iter((True,))

        def drop(kind: str) -> None:
            if kind == "Receive" and next(drops, False):
                raise Dropped

        sh_server.before = drop
        with pytest.raises(ConnectionLost, match="web1"):
            collect(session, line("echo y"))
        assert collect(session, line("echo z")).stdout == b"z\n"
        connection.close()

    def test_idle_connections_are_opened_anew_unnoticed(self, session: Any, sh_server: WsmanServer) -> None:
        for _ in range(3):
            assert collect(session, line("echo x")).stdout == b"x\n"
            sh_server.drop_connections()

    def test_a_quiet_command_outlasts_the_operation_timeout(
        self, transport: Winrm, sh_server: WsmanServer, target_for: Any
    ) -> None:
        connection = transport.connect(target_for(sh_server, operation_timeout=1.0))
        assert collect(connection.open_session(), line("sleep 2.2; echo late")).stdout == b"late\n"
        connection.close()
        assert sh_server.kinds().count("Receive") >= 3

    def test_close_ends_what_runs(self, transport: Winrm, sh_server: WsmanServer, target_for: Any) -> None:
        connection = transport.connect(target_for(sh_server))
        session = connection.open_session()
        started = threading.Event()
        thread = threading.Thread(
            target=lambda: collect(session, line("echo on; sleep 60"), lambda _stream, _data: started.set())
        )
        thread.start()
        assert started.wait(20)
        connection.close()
        thread.join(20)
        assert not thread.is_alive()
        assert sh_server.shells.ids() == ()


#: Every fault of the table in the emulator's specification, but those of an envelope that drumline never sends.
FAULTS = {
    "timed out": faults.timed_out(),
    "unknown shell": faults.unknown_shell(),
    "unknown command": faults.unknown_command(),
    "bad timeout": faults.invalid_timeout(),
    "no command id": faults.no_command_id(),
    "program not found": faults.program_not_found(),
    "line too long": faults.line_too_long(),
    "pipe ended": faults.pipe_ended(),
    "busy": faults.busy(),
    "plugin timed out": faults.plugin_timed_out(),
    "invalid body": faults.invalid_body("No such element."),
    "chunked": faults.chunked_request(),
    "aborted": faults.aborted(),
    "unknown resource": faults.unknown_resource("http://x"),
    "access denied": faults.access_denied(),
    "too many shells": faults.too_many_shells(30),
    "too many operations": faults.too_many_operations(1500),
    "too many operations, 2008 R2": faults.too_many_operations(1500, old=True),
}


#: What is no fault there: a quiet command says "timed out", and one that has ended its reading says "pipe ended".
USUAL = {("Receive", "timed out"), ("Send", "pipe ended")}
ROWS = [
    (kind, name) for kind in ("Create", "Command", "Send", "Receive") for name in FAULTS if (kind, name) not in USUAL
]


@pytest.mark.parametrize(("kind", "name"), ROWS)
def test_a_fault_that_stays_is_told_with_the_hosts_name(
    transport: Winrm, sh_server: WsmanServer, target_for: Any, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    fault = FAULTS[name]
    monkeypatch.setattr("drumline_winrm.client._BUSY_PATIENCE", 0.1)
    monkeypatch.setattr("drumline_winrm.shell._LATE_PATIENCE", 0.1)

    def refuse(asked: str) -> None:
        if asked == kind:
            raise fault

    sh_server.before = refuse
    try:
        with pytest.raises(HostError) as caught:
            collect(transport.connect(target_for(sh_server)).open_session(), line("cat", stdin=b"x"))
    finally:
        sh_server.before = None
    assert "web1" in str(caught.value)
    if name != "timed out":
        assert fault.reason.partition(".")[0] in str(caught.value)


class TestNoWay:
    """Whatever is in the way is known when connecting, and says what to do."""

    def test_wrong_password(self, transport: Winrm, sh_server: WsmanServer, target_for: Any) -> None:
        with pytest.raises(AuthenticationFailed, match="ansible_password") as caught:
            transport.connect(target_for(sh_server, password=Secret("wrong-word")))
        assert "wrong-word" not in str(caught.value)

    def test_refused(self, transport: Winrm, sh_server: WsmanServer, target_for: Any) -> None:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            with pytest.raises(ConnectionRefused, match="winrm quickconfig"):
                transport.connect(target_for(sh_server, port=held.getsockname()[1]))

    def test_no_answer(self, transport: Winrm, sh_server: WsmanServer, target_for: Any) -> None:
        with contextlib.ExitStack() as stack:
            full = stack.enter_context(socket.socket())
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for _ in range(3):  # Whoever comes after these is not answered at all.
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            with pytest.raises(ConnectTimedOut, match=r"web1.*within 0.3 seconds.*firewall"):
                transport.connect(target_for(sh_server, port=full.getsockname()[1], connect_timeout=0.3))

    def test_unknown_name(self, transport: Winrm, sh_server: WsmanServer, target_for: Any) -> None:
        with pytest.raises(NameNotResolved, match="ansible_host"):
            transport.connect(target_for(sh_server, host="no-such-host.invalid"))

    def test_unencrypted_refused_by_the_host(self, transport: Winrm, sh_server: WsmanServer, target_for: Any) -> None:
        target = target_for(sh_server, transport=("basic",), allow_unencrypted=True)
        with pytest.raises(HostError, match=r"AllowUnencrypted.*https"):
            transport.connect(target)

    def test_basic_over_http_needs_a_word(self, transport: Winrm, sh_server: WsmanServer, target_for: Any) -> None:
        with pytest.raises(OptionInvalid, match="drumline_winrm_allow_unencrypted"):
            transport.connect(target_for(sh_server, transport=("basic",)))
        assert not sh_server.log

    @pytest.mark.parametrize("way", ["kerberos", "credssp"])
    def test_missing_packages_are_named(
        self, transport: Winrm, sh_server: WsmanServer, target_for: Any, way: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("drumline_winrm.logins.find_spec", lambda _name: None)
        with pytest.raises(PackageMissing, match=rf"pip install 'drumline\[{way}\]'"):
            transport.connect(target_for(sh_server, transport=(way,)))

    def test_untrusted_certificate(self, transport: Winrm, tls_server: WsmanServer, target_for: Any) -> None:
        with pytest.raises(CertificateInvalid, match="winrm_ca_trust_path"):
            transport.connect(target_for(tls_server, transport=("basic",)))

    def test_too_many_shells(self, transport: Winrm, sh_server: WsmanServer, target_for: Any) -> None:
        sh_server.change(max_shells=0)
        with pytest.raises(QuotaExceeded, match="MaxShellsPerUser"):
            transport.connect(target_for(sh_server))

    def test_wrong_path(self, transport: Winrm, sh_server: WsmanServer, target_for: Any) -> None:
        with pytest.raises(HostError, match="winrm_path"):
            transport.connect(target_for(sh_server, path="elsewhere"))


class TestHttps:
    @pytest.mark.parametrize("way", ["basic", "ntlm"])
    @pytest.mark.parametrize("trust", ["ignore", "authority"])
    def test_log_in(
        self, transport: Winrm, tls_server: WsmanServer, target_for: Any, certificate: Any, way: str, trust: str
    ) -> None:
        trusting = (
            {"cert_validation": "ignore"} if trust == "ignore" else {"ca_trust_path": str(certificate.certificate)}
        )
        connection = transport.connect(target_for(tls_server, transport=(way,), **trusting))
        assert collect(connection.open_session(), line("echo x")).stdout == b"x\n"
        connection.close()

    def test_log_in_with_a_certificate(
        self, transport: Winrm, target_for: Any, certificate: Tls, tmp_path: Path
    ) -> None:
        own = self_signed(tmp_path, "operator")
        tls = replace(certificate, client_authority=own.certificate)
        with WsmanServer(Settings(tls=tls, schemes=("Certificate",)), backend=Sh(tmp_path)) as server:
            wanted = {"transport": ("certificate",), "ca_trust_path": str(certificate.certificate)}
            wanted |= {"cert_pem": str(own.certificate), "cert_key": str(own.key)}
            connection = transport.connect(target_for(server, user=None, password=None, **wanted))
            assert collect(connection.open_session(), line("echo x")).stdout == b"x\n"
            connection.close()
            with pytest.raises(OptionInvalid, match="winrm_cert_key_pem"):
                transport.connect(target_for(server, **wanted | {"cert_key": None}))

    @pytest.mark.windows
    def test_a_script_and_a_file_with_basic(
        self, transport: Winrm, windows_host: Any, target_for: Any, certificate: Any, tmp_path: Path
    ) -> None:
        settings = Settings(users={"vagrant": "pässw:örd"}, tls=certificate)
        with WsmanServer(settings, backend=windows_host) as server:
            connection = transport.connect(target_for(server, transport=("basic",), cert_validation="ignore"))
            session = connection.open_session()
            assert collect(session, script("'Grüße €'; exit 3")).stdout == "Grüße €\r\n".encode()
            session.put(Put(source=bytes(range(256)) * 5000, destination="C:\\https.bin"))
            session.get(Get(source="C:\\https.bin", destination=tmp_path / "got"))
            connection.close()
        assert (tmp_path / "got").read_bytes() == bytes(range(256)) * 5000


@pytest.mark.windows
class TestWarm:
    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, windows_host: Any) -> Any:
        with WsmanServer(Settings(users={"vagrant": "pässw:örd"}), backend=windows_host) as server:
            yield server

    @pytest.fixture(scope="class")
    @classmethod
    def session(cls, transport: Winrm, server: WsmanServer, target_for: Any) -> Any:
        connection = transport.connect(target_for(server))
        yield connection.open_session()
        connection.close()

    @pytest.mark.parametrize("request_", [script("Write-Output small"), line("echo small")], ids=["powershell", "cmd"])
    def test_two_requests_and_under_four_kilobytes(self, server: WsmanServer, session: Any, request_: Run) -> None:
        collect(session, request_)
        server.change(coalesce=1.0)  # so that output and end come together, however busy the machine is
        server.log.clear()
        try:
            assert collect(session, request_).stdout == b"small\r\n"
        finally:
            server.change(coalesce=Settings().coalesce)
        assert server.kinds() == ["Send", "Receive"]
        assert sum(exchange.received for exchange in server.log) < 4096

    def test_a_library_is_sent_once_and_again_to_a_new_powershell(self, server: WsmanServer, session: Any) -> None:
        noise = "".join(f"# {secrets.token_hex(32)}\n" for _ in range(100))
        library = f"function Get-Sum($a, $b) {{ $a + $b }}\n{noise}"

        def sum_of(first: int, second: int) -> tuple[bytes, int]:
            server.log.clear()
            said = collect(session, script(f"Get-Sum {first} {second}", library=library)).stdout.strip()
            return said, max(exchange.received for exchange in server.log if exchange.kind == "Send")

        assert sum_of(1, 2)[0] == b"3"
        said, sent = sum_of(3, 4)
        assert (said, sent < 2500) == (b"7", True)
        assert collect(session, script("Start-Sleep 60", timeout=0.5)).ending is Ending.TIMED_OUT
        said, sent = sum_of(5, 6)
        assert (said, sent > 5000) == (b"11", True)

    @pytest.mark.parametrize(
        ("text", "code"),
        [("Write-Error no", 1), ("cmd /c exit 5", 1), ("cmd /c exit 5; 'on'", 0), ("throw 'x'", 1), ("exit 9", 9)],
    )
    def test_exit_codes_are_those_of_powershell_command(self, session: Any, text: str, code: int) -> None:
        assert collect(session, script(text)).code == code

    def test_exit_codes_of_lines_have_32_bits(self, session: Any) -> None:
        assert [collect(session, line(text)).code for text in ("exit 3010", "exit -1")] == [3010, 0xFFFFFFFF]

    def test_programs_in_a_script_find_the_end_of_input(self, session: Any) -> None:
        assert collect(session, script("cmd /c more", timeout=20)).code == 0
        assert collect(session, script("cmd /c more", stdin=b"line\r\n", timeout=20)).stdout == b"line\r\n"

    def test_a_send_whose_answer_is_lost_runs_once(self, server: WsmanServer, session: Any) -> None:
        collect(session, script("$env:TEMP"))
        drops = iter((True,))

        def drop(kind: str) -> None:
            if kind == "Send" and next(drops, False):
                raise Dropped

        server.after = drop
        file = "$f = Join-Path ([IO.Path]::GetTempPath()) count"
        count = f"{file}; [IO.File]::AppendAllText($f, 'x'); [IO.File]::ReadAllText($f)"
        try:
            assert collect(session, script(count)).stdout == b"x\r\n"
        finally:
            server.after = None
        assert collect(session, script(count)).stdout == b"xx\r\n"

    def test_a_powershell_whose_start_the_host_was_too_busy_for_is_started_again(
        self, transport: Winrm, server: WsmanServer, target_for: Any
    ) -> None:
        late = iter((True,))

        def answer(kind: str) -> None:
            if kind == "Command" and next(late, False):
                raise Fault(2150858793, "The operation took too long.", subcode="w:TimedOut")

        shells = server.shells.ids()
        server.before = answer
        connection = transport.connect(target_for(server))
        try:
            session = connection.open_session()
            server.log.clear()
            assert collect(session, script("'here'")).stdout == b"here\r\n"
            assert server.kinds()[:4] == ["Command", "Delete", "Create", "Command"]
        finally:
            server.before = None
            connection.close()
        assert server.shells.ids() == shells

    def test_smaller_envelopes_are_found_out(
        self, transport: Winrm, server: WsmanServer, target_for: Any, tmp_path: Any
    ) -> None:
        server.change(max_envelope=150 * 1024)
        connection = transport.connect(target_for(server))
        session = connection.open_session()
        content = bytes(range(256)) * 4000
        session.put(Put(source=content, destination="C:\\small.bin"))
        session.get(Get(source="C:\\small.bin", destination=tmp_path / "got"))
        connection.close()
        server.change(max_envelope=500 * 1024)
        assert (tmp_path / "got").read_bytes() == content
