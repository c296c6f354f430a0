"""Log-ins by Kerberos, by other clients than drumline's: tickets alone and in SPNEGO, channel binding, delegation."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import spnego
from spnego.channel_bindings import GssChannelBindings
from support.kerberos import NAME, Realm, realm

USER = f"alice@{NAME}"


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    with realm(tmp_path_factory.mktemp("realm"), {"alice": "password"}) as made:
        made.log_in("alice", "password", "-f")
        yield made


def knock(dial: Any, server: Any, context: Any, *, tls: Any = None, scheme: str = "Negotiate") -> int:
    """The status of a request with the token of a context."""
    trusting = ssl.create_default_context(cafile=str(tls.certificate)) if tls else None
    token = base64.b64encode(context.step()).decode()
    return int(dial(server, trusting, authorization=f"{scheme} {token}").post(b"").status)


def client(**options: Any) -> Any:
    return spnego.client(hostname="localhost", service="HTTP", protocol="kerberos", **options)


@pytest.mark.parametrize(
    ("auth", "scheme"), [("kerberos", "Kerberos"), ("kerberos", "Negotiate"), ("negotiate", "Negotiate")]
)
def test_pypsrp_logs_in_and_seals(domain: Realm, serve: Any, pypsrp_shell: Any, auth: str, scheme: str) -> None:
    from pypsrp.shell import Process

    server = serve(keytab=domain.keytab, schemes=(scheme,), allow_unencrypted=False)
    named = {
        "username": USER,
        "password": None,
        "negotiate_hostname_override": "localhost",
        "negotiate_service": "HTTP",
    }
    process = Process(pypsrp_shell(server, auth=auth, **named), "exit 3", [])
    process.invoke()
    assert process.rc == 3
    assert [server.shells.find(shell).owner for shell in server.shells.ids()] == [USER]


@pytest.mark.parametrize(
    ("level", "bound", "status"),
    [
        ("none", b"elsewhere", 200),
        ("relaxed", None, 200),
        ("relaxed", b"here", 200),
        ("relaxed", b"elsewhere", 401),
        ("strict", None, 401),
        ("strict", b"here", 200),
        ("strict", b"elsewhere", 401),
    ],
)
def test_channel_binding(
    domain: Realm, serve: Any, dial: Any, tls: Any, level: str, bound: bytes | None, status: int
) -> None:
    server = serve(keytab=domain.keytab, tls=tls, channel_binding=level)
    elsewhere = GssChannelBindings(application_data=b"tls-server-end-point:" + b"x" * 32)
    bindings = {None: None, b"here": server.bindings, b"elsewhere": elsewhere}[bound]
    assert knock(dial, server, client(channel_bindings=bindings), tls=tls) == status


@pytest.mark.parametrize("wanted", [True, False])
def test_a_delegated_ticket_arrives(domain: Realm, serve: Any, dial: Any, wanted: bool) -> None:
    server = serve(keytab=domain.keytab)
    flags = spnego.ContextReq.default | (spnego.ContextReq.delegate if wanted else spnego.ContextReq.none)
    assert knock(dial, server, client(context_req=flags)) == 200
    assert server.connections()[0].delegated == (USER if wanted else "")


def test_a_host_outside_the_domain_takes_no_tickets(domain: Realm, serve: Any, dial: Any) -> None:
    server = serve()
    assert knock(dial, server, client()) == 401
    assert server.last_auth_error


def test_one_in_the_domain_still_takes_passwords(domain: Realm, serve: Any, pywinrm: Any) -> None:
    assert pywinrm(serve(keytab=domain.keytab), message_encryption="always").open_shell()
