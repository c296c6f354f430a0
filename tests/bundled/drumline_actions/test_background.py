"""Tasks in the background of real hosts, and what async_status says of them: in the same run, and in another."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from support.background import in_background

from drumline.plugin import ActionFailed, Result, TransferFailed
from drumline.processes import exists
from drumline.testing import ActionHost, HostDirectory
from drumline.testing.hosts import find_action

#: Seconds that a task in the background may take here at most; a PowerShell of its own may take long to start.
_PATIENCE = 120


@pytest.fixture(autouse=True)
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a POSIX host keeps its jobs."""
    directory = tmp_path / "jobs"
    if "posix" in request.fixturenames:
        request.getfixturevalue("posix").settings |= {"environment": {"ANSIBLE_ASYNC_DIR": str(directory)}, "left": {}}
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
    until_gone = ["code", "err", "known", "out"]
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
    assert ended(posix, start(posix, "script", cmd=f"{script_in(tmp_path)} x")).values["stdout"].strip() == "got x"


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_what_exists_is_not_made_again(posix: ActionHost, tmp_path: Path) -> None:
    result = ended(posix, start(posix, cmd="echo never", creates=str(tmp_path)))
    assert result.message == f"Did not run command since '{tmp_path}' exists"
    assert (result.changed, result.values["stdout"]) == (False, f"skipped, since {tmp_path} exists")
    assert ended(posix, start(posix, cmd="echo made", creates=str(tmp_path / "new"))).values["stdout"] == "made"


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_any_action_goes_on_by_itself_and_its_result_is_its_own(posix: ActionHost, tmp_path: Path) -> None:
    """One script; requests before it and after it; none that the task is about, so that it is carried out at once."""
    large, found, lines = tmp_path / "large", tmp_path / "found", tmp_path / "lines"
    large.write_text("x" * 100_000)
    lines.write_text("one\n")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "leaf").write_text("leaf")
    copy = find_action("copy")
    tasks: list[tuple[str, dict[str, Any], Callable[[Result], bool]]] = [
        ("file", {"path": str(tmp_path / "new"), "state": "touch"}, lambda one: one.values["dest"].endswith("/new")),
        ("stat", {"path": str(large)}, lambda one: not one.changed and one.values["stat"]["size"] == 100_000),
        ("copy", {"src": str(large), "dest": str(found)}, lambda one: bool(one.changed and one.values["md5sum"])),
        (
            "copy",
            {"src": str(large), "dest": str(found)},
            lambda one: not one.changed and one.values["size"] == 100_000,
        ),
        ("copy", {"src": str(tmp_path / "tree"), "dest": str(tmp_path / "in")}, lambda one: one.changed),
        (
            "lineinfile",
            {"path": str(lines), "line": "two"},
            lambda one: bool(one.changed and one.message == "line added"),
        ),
        ("lineinfile", {"path": str(lines), "line": "two"}, lambda one: not one.changed),
        ("raw", {"cmd": "echo raw"}, lambda one: one.values["stdout"] == "raw\n"),
    ]
    for name, arguments, holds in tasks:
        arguments = {"local_follow": True, **arguments} if name == copy.name else arguments
        job = start(posix, name, **arguments)
        results = [ended(posix, job), posix("async_status", jid=job)]
        assert all(holds(result) and result.values["finished"] for result in results), (name, arguments, results)
        assert results[0].values == results[1].values
    assert (tmp_path / "in" / "tree" / "leaf").read_text() == "leaf"
    assert lines.read_text() == "one\ntwo\n"


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_another_run_knows_what_the_host_has_said(posix: ActionHost, tmp_path: Path) -> None:
    for name, arguments, changed, values in (
        ("file", {"path": str(tmp_path / "new"), "state": "directory"}, True, {"state": "directory"}),
        ("command", {"argv": ["printf", "a b"]}, True, {"stdout": "a b", "rc": 0, "cmd": ["printf", "a b"]}),
        ("script", {"cmd": str(script_in(tmp_path))}, True, {"stdout": "got", "rc": 0}),
        ("command", {"cmd": "echo", "creates": str(tmp_path)}, False, {"rc": 0}),
    ):
        job = start(posix, name, **arguments)
        posix.settings["left"] = {}
        result = ended(posix, job)
        assert (result.changed, result.failed) == (changed, False), result
        assert {key: result.values[key] for key in values} == values
    job = start(posix, "file", path=str(tmp_path / "no"), state="file")
    posix.settings["left"] = {}
    with pytest.raises(ActionFailed, match="absent") as failed:
        ended(posix, job)
    assert failed.value.values["finished"]


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_that_a_failure_stays_one_however_often_it_is_asked_for(posix: ActionHost) -> None:
    job = start(posix, "expect", command="false", responses={"x": "y"})
    with pytest.raises(ActionFailed) as failed:
        ended(posix, job)
    again = posix("async_status", jid=job)
    assert (again.failed, again.message) == (True, failed.value.message)
    assert again.values == failed.value.values


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_a_check_leaves_nothing_on_the_host(posix: ActionHost, jobs: Path, tmp_path: Path) -> None:
    posix.settings["check"] = True
    result = posix(in_background("file"), path=str(tmp_path / "new"), state="touch")
    assert (result.changed, result.values["finished"]) == (True, False)
    assert posix("async_status", jid=result.values["ansible_job_id"]).changed
    assert not jobs.exists()
    assert not (tmp_path / "new").exists()


def script_in(directory: Path) -> Path:
    script = directory / "it.sh"
    script.write_text("#!/bin/sh\necho got $1\n")
    return script


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
    windows.settings |= {"environment": {"FROM": "environment"}, "left": {}}
    job = start(windows, action, **arguments)
    result = ended(windows, job)
    assert (result.values["rc"], result.values["cmd"], result.failed) == (code, arguments["cmd"], code != 0)
    assert output in result.values["stdout"]
    assert windows("async_status", jid=job, mode="cleanup").values["erased"].endswith(job)
    assert windows("async_status", jid=job).message == "could not find job"


@pytest.mark.windows
def test_any_action_on_windows(windows: ActionHost) -> None:
    windows.settings["left"] = {}
    with windows.directory() as directory:
        tasks: list[tuple[str, dict[str, Any]]] = [
            ("win_file", {"path": directory.at("new"), "state": "directory"}),
            ("win_copy", {"content": "hi", "dest": directory.at("c.txt")}),
            ("win_lineinfile", {"path": directory.at("c.txt"), "line": "there"}),
            ("script", {"cmd": "unused.ps1", "creates": directory.at("c.txt")}),
        ]
        for name, arguments in tasks:
            if name == "script":
                windows.settings["find_file"] = lambda src, _: Path(__file__)
            job = start(windows, name, **arguments)
            result = ended(windows, job)
            assert (result.changed, result.failed) == (name != "script", False), (name, result)
            windows.settings["left"] = {}
            assert windows("async_status", jid=job).changed == result.changed
            windows("async_status", jid=job, mode="cleanup")
        assert directory.entries() == {"new/": None, "c.txt": "hi\r\nthere"}


@pytest.mark.windows
def test_that_an_upload_is_removed_though_no_one_asks(windows: ActionHost, tmp_path: Path) -> None:
    """Unpacked or not; and the steps that are left can be dropped."""
    archive, broken = tmp_path / "a.zip", tmp_path / "b.zip"
    with ZipFile(archive, "w") as file:
        file.writestr("leaf", "x")
    broken.write_text("no archive")
    windows.settings["left"] = {}
    with windows.directory() as directory:
        windows.settings["environment"] = {"TEMP": directory.at(""), "TMP": directory.at("")}
        for src in archive, broken:
            windows.settings["find_file"] = lambda _, __, src=src: src
            start(windows, "unarchive", src=src.name, dest=directory.at("to"))
            until(lambda: Result(), lambda _: _names(directory) == ["to/", "to/leaf"])
        for steps in windows.settings["left"].values():
            steps.close()


def _names(directory: HostDirectory) -> list[str]:
    with suppress(TransferFailed):  # a file was removed after it was listed
        return [*directory.entries()]
    return []


@pytest.mark.windows
def test_one_that_takes_too_long_on_windows(windows: ActionHost) -> None:
    job = start(windows, "win_shell", seconds=1, cmd="Start-Sleep 60")
    assert ended(windows, job).message == "Timeout exceeded"
