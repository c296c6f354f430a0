"""HTTP as Windows speaks it: one path, one method, bodies of known length, connections kept open."""

from __future__ import annotations

import io
import socket
import ssl
from pathlib import Path

import pytest

from drumline_lab.wsman.http import BadRequest, Response, read_request


def test_one_connection_serves_many_requests(serve, dial) -> None:
    server = serve()
    client = dial(server)
    client.create()
    assert client.run("echo one") == (b"one\n", b"", 0)
    assert client.run("echo two >&2; exit 4") == (b"", b"two\n", 4)
    assert {exchange.connection for exchange in server.log} == {1}


def test_other_paths_and_methods_are_refused(serve, dial) -> None:
    server = serve()
    assert dial(server).post(b"", path="/other").status == 404
    assert dial(server).post(b"", method="GET").status == 405


def test_a_chunked_request_is_a_fault(serve, dial) -> None:
    client = dial(serve())
    client.connection.request(
        "POST", "/wsman", iter([b"<a/>"]), {"Authorization": client.authorization}, encode_chunked=True
    )
    response = client.connection.getresponse()
    assert response.status == 500
    assert b'Code="50"' in response.read()


def test_a_body_above_the_limit_is_refused_and_not_carried_out(serve, dial, tmp_path: Path) -> None:
    server = serve(max_envelope=20_000)
    client = dial(server)
    client.create()
    line = f"touch {tmp_path / 'done'} #{'x' * 30_000}"
    answer = client.ask("Command", f"<r:CommandLine><r:Command>{line}</r:Command></r:CommandLine>")
    assert (answer.status, answer.body) == (413, b"")
    assert not (tmp_path / "done").exists()
    assert client.run("echo still there")[0] == b"still there\n"  # on a new connection: the old one was closed
    assert server.log[-1].connection == 2


def test_answers_in_chunks_are_read_by_pywinrm(serve, pywinrm) -> None:
    protocol = pywinrm(serve(chunked=True), message_encryption="always")
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "echo hi")
    assert protocol.get_command_output(shell, command) == (b"hi\n", b"", 0)


def test_an_idle_connection_is_closed(serve) -> None:
    server = serve(connection_idle=0.1)
    with socket.create_connection((server.host, server.port), 10) as connected:
        assert connected.recv(1) == b""


def test_what_is_not_http_ends_the_connection(serve) -> None:
    server = serve()
    with socket.create_connection((server.host, server.port), 10) as connected:
        connected.sendall(b"\x16\x03\x01\x02\x00\r\n")
        assert connected.recv(1) == b""


def test_a_client_that_stalls_its_tls_handshake_keeps_nobody_waiting(serve, dial, tls) -> None:
    server = serve(tls=tls)
    with socket.create_connection((server.host, server.port), 10):
        client = dial(server, ssl.create_default_context(cafile=str(tls.certificate)))
        assert client.create().status == 200


def test_identify_needs_no_login(serve, dial) -> None:
    answer = dial(serve(allow_unencrypted=False), authorization="").post(b"", WSMANIDENTIFY="unauthenticated")
    assert answer.status == 200
    assert b"IdentifyResponse" in answer.body


def test_header_and_body_leave_at_once() -> None:
    assert Response(status=200, body=b"x", content_type="t", close=True).encode() == (
        b"HTTP/1.1 200 OK\r\nServer: Microsoft-HTTPAPI/2.0\r\nContent-Type: t\r\nConnection: close\r\n"
        b"Content-Length: 1\r\n\r\nx"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"POST /wsman\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nno field\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc",
        b"POST /wsman HTTP/1.1\r\nContent-Length: 50\r\n\r\nabc",
        b"POST /wsman HTTP/1.1\r\n" + b"a: b\r\n" * 101,
    ],
)
def test_broken_requests(data) -> None:
    with pytest.raises(BadRequest):
        read_request(io.BytesIO(data), 10)


def test_the_end_of_a_connection_is_no_request() -> None:
    assert read_request(io.BytesIO(b""), 10) is None
