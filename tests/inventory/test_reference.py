"""What ansible-core 2.19 made of the same files (``data/README.md`` says how its answers were taken)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drumline.built_in import all_plugins
from drumline.inventory.listing import listing
from drumline.inventory.patterns import select
from drumline.inventory.sources import load_inventory

DATA = Path(__file__).parent / "data"
CASES = sorted(path.name for path in (DATA / "inventory").iterdir())
READERS = all_plugins().inventory_sources
PATTERNS = json.loads((DATA / "patterns/expected.json").read_text())


@pytest.mark.parametrize("case", CASES)
def test_inventories(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DATA / "inventory" / case)
    playbook = Path("playbook_directory")
    directories = [Path(playbook.read_text().strip())] if playbook.exists() else []
    inventory = load_inventory(Path("sources").read_text().split(), READERS, extra_directories=directories)
    assert listing(inventory, inventory.hosts, lambda name: False) == json.loads(Path("expected.json").read_text())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns(pattern: str) -> None:
    inventory = load_inventory([str(DATA / "patterns/hosts.ini")])
    assert list(select(pattern, inventory)) == PATTERNS[pattern]
