"""Diagnostics point at the place, and stay readable for every kind of file."""

import os
from pathlib import Path

from drumline.diagnostics import Diagnostic, Diagnostics, Position, did_you_mean


def rendered(path: Path, line: int, column: int) -> list[str]:
    return (
        Diagnostic(summary="Wrong", detail="Why.\nHow.", position=Position(str(path), line, column))
        .render()
        .split("\n")
    )


def test_the_line_is_quoted_with_a_caret(tmp_path: Path) -> None:
    file = tmp_path / "play.yml"
    file.write_text("a: 1\n\tb: é x\n", encoding="utf-8")
    assert rendered(file, 2, 7) == [
        f"{file}:2:7: error: Wrong",
        "     b: é x",
        "          ^",
        "  Why.",
        "  How.",
    ]


def test_without_a_position_there_is_no_place() -> None:
    assert Diagnostic(summary="Wrong").render() == "error: Wrong"


def test_nothing_is_quoted_from_what_cannot_be_quoted(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"a\x00\x1b[31m\n")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, line in ((binary, 1), (binary, 99), (pipe, 1), (tmp_path, 1), (tmp_path / "missing", 1)):
        assert rendered(path, line, 1) == [f"{path}:{line}:1: error: Wrong", "  Why.", "  How."]


def test_a_long_line_is_quoted_around_the_place(tmp_path: Path) -> None:
    file = tmp_path / "long.yml"
    file.write_text("x" * 5000 + "HERE" + "y" * 5000)
    _, text, caret, *_ = rendered(file, 1, 5001)
    assert len(text) < 250
    assert text[caret.index("^") :].startswith("HERE")


def test_the_same_mistake_is_kept_once_and_in_order() -> None:
    found = Diagnostics()
    assert not found
    found.add("b")
    found.add("a", position=Position("f", 1, 1))
    found.add("b")
    found.extend([Diagnostic(summary="a", position=Position("f", 1, 1)), Diagnostic(summary="c")])
    assert [diagnostic.summary for diagnostic in found] == ["b", "a", "c"]
    assert len(found) == 3


def test_near_words_are_proposed() -> None:
    assert did_you_mean("verison", ["version", "name"]) == " Did you mean 'version'?"
    assert did_you_mean("xyz", ["version"]) == ""
