"""Warnings while a run goes on, for which no reader of standard error is waited for."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from drumline.plugin.background import Background
from drumline.reporting.screens import warn

#: Seconds that a warning has to be written.
_MOMENT = 1.0


def say(text: str) -> None:
    """Write a warning; a reader of standard error that doesn't read is not waited for."""
    if not Background(lambda: _warn(text), "drumline-warning").wait(_MOMENT):
        give_up("stderr")


def _warn(text: str) -> None:
    with suppress(OSError):
        warn(sys.stderr, [text])


def give_up(stream: str) -> None:
    """A thread that is stuck in a stream holds its lock for good: what flushes it at the end must find another."""
    setattr(sys, stream, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - until the process ends
