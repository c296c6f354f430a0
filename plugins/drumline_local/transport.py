"""``local`` as a transport. There is nothing to connect and nothing to keep warm: a command is a new process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from drumline.plugin import (
    Become,
    Costs,
    Emit,
    Exit,
    Get,
    Option,
    OptionInvalid,
    Platform,
    Put,
    RemoteShell,
    Run,
    Staged,
    Target,
    TransportTraits,
)
from drumline.plugin.posix import shell_script
from drumline_local.process import Process

if TYPE_CHECKING:
    from drumline_local.files import Copying


def own_name() -> str:
    """The user that drumline runs as."""
    import pwd  # not on Windows

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # as in containers: a number without a name
        return ""


class LocalTransport:
    """Runs on this machine, as the user that drumline runs as."""

    name = "local"
    options: tuple[Option, ...] = ()
    traits = TransportTraits(
        aliases=("ansible.builtin.local",),
        is_here=True,
        unlimited=True,  # there is no connection that could be overloaded, and many hosts delegate to this machine
        costs=Costs(job=0.001, connection=0.0005, connecting=0.005),
    )

    def platform(self, target: Target) -> Platform:
        """Always POSIX."""
        return Platform.POSIX

    def remote_shell(self, target: Target) -> RemoteShell:
        """None is needed."""
        return RemoteShell()

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
        self._running: Process | Copying | None = None

    def run(self, request: Run, emit: Emit) -> Exit:
        """See :class:`drumline.plugin.Session`."""
        script = shell_script(replace(request, become=None))
        deadline = None if request.timeout is None else time.monotonic() + request.timeout
        with self._carrying_out(script, request.become, deadline, emit) as process:
            if (early := process.early) is not None:
                return early
            process.limit(deadline)
            process.feed(request.stdin)
            return process.communicate(emit)

    def stage(self, request: Run) -> Staged:
        """See :class:`drumline.plugin.StagingSession`."""
        from drumline.plugin.marks import nonce  # few tasks have a synchronised start
        from drumline.plugin.staging import Remarks, staged_script
        from drumline_local.staging import LocalStaged

        remarks = Remarks(nonce())
        script = staged_script(replace(request, become=None), remarks.word)
        with ExitStack() as use:
            process = use.enter_context(self._carrying_out(script, request.become, None, remarks.take))
            staged = LocalStaged(process, request, remarks)
            staged.wait_until_ready()
            staged.use = use.pop_all()
        return staged

    @contextmanager
    def _carrying_out(
        self, script: str, become: Become | None, deadline: float | None, emit: Emit
    ) -> Iterator[Process]:
        """The process that runs a script; ``Process.early`` says if it was ended before."""
        with ExitStack() as use:
            use.callback(self._let_go)
            begin = partial(self._begin, use)
            if become is None or become.user == own_name():  # as in Ansible, no one becomes who they are
                yield begin(script)
            else:
                from drumline_local.becoming import begin_as  # few commands do

                yield begin_as(become, script, deadline, emit, begin)

    def _begin(self, use: ExitStack, script: str, **more: Any) -> Process:
        with self._lock:
            process = self._running = Process(script, **more)
        use.callback(process.close)
        return process

    def _let_go(self) -> None:
        with self._lock:
            self._running = None

    def put(self, request: Put) -> None:
        """See :class:`drumline.plugin.Session`."""
        with self._copying(request) as copying:
            copying.put(request)

    def get(self, request: Get) -> None:
        """See :class:`drumline.plugin.Session`."""
        with self._copying(request) as copying:
            copying.get(request)

    @contextmanager
    def _copying(self, request: Put | Get) -> Iterator[Copying]:
        from drumline_local.files import Copying  # many runs copy nothing

        with self._lock:
            copying = self._running = Copying(request.timeout)
        try:
            yield copying
        finally:
            with self._lock:
                self._running = None

    def interrupt(self) -> None:
        """See :class:`drumline.plugin.Session`."""
        with self._lock:
            if self._running:
                self._running.interrupt()

    def close(self) -> None:
        """End what runs; its ``run`` returns ``INTERRUPTED``."""
        self.interrupt()
