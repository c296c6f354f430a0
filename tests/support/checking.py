"""Actions under ``--check``."""

from __future__ import annotations

from typing import Any

from drumline.plugin import Result
from drumline.testing import ActionHost


def checked(host: ActionHost, action: str, /, **arguments: Any) -> bool:
    """Whether a check says that the action would change something."""
    host.settings = {**host.settings, "check": True}
    try:
        return host(action, **arguments).changed
    finally:
        host.settings = {**host.settings, "check": False}


def changes(host: ActionHost, action: str, /, **arguments: Any) -> Result:
    """Perform it when a check has said that it changes something; done again, it changes nothing."""
    assert checked(host, action, **arguments), arguments
    return host.twice(action, **arguments)
