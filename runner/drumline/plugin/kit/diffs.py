"""Diffs of results, in Ansible's shape: before and after, each with a header, or why one of them can't be shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from drumline.plugin.kit.asking import HostAnswer, readable_text

#: Bytes of a file of which there is a diff (Ansible's ``max_diff_size``).
MOST_DIFF = 104_448


def text_diff(before: str, after: str, header: str, *, after_header: str | None = None) -> dict[str, str]:
    """A diff of two texts; the headers say what they are: a path, most often."""
    return {
        "before": before,
        "after": after,
        "before_header": header,
        "after_header": header if after_header is None else after_header,
    }


def content_diff(
    answer: HostAnswer, after: bytes | None, header: str, *, after_header: str | None = None
) -> dict[str, Any]:
    """A diff of a file of the host, by what ``say_content before FILE`` has said, and what it is to hold.

    Takes the content out of the answer. ``after`` is None for content of more than ``MOST_DIFF`` bytes.
    """
    before = _said(answer, "before", "dst", header)
    before["after_header"] = header if after_header is None else after_header
    if after is None or len(after) > MOST_DIFF:
        return before | {"src_larger": MOST_DIFF}
    if b"\0" in after:
        return before | {"src_binary": 1}
    return before | {"after": after.decode("utf-8", "replace")}


def host_diff(answer: HostAnswer, header: str, *, after_header: str | None = None) -> dict[str, Any]:
    """The same where the host has said both: ``say_content before FILE`` and ``say_content after FILE``."""
    shown = header if after_header is None else after_header
    return _said(answer, "before", "dst", header) | _said(answer, "after", "src", shown)


def _said(answer: HostAnswer, side: str, known_as: str, header: str) -> dict[str, Any]:
    """One side of a diff. What isn't there has no header, as in Ansible."""
    larger, binary = answer.pop(f"{side}_larger", None), answer.pop(f"{side}_binary", None)
    if larger:
        return {f"{known_as}_larger": MOST_DIFF, f"{side}_header": header}
    if binary:
        return {f"{known_as}_binary": 1, f"{side}_header": header}
    if side not in answer:
        return {side: ""}
    return {side: readable_text(answer.pop(side)), f"{side}_header": header}


def state_diff(answer: HostAnswer, **same: Any) -> dict[str, Any]:
    """A diff of those parts of a state of which a script has said ``differs NAME BEFORE AFTER``.

    Takes them out of the answer; ``same`` is on both sides.
    """
    diff: dict[str, Any] = {"before": dict(same), "after": dict(same)}
    for name in [name for name in answer if name.startswith(("before.", "after."))]:
        side, _, part = name.partition(".")
        read: Callable[[Any], Any] = _STATES.get(part, readable_text)
        diff[side][part] = read(answer.pop(name))
    return diff


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


#: Parts of a file's state that are more than text.
_STATES: Mapping[str, Callable[[Any], Any]] = {
    "mode": lambda text: text.zfill(4),
    "owner": _number,
    "group": _number,
}
