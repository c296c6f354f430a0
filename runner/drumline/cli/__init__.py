"""The command line. ``main`` answers the commonest questions without loading anything that they don't need."""

from __future__ import annotations

import os
import sys
from pathlib import Path

#: The variable by which a shell asks what a half-typed word can become.
VARIABLE = "_DRUMLINE_COMPLETE"


def main() -> None:
    """Entry point of ``drumline``."""
    try:
        _main()
    except KeyboardInterrupt:  # before there is anything that could be stopped
        raise SystemExit(130) from None


def _main() -> None:
    asks_for_help = sys.argv[1:] in ([], ["--help"], ["-h"]) and VARIABLE not in os.environ
    if asks_for_help and sys.stdout is not None:
        # click alone takes four times as long to import as Python takes to start. tests/cli/test_help.py keeps the
        # file equal to what click says.
        try:
            print(Path(__file__).with_name("help.txt").read_text(encoding="utf-8"), end="", flush=True)
            return
        except OSError:
            pass  # what follows says that it can't be printed
    from drumline.cli.entry import enter

    enter()
