"""The transport ``local``: commands on this machine, without any connection."""

from __future__ import annotations

from collections.abc import Iterable

from drumline.plugin import Transport, hookimpl


@hookimpl
def drumline_transports() -> Iterable[Transport]:
    """Offer ``local``."""
    from drumline_local.transport import LocalTransport

    return [LocalTransport()]
