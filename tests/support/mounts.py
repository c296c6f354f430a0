"""File systems that a test mounts for itself."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(directory: Path, options: str) -> Iterator[Path]:
    """A file system in memory at a new directory, with these options of ``mount``; skips where it isn't allowed."""
    directory.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(directory)], check=False).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)
