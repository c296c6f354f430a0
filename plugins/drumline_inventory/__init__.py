"""drumline's bundled plugin: inventory sources beyond YAML and INI files."""

from __future__ import annotations

from collections.abc import Iterable

from drumline.plugin import InventorySource, hookimpl
from drumline_inventory.script import ScriptSource


@hookimpl
def drumline_inventory_sources() -> Iterable[InventorySource]:
    """Programs that print an inventory."""
    return [ScriptSource()]
