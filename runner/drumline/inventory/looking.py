"""Inventories that are only looked at: what stands in files. No program is started, and no server is asked."""

from __future__ import annotations

import os
from collections.abc import Sequence

from drumline.inventory.readers import BUILT_IN
from drumline.inventory.reading import Configured, SourceRules
from drumline.inventory.sources import load_inventory
from drumline.model.host import Inventory
from drumline.plugin.sources import InventorySource, SourceData


def look_at(sources: Sequence[str]) -> Inventory:
    """The hosts and groups that stand in files; programs, and sources that files configure, give none."""
    return load_inventory(sources, [_SILENT, *BUILT_IN], rules=_RULES)


def _is_program(source: str) -> bool:
    return os.path.isfile(source) and os.access(source, os.X_OK)


_SILENT = InventorySource(
    name="none", claims=_is_program, stands_in=lambda _name: True, options=(), read=lambda _call: SourceData()
)
_RULES = SourceRules(configured=lambda *_: Configured({}, {}))
