"""Envelopes: read by namespace, answered as real hosts do, and the shape of every fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wsman import Client

from drumline_lab.wsman import Settings, WsmanServer, faults, soap

A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
P = "{http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd}"
W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT20S", 20), ("PT20.000S", 20), ("P0DT0H1M0S", 60), ("PT2H", 7200), ("P1D", 86400), ("PT0.5S", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert soap.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "PT", "P", "3600000", "PT-1S", "-PT1S", "PT1", "P1DT", "20"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        soap.duration(text)


@given(st.integers(0, 10**6))
def test_whole_seconds(seconds: int) -> None:
    assert soap.duration(f"PT{seconds}S") == seconds


def test_the_answer_names_the_request_and_its_action(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client]
) -> None:
    client = dial(serve())
    answer = client.create()
    assert answer.headers["Content-Type"] == "application/soap+xml;charset=UTF-8"
    header = {child.tag: child.text for child in answer.xml[0]}
    assert list(header) == [A + "Action", A + "MessageID", P + "ActivityId", A + "To", A + "RelatesTo"]
    assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", header[P + "ActivityId"] or "")
    assert header[A + "Action"] == "http://schemas.xmlsoap.org/ws/2004/09/transfer/CreateResponse"
    assert header[A + "RelatesTo"] == client.sent[0]


@pytest.mark.parametrize("timeout", ["PT-1S", "20", "soon"])
def test_a_bad_timeout_is_a_fault(serve: Callable[..., WsmanServer], dial: Callable[..., Client], timeout: str) -> None:
    client = dial(serve())
    client.create()
    answer = client.ask("Get", timeout=timeout)
    assert (answer.status, answer.code, answer.subcode) == (500, 2150858767, "a:InvalidMessageInformationHeader")


def test_an_envelope_that_is_too_small_is_a_fault(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client]
) -> None:
    answer = dial(serve()).ask("Create", "<r:Shell/>", extra="<w:MaxEnvelopeSize>4096</w:MaxEnvelopeSize>")
    assert (answer.status, answer.subcode) == (500, "w:EncodingLimit")


def test_unknown_resources_and_actions_are_faults(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client]
) -> None:
    client = dial(serve())
    client.create()
    answer = client.ask("Get", resource="http://schemas.example/no<such>".replace("<", "").replace(">", ""))
    assert (answer.code, answer.subcode) == (2150858752, "a:DestinationUnreachable")
    assert client.ask("Dance").subcode == "a:ActionNotSupported"


@pytest.mark.parametrize(
    "body", [b"<not xml", b"<a/>", b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>']
)
def test_what_is_no_envelope_is_a_fault(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client], body: bytes
) -> None:
    answer = dial(serve()).post(body)
    assert (answer.status, answer.code, answer.subcode) == (500, 2150858817, "w:SchemaValidationError")


@pytest.mark.parametrize(
    ("fault", "value", "subcode", "detail", "provider"),
    [
        (faults.timed_out(), "s:Receiver", "w:TimedOut", "", False),
        (faults.unknown_shell(), "s:Sender", "w:InvalidSelectors", "UnexpectedSelectors", False),
        (faults.unknown_command(), "s:Sender", "w:InvalidSelectors", "UnexpectedSelectors", False),
        (faults.no_command_id(), "s:Sender", "w:InvalidParameter", "InvalidValue", True),
        (faults.program_not_found(), "s:Receiver", "w:InternalError", "", True),
        (faults.line_too_long(), "s:Receiver", "w:InternalError", "", True),
        (faults.pipe_ended(), "s:Receiver", "w:InternalError", "", True),
        (faults.busy(), "s:Receiver", "w:InternalError", "", False),
        (faults.plugin_timed_out(), "s:Receiver", "w:InternalError", "", True),
        (faults.invalid_body("<&>"), "s:Sender", "w:SchemaValidationError", "", False),
        (faults.chunked_request(), "s:Receiver", "w:InternalError", "", False),
        (faults.aborted(), "s:Receiver", "w:InternalError", "", False),
        (faults.unknown_resource("x"), "s:Sender", "a:DestinationUnreachable", "InvalidResourceURI", False),
        (faults.access_denied(), "s:Sender", "w:AccessDenied", "", False),
    ],
)
def test_every_fault_as_pywinrm_reads_it(
    serve: Callable[..., WsmanServer],
    pywinrm: Callable[..., Any],
    fault: faults.Fault,
    value: str,
    subcode: str,
    detail: str,
    provider: bool,
) -> None:
    from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError

    server = serve()

    def refuse(kind: str) -> None:
        raise fault

    server.before = refuse
    raised = WinRMOperationTimeoutError if fault.code == 2150858793 else WSManFaultError
    with pytest.raises(raised) as caught:
        pywinrm(server, message_encryption="always").open_shell()
    if isinstance(caught.value, WSManFaultError):
        assert caught.value.wsman_fault_code == fault.code
        assert caught.value.fault_code == value
        assert caught.value.fault_subcode == subcode
    text = soap.fault(fault, "uuid:1", "WEB<1>").decode()
    root = ElementTree.fromstring(text)
    assert (root.findtext(f".//{W}FaultDetail") or "").rpartition("/")[2] == detail
    assert ("ProviderFault" in text) == provider


def test_quota_faults_are_wmi_errors() -> None:
    for fault in (faults.too_many_shells(30), faults.too_many_operations(1500)):
        text = soap.fault(fault, "", "WEB").decode()
        assert "WSManFault" not in text
        assert f"error_Code>{fault.code}<" in text
    assert 'Code="2150859174"' in soap.fault(faults.too_many_operations(1500, old=True), "", "WEB").decode()


def test_the_machine_of_a_fault_is_escaped() -> None:
    root = ElementTree.fromstring(soap.fault(faults.access_denied(), "<&>", 'a"<b>'))
    element = root.find(".//{http://schemas.microsoft.com/wbem/wsman/1/wsmanfault}WSManFault")
    assert element is not None
    assert element.get("Machine") == 'a"<b>'


def test_identify_in_a_body(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    body = (
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
        b'<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>'
    )
    assert b"IdentifyResponse" in dial(serve()).post(body).body


def test_limits_are_read_from_the_settings() -> None:
    settings = Settings(max_timeout=5, max_envelope=10_000)
    head = '<w:MaxEnvelopeSize xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd">153600</w:MaxEnvelopeSize>'
    text = f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>{head}</s:Header></s:Envelope>'
    message = soap.parse(text.encode(), settings)
    assert (message.timeout, message.max_envelope) == (5, 10_000)
