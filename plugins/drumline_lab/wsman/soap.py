"""SOAP envelopes of WS-Management: requests read by namespace, responses and faults written.

A request names a resource and an action on it; its header also says how long the client waits and how large an
answer it takes. An action's last word (``Create``, ``Receive``, …) is what the rest of this package calls it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from drumline_lab.wsman import faults
from drumline_lab.wsman.faults import DETAIL, Fault
from drumline_lab.wsman.settings import Settings

S = "{http://www.w3.org/2003/05/soap-envelope}"
A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
P = "{http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd}"
RSP = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
IDENTITY = "{http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd}"

ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
#: A client must take at least this many bytes (DSP0226).
SMALLEST_ENVELOPE = 8192

_PREFIXES = {
    "s": S,
    "a": A,
    "x": "{http://schemas.xmlsoap.org/ws/2004/09/transfer}",
    "w": W,
    "p": P,
    "rsp": RSP,
    "cfg": "{http://schemas.microsoft.com/wbem/wsman/1/config}",
}
_NAMESPACES = " ".join(f'xmlns:{prefix}="{uri[1:-1]}"' for prefix, uri in _PREFIXES.items())

#: xs:duration. Windows writes ``P0DT0H1M0S``, clients ``PT20S`` or ``PT20.000S``.
_DURATION = re.compile(r"P(?=[\dT])(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d*)?)S)?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One request. ``body`` is the first element inside ``s:Body``, or None when it is empty."""

    action: str  #: The whole address.
    message_id: str = ""  #: As sent: clients compare the text of RelatesTo with it.
    resource: str = ""
    timeout: float  #: seconds
    max_envelope: int  #: bytes
    selectors: Mapping[str, str] = field(default_factory=dict)  #: Names in lower case.
    options: Mapping[str, str] = field(default_factory=dict)  #: Names in upper case.
    body: ElementTree.Element | None = None

    @property
    def verb(self) -> str:
        """The last word of the action; ``Identify`` has no action."""
        return self.action.rpartition("/")[2]

    def content(self, tag: str) -> ElementTree.Element:
        """The body, which must be this element of the shell's namespace; else a fault."""
        if self.body is None or self.body.tag != RSP + tag:
            raise faults.invalid_body(f"{tag} was expected in the body.")
        return self.body


def parse(data: bytes, settings: Settings) -> Message:
    """Read a request, or raise the fault that a host answers."""
    try:
        envelope = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise faults.invalid_body(str(error)) from None
    header = envelope.find(S + "Header")
    if envelope.find(f"{S}Body/{IDENTITY}Identify") is not None:
        return Message(action="Identify", timeout=settings.max_timeout, max_envelope=settings.max_envelope)
    if envelope.tag != S + "Envelope" or header is None:
        raise faults.invalid_body("An envelope with a header was expected.")
    return Message(
        action=_text(header, A + "Action"),
        message_id=_text(header, A + "MessageID"),
        resource=_text(header, W + "ResourceURI"),
        timeout=_timeout(header.find(W + "OperationTimeout"), settings.max_timeout),
        max_envelope=_envelope_size(_text(header, W + "MaxEnvelopeSize"), settings.max_envelope),
        selectors={name.lower(): text for name, text in _named(header, f"{W}SelectorSet/{W}Selector")},
        options={name.upper(): text for name, text in _named(header, f"{W}OptionSet/{W}Option")},
        body=envelope.find(f"{S}Body/*"),
    )


def message_id_of(data: bytes) -> str:
    """The MessageID of a request that could not be read as a whole, or ``""``."""
    try:
        return _text(ElementTree.fromstring(data), f"{S}Header/{A}MessageID")
    except ElementTree.ParseError:
        return ""


def duration(text: str) -> float:
    """Seconds of an xs:duration of days and less; raises ``ValueError`` for anything else."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _text(parent: ElementTree.Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()


def _named(header: ElementTree.Element, path: str) -> list[tuple[str, str]]:
    return [(element.get("Name", ""), (element.text or "").strip()) for element in header.iterfind(path)]


def _timeout(element: ElementTree.Element | None, longest: float) -> float:
    if element is None:
        return longest
    try:
        return min(duration(element.text or ""), longest)
    except ValueError:
        raise faults.invalid_timeout() from None


def _envelope_size(text: str, largest: int) -> int:
    size = int(text) if text.isdecimal() else largest
    if size < SMALLEST_ENVELOPE:
        raise faults.envelope_too_small()
    return min(size, largest)


def response(message: Message, body: str) -> bytes:
    """The envelope that answers a request; ``body`` is XML with the prefixes of this module."""
    return _envelope(message.action + "Response", message.message_id, body)


def identity() -> bytes:
    """The answer to Identify: it has no header."""
    return (
        f'<s:Envelope xmlns:s="{S[1:-1]}"><s:Header/><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{IDENTITY[1:-1]}">'
        "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        "<wsmid:ProductVersion>OS: 0.0.0 SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
        "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
    ).encode()


def fault(error: Fault, message_id: str, machine: str) -> bytes:
    """The envelope of a fault."""
    value = "s:Sender" if error.sender else "s:Receiver"
    detail = f"<w:FaultDetail>{DETAIL}{error.detail}</w:FaultDetail>" if error.detail else ""
    told = _wmi_error(error) if error.wmi else _wsman_fault(error, machine)
    body = (
        f"<s:Fault><s:Code><s:Value>{value}</s:Value><s:Subcode><s:Value>{error.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(error.reason)}</s:Text></s:Reason>'
        f"<s:Detail>{detail}{told}</s:Detail></s:Fault>"
    )
    return _envelope(FAULT_ACTION, message_id, body)


def _wsman_fault(error: Fault, machine: str) -> str:
    said = escape(error.reason)
    if error.provider:
        said = (
            '<f:ProviderFault provider="Shell cmd plugin" path="%systemroot%\\system32\\winrscmd.dll">'
            f"{said}</f:ProviderFault>"
        )
    return (
        '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"'
        f' Code="{error.code}" Machine={quoteattr(machine)}><f:Message>{said}</f:Message></f:WSManFault>'
    )


def _wmi_error(error: Fault) -> str:
    return (
        '<p:MSFT_WmiError b:IsCIM_Error="true" xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"'
        ' xmlns:p="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<p:CIMStatusCode xsi:type="cim:cimUnsignedInt" xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common">1'
        f"</p:CIMStatusCode><p:error_Category>30</p:error_Category><p:error_Code>{error.code}</p:error_Code>"
        f"<p:error_Type>HRESULT</p:error_Type><p:error_WindowsErrorMessage>{escape(error.reason)}"
        f"</p:error_WindowsErrorMessage><p:Message>{escape(error.reason)}</p:Message>"
        f"<p:MessageID>HRESULT 0x{error.code:x}</p:MessageID><p:ErrorSource/><p:ErrorType>0</p:ErrorType>"
        "</p:MSFT_WmiError>"
    )


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    relates = f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>" if relates_to else ""
    return (
        f'<s:Envelope xml:lang="en-US" {_NAMESPACES}><s:Header><a:Action>{escape(action)}</a:Action>'
        f"<a:MessageID>uuid:{_guid()}</a:MessageID><p:ActivityId>{_guid()}</p:ActivityId>"
        f"<a:To>{ANONYMOUS}</a:To>{relates}</s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def _guid() -> str:
    return str(uuid.uuid4()).upper()
