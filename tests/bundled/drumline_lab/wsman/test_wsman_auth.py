"""Logins, by the real clients: NTLM raw and in SPNEGO, CredSSP, Basic, certificates, channel binding."""

from __future__ import annotations

import base64
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spnego
import spnego.tls
from support.wsman import Answer, Client
from winrm.exceptions import InvalidCredentialsError

from drumline_lab.wsman import Tls, WsmanServer


def test_what_is_offered_is_what_windows_offers(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    answer = dial(serve(), authorization="").post(b"")
    assert answer.status == 401
    assert answer.headers.get_all("WWW-Authenticate", []) == ["Negotiate", 'Basic realm="WSMAN"']


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
def test_pypsrp_logs_in_and_seals(
    serve: Callable[..., WsmanServer], pypsrp_shell: Callable[..., Any], auth: str
) -> None:
    from pypsrp.shell import Process

    server = serve(allow_unencrypted=False)
    shell = pypsrp_shell(server, auth=auth)
    process = Process(shell, "cat; exit 3", [])
    process.begin_invoke()
    process.send(b"input", end=True)
    process.end_invoke()
    assert (process.stdout, process.stderr, process.rc) == (b"input", b"", 3)
    assert server.kinds() == ["Create", "Command", "Send", "Receive"]
    shell.close()
    assert not server.shells.ids()


def test_basic_by_pypsrp(serve: Callable[..., WsmanServer], pypsrp_shell: Callable[..., Any]) -> None:
    assert pypsrp_shell(serve(), auth="basic", encryption="never").id


@pytest.mark.parametrize("options", [{"password": "wrong"}, {"username": "nobody"}, {"username": "DOMAIN\\admin"}])
def test_a_wrong_login_is_refused_with_its_reason_kept(
    serve: Callable[..., WsmanServer], pywinrm: Callable[..., Any], options: dict[str, object]
) -> None:
    server = serve()
    with pytest.raises(InvalidCredentialsError):
        pywinrm(server, message_encryption="always", **options).open_shell()
    assert server.last_auth_error
    assert server.log[-1].status == 401


def test_case_of_the_user_does_not_count(
    serve: Callable[..., WsmanServer], pywinrm: Callable[..., Any], dial: Callable[..., Client]
) -> None:
    server = serve()
    assert pywinrm(server, username="ADMIN", message_encryption="always").open_shell()
    upper = "Basic " + base64.b64encode("Admin:p:ss wörd".encode()).decode()
    assert dial(server, authorization=upper).create().status == 200


def test_basic_is_checked_on_every_request(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve())
    assert client.create().status == 200
    client.authorization = ""
    assert client.ask("Get", resource="http://schemas.microsoft.com/wbem/wsman/1/windows/shell").status == 401


def test_schemes_that_are_not_offered_are_refused(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client]
) -> None:
    server = serve(schemes=("Basic",))
    for authorization in ("Negotiate TlRMTVNTUAABAAAA", "Kerberos YII=", "Negotiate ???", "Basic"):
        assert dial(server, authorization=authorization).post(b"").status == 401


def test_a_broken_ntlm_token_is_refused(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve()
    for token in (b"NTLMSSP\0\x01", b"NTLMSSP\0\x03\0\0\0", b"\x60\x00"):
        answer = dial(server, authorization="Negotiate " + base64.b64encode(token).decode()).post(b"")
        assert answer.status == 401
        assert "Negotiate" in answer.headers.get_all("WWW-Authenticate", [])


def test_servers_with_the_same_user_keep_their_own_passwords(
    serve: Callable[..., WsmanServer], pywinrm: Callable[..., Any]
) -> None:
    first, second = serve(users={"admin": "one"}), serve(users={"admin": "two"})
    assert pywinrm(first, password="one", message_encryption="always").open_shell()
    assert pywinrm(second, password="two", message_encryption="always").open_shell()
    with pytest.raises(InvalidCredentialsError):
        pywinrm(second, password="one", message_encryption="always").open_shell()


@pytest.mark.parametrize(
    ("level", "send_cbt", "accepted"),
    [
        ("none", True, True),
        ("none", False, True),
        ("relaxed", True, True),
        ("relaxed", False, True),
        ("strict", True, True),
        ("strict", False, False),
    ],
)
def test_channel_binding(
    serve: Callable[..., WsmanServer], pywinrm: Callable[..., Any], tls: Tls, level: str, send_cbt: bool, accepted: bool
) -> None:
    server = serve(tls=tls, channel_binding=level, allow_unencrypted=False)
    protocol = pywinrm(server, server_cert_validation="ignore", send_cbt=send_cbt)
    if accepted:
        assert protocol.open_shell()
    else:
        with pytest.raises(InvalidCredentialsError):
            protocol.open_shell()
        assert "BadBindingsError" in server.last_auth_error


def test_a_binding_to_another_channel_is_refused_though_none_is_demanded(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client], tls: Tls
) -> None:
    server = serve(tls=tls, channel_binding="relaxed")
    wrong = spnego.channel_bindings.GssChannelBindings(application_data=b"tls-server-end-point:" + b"x" * 32)
    context = spnego.client("admin", "p:ss wörd", protocol="ntlm", channel_bindings=wrong)
    client = dial(server, ssl.create_default_context(cafile=str(tls.certificate)))
    assert _shake_hands(client, "Negotiate", context).status == 401
    assert "BadBindingsError" in server.last_auth_error


def test_credssp(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve(schemes=("CredSSP",), allow_unencrypted=False)
    client = dial(server)
    context = spnego.client(
        "admin", "p:ss wörd", protocol="credssp", credssp_tls_context=spnego.tls.default_tls_context()
    )
    assert _shake_hands(client, "CredSSP", context).status == 200
    from drumline_lab.wsman import sealing

    protocol = "application/HTTP-CredSSP-session-encrypted"
    client.authorization = ""
    message = b"<nothing>" + b"x" * 40_000 + b"</nothing>"
    content_type, body = sealing.seal(context, protocol, message)
    assert content_type.startswith("multipart/x-multi-encrypted")
    answer = client.post(body, Content_Type=content_type)
    assert answer.status == 500
    assert b"2150858817" in sealing.unseal(context, answer.body)  # it was read, and isn't SOAP


def test_a_client_certificate(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client], tls: Tls, tmp_path: Path
) -> None:
    own = _client_certificate(tmp_path)
    server_tls = Tls(certificate=tls.certificate, key=tls.key, client_authority=own.certificate)
    server = serve(tls=server_tls, schemes=("Certificate",))
    mutual = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
    context = ssl.create_default_context(cafile=str(tls.certificate))
    assert dial(server, context, authorization=mutual).create().status == 401
    context = ssl.create_default_context(cafile=str(tls.certificate))
    context.load_cert_chain(own.certificate, own.key)
    assert dial(server, context, authorization=mutual).create().text("Owner") == "operator"


def _client_certificate(directory: Path) -> Tls:
    tls = Tls(certificate=directory / "client.crt", key=directory / "client.key")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=operator"]
    subprocess.run([*command, "-keyout", tls.key, "-out", tls.certificate], check=True, capture_output=True)
    return tls


def _shake_hands(client: Client, scheme: str, context: Any) -> Answer:
    """Exchange tokens until one side has had enough."""
    token = context.step()
    while True:
        client.authorization = f"{scheme} {base64.b64encode(token).decode()}"
        answer = client.post(b"")
        field = answer.headers.get("WWW-Authenticate", "")
        if answer.status != 401 or not field.startswith(f"{scheme} "):
            return answer
        token = context.step(base64.b64decode(field.partition(" ")[2]))
