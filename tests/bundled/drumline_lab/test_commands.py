"""``drumline lab`` as it is typed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner

from drumline.cli.surroundings import Surroundings
from drumline.plugin import UsageError
from drumline.plugin.manager import load_plugins
from drumline_lab import lab
from drumline_lab.commands import command
from drumline_lab.fleet import answers
from drumline_lab.sshd import stop_sshd

PROGRAM = """
from drumline.plugin import hookimpl

@hookimpl
def drumline_lab_program():
    return "/named/by/a/plugin"
"""

Typed: TypeAlias = Callable[..., tuple[int, str]]


@pytest.fixture
def run(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Types a command; returns its exit status and what it says."""
    monkeypatch.delenv("DRUMLINE_LAB_WINDOWS", raising=False)

    def run(verb: str, *arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(command, [verb, "--directory", str(directory), *arguments], obj=Surroundings())
        if isinstance(result.exception, UsageError):
            raise result.exception
        return result.exit_code, result.output

    return run


def test_up_status_down(run: Typed, directory: Path) -> None:
    code, said = run("up", "--linux", "1", "--windows", "1")
    assert code == 0
    assert "web1: OpenSSH's sshd" in said
    assert "app1: WinRM, in front of /bin/sh alone" in said
    assert str(directory / lab.INVENTORY) in said
    code, said = run("up", "--linux", "1", "--windows", "1")
    assert (code, said.splitlines()[0]) == (0, "The practice fleet is already up.")
    code, said = run("status")
    assert code == 0
    rows = [line.split() for line in said.splitlines()]
    assert rows[0][:2] == ["HOST", "GROUPS"]
    assert [row[0] for row in rows[1:]] == ["web1", "app1"]
    assert all("answers" in row for row in rows[1:])
    assert run("down") == (0, "The practice fleet is stopped and removed.\n")
    assert run("down")[1].startswith("No practice fleet")
    assert run("status")[0] == 4


def test_status_tells_of_hosts_that_do_not_answer_and_of_a_crash(
    run: Typed, directory: Path, until: Callable[[Callable[[], object]], None]
) -> None:
    run("up", "--linux", "1", "--windows", "0")
    state = lab.State.load(directory)
    assert state is not None
    stop_sshd(directory / "hosts" / "web1" / "sshd")
    until(lambda: not answers(state.hosts[0]))
    code, said = run("status")
    assert (code, "no answer" in said) == (4, True)
    os.kill(state.pid, signal.SIGKILL)
    until(lambda: not lab.alive(directory))
    code, said = run("status")
    assert (code, "has crashed" in said) == (4, True)
    assert run("down")[0] == 0


def test_no_hosts_at_all(run: Typed) -> None:
    with pytest.raises(UsageError, match="A fleet needs hosts"):
        run("up", "--linux", "0", "--windows", "0")


def test_a_windows_program_must_be_there(run: Typed, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="can't be run") as caught:
        run("up", "--windows-program", "/no/such/program")
    assert "/no/such/program" in caught.value.detail
    monkeypatch.setenv("DRUMLINE_LAB_WINDOWS", "/nor/this")
    with pytest.raises(UsageError, match="can't be run") as caught:
        run("up")
    assert "/nor/this" in caught.value.detail
    assert not directory.exists()


def test_a_plugin_of_the_project_may_name_the_windows_program(
    run: Typed, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "windows.py").write_text(PROGRAM)
    with pytest.raises(UsageError, match="can't be run") as caught:
        run("up")
    assert "/named/by/a/plugin" in caught.value.detail
    with pytest.raises(UsageError, match="can't be run") as caught:
        run("up", "--windows-program", "/named/by/an/option")
    assert "/named/by/an/option" in caught.value.detail
    assert not directory.exists()


def test_drumline_offers_it() -> None:
    assert load_plugins().commands["lab"].load == "drumline_lab.commands:command"
