"""What pywinrm and requests raise, translated: the one place where their exceptions are told apart.

Four conditions are answered here rather than reported, and have exceptions of this plugin's own.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator
from typing import Any

from drumline.plugin import (
    AuthenticationFailed,
    CertificateInvalid,
    CommandRefused,
    ConnectionLost,
    ConnectionRefused,
    ConnectTimedOut,
    HostError,
    NameNotResolved,
    QuotaExceeded,
)
from drumline_winrm.options import Settings

#: WS-Management fault codes ([MS-WSMV] 2.2.4.43 and winerror.h).
_UNKNOWN_SHELL = {2150858843}
_ABORTED = {2147943395}
_BUSY = {170}
_PIPE_ENDED = {109}
_ACCESS_DENIED = {5}
_NOT_THERE = {2147942402, 2147942403, 2147942667}  # no such file, no such path, not a folder
_QUOTA_SHELLS = {2150859173}
_QUOTA_OPERATIONS = {2150859174}


class NothingYet(Exception):
    """No output within the request's time; the command goes on."""


class Busy(Exception):
    """The host asks for patience; nothing was done."""


class ShellGone(Exception):
    """The shell or the command no longer exists: idle for too long, or ended by the host."""


class PipeEnded(ShellGone):
    """Nobody reads the command's standard input any more: it has ended, or ended its reading."""


class TooLarge(Exception):
    """The request is larger than this host takes; nothing was done."""


class OperationsFull(QuotaExceeded):
    """The quota of commands is used up; deleting a shell gives its part back."""


class Broken(ConnectionLost):
    """The connection is of no more use. ``processed`` is False when the host certainly did not act on the request."""

    def __init__(self, summary: str, detail: str, *, processed: bool = True) -> None:
        super().__init__(summary, detail)
        self.processed = processed


def translate(error: Exception, settings: Settings) -> Exception:
    """The exception to raise in place of one from pywinrm or below."""
    import requests
    from winrm.exceptions import (
        InvalidCredentialsError,
        WinRMError,
        WinRMOperationTimeoutError,
        WinRMTransportError,
        WSManFaultError,
    )

    if isinstance(error, HostError):
        return error  # from the log-in, which has said what is wrong
    if isinstance(error, WinRMOperationTimeoutError):
        return NothingYet(f"{settings.name} gave no answer in time.")
    if isinstance(error, WSManFaultError):
        return _fault(error, settings)
    if isinstance(error, InvalidCredentialsError):
        return _rejected(settings)
    if isinstance(error, WinRMTransportError):
        return _status(error.code, settings)
    if isinstance(error, requests.RequestException):
        return _network(error, settings)
    if isinstance(error, WinRMError):
        return HostError("WinRM failed", f"{settings.name}: {error}")
    # Whatever a log-in package raises over an answer that it doesn't understand.
    return Broken("Connection lost", f"{settings.name} at {settings.url}: {type(error).__name__}: {error}")


def _fault(error: Any, settings: Settings) -> Exception:
    code = error.wsman_fault_code or error.wmierror_code
    said = f"{settings.name} says: {' '.join(str(error.reason).split())}"
    if code in _PIPE_ENDED:
        return PipeEnded(said)
    if code in _UNKNOWN_SHELL | _ABORTED:
        return ShellGone(said)
    if code in _BUSY:
        return Busy(said)
    if code in _QUOTA_SHELLS:
        return QuotaExceeded(
            "Too many shells",
            f"{said} End other sessions of user '{settings.user}' there, lower drumline's sessions per host, or raise "
            "WinRM's MaxShellsPerUser.",
        )
    if code in _QUOTA_OPERATIONS:
        return OperationsFull(
            "Too many operations",
            f"{said} Other programs of user '{settings.user}' use them up; end their shells, or raise WinRM's "
            "MaxConcurrentOperationsPerUser.",
        )
    if code in _ACCESS_DENIED:
        return AuthenticationFailed(
            "Access denied",
            f"{said} User '{settings.user}' may log in, but not use WinRM: it has to be in Administrators or Remote "
            "Management Users.",
        )
    if code in _NOT_THERE:
        return CommandRefused("The command can't be started", f"{said} Its folder or its program is not there.")
    return HostError("WinRM fault", f"{said} (code {code})")


def _rejected(settings: Settings) -> AuthenticationFailed:
    return AuthenticationFailed(
        "Log-in rejected",
        f"{settings.name} takes neither user '{settings.user}' with this password, or doesn't offer "
        f"{settings.authentication}. Check ansible_user, ansible_password and ansible_winrm_transport; for an account "
        "of a domain write DOMAIN\\name or name@REALM.",
    )


def _status(code: int, settings: Settings) -> Exception:
    if code == 413:
        return TooLarge()
    if code == 400 and settings.encrypted:
        # What can't be decrypted is not acted upon: it was sealed for a TCP connection that is gone.
        return Broken("Connection lost", f"{settings.name} no longer knows this connection.", processed=False)
    if code == 500 and not settings.encrypted and settings.url.startswith("http:"):
        return HostError(
            "Unencrypted messages refused",
            f"{settings.name} answers HTTP 500 without a word, as Windows does when AllowUnencrypted is false. Leave "
            "winrm_message_encryption at its default with ntlm, kerberos or credssp, or set winrm_scheme to https.",
        )
    if code == 404:
        return HostError(
            "No WinRM at this address",
            f"{settings.url} of {settings.name} answers HTTP 404; check port and winrm_path.",
        )
    return HostError("Unexpected answer", f"{settings.url} of {settings.name} answers HTTP {code}; is it WinRM?")


def _network(error: Exception, settings: Settings) -> Exception:
    import requests
    from urllib3 import exceptions as http

    where = f"{settings.name} at {settings.url}"
    causes = tuple(_causes(error))
    if isinstance(error, requests.exceptions.SSLError):
        return _untrusted(causes, settings)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return ConnectTimedOut(
            "No answer",
            f"{where} did not accept a connection within {settings.connect_timeout:g} seconds. Is it up, and does its "
            "firewall let WinRM through?",
        )
    if any(isinstance(cause, http.NameResolutionError) for cause in causes):
        return NameNotResolved("Name doesn't resolve", f"{where}: check ansible_host and the name service.")
    if any(isinstance(cause, http.NewConnectionError) for cause in causes):
        return _not_connected(causes, where)
    if isinstance(error, requests.exceptions.ReadTimeout):
        return Broken("Connection lost", f"{where} gave no answer for {settings.read_timeout:g} seconds.")
    return Broken("Connection lost", f"{where} closed the connection: {causes[-1]}")


def _not_connected(causes: tuple[BaseException, ...], where: str) -> HostError:
    if any(isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED for cause in causes):
        return ConnectionRefused(
            "Connection refused",
            f"Nothing listens at {where}. Is WinRM on (winrm quickconfig), and is the port right?",
        )
    return ConnectTimedOut("No way to the host", f"{where}: {causes[-1]}")


def _untrusted(causes: tuple[BaseException, ...], settings: Settings) -> HostError:
    reason = next(
        (cause.verify_message for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), str(causes[-1])
    )
    return CertificateInvalid(
        "Certificate not trusted",
        f"{settings.name} at {settings.url}: {reason}. Name its authority in winrm_ca_trust_path, or set "
        "winrm_server_cert_validation to ignore to trust whoever answers.",
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and all that led to it, the first cause last."""
    while error is not None:
        yield error
        inner = next((item for item in error.args if isinstance(item, BaseException)), None)
        error = inner or getattr(error, "reason", None) or error.__cause__ or error.__context__
        if not isinstance(error, BaseException):
            return
