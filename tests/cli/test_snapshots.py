"""What users see, word for word: a change of wording shows as a change of a text file."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.test_help import COMMANDS
from support.snapshots import SNAPSHOTS, paths, transcript


@pytest.mark.parametrize("path", paths(), ids=lambda path: str(path.relative_to(SNAPSHOTS)))
def test_what_commands_print(path: Path) -> None:
    """``python -m support.snapshots``, in ``tests``, renews them."""
    assert transcript(path) == path.read_text(encoding="utf-8")


def test_the_help_of_every_command_has_a_snapshot() -> None:
    shown = {line for path in paths() for line in path.read_text(encoding="utf-8").splitlines()}
    assert {f"$ drumline {' '.join(words)} --help" for words in COMMANDS} <= shown
