"""Authentication of one TCP connection: Negotiate (NTLM or Kerberos inside), CredSSP, Basic, client certificates.

All state belongs to the connection. After a handshake its requests carry no ``Authorization`` any more; ``Basic`` is
checked on each request. Windows never offers ``NTLM`` by that name.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import spnego
from spnego._ntlm_raw.messages import Authenticate, AvId, NTClientChallengeV2
from spnego.channel_bindings import GssChannelBindings

from drumline_lab.wsman.credentials import Credentials
from drumline_lab.wsman.settings import Settings

_NTLM = b"NTLMSSP\0"
_AUTHENTICATE = _NTLM + b"\x03\0\0\0"
#: GSS_C_CHANNEL_BOUND_FLAG: the initiator sent bindings, and they are the acceptor's (MIT Kerberos 1.19 and later).
_CHANNEL_BOUND = 2048
#: 1.2.840.113554.1.2.2, as a token of Kerberos begins with it, and one of SPNEGO that holds one of Kerberos has it.
_KERBEROS = bytes.fromhex("06092a864886f712010202")
_MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Let the request through (``granted``) or answer 401. ``fields`` are values of WWW-Authenticate."""

    granted: bool
    fields: tuple[str, ...] = ()


class Authentication:
    """Who the other end of a connection is, as far as it has shown."""

    def __init__(
        self, settings: Settings, credentials: Credentials, bindings: GssChannelBindings | None, certificate_user: str
    ) -> None:
        self.user = ""
        self.context: Any = None  #: The complete security context, for sealing; None after Basic.
        self.delegated = ""  #: For whom this host may act elsewhere: the owner of a ticket that came with the log-in.
        self.last_error = ""
        self._settings = settings
        self._credentials = credentials
        self._bindings = bindings
        self._certificate_user = certificate_user
        self._pending: Any = None

    def check(self, authorization: str | None) -> Verdict:
        """Judge one request by its Authorization field."""
        if authorization is None:
            return Verdict(granted=True) if self.context is not None else self._refuse("no authorization")
        if authorization == _MUTUAL and "Certificate" in self._settings.schemes:
            return self._check_certificate()
        scheme, _, text = authorization.partition(" ")
        try:
            token = base64.b64decode(text, validate=True)
        except binascii.Error:
            return self._refuse("the token is not base64")
        offered = {name.lower(): name for name in self._settings.schemes}
        match offered.get(scheme.lower()):
            case "Basic":
                return self._check_basic(token)
            case "Negotiate" | "Kerberos" | "CredSSP" as name:
                return self._step(name, token)
        return self._refuse(f"{scheme} is not offered")

    def _check_basic(self, token: bytes) -> Verdict:
        try:
            text = token.decode()
        except UnicodeDecodeError:  # requests, and so pywinrm and pypsrp, send Latin-1
            text = token.decode("latin-1")
        user, _, password = text.partition(":")
        if not self._credentials.check(user, password):
            return self._refuse(f"unknown user or wrong password: {user}")
        self.user = user
        return Verdict(granted=True)

    def _check_certificate(self) -> Verdict:
        if not self._certificate_user:
            return self._refuse("no client certificate")
        self.user = self._certificate_user
        return Verdict(granted=True)

    def _step(self, scheme: str, token: bytes) -> Verdict:
        try:
            if self._pending is None or token.startswith(_NTLM + b"\x01"):
                self.context = None
                self._pending = self._acceptor(scheme, token)
            with self._credentials.for_acceptors():
                answer = self._pending.step(token, channel_bindings=self._bindings_for(token))
        except Exception as error:  # whatever is wrong with a token, Windows says 401
            return self._refuse(f"{type(error).__name__}: {error}")
        fields = (f"{scheme} {base64.b64encode(answer).decode()}",) if answer else ()
        if not self._pending.complete:
            return Verdict(granted=False, fields=fields)
        if not self._is_bound(self._pending):
            return self._refuse("BadBindingsError: the ticket is not bound to this channel")
        self.context, self._pending = self._pending, None
        self.user = self.context.client_principal or ""
        self.delegated = _delegated(self.context)
        return Verdict(granted=True, fields=fields)

    def _acceptor(self, scheme: str, token: bytes) -> Any:
        if scheme in ("CredSSP", "Kerberos"):
            protocol, options = scheme.lower(), spnego.NegotiateOptions.none
        elif token.startswith(_NTLM):
            protocol, options = "ntlm", spnego.NegotiateOptions.use_ntlm
        else:
            protocol, options = "negotiate", spnego.NegotiateOptions.use_negotiate
        with self._credentials.for_acceptors():
            return spnego.server(protocol=protocol, options=options)

    def _bindings_for(self, token: bytes) -> GssChannelBindings | None:
        """What the acceptor compares with; NTLM's takes bindings that it is given as a must."""
        level = self._settings.channel_binding
        if self._bindings is None or level == "none":
            return None
        if level == "relaxed" and not (_KERBEROS in token or _has_bindings(token)):
            return None
        return self._bindings

    def _is_bound(self, context: Any) -> bool:
        """Whether the client named this channel, where it must. NTLM's acceptor has seen to that itself."""
        if self._bindings is None or self._settings.channel_binding != "strict":
            return True
        if context.negotiated_protocol != "kerberos":
            return True
        return bool(int(_native(context).actual_flags) & _CHANNEL_BOUND)

    def _refuse(self, reason: str) -> Verdict:
        self.last_error = reason
        self.context = self._pending = None
        self.user = self.delegated = ""
        return Verdict(granted=False, fields=tuple(self._offers()))

    def _offers(self) -> list[str]:
        names = [name for name in self._settings.schemes if name != "Certificate"]
        return ['Basic realm="WSMAN"' if name == "Basic" else name for name in names]


def _has_bindings(token: bytes) -> bool:
    """Whether the NTLM AUTHENTICATE message in this token says to which channel the client binds it."""
    start = token.find(_AUTHENTICATE)
    if start < 0:
        return False
    response = Authenticate.unpack(token[start:]).nt_challenge_response or b""
    if len(response) <= 24:  # NTLMv1 has no room for it
        return False
    return AvId.channel_bindings in NTClientChallengeV2.unpack(response[16:]).av_pairs


def _native(context: Any) -> Any:
    """The security context of the GSSAPI library, which pyspnego has wrapped once, or within SPNEGO twice."""
    while hasattr(context, "_context"):
        context = context._context
    return context


def _delegated(context: Any) -> str:
    """Whose ticket came along to be used elsewhere, or ``""``."""
    if context.negotiated_protocol != "kerberos":
        return ""
    ticket = _native(context).delegated_creds
    return str(ticket.name) if ticket is not None else ""
