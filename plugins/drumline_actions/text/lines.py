"""What actions that edit files line by line share. Text is bytes as letters (``as_bytes``), as Ansible matches it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from drumline.plugin import Argument, Call, HostPath, Request
from drumline.plugin.kit import BYTES, as_bytes, match_regex

#: The file that is edited, by its usual aliases.
PATH = Argument(
    name="path", type=HostPath, required=True, aliases=("dest", "destfile", "name"), help="File on the host"
)
CREATE = Argument(name="create", type=bool, default=False, help="Make the file, and its directory, if it is missing")


def split(content: bytes) -> list[str]:
    """The lines of a file with their ends; only a line feed ends one."""
    lines = [f"{line}\n" for line in content.decode("latin-1").split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def lines_of(text: str) -> list[str]:
    """The lines of a text without their ends; only a line feed ends one, unlike with ``str.splitlines``."""
    *lines, last = text.split("\n")
    return [*lines, last] if last else lines


def join(lines: list[str]) -> bytes:
    """The file again."""
    return "".join(lines).encode("latin-1")


def bare(line: str) -> str:
    """A line without its end."""
    return line.rstrip("\r\n")


def ended(line: str) -> str:
    """A line with an end."""
    return line if line.endswith("\n") else f"{line}\n"


def places(call: Call, pattern: str | None, lines: list[str]) -> Generator[Request, Any, list[int]]:
    """Which lines a pattern matches somewhere."""
    if pattern is None or not lines:
        return []
    found: list[int] = yield from match_regex(call, "containing", as_bytes(pattern), lines, flags=BYTES)
    return found
