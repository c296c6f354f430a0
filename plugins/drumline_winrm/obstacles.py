"""What goes wrong below SOAP, each by its cause: network, proxy, TLS, HTTP, and what isn't an answer."""

from __future__ import annotations

import errno
import re
import ssl
from collections.abc import Iterator

import requests
from urllib3 import exceptions as http

from drumline.plugin import (
    AuthenticationFailed,
    CertificateInvalid,
    ConnectionRefused,
    ConnectTimedOut,
    HostError,
    NameNotResolved,
)
from drumline_winrm import wire
from drumline_winrm.answers import Malformed, SoapFault, shortened
from drumline_winrm.faults import Broken, Silent, TooLarge, Untrusted, raised
from drumline_winrm.guarded import BareStatus, InClear, NoLogin, Undecipherable
from drumline_winrm.options import WinrmSettings

#: OpenSSL's numbers of what is wrong with a certificate (x509_vfy.h).
_NOT_YET_VALID, _EXPIRED, _OTHER_NAME, _OTHER_ADDRESS = 9, 10, 62, 64
#: What a port says that speaks TLS, to whoever speaks HTTP to it: a record of the type alert.
_ALERT = re.compile(r"\\x15\\x03|\x15\x03")
#: OpenSSL's words for an answer that is no TLS.
_NO_TLS = ("wrong version number", "record layer failure", "packet length too long", "unknown protocol", "http request")


def translate(error: Exception, settings: WinrmSettings) -> Exception:
    """The exception to raise in place of one from pywinrm or below."""
    from winrm.exceptions import WinRMError

    if isinstance(error, HostError):
        return error
    if isinstance(error, SoapFault):
        return raised(error, settings)
    if isinstance(error, BareStatus):
        return _status(error, settings)
    if isinstance(error, Malformed | InClear | Undecipherable | NoLogin):
        return _no_answer(error, settings)
    if isinstance(error, requests.RequestException):
        return _network(error, settings)
    if isinstance(error, PermissionError):  # of requests_ntlm, when its first word is answered by a refusal
        return _rejected(settings)
    if isinstance(error, WinRMError):
        return HostError("WinRM failed", f"{settings.name}: {error}")
    # Whatever a log-in package raises over an answer that it doesn't understand.
    return Broken(
        "Log-in not understood",
        f"{_where(settings)} answers {settings.authentication} with something else "
        f"({type(error).__name__}: {shortened(str(error))}). Is it WinRM, and is nothing in between?",
    )


def _where(settings: WinrmSettings) -> str:
    return f"{settings.name} at {settings.url}"


# Something came back that isn't an answer.


def _no_answer(error: Exception, settings: WinrmSettings) -> HostError:
    where = _where(settings)
    if isinstance(error, InClear):
        return Untrusted(
            "Answer not encrypted",
            f"{where} answers an encrypted message in clear ({error}). Nothing of it was believed: someone may stand "
            "between. What was asked may have been done all the same. A proxy or a load balancer on the way must pass "
            "on what it can't read; with winrm_scheme https the certificate shows who answers.",
        )
    if isinstance(error, Undecipherable):
        return Untrusted(
            "Answer can't be decrypted",
            f"{where} sends an answer that was not sealed in this log-in ({error}). It was damaged on its way, or "
            "someone stands between. What was asked may have been done all the same.",
        )
    if isinstance(error, NoLogin):
        return HostError(
            "No log-in asked for",
            f"{where} answers without a log-in ({error}), as no WinRM does: a log-in page of the network, a proxy, or "
            "another program on this port? Check ansible_host, ansible_port and winrm_path.",
        )
    return Untrusted(
        "Answer not understood",
        f"{where} gives an answer that isn't WinRM's: {error}. Does WinRM listen there, and not a log-in page of the "
        "network, a proxy or another program? Check ansible_host, ansible_port and winrm_path.",
    )


def _rejected(settings: WinrmSettings) -> AuthenticationFailed:
    return AuthenticationFailed(
        "Log-in rejected",
        f"{settings.name} takes neither user '{settings.user}' with this password, or doesn't offer "
        f"{settings.authentication}. Check ansible_user, ansible_password and ansible_winrm_transport; for an account "
        "of a domain write DOMAIN\\name or name@REALM.",
    )


def _status(status: BareStatus, settings: WinrmSettings) -> Exception:
    code = status.code
    if code == 413:
        return TooLarge()
    if code in (400, 401) and status.sealed:
        return Broken("Connection lost", f"{settings.name} no longer knows this connection (HTTP {code}).")
    if code == 401:
        return _rejected(settings)
    if code == 407:
        return _proxy(f"it asks for a log-in of its own (HTTP {code})", settings)
    if code == 404:
        return HostError(
            "No WinRM at this address",
            f"{settings.url} of {settings.name} answers HTTP 404; check port and winrm_path.",
        )
    if settings.proxy and code in (403, 502, 503, 504):
        return _proxy(f"HTTP {code}, which may be the host's as well", settings)
    if code == 400 and settings.url.startswith("http:"):
        return HostError(
            "Unexpected answer",
            f"{settings.url} of {settings.name} answers HTTP 400; does this port speak https? Then set winrm_scheme to "
            "https.",
        )
    if 300 <= code < 400:
        return HostError(
            "Redirected elsewhere",
            f"{settings.url} of {settings.name} answers HTTP {code}, as no WinRM does. The password is for the host "
            "that was named, so nothing was sent to another. A log-in page of the network?",
        )
    return HostError("Unexpected answer", f"{settings.url} of {settings.name} answers HTTP {code}; is it WinRM?")


def unencrypted_refused(settings: WinrmSettings) -> HostError:
    """HTTP 500 without a word, to a message in clear."""
    return HostError(
        "Unencrypted messages refused",
        f"{settings.name} answers HTTP 500 without a word, as Windows does when AllowUnencrypted is false. Leave "
        "winrm_message_encryption at its default with ntlm, kerberos or credssp, or set winrm_scheme to https.",
    )


# Answers that did not come.


def _network(error: requests.RequestException, settings: WinrmSettings) -> Exception:
    causes = tuple(_causes(error))
    if isinstance(error, requests.exceptions.ProxyError):
        return _through_proxy(causes, settings)
    for kind, told in ((wire.RequestLate, _silent), (wire.TooMuch, _too_much), (wire.Compressed, _compressed)):
        if any(isinstance(cause, kind) for cause in causes):
            return told(settings)
    if any(isinstance(cause, wire.Gone) for cause in causes):
        return Broken("Connection lost", f"{_where(settings)} closed the connection.", processed=False)
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or isinstance(error, requests.exceptions.SSLError):
        return _tls(causes, settings)
    return _not_reached(error, causes, settings)


def _not_reached(
    error: requests.RequestException, causes: tuple[BaseException, ...], settings: WinrmSettings
) -> Exception:
    where = _where(settings)
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
    if isinstance(error, requests.exceptions.Timeout):
        return _silent(settings)
    if _ALERT.search(str(error)):
        return HostError(
            "This port speaks https",
            f"{where} answers in TLS. Set winrm_scheme to https, or ansible_port to that of http, usually 5985.",
        )
    said = shortened(str(causes[-1]))
    return Broken("Connection lost", f"{where} closed the connection: {said}{_perhaps(settings)}")


def _perhaps(settings: WinrmSettings) -> str:
    """What the reason may be when a port hangs up that was never reached before."""
    other = "http" if settings.url.startswith("https:") else "https"
    return f". Where that is so from the first message on, the port may speak {other}: see winrm_scheme"


def _silent(settings: WinrmSettings) -> Silent:
    return Silent(
        "No answer",
        f"{_where(settings)} gave no whole answer within {settings.read_timeout:g} seconds. Is the host overloaded, or "
        "the network broken? See winrm_read_timeout_sec.",
    )


def _too_much(settings: WinrmSettings) -> Untrusted:
    return Untrusted(
        "Answer too large",
        f"{_where(settings)} sends more than any answer of WinRM can have; the rest was not read. Is it WinRM?",
    )


def _compressed(settings: WinrmSettings) -> Untrusted:
    return Untrusted(
        "Answer compressed",
        f"{_where(settings)} sends a compressed answer, which nothing asked for. Is it WinRM, and not a proxy?",
    )


def _proxy(reason: str, settings: WinrmSettings) -> HostError:
    proxy = settings.proxy or "a proxy on the way"
    return ConnectionRefused(
        "The proxy refuses",
        f"{proxy} does not pass on to {_where(settings)}: {reason}. Check winrm_proxy, user and password in it, and "
        "whether the proxy allows this port.",
    )


def _through_proxy(causes: tuple[BaseException, ...], settings: WinrmSettings) -> HostError:
    for cause in causes:
        if isinstance(cause, http.NewConnectionError | http.NameResolutionError | http.ConnectTimeoutError):
            return ConnectionRefused(
                "The proxy can't be reached",
                f"{settings.proxy}, on the way to {_where(settings)}: {shortened(str(causes[-1]))}. Check winrm_proxy.",
            )
    return _proxy(shortened(str(causes[-1])), settings)


def _not_connected(causes: tuple[BaseException, ...], where: str) -> HostError:
    if any(isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED for cause in causes):
        return ConnectionRefused(
            "Connection refused",
            f"Nothing listens at {where}. Is WinRM on (winrm quickconfig), and is the port right?",
        )
    return ConnectTimedOut("No way to the host", f"{where}: {causes[-1]}")


# TLS.


def _tls(causes: tuple[BaseException, ...], settings: WinrmSettings) -> HostError:
    found = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if found is not None:
        return _certificate(found.verify_code, found.verify_message, settings)
    said = shortened(str(causes[-1]))
    if any(words in said.lower().replace("_", " ") for words in _NO_TLS):
        return HostError(
            "This port doesn't speak https",
            f"{_where(settings)} answers without TLS. Set winrm_scheme to http, or ansible_port to that of https, "
            "usually 5986.",
        )
    if isinstance(causes[-1], ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Broken("Connection ended within TLS", f"{_where(settings)} hung up{_perhaps(settings)}")
    return CertificateInvalid("TLS failed", f"{_where(settings)}: {said}")


def _certificate(code: int, said: str, settings: WinrmSettings) -> CertificateInvalid:
    where = _where(settings)
    if code in (_OTHER_NAME, _OTHER_ADDRESS):
        return CertificateInvalid(
            "Certificate for another name",
            f"{where}: {said}. Set ansible_host to a name that the certificate is for, or give the host's listener a "
            "certificate for this one. To trust whoever answers set winrm_server_cert_validation to ignore.",
        )
    if code == _EXPIRED:
        return CertificateInvalid(
            "Certificate expired",
            f"{where}: {said}. Give the host's listener a new certificate; if it has one, check this machine's clock.",
        )
    if code == _NOT_YET_VALID:
        return CertificateInvalid(
            "Certificate not yet valid", f"{where}: {said}. Compare this machine's clock with the host's."
        )
    return CertificateInvalid(
        "Certificate not trusted",
        f"{where}: {said}. Name its authority in winrm_ca_trust_path, or set winrm_server_cert_validation to ignore to "
        "trust whoever answers.",
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and all that led to it, the first cause last."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = next((item for item in error.args if isinstance(item, BaseException)), None)
        error = inner or getattr(error, "reason", None) or error.__cause__ or error.__context__
        if not isinstance(error, BaseException):
            return
