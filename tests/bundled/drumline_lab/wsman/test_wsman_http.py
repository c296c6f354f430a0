"""HTTP as Windows speaks it: one path, one method, bodies of known length, connections kept open."""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.narrowing import expect
from support.wsman import Client

from drumline_lab.wsman import Tls, WsmanServer
from drumline_lab.wsman.http import BadRequest, HttpEnd, Request, Response


def test_one_connection_serves_many_requests(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve()
    client = dial(server)
    client.create()
    assert client.run("echo one") == (b"one\n", b"", 0)
    assert client.run("echo two >&2; exit 4") == (b"", b"two\n", 4)
    assert {exchange.connection for exchange in server.log} == {1}


def test_other_paths_and_methods_are_refused(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve()
    assert dial(server).post(b"", path="/other").status == 404
    assert dial(server).post(b"", method="GET").status == 405


def test_a_chunked_request_is_a_fault(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve())
    client.connection.request(
        "POST", "/wsman", iter([b"<a/>"]), {"Authorization": client.authorization}, encode_chunked=True
    )
    response = client.connection.getresponse()
    assert response.status == 500
    assert b'Code="50"' in response.read()


def test_a_body_above_the_limit_is_refused_and_not_carried_out(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client], tmp_path: Path
) -> None:
    server = serve(max_envelope=20_000)
    client = dial(server)
    client.create()
    line = f"touch {tmp_path / 'done'} #{'x' * 30_000}"
    answer = client.ask("Command", f"<r:CommandLine><r:Command>{line}</r:Command></r:CommandLine>")
    assert (answer.status, answer.body) == (413, b"")
    assert not (tmp_path / "done").exists()
    assert client.run("echo still there")[0] == b"still there\n"  # on a new connection: the old one was closed
    assert server.log[-1].connection == 2


def test_answers_in_chunks_are_read_by_pywinrm(serve: Callable[..., WsmanServer], pywinrm: Callable[..., Any]) -> None:
    protocol = pywinrm(serve(chunked=True), message_encryption="always")
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "echo hi")
    assert protocol.get_command_output(shell, command) == (b"hi\n", b"", 0)


def test_an_idle_connection_is_closed(serve: Callable[..., WsmanServer]) -> None:
    server = serve(connection_idle=0.1)
    with socket.create_connection((server.host, server.port), 10) as connected:
        assert connected.recv(1) == b""


def test_what_is_not_http_ends_the_connection(serve: Callable[..., WsmanServer]) -> None:
    server = serve()
    with socket.create_connection((server.host, server.port), 10) as connected:
        connected.sendall(b"\x16\x03\x01\x02\x00\r\n")
        assert connected.recv(1) == b""


def test_a_client_that_stalls_its_tls_handshake_keeps_nobody_waiting(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client], tls: Tls
) -> None:
    server = serve(tls=tls)
    with socket.create_connection((server.host, server.port), 10):
        client = dial(server, ssl.create_default_context(cafile=str(tls.certificate)))
        assert client.create().status == 200


def test_identify_needs_no_login(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    answer = dial(serve(allow_unencrypted=False), authorization="").post(b"", WSMANIDENTIFY="unauthenticated")
    assert answer.status == 200
    assert b"IdentifyResponse" in answer.body


def end(data: bytes) -> HttpEnd:
    """A server's end of a connection on which the client has said this and closed it."""
    return HttpEnd(io.BytesIO(data).read)


POST = b"POST /wsman HTTP/1.1\r\nHost: web1\r\n"


def test_header_and_body_leave_at_once() -> None:
    http = end(POST + b"\r\n")
    assert http.read(10) == Request(method="POST", path="/wsman", headers={"host": "web1"})
    assert http.encode(Response(status=200, body=b"x", content_type="t", close=True)) == (
        b"HTTP/1.1 200 OK\r\nServer: Microsoft-HTTPAPI/2.0\r\nContent-Type: t\r\nConnection: close\r\n"
        b"Content-Length: 1\r\n\r\nx"
    )
    assert not http.is_open


def test_requests_may_follow_each_other_without_a_pause() -> None:
    http = end(POST + b"Content-Length: 3\r\n\r\nabc" + POST + b"X: \xfc\r\nContent-Length: 11\r\n\r\nabcdefghijk")
    first = expect(Request, http.read(10))
    assert (first.body, first.too_large) == (b"abc", False)
    http.encode(Response(status=200))
    assert http.is_open
    second = expect(Request, http.read(10))
    assert (second.headers["x"], second.body, second.too_large) == ("\xfc", b"", True)
    http.encode(Response(status=200))
    assert http.read(10) is None


def test_a_client_that_asks_for_it_has_its_connection_closed() -> None:
    http = end(POST + b"Connection: close\r\n\r\n")
    http.read(10)
    assert b"\r\nConnection: close\r\n" in http.encode(Response(status=200))
    assert not http.is_open


@pytest.mark.parametrize(
    "data",
    [
        b"POST /wsman\r\nHost: web1\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\n\r\n",
        POST + b"no field\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 5\r\n\r\nabc",
        POST + b"Content-Length: 50\r\n\r\nabc",
        POST + b"Content-Length: 5",
        POST + b"a: b\r\n" * 100_000,
    ],
    ids=["no version", "no host", "no field", "length", "cut", "cut and too large", "cut in its head", "endless"],
)
def test_broken_requests(data: bytes) -> None:
    with pytest.raises(BadRequest):
        end(data).read(10)


def test_the_end_of_a_connection_is_no_request() -> None:
    assert end(b"").read(10) is None
