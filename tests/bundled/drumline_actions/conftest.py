"""Real hosts to perform actions on: this machine under several shells, and a Windows where there is one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from support.hosts import Host

from drumline.plugin import (
    Become,
    Completed,
    Get,
    Language,
    Platform,
    Put,
    Request,
    Run,
    Secret,
    Session,
    Sleep,
    Target,
)
from drumline.testing import collect
from drumline_lab import wsman
from drumline_local.transport import LocalSession
from drumline_winrm.options import OPTIONS
from drumline_winrm.transport import Winrm

# POSIX.


def _busybox(directory: Path) -> dict[str, str]:
    """A host that has busybox and nothing else."""
    subprocess.run(["busybox", "--install", "-s", str(directory)], check=True, capture_output=True)
    return {"PATH": str(directory)}


@pytest.fixture(params=["dash", "bash", "busybox"])
def posix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """This machine, its scripts read by each of three shells."""
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"{request.param} isn't installed")
    directory = tmp_path_factory.mktemp("bin")
    environment: dict[str, str] = {}
    if request.param == "busybox":
        environment = _busybox(directory)
        shell = str(directory / "sh")
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


@pytest.fixture(scope="session")
def winrm_session(windows_host: wsman.Windows) -> Iterator[Session]:
    """A Windows as a server is reached: over NTLM, encrypted."""
    with wsman.WsmanServer(wsman.Settings(users={"user": "password"}), backend=windows_host) as server:
        options = {option.name: option.default for option in OPTIONS}
        options |= {"host": server.host, "port": server.port, "scheme": "http"}
        options |= {"user": "user", "password": Secret("password")}
        connection = Winrm().connect(Target(host="host", transport="winrm", options=options))
        yield connection.open_session()
        connection.close()


@pytest.fixture
def windows(winrm_session: Session) -> Host:
    """A Windows with real PowerShell."""
    return Host(platform=Platform.WINDOWS, answer=partial(_carry_out, winrm_session))


@pytest.fixture
def directory(windows_host: wsman.Windows) -> Iterator[tuple[str, Path]]:
    r"""An empty directory on Windows: its name there (``C:\…``) and where it lies here."""
    name = r"C:\actions-test"
    place = windows_host.path(name)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    yield name, place
    shutil.rmtree(place)
