"""A real PostgreSQL server, in a directory of its own, which listens at a socket there alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def running_postgres(user: str, password: str) -> Iterator[Path]:
    """The directory of its socket; the user wants this password. It is removed at the end."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL isn't installed")
    directory = Path(f"/tmp/drumline-pg-{os.getpid()}-{user}")  # the path of a socket has to be short
    directory.mkdir(mode=0o755)
    as_user: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(directory, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    file = directory / "password"
    file.write_text(f"{password}\n")
    file.chmod(0o644)
    options = f"-c listen_addresses= -c unix_socket_directories={directory} -c fsync=off"

    def call(*command: str | Path) -> None:
        subprocess.run([*as_user, *command], text=True, check=True, cwd=directory, capture_output=True)

    data = directory / "data"
    try:
        call(programs / "initdb", "-D", data, "-U", user, "-A", "scram-sha-256", f"--pwfile={file}", "-N")
        # It writes to the log for as long as it runs, which would keep a pipe open.
        call(programs / "pg_ctl", "-D", data, "-o", options, "-l", directory / "log", "-w", "start")
        yield directory
    finally:
        subprocess.run(
            [*as_user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"],
            capture_output=True,
            check=False,
            cwd="/",
        )
        shutil.rmtree(directory)


def _programs() -> Path | None:
    """Where PostgreSQL's programs are; Debian keeps them out of the way."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb")
    return debian[-1].parent if debian else Path(found).parent if found else None
