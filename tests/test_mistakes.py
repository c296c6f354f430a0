"""Whoever makes a mistake is told where it is, what is wrong and what to do, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.mistakes import MISTAKES, cases, expected, said


@pytest.mark.parametrize("case", cases(), ids=lambda case: str(case.relative_to(MISTAKES)))
def test_what_is_told_of_a_mistake(case: Path) -> None:
    """``python -m support.mistakes``, in ``tests``, renews it."""
    assert said(case) == expected(case).read_text(encoding="utf-8")


def test_there_are_many_and_each_is_told() -> None:
    assert len(cases()) >= 120
    told = {case.name: expected(case).read_text(encoding="utf-8") for case in cases()}
    assert not [name for name, text in told.items() if "error" not in text and "warning" not in text]
    assert not [name for name, text in told.items() if "Traceback" in text]
