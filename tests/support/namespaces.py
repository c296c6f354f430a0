"""Python in namespaces of its own, where name servers are silent and ``/etc/hosts`` says what a test wants."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

#: Three name servers that never answer.
_SERVERS = tuple(f"127.0.53.{number}" for number in (1, 2, 3))
_SILENT = f"""
import socket, time
_servers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range({len(_SERVERS)})]
for _server, _address in zip(_servers, {_SERVERS!r}):
    _server.bind((_address, 53))
"""


def _command(shell: str) -> list[str]:
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *root, "--mount", "--net", "sh", "-c", shell]


@functools.cache
def _possible() -> bool:
    if not all(map(shutil.which, ("unshare", "ip", "mount"))):
        return False
    return subprocess.run(_command("ip link set lo up"), capture_output=True, check=False).returncode == 0


def run_with_silent_name_servers(
    tmp_path: Path, script: str, *, hosts: str = "", env: Mapping[str, str] | None = None
) -> str:
    """What a script prints; skips the test where there can be no such namespaces."""
    if not _possible():
        pytest.skip("there can be no namespaces with a resolver of their own")
    files = {
        "resolv.conf": "".join(f"nameserver {address}\n" for address in _SERVERS),
        "hosts": f"127.0.0.1 localhost\n{hosts}",
        "nsswitch.conf": "hosts: files dns\npasswd: files\ngroup: files\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "script.py").write_text(_SILENT + textwrap.dedent(script))
    mounts = "".join(f"mount --bind {tmp_path}/{name} /etc/{name} && " for name in files)
    done = subprocess.run(
        _command(f"{mounts} ip link set lo up && exec {sys.executable} {tmp_path}/script.py"),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, **(env or {})},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
