"""Ansible's way to a host that drumline has a session to: what is to be run there goes through the channel."""

from __future__ import annotations

import ast
import hashlib
import os
import queue
import re
import signal
import socket
import threading
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from ansible.plugins.connection import ConnectionBase

from drumline_ansible import wire

#: The end of a module as Ansible builds it: the arguments of its main function, one a line.
_MAIN = b"_ansiballz_main(\n"
_ARGUMENT = re.compile(rb"(\w+)=(.*),")
#: Those that drumline hands on, and the only ones that it knows what to do with.
_KNOWN = {"ansible_module", "module_fqn", "profile", "date_time", "rlimit_nofile", "params", "extensions", "zip_data"}


class Channel:
    """The task's channel. When drumline gives the task up, all that the task has started here ends at once."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._messages: queue.SimpleQueue[wire.Message] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while True:
                self._messages.put(wire.receive(self._channel))
        except (EOFError, OSError):
            os.killpg(0, signal.SIGKILL)

    def tell(self, said: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
        """Say something that isn't answered."""
        wire.send(self._channel, said, blobs)

    def ask(self, said: dict[str, Any], blobs: Sequence[bytes] = ()) -> wire.Message:
        """Say something, and wait for the answer."""
        self.tell(said, blobs)
        return self._messages.get()


class _Base(ConnectionBase):  # type: ignore[misc]  # mypy doesn't see Ansible
    """What both platforms have in common. drumline becomes another user, so Ansible must not."""

    has_pipelining = True
    always_pipeline_modules = True
    allow_executable = False

    def __init__(self, play_context: Any, channel: Channel) -> None:
        super().__init__(play_context)
        self.channel = channel
        self._load_name = self.ansible_name = self.transport
        self._connected = True

    def _connect(self) -> _Base:
        return self

    def close(self) -> None:
        """Sessions are drumline's."""

    def reset(self) -> None:
        """Connect anew, as after a restart."""
        self.channel.ask({"do": "reconnect"})

    def is_pipelining_enabled(self, wrap_async: bool = False) -> bool:
        return True

    def put_file(self, in_path: str, out_path: str) -> None:
        self.channel.ask({"do": "put", "source": os.path.abspath(in_path), "destination": out_path})

    def put_data(self, data: bytes, out_path: str) -> None:
        """Write a file of the host that has never been one here: it may hold secrets."""
        self.channel.ask({"do": "put", "source": None, "destination": out_path}, [data])

    def fetch_file(self, in_path: str, out_path: str) -> None:
        self.channel.ask({"do": "get", "source": in_path, "destination": os.path.abspath(out_path)})

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        parts = _parts(in_data) if in_data else None
        if parts is not None:
            return self._run_module(cmd, parts)
        return _ended(self.channel.ask({"do": "run", "command": cmd}, [in_data or b""]))

    def _run_module(self, interpreter: str, parts: dict[str, bytes]) -> tuple[int, bytes, bytes]:
        """Run a module whose own part is brought to a host once."""
        said = {
            "do": "module",
            "interpreter": interpreter,
            "key": hashlib.sha256(parts["zip_data"]).hexdigest()[:32],
            "head": {
                "module_fqn": ast.literal_eval(parts["module_fqn"].decode()),
                "profile": ast.literal_eval(parts["profile"].decode()),
                "limit": int(parts["rlimit_nofile"]),
            },
        }
        arguments = ast.literal_eval(parts["params"].decode()).encode()
        answer = self.channel.ask(said, [arguments])
        if answer[0].get("missing"):
            answer = self.channel.ask({}, [b64decode(parts["zip_data"][1:-1])])
        return _ended(answer)


class PosixWay(_Base):
    """Hosts with ``sh``."""

    transport = "ssh"
    _shell_type = "sh"


class WindowsWay(_Base):
    """Hosts with PowerShell."""

    transport = "winrm"
    _shell_type = "powershell"
    module_implementation_preferences = (".ps1", ".exe", "")
    has_native_async = True


def _ended(answer: wire.Message) -> tuple[int, bytes, bytes]:
    said, (out, err) = answer
    return said["rc"], out, err


def _parts(program: bytes) -> dict[str, bytes] | None:
    """The arguments of a built module's main function, as written; None for anything else."""
    if program.startswith(b"{"):
        return None
    start = program.rfind(_MAIN)
    if start < 0:
        return None
    lines = program[start + len(_MAIN) :].splitlines()
    found = [match for line in lines if (match := _ARGUMENT.fullmatch(line))]
    parts = {match[1].decode(): match[2] for match in found}
    return parts if parts.keys() == _KNOWN and parts["extensions"] == b"{}" else None
