"""What drumline has to know of a transport, beside how it is used: no part of drumline asks for its name."""

from __future__ import annotations

from msgspec import Struct


class Costs(Struct, frozen=True, kw_only=True):
    """Seconds that a host takes which is reached in one way, for forecasts; the defaults were measured with OpenSSH."""

    job: float = 0.0005  #: Of drumline's own time, on this machine's processor, for each job.
    connection: float = 0.004  #: The same, for opening the host's connection.
    connecting: float = 0.15  #: Until a new connection answers; in the journal it is part of a host's first job.


class TransportTraits(Struct, frozen=True, kw_only=True):
    """What a transport says of itself in ``traits``, which it may leave out."""

    #: Other values of ``ansible_connection`` that mean it; a transport of such a name wins.
    aliases: tuple[str, ...] = ()
    #: It is the way to hosts whose variables name none.
    is_default: bool = False
    #: Its hosts are this machine: it is the way to ``localhost``, and files that tasks make there are there for others.
    is_here: bool = False
    #: Nothing is overloaded by many sessions at once, so that ``sessions`` doesn't limit them.
    unlimited: bool = False
    costs: Costs = Costs()


_NONE = TransportTraits()


def traits_of(transport: object) -> TransportTraits:
    """The traits of a transport; those that it doesn't name are the defaults."""
    traits: TransportTraits = getattr(transport, "traits", _NONE)
    return traits
