"""What drumline itself takes: time on this machine's processor, which all jobs share.

Python carries out one thing at a time, so that no more jobs a second are started than it can keep books of, and a
fleet's connections are opened at some hundreds a second. For ``ssh`` and ``local`` the numbers are the processor time
that drumline took per further job, and per further host, on the practice fleet on a machine of 2026. For ``winrm``
they are guessed from those: two HTTP requests a job, and a log-in. A job's duration in the journal has its own share
in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from drumline.model.host import Host
from drumline.model.value import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds, for a host reached in one way."""

    job: float  #: Of drumline's own time, for each job.
    connection: float  #: The same, for opening the host's connection.
    connecting: float  #: Until a new connection answers; in the journal it is part of a host's first job.


#: A turn of the driver: what it takes to commit and to tell, however much happened.
TURN: Final = 0.0005
#: Between two words of a burst that releases what was staged.
WORD: Final = 0.00015
#: Until a command is waiting on its host, where no earlier run says.
STAGING: Final = 0.3
#: Until a job that was told to stop is over.
STOPPING: Final = 0.1

SSH: Final = Cost(job=0.0005, connection=0.004, connecting=0.15)
_BY_TRANSPORT: Final = {
    "ssh": SSH,
    "paramiko": SSH,
    "winrm": Cost(job=0.003, connection=0.01, connecting=0.5),
    "local": Cost(job=0.001, connection=0.0005, connecting=0.005),
    "null": Cost(job=0.00007, connection=0.0, connecting=0.0),
}


def costs_of(hosts: Iterable[Host]) -> dict[str, Cost]:
    """By host. A transport that nobody measured counts as ssh."""
    return {host.name: _BY_TRANSPORT.get(_transport(host), SSH) for host in hosts}


def _transport(host: Host) -> str:
    named = host.variables.get("drumline_connection", host.variables.get("ansible_connection"))
    if named is None or isinstance(named, Template):
        return "local" if host.name == "localhost" else "ssh"
    return str(named)
