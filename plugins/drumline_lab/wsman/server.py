"""The server: listens, keeps its connections and shells, and lets tests look in and interfere.

Example::

    with WsmanServer(Settings(users={"admin": "secret"}), backend=Sh(home)) as server:
        winrm.Protocol(server.url, transport="ntlm", username="admin", password="secret", message_encryption="always")
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

from drumline_lab.wsman import certificates, faults, soap
from drumline_lab.wsman.backends import Backend
from drumline_lab.wsman.connection import ServedConnection
from drumline_lab.wsman.credentials import Credentials
from drumline_lab.wsman.http import Response
from drumline_lab.wsman.process import Canned
from drumline_lab.wsman.resources import CMD, CONFIG, SHELL, Caller, Config, Line, ShellViews, TextShells
from drumline_lab.wsman.settings import Settings
from drumline_lab.wsman.shell import Shells
from drumline_lab.wsman.soap import Message

#: seconds between looks for shells whose time is up
_SWEEP = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, for counting round trips.

    ``kind`` is the action's last word (``Create``, ``Command``, …), ``auth`` for the legs of a handshake, ``refused``
    for what never reached SOAP, ``unreadable`` for SOAP that could not be read.
    """

    connection: int
    kind: str
    status: int
    received: int  #: bytes of the request's body
    sent: int  #: bytes of the whole answer


class Resource(Protocol):
    """Answers the messages of one ResourceURI."""

    def handle(self, message: Message, caller: Caller) -> str: ...


class WsmanServer:
    """One practice Windows host on one address.

    ``before`` and ``after`` are called with the kind of every SOAP request, before it is run and before its
    answer is sent. They may sleep, raise a ``Fault``, or raise ``Dropped`` to break the connection. ``script`` answers
    command lines in place of the backend.
    """

    def __init__(self, settings: Settings, *, backend: Backend, address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self.before: Callable[[str], None] | None = None
        self.after: Callable[[str], None] | None = None
        self.log: deque[Exchange] = deque(maxlen=settings.log_size)
        self.last_auth_error = ""
        self.credentials = Credentials(settings.users, settings.keytab)
        self.shells = Shells(settings)
        self._text_shells = TextShells(self.shells, backend)
        self._resources: dict[str, Resource] = {
            CMD: self._text_shells,
            SHELL: ShellViews(self.shells),
            CONFIG: Config(self.shells),
        }
        self.tls = _tls_context(settings)
        self.bindings = certificates.end_point_bindings(settings.tls) if settings.tls else None
        self._address = address
        self._listener: socket.socket | None = None
        self._lock = threading.Lock()
        self._connections: dict[ServedConnection, threading.Thread] = {}
        self._count = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="wsman", daemon=True)

    def start(self) -> Self:
        """Listen; raises ``OSError`` when the address is taken."""
        self._listener = socket.create_server(self._address, backlog=128)
        self._address = self._listener.getsockname()[:2]
        self._listener.settimeout(_SWEEP)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close everything and end all commands; also twice, and when it was never started."""
        self._stopping.set()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            self._listener.close()
        self.shells.close()
        self.drop_connections()
        for thread in list(self._connections.values()):
            thread.join(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def host(self) -> str:
        return self._address[0]

    @property
    def port(self) -> int:
        return self._address[1]

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}/wsman"

    @property
    def settings(self) -> Settings:
        return self.shells.settings

    @property
    def script(self) -> Callable[[Line], Canned | None] | None:
        return self._text_shells.script

    @script.setter
    def script(self, script: Callable[[Line], Canned | None] | None) -> None:
        self._text_shells.script = script

    def change(self, **changes: Any) -> None:
        """Change settings from now on; users and certificates stay as they were at the start."""
        self.shells.settings = self._text_shells.settings = dataclasses.replace(self.settings, **changes)

    def drop_connections(self) -> None:
        """Break every connection, as a firewall or a restart of the service would; shells live on."""
        for connection in self.connections():
            connection.drop()

    def connections(self) -> list[ServedConnection]:
        """Those that are open, oldest first."""
        with self._lock:
            return list(self._connections)

    def kinds(self) -> list[str]:
        """What was asked so far, in order, handshakes left out."""
        return [exchange.kind for exchange in list(self.log) if exchange.kind != "auth"]

    def handle(self, message: Message, caller: Caller) -> bytes:
        """Run one SOAP request; raises ``Fault``."""
        if self.before is not None:
            self.before(message.verb)
        if message.verb == "Identify":
            envelope = soap.identity()
        else:
            resource = self._resources.get(message.resource)
            if resource is None:
                raise faults.unknown_resource(message.resource)
            envelope = soap.response(message, resource.handle(message, caller))
        if self.after is not None:
            self.after(message.verb)
        return envelope

    def record(self, connection: ServedConnection, response: Response, *, received: int, sent: int) -> None:
        """Enter an exchange in the log."""
        if response.status == 401:
            self.last_auth_error = connection.last_auth_error
        self.log.append(
            Exchange(
                connection=connection.number, kind=response.kind, status=response.status, received=received, sent=sent
            )
        )

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._stopping.is_set():
            try:
                connected, (address, *_) = self._listener.accept()
            except TimeoutError:
                self.shells.sweep()
                continue
            except OSError:
                if self._stopping.is_set():
                    return
                # Out of file numbers, or a client that was gone already: the next one may fare better.
                self._stopping.wait(0.05)
                continue
            self._start_connection(connected, address)

    def _start_connection(self, connected: socket.socket, address: str) -> None:
        self._count += 1
        connection = ServedConnection(self, self._count, connected, address)
        thread = threading.Thread(
            target=self._serve, args=(connection,), name=f"wsman connection {self._count}", daemon=True
        )
        with self._lock:
            self._connections[connection] = thread
        thread.start()

    def _serve(self, connection: ServedConnection) -> None:
        try:
            connection.serve()
        finally:
            with self._lock:
                del self._connections[connection]


def _tls_context(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.tls.certificate, settings.tls.key)
    if settings.tls.client_authority is not None:
        context.load_verify_locations(settings.tls.client_authority)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context
