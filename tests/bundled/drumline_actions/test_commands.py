"""``command``, ``shell``, ``raw`` and ``script`` on real hosts."""

from __future__ import annotations

import base64
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.mounts import mounted

from drumline.plugin import Completed, Ending, Language, Platform, Run
from drumline.plugin.manager import load_plugins
from drumline.testing import ActionHost, play
from drumline.testing.cases import ActionCases, Case, here

ACTIONS = load_plugins().actions


POSIX, WINDOWS = [Platform.POSIX], [Platform.WINDOWS]
#: What is told of a command that was ended; for the action that it belongs to.
ENDED = tuple(
    Case(
        f"{ending}, {timeout}",
        {"cmd": "sleep 100"},
        call={"timeout": timeout},
        answers=[Completed(code=None, stdout=b"so far", ending=ending)],
        failed=message,
        values={"stdout": "so far"},
    )
    for ending, timeout, message in (
        (Ending.TIMED_OUT, 30.0, "Timed out: the command and its children were ended on the host after 30 seconds"),
        (Ending.TIMED_OUT, None, "Timed out: the command and its children were ended on the host when its time was up"),
        (Ending.INTERRUPTED, 30.0, "Interrupted: the command and its children were ended on the host"),
    )
)
#: When ``creates`` and ``removes`` keep a command from running, whatever runs it.
GUARDED = (
    Case(
        "what it creates isn't there",
        {"cmd": f"touch '{here('made here')}'", "creates": here("made here")},
        changed=True,
        after={"made here": ""},
        requests=[Run],
    ),
    Case(
        "what it creates is there",
        {"cmd": "false", "creates": here("made here")},
        before={"made here": ""},
        changed=False,
        message=f"Did not run command since '{here('made here')}' exists",
        values={"stdout": f"skipped, since {here('made here')} exists"},
    ),
    Case("a pattern", {"cmd": "false", "creates": "mad?*", "chdir": here()}, before={"made": ""}, changed=False),
    *(
        Case(
            f"no pattern of it: {pattern}",
            {"cmd": "false", "creates": pattern, "chdir": here()},
            before={"made here": ""},
            failed="non-zero return code",
        )
        for pattern in ("mad?", "[x]*")
    ),
    Case("what it removes isn't there", {"cmd": "false", "removes": here("absent*")}, changed=False),
    Case(
        "what it removes is there",
        {"cmd": f"rm '{here('made')}'", "removes": here("made")},
        before={"made": ""},
        changed=True,
        after={},
    ),
)


class TestCommand(ActionCases):
    action = "command"
    platforms = POSIX
    cases = (
        Case(
            "it has no shell",
            {"cmd": "printf '%s|' a 'b  c' '*' ';' '`id`' '$(id)' \"q'\" \\\\n"},
            changed=True,
            repeats=False,
            values={
                "stdout": "a|b  c|*|;|`id`|$(id)|q'|\\n|",
                "rc": 0,
                "cmd": ["printf", "%s|", "a", "b  c", "*", ";", "`id`", "$(id)", "q'", "\\n"],
            },
        ),
        Case(
            "it expands home and variables only",
            {"argv": ["printf", "%s|", "~", "~/a b", "$A", "${A}z", "$NOT_SET", "${NOT_SET}", "a~"]},
            call={"environment": {"HOME": here(), "A": "x  y"}},
            values={"stdout": f"{here()}|{here('a b')}|x  y|x  yz|$NOT_SET|${{NOT_SET}}|a~|"},
        ),
        Case(
            "it expands nothing where it must not",
            {"cmd": "printf %s| ~ $HOME ${HOME} 'a b'", "expand_argument_vars": False},
            values={"stdout": "~|$HOME|${HOME}|a b|"},
        ),
        Case("it runs no word of the shell's", {"cmd": "cd /"}, failed="non-zero return code"),
        Case("its program isn't the shell's own", {"cmd": "echo 'a\\tb'"}, values={"stdout": "a\\tb"}),
        *(
            Case(
                f"a program may end as a shell does that can't start one: {code}",
                {"argv": ["sh", "-c", f"echo out; exit {code}"]},
                changed=True,
                failed="non-zero return code",
                repeats=False,
                values={"rc": code, "stdout": "out"},
            )
            for code in (126, 127)
        ),
        Case(
            "its program is looked for only where it seems to be missing",
            {"cmd": "false"},
            failed="non-zero return code",
            requests=[Run],
        ),
        *GUARDED,
        *ENDED,
        *(
            Case(f"wrong: {arguments}", arguments, answers=[], failed=message)
            for arguments, message in (
                ({}, "one of the following is required: cmd, argv"),
                ({"cmd": "x", "argv": ["x"]}, "mutually exclusive: cmd|argv"),
                ({"cmd": "  "}, "no command given"),
                ({"argv": []}, "no command given"),
                ({"cmd": "echo 'open"}, "No closing quotation"),
            )
        ),
    )


class TestShell(ActionCases):
    action = "shell"
    platforms = POSIX
    cases = (
        Case(
            "a failure has code and output",
            {"cmd": "echo out; echo err >&2; exit 7"},
            failed="non-zero return code",
            message="non-zero return code",
            values={"rc": 7, "stdout": "out", "stderr": "err"},
        ),
        Case("no program", {"cmd": "no-such-program-here"}, failed="non-zero return code", values={"rc": 127}),
        Case(
            "input and directory",
            {"cmd": "pwd; cat; printf '\\n\\n'", "stdin": "ü", "chdir": here("sub dir")},
            before={"sub dir/": None},
            values={"stdout": f"{here('sub dir')}\nü"},
        ),
        Case(
            "ends are kept",
            {"cmd": "cat; echo", "stdin": "x", "stdin_add_newline": False, "strip_empty_ends": False},
            values={"stdout": "x\n"},
        ),
        Case("no directory", {"cmd": "true", "chdir": here("absent")}, failed="Unable to change directory"),
        Case(
            "another shell",
            {"cmd": "case $0 in *bash) echo bash; esac", "executable": "/bin/bash"},
            values={"stdout": "bash"},
        ),
        Case(
            "another shell, guarded",
            {"cmd": "echo ${BASH_VERSION:+bash}", "executable": "/bin/bash", "creates": "/absent"},
            values={"stdout": "bash"},
        ),
        *GUARDED,
        *ENDED,
    )


class TestRaw(ActionCases):
    action = "raw"
    platforms = POSIX
    cases = (
        Case("a line", {"cmd": "echo a; echo b | tr b c"}, values={"stdout": "a\nc\n"}),
        Case("it fails", {"cmd": "exit 3"}, failed="non-zero return code"),
        *ENDED,
    )


@pytest.mark.parametrize(("program", "code"), [("no-such-program-here", 2), ("/no/such program", 2), ("/etc", 13)])
def test_a_program_that_can_not_be_started_has_changed_nothing(posix: ActionHost, program: str, code: int) -> None:
    result = posix("command", argv=[program, "a b"])
    assert (result.changed, result.failed, result.message) == (False, True, "Error executing command.")
    assert result.values == {"rc": code, "cmd": shlex.join([program, "a b"]), "stdout": "", "stderr": ""}


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


class TestWinShell(ActionCases):
    action = "win_shell"
    platforms = WINDOWS
    cases = (
        Case("text and values", {"cmd": "'ü'; 1 + 1; $args.Count"}, values={"stdout": "ü\r\n2\r\n0"}),
        Case(
            "a line of cmd",
            {"cmd": "echo %OS%& exit 3", "executable": "cmd"},
            failed="non-zero return code",
            values={"rc": 3},
            requests=[Run(language=Language.CMD, text="echo %OS%& exit 3", main=True)],
        ),
        Case("it fails", {"cmd": "throw 'why'"}, failed="non-zero return code"),
        *(
            case
            for executable, make in (("cmd", f"echo x>{here('made')}"), (None, f"Set-Content {here('made')} x"))
            for case in (
                Case(
                    f"what it creates isn't there: {executable}",
                    {"cmd": make, "creates": here("made"), "executable": executable},
                    changed=True,
                    after={"made": "x\r\n"},
                ),
                Case(
                    f"what it creates is there: {executable}",
                    {"cmd": make, "creates": here("m*"), "executable": executable},
                    before={"made": ""},
                    changed=False,
                    after={"made": ""},
                ),
                Case(
                    f"what it removes: {executable}",
                    {"cmd": f"del {here('made')}", "removes": here("made"), "executable": executable},
                    before={"made": ""},
                    changed=True,
                    after={},
                ),
            )
        ),
    )


class TestRawOnWindows(ActionCases):
    action = "raw"
    platforms = WINDOWS
    cases = (Case("a line", {"cmd": "'raw'"}, values={"stdout": "raw\r\n"}),)


class TestWinCommand(ActionCases):
    action = "win_command"
    platforms = WINDOWS
    cases = (
        Case(
            "directory and exit code",
            {"cmd": 'cmd /c "echo %CD%& dir /b& exit 7"', "chdir": here("a b")},
            before={"a b/there": ""},
            failed="non-zero return code",
            values={"rc": 7, "stdout": f"{here('a b')}\r\nthere"},
            requests=[Run],
        ),
        Case("words", {"argv": ["pwsh", "-NoProfile", "-Command", "'a b'"]}, values={"stdout": "a b"}),
        Case(
            "a line is a program's",
            {"cmd": 'cmd /c "exit 7"', "chdir": "C:\\x"},
            answers=[Completed(code=0)],
            requests=[Run(language=Language.EXEC, text='cmd /c "exit 7"', directory="C:\\x", main=True)],
        ),
        Case(
            "arguments are quoted as programs read them",
            {"argv": ["a b", 'say "hi"', "c:\\x y\\"]},
            answers=[Completed(code=0)],
            requests=[Run(language=Language.EXEC, text='"a b" "say \\"hi\\"" "c:\\x y\\\\"', main=True)],
        ),
    )


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


@pytest.mark.parametrize(
    ("platform", "name"), [(Platform.POSIX, "it.sh"), (Platform.WINDOWS, "it.ps1"), (Platform.WINDOWS, "it.cmd")]
)
@pytest.mark.parametrize("decrypt", [True, False])
def test_an_encrypted_script_is_decrypted(platform: Platform, name: str, decrypt: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"$ANSIBLE_VAULT;1.1;AES256\n61")
    ready = Completed(code=0, stdout=b'{"upload": "t"}')
    requests, _ = play(
        ACTIONS["script"],
        {"cmd": str(tmp_path / name), "decrypt": decrypt},
        lambda request: ready if isinstance(request, Run) else None,
        platform=platform,
        decrypted=lambda _path, _content: b"clear text",
    )
    sent = b"".join(request.text.encode() + (request.stdin or b"") for request in requests if isinstance(request, Run))
    forms = {text: (text, base64.b64encode(text)) for text in (b"clear text", b"$ANSIBLE_VAULT;1.1;AES256\n61")}
    wanted, other = list(forms.values()) if decrypt else list(forms.values())[::-1]
    assert any(form in sent for form in wanted)
    assert not any(form in sent for form in other)


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
    with mounted(tmp_path / "noexec", "noexec,size=1m") as directory:
        yield directory


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
