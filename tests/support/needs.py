"""What a test needs of the machine; CI has it all, and takes no skip (``--no-skips``)."""

from __future__ import annotations

import shutil

import pytest

#: Debian keeps the programs of administrators out of other users' way.
PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def need(*programs: str) -> None:
    """Skip the test if the machine lacks one of the programs."""
    missing = [program for program in programs if shutil.which(program, path=PLACES) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed (scripts/test installs what the tests need)")
