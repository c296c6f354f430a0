"""What is in the way is told for what it is, with what to do: network, proxy, TLS, HTTP."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.intruder import Listener, answer, read_message

from drumline.plugin import CertificateInvalid, ConnectionRefused, HostError, OptionInvalid
from drumline_lab.wsman import Settings, Sh, Tls, WsmanServer, self_signed
from drumline_winrm.transport import Winrm


@pytest.mark.parametrize("way", ["basic", "ntlm"])
def test_https_to_a_port_that_speaks_http(transport: Winrm, sh_server: WsmanServer, target_for: Any, way: str) -> None:
    with pytest.raises(HostError, match=r"web1.*may speak http: see winrm_scheme") as caught:
        transport.connect(target_for(sh_server, scheme="https", transport=(way,)))
    assert not isinstance(caught.value, CertificateInvalid)


def test_https_to_a_port_that_says_so(transport: Winrm, sh_server: WsmanServer, target_for: Any) -> None:
    """As Windows does: its answer to what isn't HTTP is HTTP."""

    def serve(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(answer(b"Bad Request", status="400 Bad Request"))

    with (
        Listener(serve) as host,
        pytest.raises(HostError, match=r"This port doesn't speak https.*web1.*winrm_scheme to http,"),
    ):
        transport.connect(target_for(sh_server, scheme="https", port=host.port))


@pytest.mark.parametrize("way", ["basic", "ntlm"])
def test_http_to_a_port_that_speaks_https(transport: Winrm, tls_server: WsmanServer, target_for: Any, way: str) -> None:
    with pytest.raises(HostError, match=r"web1.*https.*winrm_scheme"):
        transport.connect(target_for(tls_server, scheme="http", transport=(way,), allow_unencrypted=True))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x16", "This port speaks https"),  # an alert of TLS
        (answer(b"", status="400 Bad Request"), "does this port speak https"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "Connection lost"),
        (answer(b"", status="503 Service Unavailable"), "HTTP 503; is it WinRM"),
        (answer(b"", status="403 Forbidden"), "HTTP 403; is it WinRM"),
        (answer(b"", status="407 Log In"), "The proxy refuses"),
        (b"", "winrm_scheme"),
    ],
)
def test_what_says_something_else(
    transport: Winrm, sh_server: WsmanServer, target_for: Any, said: bytes, words: str
) -> None:
    def serve(client: socket.socket) -> None:
        with client.makefile("rb") as asked:
            read_message(asked)
            client.sendall(said)

    with Listener(serve) as host, pytest.raises(HostError, match=re.escape(words)) as caught:
        transport.connect(target_for(sh_server, port=host.port))
    assert "web1" in str(caught.value)


class TestCertificates:
    def test_one_for_another_name(self, transport: Winrm, target_for: Any, tmp_path: Path) -> None:
        with (
            _serving(tmp_path, self_signed(tmp_path, "db7.example.com")) as server,
            pytest.raises(CertificateInvalid, match=r"Certificate for another name.*127\.0\.0\.1.*ansible_host"),
        ):
            transport.connect(self._trusting(target_for, server))

    def test_one_for_another_name_than_the_one_connected_to(
        self, transport: Winrm, target_for: Any, tmp_path: Path
    ) -> None:
        with (
            _serving(tmp_path, self_signed(tmp_path, "db7.example.com", "127.0.0.1")) as server,
            pytest.raises(CertificateInvalid, match=r"Certificate for another name.*localhost.*ansible_host"),
        ):
            transport.connect(self._trusting(target_for, server, host="localhost"))

    def test_one_that_has_expired(self, transport: Winrm, target_for: Any, tmp_path: Path) -> None:
        with (
            _serving(tmp_path, self_signed(tmp_path, "localhost", "127.0.0.1", days=0)) as server,
            pytest.raises(CertificateInvalid, match=r"Certificate expired.*web1.*new certificate"),
        ):
            transport.connect(self._trusting(target_for, server))

    def test_one_of_an_unknown_authority(self, transport: Winrm, tls_server: WsmanServer, target_for: Any) -> None:
        with pytest.raises(CertificateInvalid, match=r"Certificate not trusted.*winrm_ca_trust_path"):
            transport.connect(target_for(tls_server))

    def _trusting(self, target_for: Any, server: WsmanServer, **options: Any) -> Any:
        assert server.settings.tls is not None
        return target_for(server, ca_trust_path=str(server.settings.tls.certificate), **options)


def _serving(home: Path, tls: Tls) -> WsmanServer:
    return WsmanServer(Settings(users={"vagrant": "pässw:örd"}, tls=tls), backend=Sh(home))


class TestAuthorities:
    """A wrong path is the inventory's mistake, known before the host hears of it."""

    @pytest.mark.parametrize("by", ["option", "variable"])
    def test_a_file_that_is_not_there(
        self, transport: Winrm, tls_server: WsmanServer, target_for: Any, monkeypatch: pytest.MonkeyPatch, by: str
    ) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem" if by == "variable" else "")
        path = {"ca_trust_path": "/nowhere/ca.pem"} if by == "option" else {}
        place = "winrm_ca_trust_path of web1" if by == "option" else "REQUESTS_CA_BUNDLE"
        with pytest.raises(OptionInvalid, match=rf"{place} says '/nowhere/ca.pem', and there is no such file"):
            transport.connect(target_for(tls_server, **path))
        assert not tls_server.connections()
        assert not tls_server.log

    @pytest.mark.parametrize("content", ["", "not PEM", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
    def test_a_file_that_holds_none(
        self, transport: Winrm, tls_server: WsmanServer, target_for: Any, tmp_path: Path, content: str
    ) -> None:
        path = tmp_path / "ca.pem"
        path.write_text(content)
        with pytest.raises(OptionInvalid, match="It must be PEM"):
            transport.connect(target_for(tls_server, ca_trust_path=str(path)))
        assert not tls_server.log

    def test_a_file_in_the_home_directory(
        self,
        transport: Winrm,
        tls_server: WsmanServer,
        target_for: Any,
        certificate: Tls,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("HOME", str(certificate.certificate.parent))
        path = f"~/{certificate.certificate.name}"
        transport.connect(target_for(tls_server, ca_trust_path=path)).close()


class TestProxies:
    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"])
    def test_one_that_refuses(
        self, transport: Winrm, tls_server: WsmanServer, target_for: Any, status: str, scheme: str
    ) -> None:
        with Listener(_refusing(status)) as proxy:
            target = target_for(tls_server, scheme=scheme, proxy=f"http://127.0.0.1:{proxy.port}")
            with pytest.raises(HostError, match=rf"The proxy refuses.*{proxy.port}.*web1.*{status[:3]}.*winrm_proxy"):
                transport.connect(target)

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_one_that_is_not_there(
        self, transport: Winrm, sh_server: WsmanServer, target_for: Any, scheme: str
    ) -> None:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            target = target_for(sh_server, scheme=scheme, proxy=f"http://127.0.0.1:{held.getsockname()[1]}")
            with pytest.raises(ConnectionRefused, match=r"The proxy can't be reached.*winrm_proxy"):
                transport.connect(target)


def _refusing(status: str) -> Callable[[socket.socket], None]:
    def serve(client: socket.socket) -> None:
        with client.makefile("rb") as asked:
            read_message(asked)
            client.sendall(answer(b"no", status=status))

    return serve
