"""Diffs of results as lines."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from drumline.reporting.diffs import diff_of, unified


def lines(**diff: Any) -> list[str]:
    return list(diff_of({"changed": True, "diff": diff}))


def test_texts_are_compared_line_by_line() -> None:
    found = lines(before="one\ntwo\n", after="one\nthree\n", before_header="/etc/f", after_header="f.j2")
    assert found == ["--- before: /etc/f", "+++ after: f.j2", "@@ -1,2 +1,2 @@", " one", "-two", "+three"]


def test_a_missing_end_of_line_is_said() -> None:
    assert lines(before="", after="x")[2:] == ["@@ -0,0 +1 @@", "+x", "\\ No newline at end of file"]


def test_values_are_shown_as_json() -> None:
    found = lines(before={"path": "/f", "mode": "0644"}, after={"path": "/f", "mode": "0600"})
    assert found[3:] == [" {", '-    "mode": "0644",', '+    "mode": "0600",', '     "path": "/f"', " }"]


@pytest.mark.parametrize(
    ("diff", "said"),
    [
        ({"dst_binary": 1, "before_header": "/f", "after": "x"}, "before: /f is binary: there is no diff of it"),
        ({"before": "x", "src_larger": 5}, "after is larger than 5 bytes: there is no diff of it"),
        ({"prepared": "+ nginx\n- apache"}, "+ nginx"),
    ],
)
def test_what_has_no_diff_says_so(diff: Mapping[str, Any], said: str) -> None:
    assert lines(**diff)[0] == said


@pytest.mark.parametrize(
    "result",
    [
        {"changed": False, "diff": {"before": "a", "after": "b"}},
        {"changed": True, "diff": []},
        {"changed": True, "diff": {"before": "a\n", "after": "a\n"}},
        {"changed": True},
    ],
)
def test_nothing_is_shown_where_nothing_changes(result: Mapping[str, Any]) -> None:
    assert list(diff_of(result)) == []


def test_each_item_of_a_loop_has_its_own() -> None:
    items = [{"changed": True, "diff": [{"before": "", "after": f"{name}\n"}]} for name in "ab"]
    found = list(diff_of({"changed": True, "results": [*items, {"changed": False, "diff": items[0]["diff"]}]}))
    assert [line for line in found if line.startswith("+") and line != "+++ after"] == ["+a", "+b"]


def test_much_that_differs_is_shown_as_replaced_and_soon() -> None:
    same = "".join(f"same {number}\n" for number in range(10))
    before = same + "".join(f"{number}\n" for number in range(50_000)) + same
    after = same + "".join(f"{number}\n" for number in reversed(range(50_000))) + same
    began = time.monotonic()
    found = list(unified(before, after, "before", "after"))
    assert time.monotonic() - began < 5
    assert found[2] == "@@ -8,50006 +8,50006 @@"
    assert found[3:6] == [" same 7", " same 8", " same 9"]
    assert (found[6], found[50_006], found[-1]) == ("-0", "+49999", " same 2")
