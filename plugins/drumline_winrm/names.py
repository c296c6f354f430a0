"""The host's name, looked up before anything else: HTTP libraries wait for silent name servers as long as they like."""

from __future__ import annotations

import contextlib
import socket
from urllib.parse import urlsplit

from drumline.plugin import NameNotResolved
from drumline.plugin.resolving import resolve_name
from drumline_winrm.options import WinrmSettings


def check_name(settings: WinrmSettings) -> None:
    """Raises ``NameNotResolved`` when no name server answers within the time for a connection.

    Everything else about the name is found out by the first request. A proxy looks names up by itself.
    """
    if settings.proxy:
        return
    where = urlsplit(settings.url)
    try:
        with contextlib.suppress(socket.gaierror):
            resolve_name(where.hostname or "", where.port or 0, settings.connect_timeout)
    except TimeoutError as error:
        raise NameNotResolved(
            "The host's name doesn't resolve",
            f"{where.hostname}: {error}. Look at the name servers of this machine (/etc/resolv.conf);"
            " ansible_winrm_connection_timeout allows more time.",
        ) from None
