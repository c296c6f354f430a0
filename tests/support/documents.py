"""The documentation as tests see it: its blocks of code, with their places."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
#: All pages of the repository, those of the public forge and of the tests' data included.
EVERY_PAGE = sorted(
    path
    for pattern in ("*.md", "[!.]*/**/*.md", ".github/**/*.md")
    for path in ROOT.glob(pattern)
    if ".contenders" not in path.parts  # other tools, which benchmarks install
)
_FENCE = re.compile(r"^```(\w*) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"#\s*([\w./-]+\.\w+|drumline\.toml)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    info: str  #: What stands after the language: ``wrong`` for an example of a mistake.
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def file_name(self) -> str | None:
        """The file that the block is to be saved as, by its first line."""
        match = _FILE.match(self.text)
        return match[1] if match else None


def all_blocks() -> list[Block]:
    """All blocks, page by page."""
    return [block for page in PAGES for block in _blocks(page)]


def blocks(*languages: str) -> list[Block]:
    """All blocks in these languages."""
    return [block for block in all_blocks() if block.language in languages]


def prose(page: Path) -> str:
    """The page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


@cache
def _blocks(page: Path) -> tuple[Block, ...]:
    text = page.read_text(encoding="utf-8")
    return tuple(
        Block(
            page=page,
            line=text.count("\n", 0, match.start()) + 2,
            language=match[1],
            info=match[2],
            text=match[3],
        )
        for match in _FENCE.finditer(text)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """One ``drumline …`` that a page shows."""

    place: str
    text: str

    def words(self) -> list[str]:
        """Its arguments, without what follows a pipe."""
        return list(takewhile(lambda word: word != "|", shlex.split(self.text, comments=True)[1:]))

    def __str__(self) -> str:
        return f"{self.place} {self.text}"


def command_lines() -> list[CommandLine]:
    """Every line that starts drumline in a block of a shell or a console."""
    return [line for block in blocks("sh", "console") for line in _command_lines(block)]


def _command_lines(block: Block) -> Iterator[CommandLine]:
    joined = block.text.replace("\\\n", " ")
    for offset, line in enumerate(joined.splitlines()):
        prompt = block.language == "console"
        if line.startswith("$ drumline " if prompt else "drumline "):
            place = f"{block.page.relative_to(ROOT)}:{block.line + offset}"
            yield CommandLine(place=place, text=line.removeprefix("$ "))
