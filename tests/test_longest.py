"""The files that conftest begins with are still called so."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

TESTS = Path(__file__).parent


@pytest.fixture
def conftest(pytestconfig: pytest.Config) -> Any:
    return pytestconfig.pluginmanager.get_plugin(str(TESTS / "conftest.py"))


def test_all_of_them_are_there(conftest: Any) -> None:
    assert [name for name in conftest._LONGEST if not (TESTS / name).is_file()] == []


@pytest.mark.parametrize("worker", [True, False])
def test_they_come_first_where_several_work_side_by_side(conftest: Any, worker: bool) -> None:
    names = ["test_a.py", conftest._LONGEST[1], "test_b.py", conftest._LONGEST[0], conftest._LONGEST[1]]
    items = [
        SimpleNamespace(path=TESTS / name, number=number, get_closest_marker=lambda _name: None)
        for number, name in enumerate(names)
    ]
    hook = SimpleNamespace(pytest_deselected=lambda items: None)
    configuration = SimpleNamespace(hook=hook, workerinput={}) if worker else SimpleNamespace(hook=hook)
    conftest.pytest_collection_modifyitems(configuration, items)
    assert [item.number for item in items] == ([3, 1, 4, 0, 2] if worker else [0, 1, 2, 3, 4])
