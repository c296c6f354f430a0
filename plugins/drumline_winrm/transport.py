"""The transport: from a target's options to connections, and from those to sessions."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from drumline.plugin import HostError, Platform, Target
from drumline_winrm import options
from drumline_winrm.options import Settings

if TYPE_CHECKING:
    from drumline_winrm.session import WinrmSession


class Winrm:
    """See :class:`drumline.plugin.Transport`."""

    name = "winrm"
    options = options.OPTIONS

    def platform(self, target: Target) -> Platform:
        return Platform.WINDOWS

    def connect(self, target: Target) -> WinrmConnection:
        return WinrmConnection(options.read(target))


class WinrmConnection:
    """One host. Sessions have their own TCP connections, because log-in and encryption belong to those.

    The first session is opened at once, so that whatever is wrong with the host is known then.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._first: WinrmSession | None = _open(settings)
        self._sessions = [self._first]

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


def _open(settings: Settings) -> WinrmSession:
    # With the first connection and not before: it brings XML and HTTP, which most runs don't need.
    from drumline_winrm.session import WinrmSession

    session = WinrmSession(settings)
    try:
        session.open()
    except HostError:
        session.close()
        raise
    return session
