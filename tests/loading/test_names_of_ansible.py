"""Everything that ansible-core 2.19 has is there, or is refused by name: never as unknown.

``data/ansible_names.json`` has the names that ``ansible-doc -l`` lists.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jinja2.filters import FILTERS as OF_JINJA
from jinja2.tests import TESTS as TESTS_OF_JINJA

from drumline.built_in import all_plugins
from drumline.loading import keywords
from drumline.loading.connection import named_transport
from drumline.loading.plays import STRATEGIES
from drumline.templating import not_yet
from drumline.templating.offers import FILTERS, LOOKUPS, TESTS

NAMES = json.loads((Path(__file__).parent / "data" / "ansible_names.json").read_text())
PLUGINS = all_plugins()
#: Modules that are keywords here: they are read where they stand.
_STRUCTURE = {"import_playbook", "import_role", "import_tasks", "include_role", "include_tasks", "include_vars", "meta"}


@pytest.mark.parametrize("name", NAMES["modules"])
def test_modules(name: str) -> None:
    assert name in PLUGINS.actions or name in _STRUCTURE or not_yet.module(name)


@pytest.mark.parametrize("name", NAMES["keyword"])
def test_keywords(name: str) -> None:
    known = keywords.PLAY | keywords.TASK | keywords.BLOCK | keywords.NOT_YET | keywords.LOOP_CONTROL
    assert name in known or keywords.is_missing(name)


@pytest.mark.parametrize("kind", ["filter", "test", "lookup"])
def test_what_templates_use(kind: str) -> None:
    there = {"filter": {*FILTERS, *OF_JINJA}, "test": {*TESTS, *TESTS_OF_JINJA}, "lookup": {*LOOKUPS}}[kind]
    assert [name for name in NAMES[kind] if name not in there and not not_yet.plugin(kind, name)] == []


def test_ways_to_reach_hosts_and_strategies() -> None:
    names = [name for name in NAMES["connection"] if not name.startswith("_")]
    missing = [name for name in names if named_transport(name, PLUGINS.transports) is None]
    assert [name for name in missing if not not_yet.connection(name)] == []
    assert [name for name in NAMES["strategy"] if name not in STRATEGIES and not not_yet.strategy(name)] == []
