"""Ansible's documentation of a module, as Markdown, beside its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

#: Marks in the texts: ``C(code)``, ``M(a.b.module)``, ``O(option)``, ``L(text,https://…)``.
_MARK = re.compile(r"\b([A-Z]{1,3})\(([^()]*)\)")


def page_of(documented: Mapping[str, Any]) -> str:
    """What it says of itself, what it rests on, what it gives, and its examples."""
    parts = ["\n".join(f"- {plain(text)}" for text in documented["description"])]
    for title, name in (("It rests on:", "requirements"), ("Notes:", "notes")):
        if documented[name]:
            parts.append("\n".join([title, "", *(f"- {plain(text)}" for text in documented[name])]))
    if documented["results"]:
        parts.append("\n".join(["Results:", "", *_results(documented["results"])]))
    if documented["examples"]:
        parts.append(f"```yaml\n{documented['examples']}\n```")
    return "\n\n".join(part for part in parts if part)


def plain(text: str) -> str:
    """A text without Ansible's marks."""
    return _MARK.sub(lambda match: match[2] if match[1] in ("B", "I", "L", "R", "U") else f"`{match[2]}`", text)


def _results(results: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for name, result in results.items():
        if not isinstance(result, Mapping):  # it says no more
            yield f"{indent}- `{name}`"
            continue
        said = result.get("description") or ""
        first = said if isinstance(said, str) else " ".join(map(str, said))
        yield f"{indent}- `{name}` ({result.get('type', 'raw')}): {plain(first)}"
        if isinstance(result.get("contains"), Mapping):
            yield from _results(result["contains"], indent + "  ")
