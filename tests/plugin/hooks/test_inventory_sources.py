"""``drumline_inventory_sources``."""

from __future__ import annotations

from drumline.inventory.sources import load_inventory
from drumline.plugin import InventorySource, SourceData, hookimpl
from drumline.plugin.manager import load_plugins


def counted(name: str, host: str) -> InventorySource:
    return InventorySource(
        name=name,
        claims=lambda source: source.startswith("count:"),
        read=lambda _call: SourceData(hosts={host: {}}),
    )


class Offering:
    def __init__(self, *sources: InventorySource) -> None:
        self.sources = sources

    @hookimpl
    def drumline_inventory_sources(self) -> tuple[InventorySource, ...] | None:
        return self.sources or None


def test_the_first_reader_that_claims_a_source_reads_it() -> None:
    plugins = [("none", Offering()), ("one", Offering(counted("a", "web1"))), ("two", Offering(counted("b", "web2")))]
    registry = load_plugins(extra=plugins)
    assert registry.faults == ()
    assert list(load_inventory(["count:1"], registry.inventory_sources).hosts) == ["web1"]
