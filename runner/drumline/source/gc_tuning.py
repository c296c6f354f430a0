"""Holding the garbage collector back while much is made that stays, or is there already."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """A large tree has no garbage; looking for it again and again takes a third to half of the time to build it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


#: New objects between two looks at the young ones, looks at these between two at older ones, and so on. Python's own
#: 700 are a few jobs, and its 10 make a look at half a million objects of what would be 50,000.
_RARELY = (50_000, 50, 1_000)


@contextmanager
def rare_collector() -> Iterator[None]:
    """Leave what is there alone, and look for garbage rarely: a look at a whole fleet holds a barrier up for 20 ms."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
