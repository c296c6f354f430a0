"""Servers to test, and clients of three kinds: bare HTTP, pywinrm and pypsrp."""

from __future__ import annotations

import base64
import http.client
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest

from drumline_lab.wsman import Settings, Sh, Tls, WsmanServer, self_signed

USER, PASSWORD = "admin", "p:ss wörd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
RSP = f"{{{SHELL}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back to a bare client."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    @property
    def code(self) -> int:
        """The code of a WSManFault."""
        fault = self.xml.find(".//{http://schemas.microsoft.com/wbem/wsman/1/wsmanfault}WSManFault")
        assert fault is not None, self.body
        return int(fault.get("Code", ""))

    def text(self, tag: str) -> str:
        return self.xml.findtext(f".//{RSP}{tag}") or ""

    @property
    def subcode(self) -> str:
        s = "{http://www.w3.org/2003/05/soap-envelope}"
        return self.xml.findtext(f".//{s}Subcode/{s}Value") or ""

    @property
    def done(self) -> bool:
        return b"CommandState/Done" in self.body

    @property
    def output(self) -> dict[str, bytes]:
        """Stream name to what all its parts hold together."""
        found = {"stdout": b"", "stderr": b""}
        for stream in self.xml.iter(f"{RSP}Stream"):
            found[stream.get("Name", "")] += base64.b64decode(stream.text or "")
        return found


@dataclass(slots=True, kw_only=True)
class Client:
    """Says exactly what it is told to, over one connection and with Basic authentication."""

    connection: http.client.HTTPConnection
    authorization: str = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    shell: str = ""
    sent: list[str] = field(default_factory=list)

    def post(self, body: bytes, path: str = "/wsman", method: str = "POST", **headers: str) -> Answer:
        fields = {"Content-Type": "application/soap+xml;charset=UTF-8"}
        fields |= {"Authorization": self.authorization} if self.authorization else {}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, fields)
        response = self.connection.getresponse()
        return Answer(status=response.status, headers=response.headers, body=response.read())

    def ask(
        self,
        verb: str,
        body: str = "",
        *,
        shell: str | None = None,
        resource: str = SHELL + "/cmd",
        timeout: str = "PT20S",
        extra: str = "",
    ) -> Answer:
        """One SOAP request about a shell."""
        action = f"{TRANSFER}/{verb}" if verb in ("Create", "Delete", "Get") else f"{SHELL}/{verb}"
        shell = self.shell if shell is None else shell
        selector = f'<w:SelectorSet><w:Selector Name="SHELLID">{shell}</w:Selector></w:SelectorSet>' if shell else ""
        message = f"uuid:{len(self.sent)}-a"
        self.sent.append(message)
        return self.post(
            f'<E:Envelope xmlns:E="http://www.w3.org/2003/05/soap-envelope"'
            f' xmlns:A="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
            f' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:r="{SHELL}"><E:Header>'
            f"<A:Action>{action}</A:Action><A:MessageID>{message}</A:MessageID><w:ResourceURI>{resource}</w:ResourceURI>"
            f"<w:OperationTimeout>{timeout}</w:OperationTimeout>{extra}{selector}</E:Header>"
            f"<E:Body>{body}</E:Body></E:Envelope>".encode()
        )

    def create(self, inside: str = "") -> Answer:
        answer = self.ask("Create", f"<r:Shell>{inside}<r:OutputStreams>stdout stderr</r:OutputStreams></r:Shell>")
        if answer.status == 200:
            self.shell = answer.text("ShellId")
        return answer

    def command(self, line: str) -> str:
        answer = self.ask("Command", f"<r:CommandLine><r:Command>{escape(line)}</r:Command></r:CommandLine>")
        assert answer.status == 200, answer.body
        return answer.text("CommandId")

    def receive(self, command: str, timeout: str = "PT20S", extra: str = "") -> Answer:
        stream = f'<r:DesiredStream CommandId="{command}">stdout stderr</r:DesiredStream>'
        return self.ask("Receive", f"<r:Receive>{stream}</r:Receive>", timeout=timeout, extra=extra)

    def send(self, command: str, data: bytes, end: bool = False) -> Answer:
        text = base64.b64encode(data).decode()
        return self.ask(
            "Send", f'<r:Send><r:Stream Name="stdin" CommandId="{command}" End="{end}">{text}</r:Stream></r:Send>'
        )

    def signal(self, command: str, code: str = "terminate") -> Answer:
        return self.ask("Signal", f'<r:Signal CommandId="{command}"><r:Code>{SHELL}/signal/{code}</r:Code></r:Signal>')

    def run(self, line: str) -> tuple[bytes, bytes, int]:
        """(stdout, stderr, exit code) of a line in the shell."""
        command = self.command(line)
        out = {"stdout": b"", "stderr": b""}
        while True:
            answer = self.receive(command)
            assert answer.status == 200, answer.body
            out = {name: out[name] + data for name, data in answer.output.items()}
            if answer.done:
                self.signal(command)
                return out["stdout"], out["stderr"], int(answer.text("ExitCode"))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., WsmanServer]]:
    """Starts servers with these settings, whose lines ``sh`` runs."""
    servers: list[WsmanServer] = []

    def start(**settings: Any) -> WsmanServer:
        settings = {"users": {USER: PASSWORD}, "allow_unencrypted": True, **settings}
        servers.append(WsmanServer(Settings(**settings), backend=Sh(tmp_path)).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def dial() -> Iterator[Callable[..., Client]]:
    """Opens bare clients."""
    connections: list[http.client.HTTPConnection] = []

    def connect(server: WsmanServer, context: ssl.SSLContext | None = None, **fields: Any) -> Client:
        if context is None:
            connections.append(http.client.HTTPConnection(server.host, server.port, timeout=30))
        else:
            connections.append(http.client.HTTPSConnection(server.host, server.port, timeout=30, context=context))
        return Client(connection=connections[-1], **fields)

    yield connect
    for connection in connections:
        connection.close()


@pytest.fixture
def pywinrm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Makes pywinrm's Protocol for a server; sessions are closed at the end."""
    import winrm

    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    protocols: list[Any] = []

    def connect(server: WsmanServer, **options: Any) -> Any:
        given = {"transport": "ntlm", "username": USER, "password": PASSWORD, "proxy": None, "ca_trust_path": None}
        protocols.append(winrm.Protocol(server.url, **{**given, **options}))
        return protocols[-1]

    yield connect
    for protocol in protocols:
        protocol.transport.close_session()


@pytest.fixture
def pypsrp_shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Opens pypsrp's WinRS on a server."""
    from pypsrp.shell import WinRS
    from pypsrp.wsman import WSMan

    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    opened: list[Any] = []

    def connect(server: WsmanServer, **options: Any) -> Any:
        given = {"port": server.port, "username": USER, "password": PASSWORD, "ssl": False, "no_proxy": True}
        opened.append(WSMan(server.host, **{**given, **options}))
        shell = WinRS(opened[-1])
        shell.open()
        return shell

    yield connect
    for wsman in opened:
        wsman.close()


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for 127.0.0.1."""
    return self_signed(tmp_path_factory.mktemp("tls"), "localhost", "127.0.0.1")


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Waits until a condition holds, at most ten seconds."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "the condition never held"
            time.sleep(0.005)

    return wait
