"""The process that has Ansible: started when a name is looked for first, and kept until drumline ends."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from drumline.plugin import ActionFailed, Request, Sleep
from drumline_ansible import wire

_WORKER = Path(__file__).parent / "worker"
#: Seconds for Ansible to be there.
_PATIENCE = 60.0
#: Seconds between two looks at whether the job is to stop.
_GLANCE = 0.05
#: What a Python says that hasn't got Ansible.
_LACKS_ANSIBLE = "No module named 'ansible'"


class NoAnsible(Exception):
    """Ansible can't be used; the message is for the author of the playbook, in sentences."""


@cache
def bridge(python: Path | None) -> Bridge:
    """The process of this Python, by default of drumline's own. Raises ``NoAnsible``."""
    return Bridge(python or Path(sys.executable))


class Bridge:
    """Asks the process questions, and opens channels for tasks. It ends by itself when drumline is gone."""

    def __init__(self, python: Path) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        self._control.settimeout(_PATIENCE)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [str(python), str(_WORKER), str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    pass_fds=(theirs.fileno(),),
                    process_group=0,  # Ctrl-C is for drumline alone
                )
            except OSError as error:
                self._control.close()
                raise NoAnsible(f"{python} can't be started: {error.strerror}.") from None
        try:
            said, _ = wire.receive(self._control)
        except (EOFError, OSError):
            self._control.close()
            raise NoAnsible(_why_not(self._process, python)) from None
        self.version = str(said["version"])

    def ask(self, question: Mapping[str, Any]) -> Any:
        """The answer to a question. Raises ``NoAnsible`` where there is none."""
        with self.channel() as channel:
            try:
                wire.send(channel, dict(question))
                said, _ = wire.receive(channel)
            except (EOFError, OSError):
                raise NoAnsible("The process that has Ansible has ended.") from None
        if "fault" in said:
            raise NoAnsible(f"Ansible failed: {said['fault']}.")
        return said["answer"]

    def channel(self) -> socket.socket:
        """A new channel. Raises ``NoAnsible``."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            try:
                socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            except OSError:
                ours.close()
                raise NoAnsible("The process that has Ansible has ended.") from None
        return ours


def _why_not(process: subprocess.Popen[bytes], python: Path) -> str:
    """Why there is no Ansible: what the process says, which is about to end."""
    process.kill()
    _, said = process.communicate()
    text = said.decode(errors="replace").strip()
    if _LACKS_ANSIBLE in text:
        return f"{python} has no ansible-core: install the package ansible-core there, or set ansible.python."
    return f"Ansible can't be started with {python}: {text.splitlines()[-1] if text else 'it says nothing'}."


class Talk:
    """What is said with the child that carries out one task. Closing it ends the child."""

    def __init__(self, channel: socket.socket, described: Mapping[str, Any]) -> None:
        self._channel = channel
        wire.send(channel, dict(described))

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def listen(self) -> Generator[Request, Any, wire.Message]:
        """What the child says next. The job can be ended meanwhile."""
        while not select.select([self._channel], [], [], _GLANCE)[0]:
            yield Sleep(seconds=0)
        try:
            return wire.receive(self._channel)
        except (EOFError, OSError):
            raise _ended() from None

    def say(self, said: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> None:
        """Answer the child."""
        try:
            wire.send(self._channel, dict(said), blobs)
        except OSError:
            raise _ended() from None


def _ended() -> ActionFailed:
    return ActionFailed("The process that has Ansible has ended while it carried out the task")
