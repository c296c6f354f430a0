"""Diagnostics point at the place, and stay readable for every kind of file."""

import os
from pathlib import Path

import pytest
from rich.cells import cell_len

from drumline.diagnostics import Diagnostic, Diagnostics, Look, Position, did_you_mean
from drumline.errors import FilesError


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


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        ("ansible_prot: 2222", 1, "ansible_prot"),
        ("web1 ansible_prot=2222", 6, "ansible_prot"),
        ("- {copy: {srcc: a, dest: b}}", 11, "srcc"),
        ("hosts: web:!db,lb  # all", 8, "web:!db,lb"),
        ('msg: "{{ a | no_such }}"', 6, '"{{ a | no_such }}"'),
        ("msg: {{ a b }} c", 6, "{{ a b }}"),
        ("tags: [a, b]", 7, "[a, b]"),
        ("name: 'open", 7, "'"),
        ("x: 日本語 y", 4, "日本語"),
        ("日本: wrong", 5, "wrong"),
        ("a: e\u0301te\u0301 b", 4, "e\u0301te\u0301"),
    ],
)
def test_carets_stand_below_the_whole_word(tmp_path: Path, text: str, column: int, word: str) -> None:
    file = tmp_path / "play.yml"
    file.write_text(f"{text}\n", encoding="utf-8")
    _, _, carets, *_ = rendered(file, 1, column)
    before = text[: column - 1]
    assert carets == " " * (4 + cell_len(before)) + "^" * cell_len(word)


def test_at_a_terminal_lines_are_broken_between_words_and_the_quoted_line_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "play.yml"
    file.write_text("x" * 100 + " wrong " + "y" * 100)
    detail = "This sentence is longer than the terminal is wide. " + "/a/path/that/is/kept" * 3
    text = Diagnostic(summary="Wrong", detail=detail, position=Position(str(file), 1, 102)).render(look=Look(width=40))
    _, quoted, carets, *details = text.split("\n")
    assert len(quoted) <= 40
    assert quoted[carets.index("^") : carets.rindex("^") + 1] == "wrong"
    assert [line.strip() for line in details] == [
        "This sentence is longer than the",
        "terminal is wide.",
        "/a/path/that/is/kept" * 3,
    ]


def test_colours_set_off_the_place_the_kind_and_the_carets(tmp_path: Path) -> None:
    file = tmp_path / "play.yml"
    file.write_text("a: b")
    text = Diagnostic(summary="Wrong", position=Position(str(file), 1, 1)).render(look=Look(colour=True))
    assert text == (
        f"\x1b[1m{file}:1:1\x1b[0m: \x1b[1;31merror:\x1b[0m \x1b[1mWrong\x1b[0m\n    a: b\n    \x1b[1;31m^\x1b[0m"
    )


def test_the_number_of_mistakes_comes_last() -> None:
    mistakes = [Diagnostic(summary=f"Wrong {number}") for number in range(70)]
    assert FilesError(mistakes[:1]).render() == "error: Wrong 0\n1 mistake"
    assert FilesError(mistakes[:2]).render() == "error: Wrong 0\nerror: Wrong 1\n2 mistakes"
    shown = FilesError(mistakes).render().split("\n")
    assert len(shown) == 51
    assert shown[-1] == "70 mistakes; the first 50 are shown"


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
