"""drumline's bundled plugin: the transport ``ssh``."""

from __future__ import annotations

from drumline.plugin import Transport, hookimpl
from drumline_ssh.transport import SshTransport


@hookimpl
def drumline_transports() -> list[Transport]:
    """The transport ``ssh``."""
    return [SshTransport()]
