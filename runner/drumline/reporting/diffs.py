"""What a result shows as its diff, as the lines of a unified diff.

A result holds it in Ansible's shape: ``before`` and ``after``, which are texts or values, with or without headers;
``prepared``, which is shown as it is; or the reason why it can't be shown. Secrets in it are masked already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Lines on both sides that are compared with each other. What differs in more of them is shown as replaced as a whole.
_MOST_COMPARED = 4000
#: Lines around a change, unless settings say so.
AROUND = 3


def diff_of(result: Mapping[str, Any], around: int = AROUND) -> Iterator[str]:
    """The lines of the diff of a result, and of its items; ``around`` a change so many."""
    for diff in diffs_in(result):
        yield from _of_one(diff, around)


def diffs_in(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The diffs of what has changed, or would."""
    items = result.get("results")
    if isinstance(items, list):
        return [diff for item in items if isinstance(item, Mapping) for diff in diffs_in(item)]
    found = result.get("diff")
    if not found or not result.get("changed"):
        return []
    return [diff for diff in (found if isinstance(found, list | tuple) else [found]) if isinstance(diff, Mapping)]


def _of_one(diff: Mapping[str, Any], around: int) -> Iterator[str]:
    for side, name in (("dst", "before"), ("src", "after")):
        if diff.get(f"{side}_binary"):
            yield f"{_header(diff, name)} is binary: there is no diff of it"
        if diff.get(f"{side}_larger"):
            yield f"{_header(diff, name)} is larger than {diff[f'{side}_larger']} bytes: there is no diff of it"
    if "prepared" in diff:
        yield from str(diff["prepared"]).splitlines()
    if "before" in diff and "after" in diff:
        before, after = _text(diff["before"]), _text(diff["after"])
        yield from unified(before, after, _header(diff, "before"), _header(diff, "after"), around)


def _header(diff: Mapping[str, Any], name: str) -> str:
    header = diff.get(f"{name}_header")
    return f"{name}: {header}" if header else name


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    import json

    return json.dumps(value, indent=4, sort_keys=True, ensure_ascii=False, default=str) + "\n"


def unified(before: str, after: str, name_before: str, name_after: str, around: int = AROUND) -> Iterator[str]:
    """The lines of a unified diff of two texts, without line ends; none if they are equal."""
    if before == after:
        return
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    yield f"--- {name_before}"
    yield f"+++ {name_after}"
    for line in _hunks(old, new, around):
        yield line.rstrip("\r\n") if line.endswith("\n") else line
        if line[:1] in "+- " and not line.endswith("\n"):
            yield "\\ No newline at end of file"


def _hunks(old: Sequence[str], new: Sequence[str], around: int) -> Iterator[str]:
    """What follows the two headers. Comparing takes the square of the lines, so much that differs isn't compared."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    differing = max(len(old), len(new)) - start - end
    if differing <= _MOST_COMPARED:
        import difflib

        _, _, *rest = difflib.unified_diff(old, new, n=around)
        yield from (line for line in rest)
        return
    first, last = max(0, start - around), max(0, end - around)
    yield f"@@ -{first + 1},{len(old) - last - first} +{first + 1},{len(new) - last - first} @@\n"
    yield from (f" {line}" for line in old[first:start])
    yield from (f"-{line}" for line in old[start : len(old) - end])
    yield from (f"+{line}" for line in new[start : len(new) - end])
    yield from (f" {line}" for line in old[len(old) - end : len(old) - last])


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many elements they have in common at the beginning."""
    for number, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return number
    return min(len(one), len(other))
