"""A project as it was at a revision of git, in a directory of its own."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from drumline.errors import UsageError


@contextmanager
def at_revision(revision: str, directory: Path) -> Iterator[Callable[[str], str]]:
    """Work in the directory as it was, until the end of the block; gives what turns a path of now into one of then.

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
            yield lambda path: _path_then(path, top, place)
        finally:
            os.chdir(directory)


def _path_then(path: str, top: Path, place: Path) -> str:
    """A relative path is the same then; so is one that isn't in the repository."""
    now = Path(path).expanduser()
    if not now.is_absolute():
        return path
    now = now.parent.resolve() / now.name  # the file itself may be a link, in the repository too
    return os.path.relpath(place / now.relative_to(top)) if now.is_relative_to(top) else path


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
