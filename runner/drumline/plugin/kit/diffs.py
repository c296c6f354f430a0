"""Diffs of results, in Ansible's shape: before and after, each with a header, or why one of them can't be shown."""

from __future__ import annotations

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
    before = answer.pop("before", "")
    shown: dict[str, Any] = {"before": readable_text(before), "before_header": header}
    for reason, value in (("larger", MOST_DIFF), ("binary", 1)):
        if answer.pop(f"before_{reason}", None):
            shown = {f"dst_{reason}": value}
    if after is None or len(after) > MOST_DIFF:
        return shown | {"src_larger": MOST_DIFF}
    if b"\0" in after:
        return shown | {"src_binary": 1}
    shown["after"] = after.decode("utf-8", "replace")
    shown["after_header"] = header if after_header is None else after_header
    return shown
