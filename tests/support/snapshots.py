"""Snapshots of the command line: transcripts of sessions, compared word for word.

A snapshot is a text file in ``tests/cli/snapshots``. It has commands (``$ drumline …``), each followed by what it
prints and, unless that is 0, its exit status. The commands run in a copy of ``snapshots/files``.
``python -m support.snapshots``, run in ``tests``, renews them all. Read the difference as a user would.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from support.program import DRUMLINE, environment

SNAPSHOTS = Path(__file__).parents[1] / "cli" / "snapshots"
FILES = SNAPSHOTS / "files"

#: What differs from run to run, and what stands for it.
_VARIABLE = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?"), "DATE"),
    (re.compile(r"\b\d\d:\d\d:\d\d(\.\d+)?"), "CLOCK"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "ID"),
    (re.compile(r" {2,}\d+(\.\d+)? (ms|s)\b"), "  TIME"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s)\b"), "TIME"),
)
#: Commands whose times are computed from the files, and never differ.
_COMPUTED = ("drumline plan", "drumline simulate")


def paths() -> list[Path]:
    """Every snapshot."""
    return sorted(SNAPSHOTS.rglob("*.txt"))


def transcript(path: Path) -> str:
    """What the snapshot would be now."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "project"
        shutil.copytree(FILES, directory)
        commands = re.findall(r"^\$ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        return "\n".join(f"$ {command}\n{_printed(command, directory)}" for command in commands)


def _printed(command: str, directory: Path) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", f'drumline() {{ {shlex.join(DRUMLINE)} "$@"; }}\n{command}'],
        cwd=directory,
        env=environment(directory.parent, {"COLUMNS": "80"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    ended = f"(exit status {done.returncode})\n" if done.returncode else ""
    return _normal(done.stdout, directory, is_measured=not command.startswith(_COMPUTED)) + ended


def _normal(text: str, directory: Path, *, is_measured: bool) -> str:
    text = text.replace(str(directory), "DIRECTORY")
    for pattern, name in _VARIABLE if is_measured else ():
        text = pattern.sub(name, text)
    return text


if __name__ == "__main__":
    for snapshot in paths():
        snapshot.write_text(transcript(snapshot), encoding="utf-8")
