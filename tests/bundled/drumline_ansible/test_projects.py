"""Modules and action plug-ins of a project, of its roles and of collections beside it, as ansible-playbook has them."""

from __future__ import annotations

from typing import Any

import pytest
from support.bridged import Sides, differing, lasting
from support.bridged_project import FILES, TASKS

pytestmark = pytest.mark.ansible

#: The program's own words for what Ansible words otherwise.
_WORDED: dict[str, tuple[str, ...]] = {}


@pytest.fixture(scope="module")
def results(sides: Sides) -> tuple[dict[str, Any], dict[str, Any]]:
    """What both register, by drumline and by ansible-playbook."""
    given: dict[str, Any] = {
        "files": FILES,
        "vars": {"wanted": "green"},
        "roles": ["own"],
        "collections": ["a.b"],
    }
    ours = sides.registered("project", TASKS, by_ansible=False, **given)
    return ours, sides.registered("project", TASKS, by_ansible=True, **given)


@pytest.mark.parametrize("name", [task["register"] for task in TASKS])
def test_it_gives_what_it_gives_with_ansible(name: str, results: tuple[dict[str, Any], ...]) -> None:
    ours, theirs = (lasting(side[name], ("warnings", *_WORDED.get(name, ()))) for side in results)
    assert differing(ours, theirs) == []
