"""Signals, time-outs and deaths in the middle of a large copy: the sending stops, and nothing is left.

What a killed run has left is gone when the next run has been there.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.needs import need
from support.program import call, running, wait_until

from drumline_lab.sshd import Sshd

#: Far more than is copied while a test looks.
SIZE = 20_000_000_000
PLAYBOOK = """
- hosts: web1
  tasks:
    - copy: {{src: {directory}/large, dest: {directory}/there/large}}
      {keywords}
"""


@pytest.fixture(params=["local", "ssh", "shell"])
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with an inventory: this machine, or a real OpenSSH server with SFTP or without."""
    (tmp_path / "there").mkdir()
    with (tmp_path / "large").open("wb") as file:
        file.truncate(SIZE)
    if request.param == "local":
        (tmp_path / "inventory").write_text("web1 ansible_connection=local\n")
        yield tmp_path
        return
    need("sshd")
    sftp = "internal-sftp" if request.param == "ssh" else None
    with Sshd(tmp_path / "sshd", sftp=sftp) as server:
        (tmp_path / "inventory").write_text(
            f"web1 ansible_host={server.address} ansible_port={server.port} ansible_user={server.user} "
            f"ansible_ssh_private_key_file={server.client_key} "
            f"ansible_ssh_common_args='-o UserKnownHostsFile={server.known_hosts}'\n"
        )
        yield tmp_path


def write(project: Path, keywords: str = "") -> None:
    (project / "site.yml").write_text(PLAYBOOK.format(directory=project, keywords=keywords))


def arrived(project: Path) -> int:
    return sum(path.stat().st_size for path in (project / "there").iterdir())


def left(project: Path) -> list[str]:
    return [path.name for path in (project / "there").iterdir()]


def reads(process: int, file: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(os.readlink(opened) == str(file) for opened in Path(f"/proc/{process}/fd").iterdir())
    return False


@pytest.fixture(autouse=True)
def _known_checksum(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Twenty gigabytes take half a minute to be summed up, before anything is sent."""
    directory = tmp_path / "python"
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(
        "import os\n"
        "from drumline.plugin.kit import transfer\n"
        "real = transfer._sum\n"
        "def known(file, beginning):\n"
        f"    if os.fstat(file.fileno()).st_size == {SIZE}: return '0' * 40\n"
        "    return (yield from real(file, beginning))\n"
        "transfer._sum = known\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(directory))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "two Ctrl-C"])
def test_a_signal(project: Path, number: signal.Signals) -> None:
    write(project)
    with running(project, "run", "site.yml", "-i", "inventory") as program:
        wait_until(lambda: arrived(project) > 1_000_000)
        began = time.monotonic()
        program.send(number)
        if number is signal.SIGINT:
            time.sleep(0.3)
            program.send(number)
        ended = program.end(30)
    assert ended.status == 130, ended.said
    assert time.monotonic() - began < 15
    assert left(project) == []


def test_the_time_of_a_task(project: Path) -> None:
    write(project, "timeout: 3")
    ended = call(project, "run", "site.yml", "-i", "inventory")
    assert ended.status == 2
    assert "timed out" in ended.said
    assert left(project) == []


def test_the_time_of_a_task_that_hides_its_output(project: Path) -> None:
    """That its time was up is told all the same, as for commands, and nothing of what the transfer said."""
    write(project, "timeout: 1\n      no_log: true")
    ended = call(project, "run", "site.yml", "-i", "inventory", "--events", "-")
    assert ended.status == 2
    [result] = [event["result"] for event in ended.events() if event["event"] == "JobFinished"]
    assert result["timedout"] == {"period": 1}
    assert result["censored"] == "Timed out after 1 seconds. The output is hidden because the task says 'no_log: true'."
    assert "msg" not in result
    assert left(project) == []


def test_what_a_killed_run_has_left(project: Path) -> None:
    write(project)
    with running(project, "run", "site.yml", "-i", "inventory") as program:
        wait_until(lambda: arrived(project) > 1_000_000)
        os.kill(program.pid, signal.SIGKILL)
        program.end(30)
    assert left(project) != []
    (project / "large").write_bytes(b"x" * 100_000)
    ended = call(project, "run", "site.yml", "-i", "inventory")
    assert ended.status == 0, ended.said
    assert left(project) == ["large"]


@pytest.mark.parametrize("project", ["local"], indirect=True)
class TestBeforeAnythingIsSent:
    """The checksum of what is to be sent takes its time, too."""

    @pytest.fixture(autouse=True)
    def _real_checksum(self, _known_checksum: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PYTHONPATH")

    def test_the_time_of_a_task(self, project: Path) -> None:
        write(project, "timeout: 0.5")
        began = time.monotonic()
        ended = call(project, "run", "site.yml", "-i", "inventory")
        assert ended.status == 2
        assert time.monotonic() - began < 10
        assert left(project) == []

    def test_a_signal(self, project: Path) -> None:
        write(project)
        with running(project, "run", "site.yml", "-i", "inventory") as program:
            wait_until(lambda: reads(program.pid, project / "large"))
            began = time.monotonic()
            program.send(signal.SIGTERM)
            assert program.end(30).status == 130
        assert time.monotonic() - began < 10
