"""Actions that are left to run in the background of their host, as with ``async`` and ``poll: 0``."""

from __future__ import annotations

from msgspec.structs import replace

from drumline.plugin import Action, Call, Steps
from drumline.plugin.kit.detached import detached
from drumline.testing.hosts import find_action


def in_background(name: str, seconds: int = 60) -> Action:
    """An installed action that isn't waited for."""
    action = find_action(name)

    def perform(call: Call) -> Steps:
        call = replace(call, detached=True)
        return detached(action.perform(call), call, seconds)

    return replace(action, perform=perform)
