"""The command line. ``main`` answers the commonest questions without loading anything that they don't need."""

from __future__ import annotations

import atexit
import gc
import sys
from pathlib import Path


def main() -> None:
    """Entry point of ``drumline``."""
    if sys.argv[1:] in ([], ["--help"], ["-h"]):
        # click alone takes four times as long to import as Python takes to start. tests/cli/test_help.py keeps the
        # file equal to what click says.
        print(Path(__file__).with_name("help.txt").read_text(encoding="utf-8"), end="")
        return
    _collect_seldom()
    from drumline.cli.program import program

    program(prog_name="drumline")


def _collect_seldom() -> None:
    """Make Python look for cycles of garbage less often; together this is a sixth of the CPU time of a small run."""
    # Importing makes tens of thousands of objects that stay; at the usual 700 Python looks through them time and again.
    gc.set_threshold(50_000)
    # At the end Python would look through all there is once more, only for the system to take the memory back anyway.
    atexit.register(gc.freeze)
