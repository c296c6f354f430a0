"""Holding back the garbage collector while many lasting objects are made, or exist already."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Pause collection while a large tree is built: it has no garbage, and scanning takes up to half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


#: New objects between two collections of the young generation, of these between two of the next one, and so on.
#: Python's default of 700 objects is a few jobs.
_RARELY = (50_000, 50, 1_000)


@contextmanager
def rare_collector() -> Iterator[None]:
    """Leave existing objects alone, and collect rarely: scanning a whole fleet holds up a barrier for 20 ms."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
