"""Warnings during a run, which never wait for a reader of standard error."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from drumline.plugin.background import Background
from drumline.reporting.screens import warn

#: The most seconds for writing a warning.
_MOMENT = 1.0


def say(text: str) -> None:
    """Write a warning, without waiting for whoever reads standard error."""
    if not Background(lambda: _warn(text), "drumline-warning").wait(_MOMENT):
        give_up("stderr")


def _warn(text: str) -> None:
    with suppress(OSError):
        warn(sys.stderr, [text])


def give_up(stream: str) -> None:
    """Replace a stream in which a thread is stuck: it holds the lock for good, so flushing at the end would hang."""
    setattr(sys, stream, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - until the process ends
