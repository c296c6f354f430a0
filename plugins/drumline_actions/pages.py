"""What the documentation says of each action beside its arguments: in ``sections.md``, which is made of its pages."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


def page_of(name: str) -> str:
    """The section of an action; empty where it has none."""
    return _sections().get(name, "")


@cache
def _sections() -> dict[str, str]:
    text = Path(__file__).with_name("sections.md").read_text(encoding="utf-8")
    _, *parts = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)
    return {name: part.strip() for name, part in zip(parts[::2], parts[1::2], strict=True)}
