"""Sealed messages: the frame, the sequence, and what happens to those that can't be opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.wsman import Client

from drumline_lab.wsman import WsmanServer
from drumline_lab.wsman.sealing import Unsealable, protocol_of, seal, unseal

SPNEGO = "application/HTTP-SPNEGO-session-encrypted"
CREDSSP = "application/HTTP-CredSSP-session-encrypted"


class Xor:
    """A context whose sealed data can be made to look like anything."""

    def wrap_winrm(self, data: bytes) -> tuple[bytes, bytes, int]:
        return b"HEAD", bytes(byte ^ 1 for byte in data), 0

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes:
        if header != b"HEAD":
            raise ValueError("not sealed here")
        return bytes(byte ^ 1 for byte in data)


@pytest.mark.parametrize(
    "sealed",
    [b"", b"plain", b"--Encrypted Boundary--\r\n", b"\tContent-Type: application/octet-stream\r\n", bytes(range(256))],
)
def test_sealed_data_may_hold_anything(sealed: bytes) -> None:
    plain = bytes(byte ^ 1 for byte in sealed)
    content_type, body = seal(Xor(), SPNEGO, plain)
    assert protocol_of(content_type) == SPNEGO
    assert sealed in body
    assert unseal(Xor(), body) == plain


def test_credssp_seals_in_pieces() -> None:
    plain = bytes(range(256)) * 200
    content_type, body = seal(Xor(), CREDSSP, plain)
    assert content_type.startswith("multipart/x-multi-encrypted;")
    assert body.count(b"OriginalContent") == 4
    assert unseal(Xor(), body) == plain


def test_plain_bodies_have_no_protocol() -> None:
    assert protocol_of("application/soap+xml;charset=UTF-8") == ""


@pytest.mark.parametrize(
    ("old", "new"), [(b"Length=5", b"Length=6"), (b"HEAD", b"HERD"), (b"octet", b"text"), (b"--\r", b"")]
)
def test_a_broken_frame_can_not_be_opened(old: bytes, new: bytes) -> None:
    body = seal(Xor(), SPNEGO, b"hello")[1]
    assert old in body
    with pytest.raises(Unsealable):
        unseal(Xor(), body.replace(old, new))


def test_a_plain_body_over_http_is_refused_unless_allowed(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client], pywinrm: Callable[..., Any]
) -> None:
    server = serve(allow_unencrypted=False)
    answer = dial(server).create()
    assert (answer.status, answer.body) == (500, b"")
    assert pywinrm(server, message_encryption="always").open_shell()


def test_a_body_sealed_for_a_lost_connection_is_a_bad_request(
    serve: Callable[..., WsmanServer], pywinrm: Callable[..., Any]
) -> None:
    """The reason behind most reports of "Code 400": pywinrm goes on with the keys of the connection before."""
    from winrm.exceptions import WinRMTransportError

    server = serve(allow_unencrypted=False)
    protocol = pywinrm(server, message_encryption="always")
    shell = protocol.open_shell()
    server.drop_connections()
    with pytest.raises(WinRMTransportError) as caught:
        protocol.run_command(shell, "echo hi")
    assert caught.value.code == 400
    protocol.transport.close_session()
    command = protocol.run_command(shell, "echo hi")  # the shell outlives its connections
    assert protocol.get_command_output(shell, command) == (b"hi\n", b"", 0)


def test_faults_are_sealed_like_the_request(serve: Callable[..., WsmanServer], pywinrm: Callable[..., Any]) -> None:
    from winrm.exceptions import WSManFaultError

    with pytest.raises(WSManFaultError) as caught:
        pywinrm(serve(), message_encryption="always").run_command("no such shell", "echo")
    assert caught.value.wsman_fault_code == 2150858843


def test_20_mb_come_back_sealed(serve: Callable[..., WsmanServer], pywinrm: Callable[..., Any]) -> None:
    server = serve(allow_unencrypted=False)
    protocol = pywinrm(server, message_encryption="always")
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "head -c 20000000 /dev/zero")
    output, errors, code = protocol.get_command_output(shell, command)
    assert (len(output), output.count(b"\0"), errors, code) == (20_000_000, 20_000_000, b"", 0)
