"""What all plugins offer, by name, with their owners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from drumline.plugin.protocols import Action, CommandSpec, InventorySource, Transport

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginInfo:
    """One plugin: where it came from and what it offers, for ``drumline plugins``."""

    name: str
    origin: str  #: Distribution and version, or the path of a file.
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: Kind (``transports``, …) to names.
    fault: str = ""  #: Why it, or a part of it, was left out.


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Every offer of every plugin. ``actions`` is keyed by names and aliases alike."""

    transports: Mapping[str, Transport] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)
    inventory_sources: tuple[InventorySource, ...] = ()
    commands: Mapping[str, CommandSpec] = field(default_factory=dict)
    plugins: tuple[PluginInfo, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """What to warn about at start-up, a sentence each."""
        return tuple(plugin.fault for plugin in self.plugins if plugin.fault)


class Offers(dict[str, T]):
    """Names of one kind and who owns them; the first owner of a name keeps it."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.owners: dict[str, str] = {}

    def take(self, plugin: str, names: Iterable[str], offer: T) -> str:
        """Enter an offer under all its names. Returns a sentence about the names that were taken already, or ``""``."""
        taken = []
        for name in names:
            if name in self:
                taken.append(f"'{name}' (owned by plugin '{self.owners[name]}')")
            else:
                self[name] = offer
                self.owners[name] = plugin
        if not taken:
            return ""
        return f"Plugin '{plugin}' offers {self.kind} that exist already: {', '.join(taken)}; these were left out."
