"""``--limit`` in all its forms: a host pattern whose parts may come from files with one per line, ``@FILE``."""

from __future__ import annotations

from pathlib import Path

from drumline.errors import UsageError
from drumline.source.text import read_text


def read_limit(limit: str) -> str:
    """The pattern with files replaced by their content; ``FilesError`` for one that can't be read."""
    if "@" not in limit:
        return limit
    return ",".join(_part(part.strip()) for part in limit.split(","))


def _part(part: str) -> str:
    if not part.startswith("@"):
        return part
    name, colon, rest = part[1:].partition(":")
    path = Path(name).expanduser()
    lines = [line.strip() for line in read_text(path).splitlines() if line.strip()]
    if not lines:
        raise UsageError("A file for --limit is empty", f"{path} names no host. Leave out --limit to have no limit.")
    return ",".join(lines) + colon + rest
