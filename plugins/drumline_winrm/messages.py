"""The six WS-Management messages of a text shell, and what is read from the answers ([MS-WSMV] 3.1.4.1).

pywinrm's own builders repeat eleven namespaces in every message and drop the order of output; these are a third as
long, which counts where every command costs two of them.
"""

from __future__ import annotations

import base64
import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

from drumline_winrm.answers import Malformed, shortened

_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
_RSP = f"{{{_SHELL}}}"

#: What a client announces as the largest answer, and what servers since Windows Server 2012 take, in bytes.
ENVELOPE = 512_000
#: The same for older servers; requests shrink to it when a host refuses a larger one.
SMALL_ENVELOPE = 153_600
#: What hosts call shells and commands: GUIDs, but any name will do that needs no quoting in XML.
_IDENTITY = re.compile(r"[\w.:{}-]{1,200}", re.ASCII)
_EXIT_CODE = re.compile(r"-?\d{1,10}", re.ASCII)
#: bytes of a Send around its data, encryption included
_FRAME = 4096


def payload(envelope: int) -> int:
    """How many bytes of standard input one Send may carry, given the largest request in bytes."""
    return (envelope - _FRAME) // 4 * 3


class Received(Struct, frozen=True, kw_only=True):
    """What one Receive brought, in the order in which the host sent it."""

    output: tuple[tuple[Literal["stdout", "stderr"], bytes], ...]
    done: bool
    exit_code: int | None = None  #: 0 to 2**32 - 1; None while it runs, and when the host can't tell.


def create(environment: Mapping[str, str], directory: str | None, timeout: float) -> str:
    """A new shell: UTF-8, without the user's profile."""
    variables = "".join(
        f"<r:Variable Name={quoteattr(name)}>{escape(value)}</r:Variable>" for name, value in environment.items()
    )
    body = "".join(
        [
            "<r:Shell>",
            f"<r:Environment>{variables}</r:Environment>" if variables else "",
            f"<r:WorkingDirectory>{escape(directory)}</r:WorkingDirectory>" if directory else "",
            "<r:InputStreams>stdin</r:InputStreams><r:OutputStreams>stdout stderr</r:OutputStreams></r:Shell>",
        ]
    )
    options = {"WINRS_NOPROFILE": "TRUE", "WINRS_CODEPAGE": "65001"}
    return _envelope(f"{_TRANSFER}/Create", body, timeout=timeout, options=options)


def command(shell: str, line: str, timeout: float) -> str:
    """Start a command line through ``cmd``."""
    body = f"<r:CommandLine><r:Command>{escape(line)}</r:Command></r:CommandLine>"
    options = {"WINRS_CONSOLEMODE_STDIN": "FALSE", "WINRS_SKIP_CMD_SHELL": "FALSE"}
    return _envelope(f"{_SHELL}/Command", body, shell=shell, timeout=timeout, options=options)


def send(shell: str, command_id: str, data: bytes, timeout: float, *, end: bool = False) -> str:
    """Standard input for a command."""
    last = ' End="true"' if end else ""
    text = base64.b64encode(data).decode()
    body = f'<r:Send><r:Stream Name="stdin" CommandId="{command_id}"{last}>{text}</r:Stream></r:Send>'
    return _envelope(f"{_SHELL}/Send", body, shell=shell, timeout=timeout)


def receive(shell: str, command_id: str, timeout: float) -> str:
    """Ask for output, waiting for it up to ``timeout`` seconds."""
    body = f'<r:Receive><r:DesiredStream CommandId="{command_id}">stdout stderr</r:DesiredStream></r:Receive>'
    return _envelope(f"{_SHELL}/Receive", body, shell=shell, timeout=timeout)


def terminate(shell: str, command_id: str, timeout: float) -> str:
    """End a command."""
    body = f'<r:Signal CommandId="{command_id}"><r:Code>{_SHELL}/signal/terminate</r:Code></r:Signal>'
    return _envelope(f"{_SHELL}/Signal", body, shell=shell, timeout=timeout)


def delete(shell: str, timeout: float) -> str:
    """End a shell and all that runs in it."""
    return _envelope(f"{_TRANSFER}/Delete", "", shell=shell, timeout=timeout)


def shell_id(body: ET.Element) -> str:
    """The identity of a shell just created; as the others, raises ``Malformed`` for a body that says something else."""
    return _identity("shell", (node.text for node in body.iter() if node.get("Name", "").lower() == "shellid"))


def command_id(body: ET.Element) -> str:
    """The identity of a command just started."""
    return _identity("command", (node.text for node in body.iter(f"{_RSP}CommandId")))


def received(body: ET.Element) -> Received:
    """The output and the state in the answer to a Receive."""
    answer = _expected(body, "ReceiveResponse")
    try:
        output = tuple(
            (_stream(node.get("Name", "")), base64.b64decode("".join(node.text.split()), validate=True))
            for node in answer.iter(f"{_RSP}Stream")
            if node.text
        )
    except ValueError:
        raise Malformed("output that isn't base64") from None
    states = list(answer.iter(f"{_RSP}CommandState"))
    done = any(state.get("State", "").endswith("/Done") for state in states)
    codes = [_code(node.text) for state in states for node in state.iter(f"{_RSP}ExitCode") if node.text]
    return Received(output=output, done=done, exit_code=codes[0] if done and codes else None)


def sent(body: ET.Element) -> None:
    """The answer to a Send."""
    _expected(body, "SendResponse")


def signalled(body: ET.Element) -> None:
    """The answer to a Signal."""
    _expected(body, "SignalResponse")


def deleted(body: ET.Element) -> None:
    """The answer to a Delete, which is empty."""


def _expected(body: ET.Element, name: str) -> ET.Element:
    found = body.find(f"{_RSP}{name}")
    if found is None:
        came = ", ".join(shortened(node.tag.rpartition("}")[2]) for node in list(body)[:3]) or "nothing"
        raise Malformed(f"SOAP with {came} where {name} belongs")
    return found


def _identity(kind: str, found: Iterable[str | None]) -> str:
    identity = (next(iter(found), None) or "").strip()
    if not _IDENTITY.fullmatch(identity):
        raise Malformed(f"SOAP that names no new {kind}")
    return identity


def _code(text: str) -> int:
    if not _EXIT_CODE.fullmatch(text.strip()):
        raise Malformed("an exit code that is no number")
    return int(text) & 0xFFFFFFFF


def _stream(name: str) -> Literal["stdout", "stderr"]:
    return "stderr" if name == "stderr" else "stdout"


def _envelope(
    action: str, body: str, *, timeout: float, shell: str = "", options: Mapping[str, str] | None = None
) -> str:
    selector = f'<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>' if shell else ""
    listed = "".join(f'<w:Option Name="{name}">{value}</w:Option>' for name, value in (options or {}).items())
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        f' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:r="{_SHELL}"><s:Header>'
        f'<a:To>http://windows-host:5985/wsman</a:To><a:Action s:mustUnderstand="true">{action}</a:Action>'
        '<a:ReplyTo><a:Address s:mustUnderstand="true">'
        "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>"
        f'<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID><w:Locale s:mustUnderstand="false" xml:lang="en-US"/>'
        f'<w:MaxEnvelopeSize s:mustUnderstand="true">{ENVELOPE}</w:MaxEnvelopeSize>'
        f"<w:OperationTimeout>PT{timeout:.3f}S</w:OperationTimeout>"
        f'<w:ResourceURI s:mustUnderstand="true">{_SHELL}/cmd</w:ResourceURI>{selector}'
        f"{f'<w:OptionSet>{listed}</w:OptionSet>' if listed else ''}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
