"""Quoting for Windows."""

from __future__ import annotations

import pytest

from drumline.plugin.windows import command_line, quote


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("", "''"),
        ("plain $x `n", "'plain $x `n'"),
        ("it's", "'it''s'"),
        ("\u2018a\u2019\u201ab\u201b", "'\u2018\u2018a\u2019\u2019\u201a\u201ab\u201b\u201b'"),
        ('"double"\n', "'\"double\"\n'"),
    ],
)
def test_quote(text: str, quoted: str) -> None:
    assert quote(text) == quoted


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["a", "b c", ""], 'a "b c" ""'),
        (['say "hi"'], r'"say \"hi\""'),
        (["C:\\x y\\"], '"C:\\x y\\\\"'),
        (["C:\\x\\"], "C:\\x\\"),
        (['a\\"b'], r"a\\\"b"),
    ],
)
def test_command_line(arguments: list[str], line: str) -> None:
    assert command_line(arguments) == line
