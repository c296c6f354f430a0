"""``keep_available`` and ``spread_by`` of a play for an inventory, with the mistakes that only the inventory shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from drumline.diagnostics import Diagnostics, Position, counted, did_you_mean
from drumline.model.host import Host, Inventory
from drumline.model.plan import Keep
from drumline.model.playbook import Play
from drumline.templating.failures import TemplateFailed

#: The variables of a host as a play sees them before it starts; looking one up may raise ``TemplateFailed``.
HostScope: TypeAlias = Callable[[Host, Play], Mapping[str, Any]]


def keep_of(
    play: Play, hosts: Collection[str], groups: Mapping[str, tuple[str, ...]], found: Diagnostics
) -> tuple[Keep, ...]:
    """What the play keeps available. ``groups`` are all groups with their hosts, ``hosts`` those of the play."""
    kept: list[Keep] = []
    for name, amount in play.keep_available.items():
        position = _position(play, f"keep_available.{name}", "keep_available")
        if name not in groups:
            hint = did_you_mean(name, groups)
            found.add("No such group", detail=f"No group is called '{name}'.{hint}", position=position)
            continue
        keep = Keep(group=name, least=amount.at_least(len(groups[name])), hosts=groups[name])
        if _is_possible(keep, hosts, found, position):
            kept.append(keep)
    return tuple(kept)


def _is_possible(keep: Keep, hosts: Collection[str], found: Diagnostics, position: Position) -> bool:
    """Whether a batch can take any of the play's hosts out of the group."""
    size = len(keep.hosts)
    if keep.least > size:
        detail = f"'keep_available' asks for {counted(keep.least, 'host')} of group '{keep.group}', which has {size}."
        found.add("Too many hosts have to stay available", detail=detail, position=position)
        return False
    touched = [host for host in keep.hosts if host in hosts]
    if keep.least == size and touched:
        detail = (
            f"'keep_available' asks for all hosts of '{keep.group}' ({size}), so no batch can take "
            f"{touched[0]}. Ask for at most {size - 1}."
        )
        found.add("No host of a group may be unavailable", detail=detail, position=position)
        return False
    return True


def values_of(
    play: Play, hosts: tuple[str, ...], inventory: Inventory, scope: HostScope, found: Diagnostics
) -> tuple[str, ...] | None:
    """The value of ``spread_by`` for each host, as text; None if the play spreads nothing.

    Hosts without the variable, or with an empty one, share one value, since nothing says that they differ.
    """
    name = play.spread_by
    if name is None or not hosts:
        return None
    position = _position(play, "spread_by")
    try:
        values = [scope(inventory.hosts.get(host) or Host(name=host), play).get(name) for host in hosts]
    except TemplateFailed as error:
        detail = f"'{name}' can't be rendered: {error.summary}"
        found.add("Hosts can't be spread", detail=detail, position=error.position or position)
        return None
    if all(value is None for value in values):
        known = {key for host in hosts if host in inventory.hosts for key in inventory.hosts[host].variables}
        detail = f"No host of the play has the variable '{name}'.{did_you_mean(name, known)}"
        found.add("Hosts can't be spread", detail=detail, position=position)
    return tuple("" if value is None else str(value) for value in values)


def _position(play: Play, *names: str) -> Position:
    return next((play.positions[name] for name in names if name in play.positions), play.position)
