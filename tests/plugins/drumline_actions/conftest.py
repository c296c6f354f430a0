"""Real hosts to perform actions on: this machine under several shells, and a Windows where there is one."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drumline.plugin import (
    Action,
    Become,
    Call,
    Completed,
    Get,
    HostError,
    Language,
    Platform,
    Put,
    Request,
    Result,
    Run,
    Secret,
    Session,
    Sleep,
    Target,
    TransferFailed,
)
from drumline.plugin.windows import quote
from drumline.testing import collect
from drumline_actions import drumline_actions
from drumline_lab import wsman
from drumline_local.transport import LocalSession
from drumline_winrm.options import OPTIONS
from drumline_winrm.transport import Winrm

ACTIONS = {name: action for action in drumline_actions() for name in (action.name, *action.aliases)}


@dataclass(kw_only=True)
class Host:
    """Performs actions on a host, and remembers what they asked it for."""

    platform: Platform
    answer: Callable[[Request], Completed | None]
    requests: list[Request] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    user: str = ""  #: Become this user.

    def __call__(self, name: str, **arguments: Any) -> Result:
        """The action's result; ``requests`` holds this action's only."""
        action = ACTIONS[name]
        self.requests.clear()
        call = Call(host="web1", platform=self.platform, arguments=_complete(action, arguments), **self.settings)
        steps = action.perform(call)
        answer: Any = None
        error: HostError | None = None
        while True:
            try:
                request = steps.throw(error) if error else steps.send(answer)
            except StopIteration as stop:
                return stop.value
            self.requests.append(request)
            answer, error = None, None
            try:
                answer = self.answer(request)
            except HostError as raised:
                error = raised

    def twice(self, name: str, **arguments: Any) -> Result:
        """The first result, which must be a change; the second time nothing may be left to change."""
        first = self(name, **arguments)
        assert first.changed
        second = self(name, **arguments)
        assert not second.changed
        assert len(self.requests) == 1
        return first


def _complete(action: Action, arguments: dict[str, Any]) -> dict[str, Any]:
    declared = {argument.name: argument for argument in action.arguments}
    assert action.open_arguments or set(arguments) <= set(declared)
    return {name: argument.default for name, argument in declared.items()} | arguments


# POSIX.


def _busybox(folder: Path) -> dict[str, str]:
    """A host that has busybox and nothing else."""
    subprocess.run(["busybox", "--install", "-s", str(folder)], check=True, capture_output=True)
    return {"PATH": str(folder)}


@pytest.fixture(params=["dash", "bash", "busybox"])
def posix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """This machine, its scripts read by each of three shells."""
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"{request.param} isn't installed")
    folder = tmp_path_factory.mktemp("bin")
    environment: dict[str, str] = {}
    if request.param == "busybox":
        environment = _busybox(folder)
        shell = str(folder / "sh")
    session = LocalSession()

    def answer(step: Request) -> Completed | None:
        if isinstance(step, Run) and host.user:
            step = replace(step, become=Become(user=host.user))
        elif isinstance(step, Run) and step.language is Language.SH and step.executable is None:
            step = replace(step, executable=shell, environment={**environment, **step.environment})
        return _carry_out(session, step)

    host = Host(platform=Platform.POSIX, answer=answer)
    return host


def _carry_out(session: Any, step: Request) -> Completed | None:
    match step:
        case Run():
            return collect(session, step)
        case Put():
            session.put(step)
        case Get():
            session.get(step)
        case Sleep():
            pass
    return None


# Windows.


class Windows:
    """Carries requests out on the Windows of ``DRUMLINE_LAB_WINDOWS``; one PowerShell is kept open."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._environment = os.environ | {"WINDOWS_HOST": "actions-test"}
        self._shell: subprocess.Popen[bytes] | None = None

    def path(self, path: str) -> Path:
        """Where a path of C: lies on this machine."""
        return Path(self._call("path", path).stdout.decode().rstrip("\n"))

    def answer(self, step: Request) -> Completed | None:
        match step:
            case Run(language=Language.POWERSHELL):
                return self._powershell(step)
            case Run(language=Language.CMD | Language.EXEC):
                done = self._call(step.language.value, step.text, step)
                return Completed(code=done.returncode & 0xFFFFFFFF, stdout=done.stdout, stderr=done.stderr)
            case Put():
                self._put(step)
            case Get():
                shutil.copyfile(self.path(step.source), step.destination)
        return None

    def _call(self, verb: str, text: str, step: Run | None = None) -> subprocess.CompletedProcess[bytes]:
        settings = {}
        if step is not None:
            settings = {f"WINENV_{name}": value for name, value in step.environment.items()}
            settings |= {"WINDOWS_CWD": step.directory} if step.directory else {}
        stdin = step.stdin if step else b""
        return subprocess.run(
            [self._program, verb, text], input=stdin, capture_output=True, env=self._environment | settings, check=False
        )

    def _put(self, step: Put) -> None:
        target = self.path(step.destination)
        if not target.parent.is_dir():
            raise TransferFailed("No such folder", step.destination)
        target.write_bytes(step.source if isinstance(step.source, bytes) else step.source.read_bytes())

    def _powershell(self, step: Run) -> Completed:
        """By the rules of ``powershell -Command``, in the PowerShell that is open."""
        text = base64.b64encode(step.text.encode()).decode()
        place = step.directory or "~"
        line = (
            f"Set-Location -LiteralPath {quote(place)}; $global:LASTEXITCODE = 0; $fault = ''; "
            f"$said = try {{ @({_lines(step.stdin)}) | "
            f"& ([scriptblock]::Create([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('{text}')))) 2>&1 "
            "| Out-String -Width 99999 } catch { $fault = [string]$_ }; "
            "'answer ' + (ConvertTo-Json -Compress -EscapeHandling EscapeNonAscii "
            "@([string]$said, $fault, $LASTEXITCODE))\n"
        )
        shell = self._warm()
        assert shell.stdin is not None
        assert shell.stdout is not None
        shell.stdin.write(line.encode())
        shell.stdin.flush()
        for answer in shell.stdout:
            if answer.startswith(b"answer "):
                said, fault, code = json.loads(answer[7:])
                return Completed(code=1 if fault else code, stdout=(said or "").encode(), stderr=(fault or "").encode())
        raise AssertionError("PowerShell has ended")

    def _warm(self) -> subprocess.Popen[bytes]:
        if self._shell is None:
            command = [self._program, "pwsh", "-NoProfile", "-NonInteractive", "-Command", "-"]
            self._shell = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self._environment
            )
        return self._shell

    def close(self) -> None:
        if self._shell is not None:
            self._shell.communicate(b"exit\n", timeout=60)
        subprocess.run([self._program, "stop"], env=self._environment, check=False, capture_output=True)


def _lines(stdin: bytes) -> str:
    return ", ".join(quote(line) for line in stdin.decode().splitlines())


@pytest.fixture(scope="session")
def windows_machine() -> Iterator[Windows]:
    program = os.environ.get("DRUMLINE_LAB_WINDOWS")
    if not program:
        pytest.skip("DRUMLINE_LAB_WINDOWS names no program that runs Windows command lines")
    machine = Windows(program)
    yield machine
    machine.close()


@pytest.fixture(scope="session")
def winrm_session(windows_machine: Windows) -> Iterator[Session]:
    """The same Windows, reached as a server is: over NTLM, encrypted."""
    host = wsman.Windows(os.environ["DRUMLINE_LAB_WINDOWS"], "actions-test")
    with wsman.WsmanServer(wsman.Settings(users={"user": "password"}), backend=host) as server:
        options = {option.name: option.default for option in OPTIONS}
        options |= {"host": server.host, "port": server.port, "scheme": "http"}
        options |= {"user": "user", "password": Secret("password")}
        connection = Winrm().connect(Target(host="web1", transport="winrm", options=options))
        yield connection.open_session()
        connection.close()


@pytest.fixture(params=["direct", "winrm"])
def windows(windows_machine: Windows, request: pytest.FixtureRequest) -> Host:
    """A Windows with real PowerShell: its programs started by hand, and through the transport."""
    if request.param == "direct":
        return Host(platform=Platform.WINDOWS, answer=windows_machine.answer)
    session = request.getfixturevalue("winrm_session")
    return Host(platform=Platform.WINDOWS, answer=partial(_carry_out, session))


@pytest.fixture
def folder(windows_machine: Windows) -> Iterator[tuple[str, Path]]:
    r"""An empty folder on Windows: its name there (``C:\…``) and where it lies here."""
    name = r"C:\actions-test"
    place = windows_machine.path(name)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    yield name, place
    shutil.rmtree(place)
