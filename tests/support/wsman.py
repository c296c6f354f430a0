"""A bare client of a WS-Management server: it says exactly what it is told to, and keeps what came back."""

from __future__ import annotations

import base64
import http.client
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.sax.saxutils import escape

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
