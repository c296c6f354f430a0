"""``command``, ``shell``, ``raw`` and ``script`` on real hosts."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.narrowing import expect

from drumline.plugin import ActionFailed, Completed, Ending, Language, Platform, Run
from drumline.plugin.manager import load_plugins
from drumline.testing import ActionHost, play

ACTIONS = load_plugins().actions


def test_command_has_no_shell(posix: ActionHost, tmp_path: Path) -> None:
    result = posix("command", cmd="printf '%s|' a 'b  c' '*' ';' '`id`' '$(id)' \"q'\" \\\\n")
    assert result.changed
    assert not result.failed
    assert result.values["stdout"] == "a|b  c|*|;|`id`|$(id)|q'|\\n|"
    assert result.values["rc"] == 0
    assert result.values["cmd"][:3] == ["printf", "%s|", "a"]


def test_command_expands_home_and_variables_only(posix: ActionHost, tmp_path: Path) -> None:
    posix.settings["environment"] = {"HOME": str(tmp_path), "A": "x  y"}
    result = posix("command", argv=["printf", "%s|", "~", "~/a b", "$A", "${A}z", "$NOT_SET", "${NOT_SET}", "a~"])
    assert result.values["stdout"] == f"{tmp_path}|{tmp_path}/a b|x  y|x  yz|$NOT_SET|${{NOT_SET}}|a~|"


def test_command_expands_nothing_where_it_must_not(posix: ActionHost) -> None:
    result = posix("command", cmd="printf %s| ~ $HOME ${HOME} 'a b'", expand_argument_vars=False)
    assert result.values["stdout"] == "~|$HOME|${HOME}|a b|"


def test_command_runs_the_program_not_the_shells_own_word(posix: ActionHost) -> None:
    assert posix("command", cmd="cd /").failed
    assert posix("command", cmd="echo 'a\\tb'").values["stdout"] == "a\\tb"


def test_a_failure_has_code_and_output(posix: ActionHost) -> None:
    result = posix("shell", cmd="echo out; echo err >&2; exit 7")
    assert result.failed
    assert result.message == "non-zero return code"
    assert {key: result.values[key] for key in ("rc", "stdout", "stderr")} == {
        "rc": 7,
        "stdout": "out",
        "stderr": "err",
    }
    assert posix("shell", cmd="no-such-program-here").values["rc"] == 127


@pytest.mark.parametrize(("program", "code"), [("no-such-program-here", 2), ("/no/such program", 2), ("/etc", 13)])
def test_a_program_that_can_not_be_started_has_changed_nothing(posix: ActionHost, program: str, code: int) -> None:
    result = posix("command", argv=[program, "a b"])
    assert (result.changed, result.failed, result.message) == (False, True, "Error executing command.")
    assert result.values == {"rc": code, "cmd": shlex.join([program, "a b"]), "stdout": "", "stderr": ""}


@pytest.mark.parametrize("code", [126, 127])
def test_a_program_may_end_as_a_shell_does_that_can_not_start_one(posix: ActionHost, code: int) -> None:
    result = posix("command", argv=["sh", "-c", f"echo out; exit {code}"])
    assert (result.changed, result.values["rc"], result.values["stdout"]) == (True, code, "out")


def test_a_program_is_looked_for_only_where_it_seems_to_be_missing(posix: ActionHost) -> None:
    posix("command", cmd="false")
    assert len(posix.requests) == 1


def test_stdin_directory_and_ends(posix: ActionHost, tmp_path: Path) -> None:
    (tmp_path / "sub dir").mkdir()
    result = posix("shell", cmd="pwd; cat; printf '\\n\\n'", stdin="ü", chdir=str(tmp_path / "sub dir"))
    assert result.values["stdout"] == f"{tmp_path}/sub dir\nü"
    result = posix("shell", cmd="cat; echo", stdin="x", stdin_add_newline=False, strip_empty_ends=False)
    assert result.values["stdout"] == "x\n"
    assert posix("shell", cmd="true", chdir=str(tmp_path / "absent")).failed


def test_executable(posix: ActionHost) -> None:
    assert posix("shell", cmd="echo $0", executable="/bin/bash").values["stdout"].endswith("bash")
    result = posix("shell", cmd="echo ${BASH_VERSION:+bash}", executable="/bin/bash", creates="/absent")
    assert result.values["stdout"] == "bash"


@pytest.mark.parametrize("action", ["command", "shell"])
def test_creates_and_removes(posix: ActionHost, tmp_path: Path, action: str) -> None:
    made = tmp_path / "made here"
    task = {"cmd": f"touch '{made}'", "creates": str(made)}
    assert posix(action, **task).changed
    assert len(posix.requests) == 1
    result = posix(action, **task)
    assert not result.changed
    assert result.message == f"Did not run command since '{made}' exists"
    assert result.values["stdout"] == f"skipped, since {made} exists"
    assert not posix(action, cmd="false", creates="mad?*", chdir=str(tmp_path)).failed
    assert posix(action, cmd="false", creates="mad?", chdir=str(tmp_path)).failed
    assert posix(action, cmd="false", creates="[x]*", chdir=str(tmp_path)).failed
    assert not posix(action, cmd="false", removes=str(tmp_path / "absent*")).changed
    assert posix(action, cmd=f"rm '{made}'", removes=str(made)).changed
    assert not made.exists()
    assert not posix(action, cmd=f"rm '{made}'", removes=str(made)).changed


def test_raw(posix: ActionHost) -> None:
    result = posix("raw", cmd="echo a; echo b | tr b c")
    assert result.values["stdout"] == "a\nc\n"
    assert posix("raw", cmd="exit 3").failed


@pytest.mark.parametrize(
    "arguments", [{}, {"cmd": "x", "argv": ["x"]}, {"cmd": "  "}, {"argv": []}, {"cmd": "echo 'open"}]
)
def test_wrong_arguments(posix: ActionHost, arguments: dict[str, object]) -> None:
    with pytest.raises(ActionFailed):
        posix("command", **arguments)
    assert posix.requests == []


@pytest.mark.parametrize(
    ("ending", "timeout", "message"),
    [
        (Ending.TIMED_OUT, 30.0, "Timed out: the command and its children were ended on the host after 30 seconds"),
        (Ending.TIMED_OUT, None, "Timed out: the command and its children were ended on the host when its time was up"),
        (Ending.INTERRUPTED, 30.0, "Interrupted: the command and its children were ended on the host"),
    ],
)
def test_what_was_ended_is_told(posix: ActionHost, ending: Ending, timeout: float | None, message: str) -> None:
    posix.settings["timeout"] = timeout
    posix.answer = lambda _: Completed(code=None, stdout=b"so far", ending=ending)
    for action in ("command", "shell", "raw"):
        with pytest.raises(ActionFailed) as failed:
            posix(action, cmd="sleep 100")
        assert failed.value.message.startswith(message)
        assert failed.value.values["stdout"] == "so far"


# script


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "my script.sh"
    path.write_text('#!/bin/sh\nprintf "%s|" "$@"\npwd\necho "$0" >&2\nexit ${CODE:-0}\n')
    return path


@pytest.mark.parametrize("size", [0, 100_000])
def test_script(posix: ActionHost, script: Path, tmp_path: Path, size: int) -> None:
    script.write_text(script.read_text() + "#" * size)
    posix.settings["environment"] = {"A": "x y", "CODE": "4", "TMPDIR": str(tmp_path)}
    result = posix("script", cmd=f"'{script}' one 'two 2' $A ';'", chdir="/")
    assert len(posix.requests) == (1 if size == 0 else 3)
    assert result.failed
    assert result.values["rc"] == 4
    assert result.values["stdout"] == "one|two 2|x y|;|/"
    assert not Path(result.values["stderr"]).exists()
    assert [path.name for path in tmp_path.iterdir()] == [script.name]


def test_script_with_a_program_of_its_own(posix: ActionHost, tmp_path: Path) -> None:
    (tmp_path / "program").write_text("echo ${BASH_VERSION:+bash}")
    assert posix("script", cmd=f"{tmp_path}/program", executable="/bin/bash").values["stdout"] == "bash"
    assert posix("script", cmd=f"{tmp_path}/program").values["rc"] == 0
    assert not posix("script", cmd=f"{tmp_path}/program", creates=str(tmp_path / "prog*")).changed


# Windows.


@pytest.mark.windows
def test_shells_on_windows(windows: ActionHost) -> None:
    result = windows("win_shell", cmd="'ü'; 1 + 1; $args.Count")
    assert result.values["stdout"] == "ü\r\n2\r\n0"
    assert windows("shell", cmd="echo %OS%& exit 3", executable="cmd").values["rc"] == 3
    assert expect(Run, windows.requests[0]).language is Language.CMD
    assert windows("shell", cmd="throw 'why'").failed
    assert windows("raw", cmd="'raw'").values["stdout"] == "raw\r\n"


@pytest.mark.windows
def test_command_on_windows(windows: ActionHost, directory: tuple[str, Path]) -> None:
    result = windows("win_command", cmd='cmd /c "echo %CD%& exit 7"', chdir=directory[0])
    assert result.values["rc"] == 7
    assert result.values["stdout"] == directory[0]
    assert expect(Run, windows.requests[0]).language is Language.EXEC
    result = windows("command", argv=["pwsh", "-NoProfile", "-Command", "'a b'"])
    assert result.values["stdout"] == "a b"


@pytest.mark.windows
@pytest.mark.parametrize("executable", ["cmd", None])
def test_creates_and_removes_on_windows(
    windows: ActionHost, directory: tuple[str, Path], executable: str | None
) -> None:
    made = f"{directory[0]}\\made"
    make = f"echo x>{made}" if executable else f"Set-Content {made} x"
    assert windows("win_shell", cmd=make, creates=made, executable=executable).changed
    assert not windows("win_shell", cmd=make, creates=f"{directory[0]}\\m*", executable=executable).changed
    assert windows("win_shell", cmd=f"del {made}", removes=made, executable=executable).changed
    assert not windows("win_shell", cmd=f"del {made}", removes=made, executable=executable).changed


@pytest.mark.windows
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_powershell_script(windows: ActionHost, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "it is.ps1"
    path.write_bytes('using namespace System.IO\nparam($Name, [int]$Count)\n"$Name $($Count + 1) ü"\n'.encode(encoding))
    result = windows("script", cmd=f'"{path}" -Name "a b" -Count 2')
    assert result.values["stdout"] == "a b 3 ü"
    assert len(windows.requests) == 1


@pytest.mark.windows
@pytest.mark.parametrize("padding", [0, 100_000])
def test_batch_script(windows: ActionHost, tmp_path: Path, padding: int) -> None:
    path = tmp_path / "it.cmd"
    path.write_bytes(b"@echo off\r\necho %1 %~f0\r\nexit 5\r\n" + b"rem x\r\n" * (padding // 7))
    result = windows("script", cmd=f"{path} first")
    assert result.values["rc"] == 5
    assert result.values["stdout"].startswith("first C:\\")
    gone = result.values["stdout"].removeprefix("first ")
    assert not windows("win_stat", path=gone).values["stat"]["exists"]


def test_windows_arguments_are_quoted_as_programs_read_them(posix: ActionHost) -> None:
    posix.platform = Platform.WINDOWS
    posix.answer = lambda _: Completed(code=0)
    posix("command", argv=["a b", 'say "hi"', "c:\\x y\\"])
    assert expect(Run, posix.requests[0]).text == '"a b" "say \\"hi\\"" "c:\\x y\\\\"'


@pytest.mark.parametrize("platform", Platform)
@pytest.mark.parametrize("script", ["it.sh", "it.ps1", "large.bin"])
def test_of_all_requests_one_is_what_the_task_is_about(platform: Platform, script: str, tmp_path: Path) -> None:
    """What ``start`` holds back, behind whatever prepares it."""
    (tmp_path / script).write_text("x" * (200_000 if script == "large.bin" else 1))
    ready = Completed(code=0, stdout=b'{"upload": "t"}' if platform is Platform.WINDOWS else b"upload=t\0")
    tasks = {"command": "x", "shell": "x", "script": str(tmp_path / script)}
    for name, cmd in tasks.items():
        for creates in (None, "/absent"):
            action = ACTIONS[name]
            assert action.can_start
            requests, _ = play(
                action,
                {"cmd": cmd, "creates": creates},
                lambda request: ready if isinstance(request, Run) else None,
                platform=platform,
            )
            assert [request.main for request in requests if isinstance(request, Run)].count(True) == 1
    assert [name for name, action in ACTIONS.items() if action.can_start and name == action.name] == list(tasks)


@pytest.fixture
def noexec(tmp_path: Path) -> Iterator[Path]:
    """A directory from which no program can be started."""
    directory = tmp_path / "noexec"
    directory.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "noexec,size=1m", "none", str(directory)], check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


@pytest.mark.parametrize("size", [0, 100_000])
def test_script_where_nothing_can_be_started(posix: ActionHost, noexec: Path, tmp_path: Path, size: int) -> None:
    posix.settings["environment"] = {"TMPDIR": str(noexec)}
    script = tmp_path / "it"
    padding = "#" * size + "\n"
    for first, body, said in (
        ("#!/bin/sh -e", 'echo "$# $1"; false; echo never', "1 a b"),
        (f"#!{sys.executable} -E", "import sys; print(sys.argv[1:])", "['a b']"),
        ("#!/bin/sh", 'echo "$# $1"', "1 a b"),
        ("", 'echo "$# $1"', "1 a b"),
    ):
        script.write_text(f"{first}\n{padding}{body}\n")
        assert posix("script", cmd=f"{script} 'a b'").values["stdout"] == said
    shutil.copy("/bin/true", script)
    result = posix("script", cmd=str(script))
    assert result.failed
    assert "mounted noexec" in result.values["stderr"]
    assert list(noexec.iterdir()) == []
