"""Lines at a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from drumline.reporting.lines import Part
from drumline.reporting.screens import _Drawn


def test_what_a_terminal_shows_of_ctrl_c_fits_behind_a_live_line_that_was_cut() -> None:
    console = Console(file=io.StringIO(), width=20, height=5)
    with console.capture() as capture:
        console.print(_Drawn(lambda: [[Part("x" * 30)], [Part("日本" * 10)], [Part("short")]]))
    assert capture.get().splitlines() == ["x" * 17 + "…", "日本日本日本日本 …", "short"]
