"""What authors of plugins test with.

The transport contract suites are :mod:`drumline.testing.contract` and :mod:`drumline.testing.staging`, the cases of
actions :mod:`drumline.testing.cases`; they alone need pytest, so they are imported by name.
"""

from drumline.testing.acting import play
from drumline.testing.builders import make_inventory
from drumline.testing.collect import collect, collect_staged
from drumline.testing.fakes import (
    Answer,
    Answering,
    FakeClock,
    FakeConnection,
    FakeSession,
    FakeStaged,
    FakeTransport,
    all_well,
    in_order,
)
from drumline.testing.hosts import ActionHost, HostDirectory, HostFile, HostLink, open_host
from drumline.testing.null import NullTransport

__all__ = [
    "ActionHost",
    "Answer",
    "Answering",
    "FakeClock",
    "FakeConnection",
    "FakeSession",
    "FakeStaged",
    "FakeTransport",
    "HostDirectory",
    "HostFile",
    "HostLink",
    "NullTransport",
    "all_well",
    "collect",
    "collect_staged",
    "in_order",
    "make_inventory",
    "open_host",
    "play",
]
