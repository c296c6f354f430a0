"""The transport ``ssh``: what drumline asks of it before there is a connection."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from drumline.plugin import Connection, OptionInvalid, Platform, RemoteShell, Target, TransportTraits
from drumline_ssh.options import ARGUMENTS, OPTIONS

if TYPE_CHECKING:
    from drumline_ssh.dialing import Dialer
    from drumline_ssh.settings import SshSettings


class SshTransport:
    """Reaches POSIX hosts over SSH. What it keeps is about this machine's files, not about hosts."""

    name = "ssh"
    options = OPTIONS
    #: Its costs are the defaults, which were measured with it: on the practice fleet, on a machine of 2026.
    traits = TransportTraits(
        aliases=(
            "smart",
            "paramiko",
            "paramiko_ssh",
            "ansible.builtin.ssh",
            "ansible.builtin.paramiko_ssh",
            "ansible.netcommon.paramiko_ssh",
        ),
        is_default=True,
    )

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: _Parts | None = None

    def platform(self, target: Target) -> Platform:
        """POSIX; raises ``OptionInvalid`` for a shell of Windows, and for ssh arguments that can't be honoured."""
        shell = str(target.options.get("shell_type") or "sh")
        if shell in ("powershell", "cmd"):
            raise OptionInvalid(
                "SSH to Windows is not supported",
                f"ansible_shell_type is '{shell}'; reach this host with ansible_connection: winrm.",
            )
        given = " ".join(text for name in ARGUMENTS if (text := target.options.get(name)))
        if given:
            from drumline_ssh.arguments import parse_arguments

            parse_arguments(given)
        return Platform.POSIX

    def connect(self, target: Target) -> Connection:
        """Open a connection to the target."""
        from drumline_ssh.connection import SshConnection

        self.platform(target)
        parts = self._loaded()
        settings = parts.resolve(target)
        return SshConnection(lambda: parts.dialer.dial(settings), settings)

    def remote_shell(self, target: Target) -> RemoteShell:
        """OpenSSH's own ``ssh``, with all that counts for the target."""
        from drumline_ssh.program import program_of

        return program_of(target, self._loaded().resolve(target))

    def _loaded(self) -> _Parts:
        with self._lock:
            if self._parts is None:
                self._parts = _Parts()
            return self._parts


class _Parts:
    """What is imported when the first connection is asked for."""

    def __init__(self) -> None:
        from drumline_ssh.configfile import ClientConfig
        from drumline_ssh.dialing import Dialer

        self._config = ClientConfig()
        self.dialer: Dialer = Dialer()

    def resolve(self, target: Target) -> SshSettings:
        """The settings of a target."""
        from drumline_ssh.settings import resolve

        return resolve(target, self._config)
