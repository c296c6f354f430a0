"""What authors of plugins test with.

The transport contract suite is :mod:`drumline.testing.contract`; it alone needs pytest, so it is imported by name.
"""

from drumline.testing.acting import play
from drumline.testing.builders import make_inventory
from drumline.testing.collect import collect
from drumline.testing.fakes import (
    Answer,
    Answering,
    FakeClock,
    FakeConnection,
    FakeSession,
    FakeTransport,
    all_well,
    in_order,
)
from drumline.testing.null import NullTransport

__all__ = [
    "Answer",
    "Answering",
    "FakeClock",
    "FakeConnection",
    "FakeSession",
    "FakeTransport",
    "NullTransport",
    "all_well",
    "collect",
    "in_order",
    "make_inventory",
    "play",
]
