"""One TCP connection from its first byte to its last, on a thread of its own.

Requests come one after the other. Each is answered in this order of judgement, as by HTTP.sys and the service
behind it: path and method, size, authentication, sealing, then SOAP.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

from drumline_lab.wsman import faults, sealing, soap
from drumline_lab.wsman.auth import Authentication
from drumline_lab.wsman.faults import Fault
from drumline_lab.wsman.http import BadRequest, HttpEnd, Request, Response
from drumline_lab.wsman.resources import Caller
from drumline_lab.wsman.sealing import Unsealable

if TYPE_CHECKING:
    from drumline_lab.wsman.server import WsmanServer

SOAP = "application/soap+xml;charset=UTF-8"
#: bytes above the largest envelope that the frame of a sealed one may take
_FRAME = 4096


class Dropped(Exception):
    """Raised by a test hook: the connection breaks here, without an answer."""


class ServedConnection:
    """State of one connection: its socket, who is at the other end, how many requests it had."""

    def __init__(self, server: WsmanServer, number: int, connected: socket.socket, address: str) -> None:
        self.number = number
        self._server = server
        self._socket = connected
        self._address = address
        self._gone = threading.Event()
        self._authentication: Authentication | None = None

    @property
    def last_auth_error(self) -> str:
        """Why the last login was refused, or ``""``."""
        return self._authentication.last_error if self._authentication else ""

    @property
    def delegated(self) -> str:
        """Whose Kerberos ticket came along to be used on other hosts, or ``""``."""
        return self._authentication.delegated if self._authentication else ""

    def serve(self) -> None:
        """Answer requests until the connection ends; raises nothing."""
        try:
            self._open()
            http = HttpEnd(self._socket.recv)
            while self._serve_one(http):
                pass
        except (OSError, BadRequest, Dropped):
            pass  # the client is gone, or talks something else: there is no one to tell
        finally:
            self.drop()
            self._socket.close()

    def drop(self) -> None:
        """Break it, from any thread."""
        self._gone.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _open(self) -> None:
        server = self._server
        self._socket.settimeout(server.settings.connection_idle)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        user = ""
        if server.tls is not None:
            # Here and not where connections are accepted: a slow client must not keep the others waiting.
            self._socket = server.tls.wrap_socket(self._socket, server_side=True)
            user = _common_name(self._socket)
        self._authentication = Authentication(server.settings, server.credentials, server.bindings, user)

    def _serve_one(self, http: HttpEnd) -> bool:
        server = self._server
        request = http.read(server.settings.max_envelope + _FRAME)
        if request is None:
            return False
        if server.settings.latency:
            time.sleep(server.settings.latency)
        response = self._answer(request)
        if self._gone.is_set():
            return False
        data = http.encode(response, chunked=server.settings.chunked)
        server.record(self, response, received=len(request.body), sent=len(data))
        self._socket.sendall(data)
        return http.is_open

    def _answer(self, request: Request) -> Response:
        if request.path.partition("?")[0] != "/wsman":
            return Response(status=404, kind="refused")
        if request.method != "POST":
            return Response(status=405, kind="refused", close=True)
        if request.chunked:
            envelope = soap.fault(faults.chunked_request(), "", self._server.settings.machine)
            return Response(status=500, body=envelope, content_type=SOAP, kind="refused", close=True)
        if request.too_large:
            return Response(status=413, kind="refused", close=True)
        if request.headers.get("wsmanidentify", "").lower() == "unauthenticated":
            return Response(status=200, body=soap.identity(), content_type=SOAP, kind="Identify")
        return self._authenticated(request)

    def _authenticated(self, request: Request) -> Response:
        assert self._authentication is not None
        verdict = self._authentication.check(request.headers.get("authorization"))
        fields = [("WWW-Authenticate", field) for field in verdict.fields]
        if not verdict.granted:
            return Response(status=401, fields=fields, kind="auth")
        response = self._unsealed(request)
        response.fields += fields
        return response

    def _unsealed(self, request: Request) -> Response:
        assert self._authentication is not None
        if not request.body:
            # Clients that will seal do their handshake with empty bodies.
            return Response(status=200, kind="auth")
        protocol = sealing.protocol_of(request.headers.get("content-type", ""))
        context = self._authentication.context
        if not protocol:
            if self._server.tls is None and not self._server.settings.allow_unencrypted:
                return Response(status=500, kind="refused")
            return self._soap(request.body)
        try:
            plain = sealing.unseal(context, request.body)
        except (Unsealable, AttributeError):
            return Response(status=400, kind="refused", close=True)
        response = self._soap(plain)
        response.content_type, response.body = sealing.seal(context, protocol, response.body)
        return response

    def _soap(self, body: bytes) -> Response:
        settings = self._server.settings
        kind = "unreadable"
        message_id = ""
        try:
            message = soap.parse(body, settings)
            kind, message_id = message.verb, message.message_id
            envelope = self._server.handle(message, self._caller())
        except Fault as fault:
            envelope = soap.fault(fault, message_id or soap.message_id_of(body), settings.machine)
            return Response(status=500, body=envelope, content_type=SOAP, kind=kind)
        return Response(status=200, body=envelope, content_type=SOAP, kind=kind)

    def _caller(self) -> Caller:
        assert self._authentication is not None
        return Caller(user=self._authentication.user, address=self._address, connected=self._connected)

    def _connected(self) -> bool:
        if self._gone.is_set():
            return False
        poller = select.poll()
        poller.register(self._socket.fileno(), getattr(select, "POLLRDHUP", select.POLLHUP))
        return not poller.poll(0)


def _common_name(connected: socket.socket) -> str:
    """Who a client certificate is for, or ``""``."""
    assert isinstance(connected, ssl.SSLSocket)
    certificate = connected.getpeercert() or {}
    subject: Any = certificate.get("subject", ())
    return next((str(value) for names in subject for key, value in names if key == "commonName"), "")
