"""Command lines as commands of the shell itself, for hosts without a PowerShell: Command, Receive, Signal."""

from __future__ import annotations

from collections.abc import Callable

from drumline.plugin import ConnectionLost, Emit, Run
from drumline_winrm.client import WsmanClient
from drumline_winrm.faults import PipeEnded, ShellGone
from drumline_winrm.shell import WinrmShell
from drumline_winrm.warm import WarmResult


class NativeLines:
    """Runs one line at a time. A line with its own variables or directory gets a shell of its own, which has them."""

    def __init__(self, client: WsmanClient, shell: WinrmShell) -> None:
        self._client = client
        self._kept = shell
        self._current = shell
        self.command: str | None = None

    @property
    def shell_id(self) -> str | None:
        """The shell of what runs now."""
        return self._current.id

    def run(self, request: Run, emit: Emit, ended: Callable[[], bool], deadline: float | None) -> WarmResult:
        """Run a line; everything that it started is ended when its time is up."""
        own = bool(request.environment or request.directory)
        self._current = WinrmShell(self._client, request.environment, request.directory) if own else self._kept
        answer = WarmResult(code=None)
        try:
            answer = self._run(request, emit, ended, deadline)
            return answer
        finally:
            self.command = None
            if own or answer.code is None:
                self._current.delete()

    def _run(self, request: Run, emit: Emit, ended: Callable[[], bool], deadline: float | None) -> WarmResult:
        self.command = self._current.start(request.text)
        try:
            self._current.send(self.command, request.stdin, end=True)
        except PipeEnded:
            pass  # It may end without reading.
        except ShellGone as gone:
            raise ConnectionLost("The host ended the shell", f"{gone} What ran in it was ended too.") from None
        for received in self._current.follow(self.command, ended, deadline):
            for stream, data in received.output:
                emit(stream, data)
            if received.done:
                self._current.terminate(self.command)
                return WarmResult(code=received.exit_code)
        return WarmResult(code=None, timed_out=not ended())
