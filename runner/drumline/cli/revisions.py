"""A project as it was at a revision of git, in a directory of its own."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drumline.errors import UsageError


@contextmanager
def at_revision(revision: str, directory: Path) -> Iterator[None]:
    """Work in the directory as it was, until the end of the block.

    Raises ``UsageError`` where there is no such revision, or no repository.
    """
    top = Path(_git(directory, "rev-parse", "--show-toplevel").decode().rstrip("\n"))
    commit = _git(directory, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    with tempfile.TemporaryDirectory(prefix="drumline-") as name:
        place = Path(name).resolve()
        with tarfile.open(fileobj=io.BytesIO(_git(top, "archive", "--format=tar", commit.decode().strip()))) as archive:
            archive.extractall(place, filter="data")
        then = place / directory.resolve().relative_to(top)
        if not then.is_dir():
            raise UsageError("The directory wasn't there", f"At revision '{revision}' there was no {directory}.")
        os.chdir(then)
        try:
            yield
        finally:
            os.chdir(directory)


def _git(directory: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(directory), *words], capture_output=True, check=False)
    except OSError as error:
        raise UsageError("git can't be started", f"{error.strerror}. Install it, or compare with a file.") from None
    if done.returncode:
        reason = (
            done.stderr.decode(errors="replace").strip()
            or f"There is no revision '{words[-1].removesuffix('^{commit}')}'."
        )
        raise UsageError("Not a revision of git", reason)
    return done.stdout
