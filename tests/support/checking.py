"""Actions under ``--check``."""

from __future__ import annotations

from typing import Any

from drumline.testing import ActionHost


def checked(host: ActionHost, action: str, /, **arguments: Any) -> bool:
    """Whether a check says that the action would change something."""
    host.settings = {**host.settings, "check": True}
    try:
        return host(action, **arguments).changed
    finally:
        host.settings = {**host.settings, "check": False}
