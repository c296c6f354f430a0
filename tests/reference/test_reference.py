"""The playbooks of ``cases`` have the effects that ``record.py`` recorded of ansible-playbook, host by host."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from reference.record import EXPECTED, HERE, OPTIONS, written
from support.program import call

CASES = sorted((HERE / "cases").glob("*.yml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_effects_are_those_of_ansible(case: Path, tmp_path: Path) -> None:
    expected = json.loads(EXPECTED.read_text())[case.stem]
    shutil.copy(case, tmp_path)
    ended = call(tmp_path, "run", case.name, *OPTIONS)
    assert written(tmp_path) == expected["written"], ended.said
    assert (ended.status == 0) == expected["ended_well"], ended.said
