"""One connection to one host and the sessions on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from drumline.plugin import Session
from drumline_ssh.dialing import hang_up
from drumline_ssh.settings import SshSettings

if TYPE_CHECKING:
    import paramiko

    from drumline_ssh.session import SshSession


class SshConnection:
    """Its channels are opened by whichever thread needs one."""

    def __init__(self, dial: Callable[[], list[paramiko.Transport]], settings: SshSettings) -> None:
        self._dial = dial
        self._settings = settings
        self._lock = threading.Lock()
        self._sessions: list[SshSession] = []
        self._way = dial()

    def open_session(self) -> Session:
        """A session; its shell is started with its first command."""
        from drumline_ssh import faults
        from drumline_ssh.session import SshSession

        transport = self._way[-1]
        if not transport.is_active():
            raise faults.lost(transport.get_exception(), self._settings.place)
        session = SshSession(transport, self._settings, self._dial)
        with self._lock:
            self._sessions.append(session)
        return session

    def close(self) -> None:
        """Close it and its sessions."""
        with self._lock:
            sessions, self._sessions = self._sessions, []
        # This way round no channel says goodbye by itself: the host ends what ran on them when the connection ends.
        hang_up(self._way)
        for session in sessions:
            session.close()
