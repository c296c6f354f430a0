"""What the documentation says of each action beside its arguments, for ``drumline doc``."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


def section_of(module: str, name: str) -> str:
    """The section ``## NAME`` of the file ``sections.md`` beside a module; empty where it has none.

    An action has it as its ``page``: ``partial(section_of, __file__, "service")``.
    """
    return _sections(Path(module).with_name("sections.md")).get(name, "")


@cache
def _sections(path: Path) -> dict[str, str]:
    _, *parts = re.split(r"^## (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: part.strip() for name, part in zip(parts[::2], parts[1::2], strict=True)}
