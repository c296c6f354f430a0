"""Lines at a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from drumline.reporting.lines import Part
from drumline.reporting.live import LiveScreen, _broken, _Drawn, _text


def test_what_a_terminal_shows_of_ctrl_c_fits_behind_a_live_line_that_was_cut() -> None:
    console = Console(file=io.StringIO(), width=20, height=5)
    with console.capture() as capture:
        console.print(_Drawn(lambda: [[Part("x" * 30)], [Part("日本" * 10)], [Part("short")]]))
    assert capture.get().splitlines() == ["x" * 17 + "…", "日本日本日本日本 …", "short"]


def shown(text: str, width: int) -> list[str]:
    """A line as a terminal of some width shows it."""
    console = Console(file=io.StringIO(), width=width, soft_wrap=True, highlight=False)
    with console.capture() as capture:
        for line in _broken(_text([Part(text)]), console):
            console.print(line)
    return capture.get().splitlines()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a line that fits well", ["a line that fits well"]),
        (
            "  failed      Migrate the database: web[1-3]  2.5 s",
            ["  failed      Migrate the", "  database: web[1-3]", "  2.5 s"],
        ),
        (
            "      stdout │ the disk of this host is full",
            ["      stdout │ the disk", "  of this host is full"],
        ),
        ("      web1: stderr │ the disk is full", ["      web1: stderr │ the", "  disk is full"]),
        ("the others waited up to 12 s", ["the others waited up to", "12 s"]),
        ("see /a/path/that/is/longer/than/the/line here", ["see", "  /a/path/that/is/longer/than/the/line", "here"]),
        ("日本語のとても長い名前のタスクです", ["日本語のとても長い名前の", "タスクです"]),
    ],
)
def test_lines_are_broken_between_words(text: str, lines: list[str]) -> None:
    found = shown(text, 25)
    assert [line.strip() for line in found] == [line.strip() for line in lines]
    assert " ".join(found).split() == text.split() or not text.isascii()


def test_a_line_to_be_copied_is_left_as_it_is() -> None:
    command = "drumline run site.yml --limit web1,web2 -i a -i b -i c"
    file = io.StringIO()
    screen = LiveScreen(file)
    screen.show([Part("to continue: "), Part(command, whole=True)])
    assert file.getvalue() == f"to continue: {command}\n"
