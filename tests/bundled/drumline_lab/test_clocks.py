"""Processes whose clock is wrong by a known number of seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.needs import need

from drumline.plugin import Language, Run, Target, UsageError
from drumline.testing import collect
from drumline_lab import clocks
from drumline_lab.embedded_sshd import EmbeddedSshd
from drumline_lab.sshd import Sshd
from drumline_ssh.transport import SshTransport


@pytest.mark.parametrize("seconds", [0, 7200, -3.25])
def test_a_process_sees_another_time(seconds: float) -> None:
    before = time.time()
    done = subprocess.run(
        ["date", "+%s.%N"], env={**os.environ, **clocks.ahead(seconds)}, capture_output=True, check=True
    )
    assert before + seconds - 0.001 <= float(done.stdout) <= time.time() + seconds + 0.001


def test_what_a_killed_process_leaves_is_removed() -> None:
    with subprocess.Popen(
        ["sh", "-c", "date; exec sleep 60"], env={**os.environ, **clocks.ahead(5)}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert [path.name for path in Path("/dev/shm").glob(f"faketime_shm_{process.pid}")]
    clocks.forget(process.pid)
    clocks.forget(process.pid)
    assert not list(Path("/dev/shm").glob(f"*faketime*_{process.pid}"))


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "_PLACES", ("/not/there/libfaketime.so.1",))
    with pytest.raises(UsageError, match="apt install faketime"):
        clocks.ahead(1)


@pytest.mark.parametrize("kind", [Sshd, EmbeddedSshd])
def test_a_server_whose_clock_is_ahead(tmp_path: Path, kind: type[Sshd | EmbeddedSshd]) -> None:
    """In bash as well, which has a getenv of its own; and nothing is left of it."""
    if kind is Sshd:
        need("sshd")
    before = {*Path("/dev/shm").iterdir()}
    with kind(tmp_path / "sshd", clock_offset=-90.5) as server:
        options = {"host": server.address, "port": server.port, "user": server.user, "ssh_config_file": "none"}
        keys = {"private_key_file": str(server.client_key), "known_hosts_file": str(server.known_hosts)}
        connection = SshTransport().connect(Target(host="late", transport="ssh", options={**options, **keys}))
        request = Run(language=Language.SH, text="date +%s.%N; bash -c 'echo $EPOCHREALTIME'", executable="/bin/bash")
        session = connection.open_session()
        began = time.time()
        completed = collect(session, request)
        ended = time.time()
        connection.close()
    told = [float(said) + 90.5 for said in completed.stdout.split()]
    assert len(told) == 2
    assert all(began - 0.01 <= moment <= ended + 0.01 for moment in told)
    assert {path.name for path in {*Path("/dev/shm").iterdir()} - before if "faketime" in path.name} == set()
