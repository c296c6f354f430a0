"""Transport ``winrm``: Windows hosts over WS-Management, each command in a warm PowerShell.

An encrypted pywinrm connection does not survive its TCP connection, a shell does; :mod:`drumline_winrm.client` takes
care of the one, :mod:`drumline_winrm.session` of the other.
"""

from __future__ import annotations

from collections.abc import Iterable

from drumline.plugin import Transport, hookimpl
from drumline_winrm.transport import Winrm


@hookimpl
def drumline_transports() -> Iterable[Transport]:
    """Offers ``winrm``."""
    return (Winrm(),)
