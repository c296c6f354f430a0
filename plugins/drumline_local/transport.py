"""``local`` as a transport. There is nothing to connect and nothing to keep warm: a command is a new process."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from drumline.plugin import Emit, Exit, Get, Option, OptionInvalid, Platform, Put, Run, Target
from drumline.plugin.posix import shell_script
from drumline_local.files import copy_in, copy_out
from drumline_local.process import Process


class LocalTransport:
    """Runs on this machine, as the user that drumline runs as."""

    name = "local"
    options: tuple[Option, ...] = ()

    def platform(self, target: Target) -> Platform:
        """Always POSIX."""
        return Platform.POSIX

    def connect(self, target: Target) -> LocalConnection:
        """Raises ``OptionInvalid`` on a Windows workstation."""
        if os.name != "posix":
            raise OptionInvalid(
                "The transport 'local' needs a POSIX workstation",
                f"This machine has no sh for host '{target.host}'. Run drumline from Linux, macOS or WSL, "
                "or reach this machine over ssh or winrm.",
            )
        return LocalConnection()


class LocalConnection:
    """Nothing but the sessions that it opened."""

    def __init__(self) -> None:
        self._sessions: list[LocalSession] = []

    def open_session(self) -> LocalSession:
        """Costs nothing."""
        session = LocalSession()
        self._sessions.append(session)
        return session

    def close(self) -> None:
        """End what still runs."""
        for session in self._sessions:
            session.close()


class LocalSession:
    """Each command is a process group of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Process | None = None

    def run(self, request: Run, emit: Emit) -> Exit:
        """See :class:`drumline.plugin.Session`."""
        script = shell_script(request)
        with self._lock:
            process = self._running = Process(script, request.stdin, request.timeout)
        try:
            return process.communicate(emit)
        finally:
            with self._lock:
                self._running = None
            process.close()

    def put(self, request: Put) -> None:
        """See :class:`drumline.plugin.Session`."""
        copy_in(request)

    def get(self, request: Get) -> None:
        """See :class:`drumline.plugin.Session`."""
        copy_out(Path(request.source), request.destination)

    def interrupt(self) -> None:
        """See :class:`drumline.plugin.Session`."""
        with self._lock:
            if self._running:
                self._running.interrupt()

    def close(self) -> None:
        """End what runs; its ``run`` returns ``INTERRUPTED``."""
        self.interrupt()
