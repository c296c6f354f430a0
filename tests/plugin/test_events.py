"""Plugins that follow runs can name whatever happens in one."""

from __future__ import annotations

from drumline.model.event import Event
from drumline.plugin import events


def test_every_event_is_public() -> None:
    assert {kind.__name__ for kind in Event.__args__} <= set(events.__all__)


def test_what_is_public_is_there() -> None:
    assert [name for name in events.__all__ if not hasattr(events, name)] == []
