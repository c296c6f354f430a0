"""What the documentation says of each action beside its arguments, as ``drumline doc`` shows it.

The pages are the source: ``python -m support.tables``, in ``tests``, makes the ``sections.md`` of each plugin of them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from drumline.plugin.manager import load_plugins
from support.documents import PAGES, ROOT

_MARK = re.compile(r"^<!-- table: action (\w+) -->$", re.MULTILINE)
_TABLE = re.compile(r"^<!-- table: .*? -->\n\n?(?:\|.*\n)*", re.MULTILINE)
_LINK = re.compile(r"\[([^\[\]]+)\]\([^()\s]+\)")


def sections() -> dict[Path, str]:
    """By the file of each plugin what belongs in it: one section for each action that the pages have, by its name."""
    actions = load_plugins().actions
    found = {name: text for page in PAGES for name, text in _of_page(page.read_text(encoding="utf-8"))}
    made: dict[Path, str] = {}
    for name, text in sorted(found.items()):
        page: Any = actions[name].page
        path = ROOT / "plugins" / page.func.__module__ / "sections.md"
        made[path] = made.get(path, "") + f"## {name}\n\n{text}\n\n"
    return made


def _of_page(text: str) -> list[tuple[str, str]]:
    parts = re.split(r"^#{1,2} .*\n", text, flags=re.MULTILINE)
    return [(name, _plain(part)) for part in parts for name in _MARK.findall(part)]


def _plain(part: str) -> str:
    """Without tables of arguments, which the program has itself, and without links, which lead nowhere there."""
    text = _LINK.sub(r"\1", _TABLE.sub("", part))
    return re.sub(r"\n{3,}", "\n\n", text).strip()
