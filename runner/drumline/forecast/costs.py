"""What drumline itself takes: time on this machine's processor, which all jobs share.

Python runs one thing at a time, so that no more jobs a second are started than it can keep books of, and a fleet's
connections are opened at some hundreds a second. Each transport says in its traits what its hosts take. A job's
duration in the journal has its own share in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from drumline.loading.connection import find_transport
from drumline.model.host import Host
from drumline.plugin.traits import Costs, traits_of
from drumline.plugin.transports import Transport

#: A turn of the driver: what it takes to commit and to tell, however much happened.
TURN: Final = 0.0005
#: Between two words of a burst that releases what was staged.
WORD: Final = 0.00015
#: Until a command is waiting on its host, where no earlier run says.
STAGING: Final = 0.3
#: Until a job that was told to stop has ended.
STOPPING: Final = 0.1


def costs_of(hosts: Iterable[Host], transports: Mapping[str, Transport]) -> dict[str, Costs]:
    """By host. Where a template says how a host is reached, it counts as a transport that says nothing of its costs."""
    return {host.name: traits_of(find_transport(host.name, host.variables, transports)).costs for host in hosts}
