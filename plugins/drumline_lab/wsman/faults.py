"""The faults of Windows Remote Management, as real hosts word them ([MS-WSMV]; recorded traffic)."""

from __future__ import annotations

#: ``http://…/faultDetail/X``: what some faults say besides.
DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"


class Fault(Exception):
    """One SOAP fault. Handlers and test hooks raise it; it goes out with status 500."""

    def __init__(
        self,
        code: int,
        reason: str,
        *,
        subcode: str = "w:InternalError",
        sender: bool = False,
        detail: str = "",
        provider: bool = False,
        wmi: bool = False,
    ) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code  #: Unsigned 32 bits: a Win32 code, an HRESULT or a WS-Management code.
        self.reason = reason
        self.subcode = subcode
        self.sender = sender  #: The request is to blame, not the host.
        self.detail = detail  #: The last part of a faultDetail address.
        self.provider = provider  #: Spoken by the shell's plugin rather than by the service.
        self.wmi = wmi  #: Told as an ``MSFT_WmiError`` instead of a ``WSManFault``.


def timed_out() -> Fault:
    """Nothing to tell within OperationTimeout: the command goes on, and the client asks again."""
    return Fault(
        2150858793,
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.",
        subcode="w:TimedOut",
    )


def unknown_shell() -> Fault:
    return _unknown("shell")


def unknown_command() -> Fault:
    return _unknown("command")


def _unknown(kind: str) -> Fault:
    return Fault(
        2150858843,
        f"The request for the Windows Remote Shell with ShellId failed because the {kind} was not found on the server."
        " Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the server."
        " Provide the correct ShellId or create a new shell and retry the operation.",
        subcode="w:InvalidSelectors",
        sender=True,
        detail="UnexpectedSelectors",
    )


def invalid_timeout() -> Fault:
    return Fault(
        2150858767,
        "The WS-Management service cannot process the request because the OperationTimeout header is not valid.",
        subcode="a:InvalidMessageInformationHeader",
        sender=True,
    )


def envelope_too_small() -> Fault:
    return Fault(
        2150858821,
        "The WS-Management service cannot process the request. The MaxEnvelopeSize value is too small.",
        subcode="w:EncodingLimit",
        sender=True,
        detail="MinimumEnvelopeLimit",
    )


def no_command_id() -> Fault:
    return Fault(
        87,
        "The parameter is incorrect.",
        subcode="w:InvalidParameter",
        sender=True,
        detail="InvalidValue",
        provider=True,
    )


def program_not_found() -> Fault:
    return Fault(2147942402, "The system cannot find the file specified.", provider=True)


def invalid_directory() -> Fault:
    return Fault(2147942667, "The directory name is invalid.", provider=True)


def line_too_long() -> Fault:
    return Fault(2147942606, "The filename or extension is too long.", provider=True)


def pipe_ended() -> Fault:
    return Fault(109, "The pipe has been ended.", provider=True)


def busy() -> Fault:
    """Comes under load; a good client waits and sends again. Raised by test hooks only."""
    return Fault(170, "The requested resource is in use.")


def plugin_timed_out() -> Fault:
    """Comes under load. Raised by test hooks only."""
    return Fault(1460, "This operation returned because the timeout period expired.", provider=True)


def invalid_body(reason: str) -> Fault:
    return Fault(
        2150858817,
        f"The SOAP XML in the message does not match the corresponding XML schema definition. {reason}",
        subcode="w:SchemaValidationError",
        sender=True,
    )


def chunked_request() -> Fault:
    return Fault(50, "The request is not supported.")


def aborted() -> Fault:
    return Fault(
        2147943395, "The I/O operation has been aborted because of either a thread exit or an application request."
    )


def unknown_resource(uri: str) -> Fault:
    return Fault(
        2150858752,
        f"The WS-Management service cannot process the request. The resource URI ({uri}) was not found.",
        subcode="a:DestinationUnreachable",
        sender=True,
        detail="InvalidResourceURI",
    )


def unsupported_action(action: str) -> Fault:
    return Fault(
        2150858754,
        f"The WS-Management service cannot process the request: the resource does not support the action {action}.",
        subcode="a:ActionNotSupported",
        sender=True,
        detail="InvalidAction",
    )


def access_denied() -> Fault:
    return Fault(5, "Access is denied.", subcode="w:AccessDenied", sender=True)


def too_many_shells(limit: int) -> Fault:
    return Fault(
        2150859173,
        "The WS-Management service cannot process the request. This user is allowed a maximum number of"
        f" {limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user.",
        subcode="w:QuotaLimit",
        sender=True,
        wmi=True,
    )


def too_many_operations(limit: int, *, old: bool = False) -> Fault:
    return Fault(
        2150859174,
        "The WS-Management service cannot process the request. This user is allowed a maximum number of"
        f" {limit} concurrent operations, which has been exceeded. Close existing operations for this user,"
        " or raise the quota for this user.",
        subcode="w:QuotaLimit",
        sender=True,
        wmi=not old,
    )
