"""A real MariaDB server, in a directory of its own, which listens at a socket there alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.needs import PLACES, need

#: Seconds for it to listen.
_PATIENCE = 60.0


@contextmanager
def running_mariadb(password: str) -> Iterator[Path]:
    """Its socket; root wants this password. It is removed at the end."""
    need("mariadbd", "mariadb-install-db")
    program = str(shutil.which("mariadbd", path=PLACES))
    directory = Path(f"/tmp/drumline-my-{os.getpid()}")  # the path of a socket has to be short
    directory.mkdir(mode=0o755)
    user = "mysql" if os.geteuid() == 0 else os.environ.get("USER", "")
    if os.geteuid() == 0:
        shutil.chown(directory, "mysql")
    socket, data = directory / "socket", directory / "data"
    own = ["--no-defaults", f"--user={user}", f"--datadir={data}"]
    first = directory / "first.sql"
    first.write_text(f"ALTER USER root@localhost IDENTIFIED BY '{password}';\n")
    try:
        made = ["mariadb-install-db", *own, "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(made, check=True, capture_output=True)
        options = [f"--socket={socket}", "--skip-networking", f"--pid-file={directory}/pid", f"--init-file={first}"]
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen([program, *own, *options], stdout=log, stderr=log)
        try:
            _wait_for(socket, server, password)
            yield socket
        finally:
            server.kill()
            server.wait()
    finally:
        shutil.rmtree(directory)


def _wait_for(socket: Path, server: subprocess.Popen[bytes], password: str) -> None:
    end = time.monotonic() + _PATIENCE
    asked = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "-e", "SELECT 1"]
    environment = {**os.environ, "MYSQL_PWD": password}
    while subprocess.run(asked, capture_output=True, check=False, env=environment).returncode:
        assert server.poll() is None, "MariaDB has ended"
        assert time.monotonic() < end, "MariaDB doesn't answer"
        time.sleep(0.1)
