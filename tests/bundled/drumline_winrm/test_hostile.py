"""Whoever answers in place of WinRM, or between here and it: bounded in time and size, told truly, never believed."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.intruder import Intruder, Listener, answer, read_message

from drumline.plugin import ConnectionLost, HostError, Language, Run, Secret
from drumline.testing.collect import collect
from drumline_lab.wsman import WsmanServer
from drumline_winrm.transport import Winrm

SOAP = "Content-Type: application/soap+xml;charset=UTF-8"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"


def envelope(body: str) -> bytes:
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/'
        f'wsman.xsd" xmlns:rsp="{SHELL}"><s:Header/><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


def fault(code: int) -> bytes:
    return envelope(
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>Forged.</s:Text></s:Reason><s:Detail>"
        f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{code}"/></s:Detail>'
        "</s:Fault>"
    )


CREATED = envelope('<w:Selector Name="ShellId">A</w:Selector>')
STARTED = envelope("<rsp:CommandResponse><rsp:CommandId>B</rsp:CommandId></rsp:CommandResponse>")
DONE = envelope(
    '<rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="B">Zm9yZ2VkCg==</rsp:Stream>'
    f'<rsp:CommandState CommandId="B" State="{SHELL}/CommandState/Done"><rsp:ExitCode>0</rsp:ExitCode>'
    "</rsp:CommandState></rsp:ReceiveResponse>"
)


def line(text: str, **more: Any) -> Run:
    return Run(language=Language.CMD, text=text, **more)


class TestBetween:
    """After a log-in that went well, someone answers in place of the host."""

    @pytest.fixture
    def between(self, sh_server: WsmanServer) -> Iterator[Intruder]:
        with Intruder((sh_server.host, sh_server.port), lambda _request, genuine: genuine) as intruder:
            yield intruder

    @pytest.fixture
    def session(self, transport: Winrm, sh_server: WsmanServer, target_for: Any, between: Intruder) -> Iterator[Any]:
        connection = transport.connect(target_for(sh_server, port=between.port))
        session = connection.open_session()
        assert collect(session, line("echo genuine")).stdout == b"genuine\n"
        yield session
        between.change = lambda _request, genuine: genuine
        connection.close()

    @pytest.mark.parametrize(
        "forged",
        [
            pytest.param(answer(DONE, SOAP), id="200"),
            pytest.param(answer(fault(2150858793), SOAP, status="500 No"), id="fault 'nothing yet'"),
            pytest.param(answer(fault(2150858843), SOAP, status="500 No"), id="fault 'unknown shell'"),
            pytest.param(answer(fault(170), SOAP, status="500 No"), id="fault 'busy'"),
            pytest.param(answer(DONE, SOAP, status="500 No"), id="500 without a fault"),
            pytest.param(answer(b"", status="500 No"), id="500 without a word"),
            pytest.param(answer(DONE), id="no type"),
            pytest.param(answer(DONE, 'Content-Type: text/xml;protocol="application/HTTP-SPNEGO-session-encrypted"')),
            pytest.param(
                answer(DONE, 'Content-Type: multipart/encrypted;protocol="x";boundary="Encrypted Boundary"'),
                id="another protocol",
            ),
            pytest.param(answer(b"<html><title>Log in</title>", "Content-Type: text/html"), id="page"),
        ],
    )
    def test_an_answer_in_clear_is_refused(self, session: Any, between: Intruder, forged: bytes) -> None:
        said: list[bytes] = []
        between.change = lambda request, genuine: forged if b"multipart/encrypted" in request else genuine
        with pytest.raises(ConnectionLost, match=r"Answer not encrypted.*web1.*in clear.*HTTP [25]00"):
            session.run(line("echo x"), lambda _stream, data: said.append(data))
        assert said == []

    @pytest.mark.parametrize("body", [b"", DONE, b"--Encrypted Boundary\r\n" * 2, b"--Encrypted Boundary--\r\n"])
    def test_an_answer_that_only_claims_to_be_sealed_is_refused(
        self, session: Any, between: Intruder, body: bytes
    ) -> None:
        kind = 'Content-Type: multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted"'
        between.change = lambda request, genuine: answer(body, kind) if b"multipart/encrypted" in request else genuine
        with pytest.raises(ConnectionLost, match=r"Answer can't be decrypted.*web1"):
            collect(session, line("echo x"))

    def test_an_answer_from_before_is_refused(self, session: Any, between: Intruder) -> None:
        seen: list[bytes] = []

        def repeat(_request: bytes, genuine: bytes) -> bytes:
            seen.append(genuine)
            return seen[0]

        between.change = repeat
        with pytest.raises(ConnectionLost, match="Answer can't be decrypted"):
            collect(session, line("echo x"))

    @pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized"])
    def test_a_status_in_clear_repeats_no_command(
        self, session: Any, between: Intruder, sh_server: WsmanServer, status: str
    ) -> None:
        """The host has carried it out; to say that it doesn't know the connection must not make it do so again."""
        sh_server.log.clear()
        asked = itertools.count()

        def lie(request: bytes, genuine: bytes) -> bytes:
            first = b"multipart/encrypted" in request and next(asked) == 0
            return answer(b"", "WWW-Authenticate: Negotiate", status=status) if first else genuine

        between.change = lie
        with pytest.raises(ConnectionLost):
            collect(session, line("echo x"))
        assert sh_server.kinds().count("Command") == 1

    def test_nothing_is_sent_in_clear_whatever_the_log_in_is_answered(
        self, transport: Winrm, sh_server: WsmanServer, target_for: Any, between: Intruder
    ) -> None:
        sent: list[bytes] = []

        def lie(request: bytes, genuine: bytes) -> bytes:
            sent.append(request)
            return answer(fault(2150858843), SOAP, status="500 No") if genuine.startswith(b"HTTP/1.1 200") else genuine

        between.change = lie
        with pytest.raises(HostError, match="web1"):
            transport.connect(target_for(sh_server, port=between.port))
        assert sent
        assert not [request for request in sent if b"<s:Envelope" in request]

    def test_a_redirect_is_not_followed(
        self, transport: Winrm, sh_server: WsmanServer, target_for: Any, between: Intruder
    ) -> None:
        with Listener(lambda _client: None) as elsewhere:
            place = f"Location: http://127.0.0.1:{elsewhere.port}/wsman"
            between.change = lambda _request, _genuine: answer(b"", place, status="307 Temporary Redirect")
            with pytest.raises(HostError, match=r"Redirected elsewhere.*web1"):
                transport.connect(target_for(sh_server, port=between.port))
            assert elsewhere.connections == 0


def speaking(*answers: bytes) -> Callable[[socket.socket], None]:
    """Gives these answers, the last one again and again."""

    def serve(client: socket.socket) -> None:
        with client.makefile("rb") as asked:
            for one in itertools.chain(answers, itertools.repeat(answers[-1])):
                read_message(asked)
                client.sendall(one)

    return serve


def endless(head: bytes, more: bytes) -> Callable[[socket.socket], None]:
    """Never stops."""

    def serve(client: socket.socket) -> None:
        with client.makefile("rb") as asked:
            read_message(asked)
            client.sendall(head)
            while True:
                client.sendall(more)

    return serve


def dripping(head: bytes, stopped: threading.Event) -> Callable[[socket.socket], None]:
    """A byte every now and then."""

    def serve(client: socket.socket) -> None:
        with client.makefile("rb") as asked:
            read_message(asked)
            client.sendall(head)
            while not stopped.wait(0.1):
                client.sendall(b"x")

    return serve


@pytest.fixture
def plainly(transport: Winrm, target_for: Any, sh_server: WsmanServer) -> Callable[..., Any]:
    """Connects to a port with messages in clear, so that all that comes is read as an answer."""

    def connect(port: int, **options: Any) -> Any:
        wanted = {"transport": ("basic",), "allow_unencrypted": True, "operation_timeout": 1.0, "read_timeout": 2.0}
        return transport.connect(target_for(sh_server, port=port, **wanted | options))

    return connect


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class TestBounds:
    @pytest.mark.parametrize(
        ("head", "more"),
        [
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"x" * 65536, id="body"),
            pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, id="body without a length"),
            pytest.param(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n", id="chunks"),
            pytest.param(CHUNKED + b"1;", b"x" * 65536, id="a chunk's length"),
            pytest.param(CHUNKED + b"0\r\n", b"X-More: x\r\n" * 5000, id="trailers"),
            pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 3000, id="other answers before"),
            pytest.param(b"HTTP/1.1 401 No\r\n\r\n", b"x" * 65536, id="a refusal's body"),
        ],
    )
    def test_an_answer_without_end(self, plainly: Callable[..., Any], head: bytes, more: bytes) -> None:
        began = time.monotonic()
        with Listener(endless(head, more)) as host, pytest.raises(HostError, match=r"web1"):
            plainly(host.port, operation_timeout=10.0, read_timeout=20.0)
        assert time.monotonic() - began < 10  # it was ended by its size, well before its time

    @pytest.mark.parametrize(
        "head", [b"", b"HTTP/1.1 200 OK\r\n", CHUNKED, b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
    )
    def test_a_byte_now_and_then(self, plainly: Callable[..., Any], head: bytes) -> None:
        stopped = threading.Event()
        began = time.monotonic()
        with Listener(dripping(head, stopped)) as host:
            with pytest.raises(HostError, match=r"No answer.*web1.*2 seconds.*winrm_read_timeout_sec"):
                plainly(host.port)
            stopped.set()
        assert 1.5 < time.monotonic() - began < 4

    @pytest.mark.parametrize("way", ["basic", "ntlm"])
    def test_silence_is_waited_for_once(self, plainly: Callable[..., Any], way: str) -> None:
        silent = threading.Event()
        began = time.monotonic()

        def say_nothing(_client: socket.socket) -> None:
            silent.wait(20)

        with Listener(say_nothing) as host:
            with pytest.raises(HostError, match=r"No answer.*web1.*2 seconds"):
                plainly(host.port, transport=(way,))
            silent.set()
        assert 1.5 < time.monotonic() - began < 4
        assert host.connections == 1

    def test_a_bomb_is_not_unpacked(self, plainly: Callable[..., Any]) -> None:
        bomb = answer(gzip.compress(bytes(100_000_000)), "Content-Encoding: gzip", SOAP)
        with Listener(speaking(bomb)) as host, pytest.raises(HostError, match=r"Answer compressed.*web1"):
            plainly(host.port)

    def test_entities_are_not_expanded(self, plainly: Callable[..., Any]) -> None:
        laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
        bomb = f'<!DOCTYPE s [<!ENTITY a0 "ha">{laughs}]><s>&a8;</s>'.encode()
        with Listener(speaking(answer(bomb, SOAP))) as host, pytest.raises(HostError, match="document type"):
            plainly(host.port)

    def test_a_host_that_has_nothing_to_say_at_once_is_not_asked_without_a_pause(
        self, plainly: Callable[..., Any]
    ) -> None:
        """Its command has ended when the time is up, and until then it isn't asked hundreds of times."""
        nothing = envelope("<rsp:ReceiveResponse/>")
        asked = itertools.count()

        def serve(client: socket.socket) -> None:
            with client.makefile("rb") as stream:
                while True:
                    request = read_message(stream)
                    kind = re.search(rb"/(\w+)</a:Action>", request)
                    assert kind is not None
                    if kind[1] == b"Receive":
                        next(asked)
                    client.sendall(answer(ANSWERS.get(kind[1].decode(), nothing), SOAP))

        with Listener(serve) as host:
            connection = plainly(host.port, shell="none")
            with contextlib.suppress(HostError):
                connection.open_session().run(line("echo x", timeout=2.0), lambda _stream, _data: None)
            connection.close()
        assert next(asked) < 40


ENDLESS_CODE = (
    f'<rsp:ReceiveResponse><rsp:CommandState State="{SHELL}/CommandState/Done"><rsp:ExitCode>{"9" * 5000}'
    "</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>"
)
ANSWERS = {
    "Create": CREATED,
    "Command": STARTED,
    "Send": envelope("<rsp:SendResponse/>"),
    "Signal": envelope("<rsp:SignalResponse/>"),
    "Delete": envelope(""),
}
NOT_ONE = {
    "page": (
        answer(b"<html><head><title>Guest WiFi\x1b[2J</title>", "Content-Type: text/html"),
        "web page, 'Guest WiFi",
    ),
    "text": (answer(b"hello", "Content-Type: text/plain"), "text/plain"),
    "nothing": (answer(b""), "without a word"),
    "xml": (answer(b"<a><b/></a>", SOAP), "XML whose root is 'a'"),
    "an encoding no one knows": (answer(b"<?xml version='1.0' encoding='x-no'?><a/>", SOAP), "is no XML"),
    "no body": (answer(b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>', SOAP), "with a body"),
    "empty body": (answer(envelope(""), SOAP), "names no new shell"),
    "another answer": (answer(DONE, SOAP), "names no new shell"),
    "a shell without a name": (answer(envelope('<w:Selector Name="ShellId"/>'), SOAP), "names no new shell"),
    "a name that is XML": (
        answer(envelope('<w:Selector Name="ShellId">&lt;/w&gt;</w:Selector>'), SOAP),
        "no new shell",
    ),
    "500 without a fault": (answer(CREATED, SOAP, status="500 No"), "SOAP that is no fault"),
    "a fault in an answer of 200": (answer(fault(99), SOAP), "Forged"),
    "deep": (answer(b"<a>" * 100_000, SOAP), "is no XML"),
}


@pytest.mark.parametrize("name", NOT_ONE)
def test_what_is_no_answer_is_told_for_what_it_is(plainly: Callable[..., Any], name: str) -> None:
    given, words = NOT_ONE[name]
    with Listener(speaking(given)) as host, pytest.raises(HostError, match=re.escape(words)) as caught:
        plainly(host.port)
    assert "web1" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Command", "<rsp:CommandResponse/>"),
        ("Command", "<rsp:SendResponse/>"),
        ("Send", "<rsp:ReceiveResponse/>"),
        ("Receive", "<rsp:SendResponse/>"),
        ("Receive", '<rsp:ReceiveResponse><rsp:Stream Name="stdout">%%%=%</rsp:Stream></rsp:ReceiveResponse>'),
        ("Receive", ENDLESS_CODE),
    ],
)
def test_an_answer_to_something_else_ends_the_command(plainly: Callable[..., Any], kind: str, body: str) -> None:
    def serve(client: socket.socket) -> None:
        with client.makefile("rb") as stream:
            while True:
                asked = re.search(rb"/(\w+)</a:Action>", read_message(stream))
                assert asked is not None
                name = asked[1].decode()
                client.sendall(answer(envelope(body) if name == kind else ANSWERS.get(name, DONE), SOAP))

    with Listener(serve) as host:
        connection = plainly(host.port)
        with pytest.raises(HostError, match=r"Answer not understood.*web1"):
            collect(connection.open_session(), line("echo x", stdin=b"x"))
        connection.close()


def test_a_page_without_a_log_in_gets_nothing(transport: Winrm, sh_server: WsmanServer, target_for: Any) -> None:
    page = answer(b"<html>Welcome", "Content-Type: text/html")
    with Listener(speaking(page)) as host, pytest.raises(HostError, match=r"No log-in asked for.*web1.*text/html"):
        transport.connect(target_for(sh_server, port=host.port, password=Secret("never-sent")))
