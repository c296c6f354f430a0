"""What runs command lines: which one is chosen, and what each makes of a line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.wsman import Client

from drumline_lab.wsman import PowerShell, Settings, Sh, Windows, WsmanServer, find_backend
from drumline_lab.wsman.backends import split_line
from drumline_lab.wsman.process import ShellProcess

_FAKE = f"""#!{sys.executable}
import json, sys
print(json.dumps(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("", []),
        ("  a   b\tc ", ["a", "b", "c"]),
        ('"a b" c', ["a b", "c"]),
        (r"C:\dir\ x", ["C:\\dir\\", "x"]),
        (r'"C:\dir\\" x', ["C:\\dir\\", "x"]),
        (r"\"a\" b", ['"a"', "b"]),
        (r"a\\\"b", ['a\\"b']),
        ("-Command \"Write-Output 'a b'; exit 3\"", ["-Command", "Write-Output 'a b'; exit 3"]),
        ('"" x""y', ["", "xy"]),
        ('"open end', ["open end"]),
    ],
)
def test_lines_are_split_as_windows_does(line: str, arguments: list[str]) -> None:
    assert split_line(line) == arguments


def test_split_line_undoes_what_python_joins() -> None:
    arguments = ["a", "", "a b", 'q"q', "back\\", 'b\\"', "c d\\", "\\\\server\\x y\\"]
    assert split_line(subprocess.list2cmdline(arguments)) == arguments


def test_the_best_that_is_there_is_chosen(tmp_path: Path) -> None:
    assert type(find_backend("web", tmp_path, search=str(tmp_path))) is Sh
    pwsh = _script(tmp_path / "pwsh", "#!/bin/sh\n")
    found = find_backend("web", tmp_path, search=str(tmp_path))
    assert type(found) is PowerShell
    assert str(pwsh) in found.description
    assert type(find_backend("web", tmp_path, program="/bin/windows", search=str(tmp_path))) is Windows


@pytest.mark.parametrize("name", ["powershell", "PowerShell.exe", "pwsh", r'"C:\Program/pwsh.exe"'])
def test_lines_that_start_powershell_go_to_it(tmp_path: Path, name: str) -> None:
    backend = PowerShell(tmp_path, str(_script(tmp_path / "pwsh", _FAKE)))
    launch = backend.launch(f'{name} -NoProfile -Command "$a = 1"', direct=False, directory=None, variables={})
    assert launch.argv[1:] == ("-NoProfile", "-Command", "$a = 1")
    assert (
        subprocess.run(launch.argv, capture_output=True, check=True).stdout == b'["-NoProfile", "-Command", "$a = 1"]\n'
    )


@pytest.mark.parametrize("line", ["echo powershell", "powershellish", "cd x && pwsh"])
def test_other_lines_go_to_sh(tmp_path: Path, line: str) -> None:
    launch = PowerShell(tmp_path, "/pwsh").launch(line, direct=False, directory=None, variables={})
    assert launch.argv == ("/bin/sh", "-c", line)


def test_a_program_is_told_host_directory_and_variables_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_LAB", "x")
    directory = tmp_path / "C"
    directory.mkdir()
    program = _script(tmp_path / "windows", f'#!/bin/sh\nif [ "$1" = path ]; then echo {directory}; else env; fi\n')
    launch = Windows(str(program), "web1").launch("dir", direct=False, directory="C:\\", variables={"A": "ö"})
    assert launch.argv == (str(program), "cmd", "dir")
    assert launch.environment["WINDOWS_HOST"] == "web1"
    assert launch.environment["WINDOWS_CWD"] == "C:\\"
    assert launch.environment["WINENV_A"] == "ö"
    assert "SECRET_OF_THE_LAB" not in launch.environment


def test_only_a_directory_with_the_hosts_name_is_removed(tmp_path: Path) -> None:
    drive = tmp_path / "hosts" / "web1" / "drive_c"
    drive.mkdir(parents=True)
    (tmp_path / "hosts" / "web2").mkdir()
    program = _script(tmp_path / "windows", f'#!/bin/sh\n[ "$1" = stop ] || echo {drive}\n')
    Windows(str(program), "other").remove()
    assert drive.is_dir()
    Windows(str(program), "web1").remove()
    assert not drive.parent.exists()
    assert (tmp_path / "hosts" / "web2").is_dir()


class Gathered:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.output: list[tuple[str, bytes]] = []
        self.exit_code: list[int | None] = []

    def emit(self, stream: str, data: bytes) -> None:
        self.output.append((stream, data))

    def finish(self, exit_code: int | None) -> None:
        self.exit_code.append(exit_code)


def test_a_background_process_does_not_keep_a_command_open(tmp_path: Path) -> None:
    gathered = Gathered()
    launch = Sh(tmp_path).launch("sleep 1000 & echo out; exit 5", direct=False, directory=None, variables={})
    process = ShellProcess(launch, gathered, linger=0.1)
    try:
        process.join(10)
        assert (gathered.output, gathered.exit_code) == ([("stdout", b"out\n")], [5])
    finally:
        process.kill()


def test_a_killed_process_has_an_exit_code(tmp_path: Path) -> None:
    gathered = Gathered()
    process = ShellProcess(
        Sh(tmp_path).launch("kill -9 $$", direct=False, directory=None, variables={}), gathered, linger=1
    )
    process.join(10)
    assert gathered.exit_code == [1]


def test_a_program_that_is_not_there_is_a_fault(
    dial: Callable[..., Client], serve: Callable[..., WsmanServer], tmp_path: Path
) -> None:
    settings = Settings(users={"admin": "p:ss wörd"}, allow_unencrypted=True)
    with WsmanServer(settings, backend=Windows(str(tmp_path / "nothing"), "web1")) as server:
        client = dial(server)
        client.create()
        answer = client.ask("Command", "<r:CommandLine><r:Command>ver</r:Command></r:CommandLine>")
        assert answer.code == 2147942402


def test_a_host_that_takes_long_to_start_is_waited_for_no_longer_than_the_client_does(
    dial: Callable[..., Client], tmp_path: Path
) -> None:
    calls, gate = tmp_path / "calls", tmp_path / "gate"
    program = _script(
        tmp_path / "windows",
        f'#!/bin/sh\n[ "$1" != path ] || exec echo {tmp_path}\necho "$2" >> {calls}\n'
        f"while ! [ -e {gate} ]; do sleep 0.01; done\n",
    )
    settings = Settings(users={"admin": "p:ss wörd"}, allow_unencrypted=True)
    line = "<r:CommandLine><r:Command>ver</r:Command></r:CommandLine>"
    with WsmanServer(settings, backend=Windows(str(program), "web1")) as server:
        client = dial(server)
        client.create()
        began = time.monotonic()
        for _ in range(2):
            answer = client.ask("Command", line, timeout="PT0.5S")
            assert (answer.code, answer.subcode) == (2150858793, "w:TimedOut")
        assert time.monotonic() - began < 15
        gate.touch()
        assert client.run("ver") == (b"", b"", 0)
    assert calls.read_text().splitlines() == ["exit", "ver"]


def test_a_host_whose_start_takes_too_long_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drumline_lab.wsman.backends.START_PATIENCE", 1.0)
    calls = tmp_path / "calls"
    program = _script(tmp_path / "windows", f'#!/bin/sh\necho "$2" >> {calls}\nexec sleep 77\n')
    backend = Windows(str(program), "web1")
    for _ in range(2):
        backend.launch("ver", direct=False, directory=None, variables={})
    assert calls.read_text().splitlines() == ["exit"]


def test_what_a_host_starts_with_its_first_line_holds_no_request_up(
    dial: Callable[..., Client], tmp_path: Path
) -> None:
    """Its services have the output of whoever starts them open for as long as they live."""
    pids = tmp_path / "pids"
    program = _script(
        tmp_path / "windows",
        f'#!/bin/sh\n[ "$1" != path ] || exec echo {tmp_path}\n[ -e {pids} ] || {{ sleep 1000 & echo $! > {pids}; }}\n',
    )
    settings = Settings(users={"admin": "p:ss wörd"}, allow_unencrypted=True, clock_offset=5.0)
    try:
        with WsmanServer(settings, backend=Windows(str(program), "web1")) as server:
            client = dial(server)
            client.create()
            assert client.run("ver") == (b"", b"", 0)
    finally:
        os.kill(int(pids.read_text()), signal.SIGKILL)


@pytest.mark.windows
def test_real_windows(
    dial: Callable[..., Client], windows_host: Windows, until: Callable[[Callable[[], object]], None]
) -> None:
    settings = Settings(users={"admin": "p:ss wörd"}, allow_unencrypted=True)
    with WsmanServer(settings, backend=windows_host) as server:
        client = dial(server)
        client.create(
            "<r:WorkingDirectory>C:\\windows</r:WorkingDirectory>"
            '<r:Environment><r:Variable Name="GREETING">grüß dich</r:Variable></r:Environment>'
        )
        assert client.run("cd & echo %GREETING%& exit 3") == ("C:\\windows\r\ngrüß dich\r\n".encode(), b"", 3)
        command = client.command("powershell -NoProfile -Command -")
        client.send(command, b"'a' + 'b'; exit 7\n", end=True)
        output = b""
        while True:
            answer = client.receive(command)
            output += answer.output["stdout"]
            if answer.done:
                break
        assert (output.strip(), answer.text("ExitCode")) == (b"ab", "7")


#: Command lines with what they say and the code that they end with.
_CODES = {
    "exit 3010": (b"", 3010),
    "exit -1": (b"", 4294967295),
    "echo a & echo %OS%^& > nul & exit /b 70000": (b"a \r\n", 70000),
    'powershell -NoProfile -Command "Test-Path env:DRUMLINE_LAB_LINE; exit 1641"': (b"False\r\n", 1641),
    "echo hey!& exit 7": (b"hey!\r\n", 7),
    "cd": (b"C:\\windows\\system32\r\n", 0),
    "nosuchprogram 2> nul": (b"", 9009),
}


@pytest.mark.windows
def test_exit_codes_have_32_bits(dial: Callable[..., Client], windows_host: Windows) -> None:
    settings = Settings(users={"admin": "p:ss wörd"}, allow_unencrypted=True)
    with WsmanServer(settings, backend=windows_host) as server:
        client = dial(server)
        client.create("<r:WorkingDirectory>c:\\WINDOWS\\System32\\</r:WorkingDirectory>")  # in whatever case
        ended = {line: client.run(line) for line in _CODES}
    assert ended == {line: (output, b"", code) for line, (output, code) in _CODES.items()}
    assert not list(windows_host.path("C:\\windows\\temp").glob("drumline-exit-*"))


@pytest.mark.windows
def test_a_program_without_cmd_has_them_too(dial: Callable[..., Client], windows_host: Windows) -> None:
    settings = Settings(users={"admin": "p:ss wörd"}, allow_unencrypted=True, old_skip_cmd=True)
    with WsmanServer(settings, backend=windows_host) as server:
        client = dial(server)
        client.create()
        skip = '<w:OptionSet><w:Option Name="WINRS_SKIP_CMD_SHELL">TRUE</w:Option></w:OptionSet>'
        line = r"<r:CommandLine><r:Command>C:\windows\system32\cmd.exe /c exit 3010</r:Command></r:CommandLine>"
        command = client.ask("Command", line, extra=skip).text("CommandId")
        assert client.receive(command).text("ExitCode") == "3010"


@pytest.mark.windows
def test_terminate_ends_what_a_windows_line_has_started(
    dial: Callable[..., Client], windows_host: Windows, until: Callable[[Callable[[], object]], None]
) -> None:
    settings = Settings(users={"admin": "p:ss wörd"}, allow_unencrypted=True)
    with WsmanServer(settings, backend=windows_host) as server:
        client = dial(server)
        client.create()
        command = client.command("echo started& ping -n 777 127.0.0.1 > nul")
        assert b"started" in client.receive(command).output["stdout"]
        until(lambda: _pings())
        client.signal(command)
        until(lambda: not _pings())


@pytest.mark.windows
def test_a_windows_directory_that_is_not_there(dial: Callable[..., Client], windows_host: Windows) -> None:
    settings = Settings(users={"admin": "p:ss wörd"}, allow_unencrypted=True)
    with WsmanServer(settings, backend=windows_host) as server:
        client = dial(server)
        client.create("<r:WorkingDirectory>C:\\no such</r:WorkingDirectory>")
        answer = client.ask("Command", "<r:CommandLine><r:Command>ver</r:Command></r:CommandLine>")
        assert answer.code == 2147942667


def _pings() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if b"ping" in line and b"777" in line and b"cmd" not in line:
            found.append(path.parent.name)
    return found


def _script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path
