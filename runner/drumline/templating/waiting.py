"""Waiting for others within a template: what waits in steps can be ended meanwhile, between two of them."""

from __future__ import annotations

from typing import Any

from drumline.plugin.background import Background

#: Seconds of a step.
TICK = 0.05


def waited_for(background: Background[Any]) -> Any:
    """Its result."""
    while not background.wait(TICK):
        pass
    return background.result()
