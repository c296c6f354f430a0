"""What the documentation says of each action beside its arguments, as ``drumline doc`` shows it.

The pages are the source: ``python -m support.tables``, in ``tests``, makes ``plugins/drumline_actions/sections.md`` of
them.
"""

from __future__ import annotations

import re

from support.documents import PAGES, ROOT

SECTIONS = ROOT / "plugins" / "drumline_actions" / "sections.md"
_MARK = re.compile(r"^<!-- table: action (\w+) -->$", re.MULTILINE)
_TABLE = re.compile(r"^<!-- table: .*? -->\n\n?(?:\|.*\n)*", re.MULTILINE)
_LINK = re.compile(r"\[([^\[\]]+)\]\([^()\s]+\)")


def sections() -> str:
    """One section for each action, by its name."""
    found = {name: text for page in PAGES for name, text in _of_page(page.read_text(encoding="utf-8"))}
    return "".join(f"## {name}\n\n{text}\n\n" for name, text in sorted(found.items()))


def _of_page(text: str) -> list[tuple[str, str]]:
    parts = re.split(r"^#{1,2} .*\n", text, flags=re.MULTILINE)
    return [(name, _plain(part)) for part in parts for name in _MARK.findall(part)]


def _plain(part: str) -> str:
    """Without tables of arguments, which the program has itself, and without links, which lead nowhere there."""
    text = _LINK.sub(r"\1", _TABLE.sub("", part))
    return re.sub(r"\n{3,}", "\n\n", text).strip()
