"""The life of a lab: up, in use, down, and every way in which that can be cut short."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from winrm.protocol import Protocol

from drumline.plugin import UsageError
from drumline_lab import lab
from drumline_lab.fleet import windows_host
from drumline_lab.sshd import stop_sshd
from drumline_lab.wsman import Windows

#: Starts a lab as ``drumline lab up`` does, in a process that a test can end.
_UP = """
import sys
from pathlib import Path
from drumline_lab import lab
from drumline_lab.fleet import FleetRequest
lab.up(Path(sys.argv[1]), FleetRequest(linux=1, windows=1, program=sys.argv[2]))
"""


def test_a_fleet_works_and_leaves_nothing_behind(
    up: Callable[..., lab.State], directory: Path, leftovers: Callable[[], list[str]]
) -> None:
    state = up(linux=2, windows=2)
    inventory = directory / lab.INVENTORY
    assert stat.S_IMODE(inventory.stat().st_mode) == 0o600
    assert stat.S_IMODE((directory / lab.STATE).stat().st_mode) == 0o600
    assert all(lab.health(state).values())
    groups = yaml.safe_load(inventory.read_text())["all"]["children"]
    seen = {_ssh(host, 'cd "{lab_root}" && echo here > file && pwd') for host in groups["linux"]["hosts"].values()}
    assert seen == {host["lab_root"] for host in groups["linux"]["hosts"].values()}
    seen = {_winrm(host, "echo here> file && pwd") for host in groups["windows"]["hosts"].values()}
    assert seen == {host["lab_root"] for host in groups["windows"]["hosts"].values()}
    assert len({(host.address, host.port) for host in state.hosts}) == 4
    assert len(list(directory.glob("hosts/*/root/file"))) == 4
    assert lab.down(directory)
    assert not directory.exists()
    assert leftovers() == []
    assert not lab.down(directory)


def test_up_twice_is_one_fleet(up: Callable[..., lab.State], directory: Path) -> None:
    first = up(windows=1)
    assert up(windows=1) == first
    with pytest.raises(UsageError, match="Another practice fleet is up") as caught:
        up(windows=2)
    assert "0 Linux and 1 Windows" in caught.value.detail
    assert lab.alive(directory)


def test_a_crash_is_noticed_and_cleared_away(
    up: Callable[..., lab.State],
    directory: Path,
    leftovers: Callable[[], list[str]],
    until: Callable[[Callable[[], object]], None],
) -> None:
    state = up(linux=1, windows=1)
    host = yaml.safe_load((directory / lab.INVENTORY).read_text())["all"]["children"]["windows"]["hosts"]["app1"]
    protocol = _protocol(host)
    protocol.run_command(protocol.open_shell(), "echo $$ > pid; sleep 1000")
    protocol.transport.close_session()
    pid = directory / "hosts" / "app1" / "root" / "pid"
    until(lambda: pid.exists() and pid.read_text())
    os.kill(state.pid, signal.SIGKILL)
    until(lambda: not lab.alive(directory))
    assert leftovers()  # its sshd and the command
    assert lab.down(directory)
    assert not directory.exists()
    assert leftovers() == []


def test_a_crashed_fleet_is_cleared_away_by_the_next(
    up: Callable[..., lab.State],
    directory: Path,
    until: Callable[[Callable[[], object]], None],
    leftovers: Callable[[], list[str]],
) -> None:
    state = up(linux=1)
    os.kill(state.pid, signal.SIGKILL)
    until(lambda: not lab.alive(directory))
    again = up(linux=1)
    assert again.pid != state.pid
    assert all(lab.health(again).values())
    lab.down(directory)
    assert leftovers() == []


def test_a_signal_to_the_process_takes_everything_down(
    up: Callable[..., lab.State],
    directory: Path,
    until: Callable[[Callable[[], object]], None],
    leftovers: Callable[[], list[str]],
) -> None:
    state = up(linux=1, windows=1)
    os.kill(state.pid, signal.SIGTERM)
    until(lambda: not directory.exists())
    until(lambda: not leftovers())


def test_a_host_that_does_not_start_takes_the_others_with_it(
    up: Callable[..., lab.State], directory: Path, tmp_path: Path, leftovers: Callable[[], list[str]]
) -> None:
    program = _program(tmp_path, "echo no licence >&2; exit 3")
    with pytest.raises(UsageError, match="app1") as caught:
        up(linux=1, windows=1, program=program)
    assert "no licence" in caught.value.detail
    assert not directory.exists()
    assert leftovers() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_up_that_is_cut_short_leaves_no_orphan(
    directory: Path,
    tmp_path: Path,
    until: Callable[[Callable[[], object]], None],
    leftovers: Callable[[], list[str]],
    number: int,
) -> None:
    program = _program(tmp_path, f"touch {tmp_path}/starting; sleep 1; exit 0")
    process = subprocess.Popen([sys.executable, "-c", _UP, str(directory), program], stderr=subprocess.PIPE)
    with process:
        until((tmp_path / "starting").exists)
        process.send_signal(number)
        process.communicate(timeout=30)
    until(lambda: not leftovers())
    until(lambda: not directory.exists())


def test_files_of_others_are_neither_taken_nor_removed(up: Callable[..., lab.State], directory: Path) -> None:
    directory.mkdir()
    (directory / "notes.txt").write_text("mine")
    up(windows=1)
    lab.down(directory)
    assert [path.name for path in directory.iterdir()] == ["notes.txt"]
    (directory / lab.INVENTORY).write_text("all:")
    with pytest.raises(UsageError, match="holds files of something else"):
        up(windows=1)
    assert (directory / lab.INVENTORY).read_text() == "all:"
    (directory / lab.INVENTORY).unlink()


def test_a_directory_that_can_not_be_made(up: Callable[..., lab.State], directory: Path) -> None:
    directory.write_text("a file")
    with pytest.raises(UsageError, match="can't be made"):
        up(windows=1)
    directory.unlink()


def test_a_broken_state_is_told(directory: Path) -> None:
    directory.mkdir()
    (directory / lab.STATE).write_text("{")
    with pytest.raises(UsageError, match="can't be read"):
        lab.State.load(directory)
    (directory / lab.STATE).unlink()


def test_a_host_that_has_gone_is_no_longer_healthy(
    up: Callable[..., lab.State], directory: Path, until: Callable[[Callable[[], object]], None]
) -> None:
    state = up(linux=2)
    first, second = state.hosts
    stop_sshd(directory / "hosts" / first.name / "sshd")
    until(lambda: not lab.health(state)[first.name])
    assert lab.health(state)[second.name]


@pytest.mark.windows
def test_real_windows_hosts_are_removed_in_the_end(
    up: Callable[..., lab.State], directory: Path, leftovers: Callable[[], list[str]], windows_program: str
) -> None:
    state = up(windows=2, program=windows_program)
    hosts = yaml.safe_load((directory / lab.INVENTORY).read_text())["all"]["children"]["windows"]["hosts"]
    assert [host["lab_root"] for host in hosts.values()] == [r"C:\lab", r"C:\lab"]
    assert _winrm(hosts["app1"], r"cd C:\lab && echo one> file && more < file") == "one"
    assert "one" not in _winrm(hosts["app2"], r"cd C:\lab & dir")
    drives = [Windows(windows_program, windows_host(state.token, name)).path() for name in hosts]
    assert all(drive.is_dir() for drive in drives)
    lab.down(directory)
    assert not any(drive.exists() for drive in drives)
    assert leftovers() == []


def _ssh(host: dict[str, str], line: str) -> str:
    key, options = host["ansible_ssh_private_key_file"], host["ansible_ssh_common_args"].split()
    command = ["ssh", "-F", "none", "-i", key, *options, "-p", str(host["ansible_port"]), "-l", host["ansible_user"]]
    done = subprocess.run([*command, host["ansible_host"], line.format(**host)], capture_output=True, check=True)
    return done.stdout.decode().strip()


def _protocol(host: dict[str, Any]) -> Protocol:
    return Protocol(
        f"http://{host['ansible_host']}:{host['ansible_port']}/wsman",
        transport=host["ansible_winrm_transport"],
        username=host["ansible_user"],
        password=host["ansible_password"],
        message_encryption=host["ansible_winrm_message_encryption"],
        proxy=None,
        ca_trust_path=None,  # type: ignore[arg-type]  # then no environment variable counts
    )


def _winrm(host: dict[str, str], line: str) -> str:
    protocol = _protocol(host)
    shell = protocol.open_shell(codepage=65001)
    output: bytes
    output, _, _ = protocol.get_command_output(shell, protocol.run_command(shell, line))
    protocol.close_shell(shell)
    protocol.transport.close_session()
    return output.decode().strip()


def _program(directory: Path, cmd: str) -> str:
    """A Windows program of which only ``cmd`` does something."""
    path = directory / "windows"
    path.write_text(f"#!/bin/sh\ncase $1 in cmd) {cmd};; path) echo /nowhere;; esac\n")
    path.chmod(0o755)
    return str(path)


def test_a_windows_program_that_has_gone_keeps_nothing_else_from_being_removed(
    up: Callable[..., lab.State],
    directory: Path,
    tmp_path: Path,
    leftovers: Callable[[], list[str]],
    until: Callable[[Callable[[], object]], None],
) -> None:
    program = _program(tmp_path, "exit 0")
    state = up(linux=1, windows=1, program=program)
    os.kill(state.pid, signal.SIGKILL)
    until(lambda: not lab.alive(directory))
    Path(program).unlink()
    with pytest.raises(UsageError, match="can't be removed"):
        lab.down(directory)
    assert not directory.exists()
    assert leftovers() == []
