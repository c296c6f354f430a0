"""What a host answers, read with suspicion: XML of the right shape, or an error that says what came instead."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from msgspec import Struct

_SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
_FAULT = "{http://schemas.microsoft.com/wbem/wsman/1/wsmanfault}WSManFault"
_WMI = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError}error_Code"
_CODE = re.compile(r"\d{1,10}", re.ASCII)
_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
#: characters of a host's own words that messages quote; a reason may hold a secret, which must not be cut in two
_LONGEST = 300
_LONGEST_REASON = 16_384


class Malformed(Exception):
    """The answer isn't WS-Management; the text says what is wrong with it."""


class Answer(Struct, frozen=True, kw_only=True):
    """One HTTP answer, its body already unsealed. What it says is not yet believed."""

    status: int
    kind: str  #: its Content-Type, in lower case
    body: bytes


class SoapFault(Exception):
    """A SOAP fault."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(reason)
        self.code = code  #: Of WS-Management, Win32 or WMI; None when the fault names none.
        self.reason = reason


class _SoapBuilder(ET.TreeBuilder):
    """Refuses documents that declare something: SOAP has no declarations, and entities can grow without end."""

    def doctype(self, *_: object) -> None:
        raise Malformed("it declares a document type, as SOAP never does")


def content(answer: Answer) -> ET.Element:
    """The body of the envelope in an answer; raises ``SoapFault`` for a fault, ``Malformed`` for anything else."""
    try:
        envelope = ET.fromstring(answer.body, ET.XMLParser(target=_SoapBuilder()))
    except (ET.ParseError, ValueError, LookupError):  # LookupError: of an encoding that Python doesn't know
        raise Malformed(_what(answer)) from None
    body = envelope.find(f"{_SOAP}Body") if envelope.tag == f"{_SOAP}Envelope" else None
    if body is None:
        raise Malformed(f"XML whose root is '{shortened(envelope.tag)}' instead of a SOAP envelope with a body")
    fault = body.find(f"{_SOAP}Fault")
    if fault is not None:
        raise _fault(fault)
    if answer.status != 200:
        raise Malformed(f"HTTP {answer.status} with SOAP that is no fault")
    return body


def _fault(fault: ET.Element) -> SoapFault:
    said = next((element.get("Code", "") for element in fault.iter(_FAULT)), "")
    text = said or next((element.text or "" for element in fault.iter(_WMI)), "")
    code = int(text) if _CODE.fullmatch(text.strip()) else None
    reason = fault.findtext(f"{_SOAP}Reason/{_SOAP}Text") or ""
    return SoapFault(code, shortened(reason, _LONGEST_REASON) or "(no reason given)")


def _what(answer: Answer) -> str:
    """What came that isn't XML, for a person."""
    if not answer.body:
        return f"HTTP {answer.status} without a word"
    title = _TITLE.search(answer.body[:65536])
    if title is not None:
        return f"HTTP {answer.status} with a web page, '{shortened(title[1].decode(errors='replace'))}'"
    return f"HTTP {answer.status} with {shortened(answer.kind) or 'something'} that is no XML"


def shortened(text: str, most: int = _LONGEST) -> str:
    """A host's words on one line, not too many of them, without control characters."""
    line = "".join(character if character.isprintable() else " " for character in text)
    words = " ".join(line.split())
    return words if len(words) <= most else words[:most] + "…"
