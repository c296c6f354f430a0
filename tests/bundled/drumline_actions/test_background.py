"""Commands in the background of real hosts, and what async_status says of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.background import in_background

from drumline.plugin import Result
from drumline.processes import exists
from drumline.testing import ActionHost

#: Seconds that a command in the background may take here at most.
_PATIENCE = 30


@pytest.fixture(autouse=True)
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a POSIX host keeps its jobs."""
    directory = tmp_path / "jobs"
    if "posix" in request.fixturenames:
        request.getfixturevalue("posix").settings["environment"] = {"ANSIBLE_ASYNC_DIR": str(directory)}
    return directory


def ended(host: ActionHost, job: str) -> Result:
    """The result of a job, when it has ended."""
    return until(lambda: host("async_status", jid=job), lambda result: bool(result.values["finished"]))


def until(ask: Callable[[], Result], holds: Callable[[Result], bool]) -> Result:
    deadline = time.monotonic() + _PATIENCE
    while not holds(result := ask()):
        assert time.monotonic() < deadline, result
        time.sleep(0.05)
    return result


def start(host: ActionHost, action: str = "shell", seconds: int = 60, **arguments: Any) -> str:
    result = host(in_background(action, seconds), **arguments)
    assert (result.changed, result.values["started"], result.values["finished"]) == (True, True, False)
    assert result.values["results_file"].endswith(result.values["ansible_job_id"])
    return str(result.values["ansible_job_id"])


def test_a_command_goes_on_by_itself(posix: ActionHost, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    text = f"while [ ! -e {gate} ]; do sleep 0.05; done; cat; pwd; umask; echo $FROM; echo err >&2; exit 3"
    posix.settings["environment"]["FROM"] = "environment"
    job = start(posix, cmd=text, chdir=str(tmp_path), stdin="typed")
    running = posix("async_status", jid=job)
    assert (running.values["finished"], running.failed, running.changed) == (False, False, False)
    gate.touch()
    result = ended(posix, job)
    assert (result.values["rc"], result.values["cmd"], result.failed, result.changed) == (3, text, True, True)
    typed, directory, mask, environment = result.values["stdout"].splitlines()
    assert (typed, directory, environment, result.values["stderr"]) == ("typed", str(tmp_path), "environment", "err")
    assert mask.endswith("22")
    assert result.message == "non-zero return code"


def test_its_words_are_kept_and_nothing_else_is_left(posix: ActionHost, jobs: Path) -> None:
    job = start(posix, "command", argv=["printf", "%s|", "a b", "$HOME", "it's"], expand_argument_vars=False)
    result = ended(posix, job)
    assert result.values["cmd"] == ["printf", "%s|", "a b", "$HOME", "it's"]
    assert (result.values["stdout"], result.values["msg"], result.failed) == ("a b|$HOME|it's|", "", False)
    assert (jobs / job).stat().st_mode & 0o777 == 0o700
    until_gone = ["cmd", "code", "err", "out"]
    until(lambda: result, lambda _: sorted(path.name for path in (jobs / job).iterdir()) == until_gone)
    erased = posix("async_status", jid=job, mode="cleanup")
    assert (erased.values["erased"], erased.values["started"]) == (str(jobs / job), False)
    assert list(jobs.iterdir()) == []


def test_one_that_takes_too_long_is_ended_with_its_children(posix: ActionHost, tmp_path: Path) -> None:
    number = tmp_path / "number"
    job = start(posix, seconds=1, cmd=f"sleep 60 & echo $! >{number}; wait")
    result = ended(posix, job)
    assert (result.failed, result.message) == (True, "Timeout exceeded")
    until(lambda: result, lambda _: not exists(int(number.read_text())))


def test_a_script_of_this_machine(posix: ActionHost, tmp_path: Path) -> None:
    script = tmp_path / "it.sh"
    script.write_text("#!/bin/sh\necho got $1\n")
    assert ended(posix, start(posix, "script", cmd=f"{script} x")).values["stdout"] == "got x"


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_what_exists_is_not_made_again(posix: ActionHost, tmp_path: Path) -> None:
    result = posix(in_background("shell"), cmd="echo never", creates=str(tmp_path))
    assert result.message == f"Did not run command since '{tmp_path}' exists"
    assert "ansible_job_id" not in result.values
    assert ended(posix, start(posix, cmd="echo made", creates=str(tmp_path / "new"))).values["stdout"] == "made"


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
@pytest.mark.parametrize("job", ["j1.2", "../etc", ""])
def test_an_unknown_job(posix: ActionHost, job: str) -> None:
    result = posix("async_status", jid=job)
    assert (result.failed, result.message) == (True, "could not find job")


@pytest.mark.windows
@pytest.mark.parametrize(
    ("action", "arguments", "code", "output"),
    [
        ("win_shell", {"cmd": "$input; Write-Output $env:FROM; exit 3", "stdin": "typed"}, 3, "environment"),
        ("win_shell", {"cmd": "echo one& exit 2", "executable": "cmd"}, 2, "one"),
        ("win_command", {"cmd": "cmd.exe /c echo two"}, 0, "two"),
    ],
)
def test_on_windows(windows: ActionHost, action: str, arguments: dict[str, Any], code: int, output: str) -> None:
    windows.settings["environment"] = {"FROM": "environment"}
    job = start(windows, action, **arguments)
    result = ended(windows, job)
    assert (result.values["rc"], result.values["cmd"], result.failed) == (code, arguments["cmd"], code != 0)
    assert output in result.values["stdout"]
    assert windows("async_status", jid=job, mode="cleanup").values["erased"].endswith(job)
    assert windows("async_status", jid=job).message == "could not find job"


@pytest.mark.windows
def test_one_that_takes_too_long_on_windows(windows: ActionHost) -> None:
    job = start(windows, "win_shell", seconds=1, cmd="Start-Sleep 60")
    assert ended(windows, job).message == "Timeout exceeded"
