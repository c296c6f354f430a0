"""Logging in with a Kerberos ticket: pywinrm's transport, with an authentication of its own in place of pykerberos.

pykerberos takes tickets from the one cache that the environment of the process names, while here several users log in
side by side. A security context belongs to one TCP connection: it proves both sides to each other, and seals messages.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from requests.auth import AuthBase
from spnego.channel_bindings import GssChannelBindings

from drumline.plugin import AuthenticationFailed, HostError, PackageMissing
from drumline.plugin.background import Background
from drumline_winrm.faults import Broken
from drumline_winrm.guarded import GuardedTransport
from drumline_winrm.options import WinrmSettings
from drumline_winrm.tickets import CLOCKS, REACH, SILENT, UNKNOWN_REALM, NoTicket, margin

_T = TypeVar("_T")

#: Names of schemes that take Kerberos tickets, the better one first.
_SCHEMES = ("Negotiate", "Kerberos")
_TOKEN = re.compile(r"\b(?:Negotiate|Kerberos)\s+([A-Za-z0-9+/]+=*)", re.IGNORECASE)


class KerberosTransport(GuardedTransport):
    """pywinrm's, for one host: what it would do with pykerberos, this does with pyspnego."""

    def __init__(self, settings: WinrmSettings, **options: Any) -> None:
        super().__init__(settings, auth_method="kerberos", **options)

    def build_session(self) -> requests.Session:
        """The session there is, or one that is logged in if messages are sealed in it."""
        if self.session is not None:
            return self.session
        session = self._build_plain()
        session.auth = KerberosAuth(self._settings)
        if self._settings.encrypted:
            self.setup_encryption(session)
        return session

    def _build_plain(self) -> requests.Session:
        """One with everything about proxies and certificates, which pywinrm makes in the same breath as log-ins."""
        wanted = self.auth_method, self.message_encryption
        self.auth_method, self.message_encryption = "basic", "never"
        try:
            return super().build_session()
        finally:
            self.auth_method, self.message_encryption = wanted


class KerberosAuth(AuthBase):
    """Logs in whenever the host asks for it, and over HTTP before it does.

    Over HTTPS the first request goes without a token: only its answer shows the certificate that the log-in is to be
    bound to.
    """

    def __init__(self, settings: WinrmSettings) -> None:
        self._settings = settings
        self._context: Any = None
        self._end = float("inf")  #: Until when the context can be used, by the monotonic clock.

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Connection"] = "Keep-Alive"
        if self._context is None and str(request.url).startswith("http:"):
            self._attach(request, _SCHEMES[0], None)
        request.register_hook("response", self._go_on)  # type: ignore[no-untyped-call]
        return request

    def wrap_winrm(self, _host: object, message: bytes) -> tuple[bytes, bytes]:
        """(sealed, its header) of a message, as pywinrm's encryption wants it."""
        if time.monotonic() >= self._end:
            # Another connection gets another ticket; with this one the answer might come too late to be read.
            raise Broken("Connection lost", f"The ticket for {self._settings.name} ends.", processed=False)
        header, sealed, _ = self._sealing(lambda: self._context.wrap_winrm(message), processed=False)
        return sealed, header

    def unwrap_winrm(self, _host: object, sealed: bytes, header: bytes) -> bytes:
        """The message."""
        return bytes(self._sealing(lambda: self._context.unwrap_winrm(header, sealed), processed=True))

    def _sealing(self, work: Callable[[], _T], *, processed: bool) -> _T:
        try:
            return work()
        except spnego.exceptions.SpnegoError as error:
            raise Broken("Connection lost", f"{self._settings.name}: {_words(error)}", processed=processed) from None

    def _go_on(self, response: requests.Response, **sending: Any) -> requests.Response:
        """Go on with what the host answers; called for every response."""
        try:
            return self._judge(response, sending)
        except HostError:
            response.close()  # No one is given it, who could do that.
            raise

    def _judge(self, response: requests.Response, sending: dict[str, Any]) -> requests.Response:
        token = response.request.headers.get("Authorization")
        if response.status_code != 401:
            if token is not None:
                self._verify(response)
            return response
        if token is None and self._context is not None and self._settings.encrypted:
            # Another TCP connection than the one that this message was sealed for.
            self._context = None
            raise Broken("Connection lost", f"{self._settings.name} no longer knows this connection.", processed=False)
        scheme = self._scheme(response, str(token or "").partition(" ")[0])
        bindings = _bindings(response) if self._settings.send_cbt else None
        # Read to its end, it makes its connection free for the next request.
        _ = response.content
        response.raw.release_conn()
        request = response.request.copy()
        self._attach(request, scheme, bindings)
        answer: requests.Response = response.connection.send(request, **sending)
        answer.history.append(response)
        return self._go_on(answer, **sending)

    def _scheme(self, response: requests.Response, tried: str) -> str:
        """The scheme to try next, or the error of a host that won't have any."""
        offered = response.headers.get("WWW-Authenticate", "")
        words = {word.lower() for word in re.findall(r"[A-Za-z]+", offered)}
        takes = [scheme for scheme in _SCHEMES if scheme.lower() in words]
        if not takes:
            raise AuthenticationFailed(
                "Kerberos not offered",
                f"{self._settings.name} offers {offered or 'nothing'}. Set winrm_transport to one of these, or switch "
                "Kerberos on in the WinRM service of the host.",
            )
        if tried in takes:
            self._context = None
            raise AuthenticationFailed(
                "Ticket rejected",
                f"{self._settings.name} does not accept the Kerberos ticket for {self._service()}. Is that the host's "
                "name in the domain (winrm_kerberos_hostname_override), does it belong to the account that WinRM runs "
                "as (setspn), are the clocks of this machine, the host and the domain less than 5 minutes apart, and "
                "does the host demand channel binding (winrm_send_cbt)?",
            )
        return takes[0]

    def _attach(self, request: requests.PreparedRequest, scheme: str, bindings: GssChannelBindings | None) -> None:
        settings = self._settings
        credential: Any = spnego.CredentialCache(settings.user or None)
        if settings.ticket is not None:
            credential = spnego.KerberosCCache(settings.ticket.cache())
        token = self._asking(lambda: self._first_token(credential, bindings))
        request.headers["Authorization"] = f"{scheme} {base64.b64encode(token).decode()}"

    def _first_token(self, credential: Any, bindings: GssChannelBindings | None) -> bytes:
        settings = self._settings
        wanted = spnego.ContextReq.default
        if settings.kerberos_delegation:
            wanted |= spnego.ContextReq.delegate
        self._context = None
        context = spnego.client(
            credential,
            hostname=self._host(),
            service=settings.service,
            channel_bindings=bindings,
            context_req=wanted,
            protocol="kerberos",
        )
        token = context.step()
        self._context = context
        return token or b""

    def _verify(self, response: requests.Response) -> None:
        """Have the host prove who it is, as it does in the answer to a token."""
        found = _TOKEN.search(response.headers.get("WWW-Authenticate", ""))
        try:
            if found is not None:
                self._context.step(base64.b64decode(found[1]))
        except (spnego.exceptions.SpnegoError, binascii.Error) as error:
            raise self._unproven(_words(error)) from None
        if response.ok and not self._context.complete:
            raise self._unproven("it sent no proof")
        if self._context.complete:
            self._end = time.monotonic() + _usable(self._context)
            if self._settings.kerberos_delegation:
                self._check_delegation()

    def _check_delegation(self) -> None:
        if not self._context.context_attr & spnego.ContextReq.delegate:
            raise HostError(
                "The ticket can't be delegated",
                f"winrm_kerberos_delegation is set for {self._settings.name}, but the ticket is not forwardable. Get "
                "one by 'kinit -f', without winrm_kinit_args that say otherwise, for an account that may be delegated.",
            )

    def _unproven(self, reason: str) -> HostError:
        return HostError(
            "The host is not who it should be",
            f"{self._settings.name} did not prove that it is {self._service()}: {reason}. Someone may stand between.",
        )

    def _asking(self, work: Callable[[], _T]) -> _T:
        """The result of what may ask the domain, which Kerberos' library does for as long as it likes."""
        asked = Background(work, "drumline kerberos")
        if not asked.wait(self._settings.connect_timeout):
            waited = f"There is no ticket for {self._service()} after {self._settings.connect_timeout:g} seconds."
            raise NoTicket(SILENT, f"{waited} {REACH}")
        try:
            return asked.result()
        except ImportError as error:
            raise PackageMissing("No package for kerberos", f"{error}. pip install 'drumline[kerberos]'.") from None
        except Exception as error:  # pyspnego, gssapi and krb5 have errors without a common base
            raise self._no_token(error) from None

    def _no_token(self, error: Exception) -> HostError:
        """Why there is no token, by the number that Kerberos gives its reason."""
        meaning = _MEANINGS.get(_number(error))
        user = self._settings.user or "whoever runs drumline"
        names = {"service": self._service(), "host": self._settings.name, "user": user}
        if meaning is None:
            return NoTicket("No Kerberos ticket", f"For {names['service']}: {_words(error)}")
        kind, summary, detail = meaning
        return kind(summary, f"{detail.format(**names)} Kerberos says: {_words(error)}")

    def _host(self) -> str:
        return self._settings.kerberos_hostname or urlsplit(self._settings.url).hostname or ""

    def _service(self) -> str:
        return f"{self._settings.service}/{self._host()}"


_EXPIRED = "The ticket of {user} has expired. Get a new one by kinit, or set ansible_password to have it done."
_NONE = "There is no ticket of {user}. Get one by kinit, or set ansible_password to have it done."
_STRANGER = (
    "The domain has no service {service}. Name the host as the domain does, not by address: in ansible_host, or in "
    "winrm_kerberos_hostname_override."
)
_REALMS = "Neither /etc/krb5.conf nor DNS names a server (KDC) for the realm of {service}."

#: By the numbers of krb5.h, and of MIT's GSSAPI for a cache that holds someone else's ticket.
_MEANINGS: dict[int, tuple[type[NoTicket] | type[AuthenticationFailed], str, str]] = {
    -1765328377: (NoTicket, "Kerberos doesn't know the host", _STRANGER),
    -1765328347: (AuthenticationFailed, "Clocks differ", CLOCKS),
    -1765328352: (NoTicket, "The Kerberos ticket has expired", _EXPIRED),
    -1765328189: (NoTicket, "No Kerberos ticket", _NONE),  # no cache
    -1765328243: (NoTicket, "No Kerberos ticket", _NONE),  # none in the cache
    39756044: (NoTicket, "No Kerberos ticket", _NONE),
    -1765328230: (NoTicket, UNKNOWN_REALM, _REALMS),
    -1765328228: (NoTicket, SILENT, REACH),
}


def _usable(context: Any) -> float:
    """Seconds until another should take its place. Only the library below pyspnego knows when its ticket ends."""
    lifetime = getattr(getattr(context, "_context", None), "lifetime", None)
    return float("inf") if lifetime is None else lifetime - margin(lifetime)


def _number(error: Exception) -> int:
    """The number that Kerberos gives a reason, 0 for none."""
    native = getattr(error, "base_error", None) or error
    number = int(getattr(native, "min_code", 0) or getattr(native, "err_code", 0))
    return number - 2**32 if number >= 2**31 else number


def _words(error: Exception) -> str:
    """What the library says, without the numbers around it."""
    text = " ".join(str(getattr(error, "base_error", None) or error).split())
    found = re.search(r"Minor \(\d+\): (.*)", text)
    return found[1] if found else text


def _bindings(response: requests.Response) -> GssChannelBindings | None:
    """``tls-server-end-point`` (RFC 5929) of the connection that a response has come over; None for one without TLS."""
    connection = getattr(response.raw, "connection", None)
    read = getattr(getattr(connection, "sock", None), "getpeercert", None)
    data = read(True) if read is not None else None
    if not data:
        return None
    algorithm = x509.load_der_x509_certificate(data).signature_hash_algorithm
    if algorithm is None or algorithm.name in ("md5", "sha1"):
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest.finalize())
