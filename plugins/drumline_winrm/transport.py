"""The transport: from a target's options to connections, and from those to sessions."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from msgspec.structs import replace

from drumline.plugin import AuthenticationFailed, Costs, HostError, Platform, Target, TransportTraits
from drumline_winrm import options
from drumline_winrm.options import WinrmSettings

if TYPE_CHECKING:
    from drumline_winrm.session import WinrmSession
    from drumline_winrm.tickets import Tickets


class Winrm:
    """See :class:`drumline.plugin.Transport`."""

    name = "winrm"
    options = options.OPTIONS
    #: Guessed from what ssh takes: two HTTP requests a job, and a log-in.
    traits = TransportTraits(
        aliases=("ansible.builtin.winrm",), costs=Costs(job=0.003, connection=0.01, connecting=0.5)
    )

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tickets: Tickets | None = None  # Of users, not of hosts: one ticket serves all that its user reaches.

    def platform(self, target: Target) -> Platform:
        return Platform.WINDOWS

    def connect(self, target: Target) -> WinrmConnection:
        from drumline_winrm.names import check_name  # it brings sockets

        settings = options.read(target)
        check_name(settings)
        if settings.account is not None:
            settings = replace(settings, ticket=self._known_tickets().of(settings.account))
        return WinrmConnection(settings)

    def _known_tickets(self) -> Tickets:
        from drumline_winrm.tickets import Tickets

        with self._lock:
            if self._tickets is None:
                self._tickets = Tickets()
            return self._tickets


class WinrmConnection:
    """One host. Sessions have their own TCP connections, because log-in and encryption belong to those.

    The first session is opened at once, so that whatever is wrong with the host is known then.
    """

    def __init__(self, settings: WinrmSettings) -> None:
        self._lock = threading.Lock()
        self._ticket = settings.ticket
        if self._ticket is not None:
            self._ticket.hold()
        try:
            self._settings, first = _open_either(settings)
        except BaseException:
            self._release()
            raise
        self._first: WinrmSession | None = first
        self._sessions = [first]

    def open_session(self) -> WinrmSession:
        with self._lock:
            first, self._first = self._first, None
        if first is not None:
            return first
        session = _open(self._settings)
        with self._lock:
            self._sessions.append(session)
        return session

    def close(self) -> None:
        with self._lock:
            sessions, self._sessions = self._sessions, []
            self._first = None
        for session in sessions:
            session.close()
        self._release()

    def _release(self) -> None:
        with self._lock:
            ticket, self._ticket = self._ticket, None
        if ticket is not None:
            ticket.release()


def _open_either(settings: WinrmSettings) -> tuple[WinrmSettings, WinrmSession]:
    """A session by the best way to log in that there is, and which way that was."""
    if settings.otherwise is None:
        return settings, _open(settings)
    from drumline_winrm.tickets import NoTicket

    try:
        return settings, _open(settings)
    except NoTicket as none:
        try:
            return settings.otherwise, _open(settings.otherwise)
        except AuthenticationFailed as error:
            detail = f"{error.detail} Kerberos was tried before: {none}"
            raise AuthenticationFailed(error.summary, detail) from None


def _open(settings: WinrmSettings) -> WinrmSession:
    # With the first connection and not before: it brings XML and HTTP, which most runs don't need.
    from drumline_winrm.session import WinrmSession

    session = WinrmSession(settings)
    try:
        session.open()
    except HostError:
        session.close()
        raise
    return session
