"""What ``keep_available`` and ``spread_by`` of a play mean over an inventory, with the mistakes that only it shows."""

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
    """What the play keeps available, of all the ``groups`` with their hosts. ``hosts`` are the play's."""
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
    """Whether a batch can take a host of the group at all, if the play has one."""
    size = len(keep.hosts)
    if keep.least > size:
        detail = f"'keep_available' asks for {counted(keep.least, 'host')} of group '{keep.group}', and it has {size}."
        found.add("More is to stay available than there is", detail=detail, position=position)
        return False
    touched = [host for host in keep.hosts if host in hosts]
    if keep.least == size and touched:
        detail = (
            f"'keep_available' asks for all of '{keep.group}' ({counted(size, 'host')}), so that no batch can take "
            f"{touched[0]}. Ask for {size - 1} at most."
        )
        found.add("Nothing may be taken out of a group", detail=detail, position=position)
        return False
    return True


def values_of(
    play: Play, hosts: tuple[str, ...], inventory: Inventory, scope: HostScope, found: Diagnostics
) -> tuple[str, ...] | None:
    """The value of ``spread_by`` of each host, as text; None where nothing is to be spread.

    Hosts that lack the variable, or have an empty one, have one value in common: no one knows that they differ.
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
