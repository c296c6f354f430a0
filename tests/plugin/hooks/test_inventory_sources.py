"""``drumline_inventory_sources``."""

from __future__ import annotations

from drumline.inventory.sources import load_inventory
from drumline.plugin import SourceData, hookimpl
from drumline.plugin.manager import load_plugins


class Counted:
    def __init__(self, name: str, host: str) -> None:
        self.name = name
        self.host = host

    def claims(self, source: str) -> bool:
        return source.startswith("count:")

    def read(self, source: str) -> SourceData:
        return SourceData(hosts={self.host: {}})


class Offering:
    def __init__(self, *sources: Counted) -> None:
        self.sources = sources

    @hookimpl
    def drumline_inventory_sources(self) -> tuple[Counted, ...] | None:
        return self.sources or None


def test_the_first_reader_that_claims_a_source_reads_it() -> None:
    plugins = [("none", Offering()), ("one", Offering(Counted("a", "web1"))), ("two", Offering(Counted("b", "web2")))]
    registry = load_plugins(extra=plugins)
    assert registry.faults == ()
    assert list(load_inventory(["count:1"], registry.inventory_sources).hosts) == ["web1"]
