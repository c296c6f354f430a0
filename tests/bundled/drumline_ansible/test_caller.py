"""What hands modules to the process that waits for them on a host."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.bridged import PLUGINS

_CALLER = (PLUGINS / "drumline_ansible/caller.txt").read_text(encoding="utf-8")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a directory to another user")
def test_a_socket_of_another_user_gets_nothing() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary, socket.socket(socket.AF_UNIX) as listening:
        place = Path(temporary, f"run.{os.getuid()}")
        place.mkdir()
        listening.bind(str(place / "socket"))
        listening.listen()
        listening.setblocking(False)
        os.chown(place, 65534, 65534)
        done = subprocess.run(
            [sys.executable, "-SE", "-c", _CALLER, "run"],
            input="arguments",
            env={"TMPDIR": temporary},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,  # it would wait for an answer
        )
        assert done.stderr == "drumline: not run: that directory is someone else's\n"
        with pytest.raises(BlockingIOError):
            listening.accept()
