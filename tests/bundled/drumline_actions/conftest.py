"""Real hosts to perform actions on: this machine, under several shells and over SSH, and a Windows."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from support.compared import Reference
from support.disposable import DisposableSshd, require_disposable
from support.needs import need

from drumline.plugin import (
    Action,
    Language,
    Platform,
    Result,
    Run,
    Session,
)
from drumline.testing import ActionHost, open_host
from drumline_lab import wsman
from drumline_lab.sshd import Sshd
from drumline_local.transport import LocalSession


class OneTripHost(ActionHost):
    """A host of which one request tells that nothing is to be changed."""

    def twice(self, action: Action | str, /, **arguments: Any) -> Result:
        first = super().twice(action, **arguments)
        assert len(self.requests) == 1
        return first


# POSIX.


def _busybox(directory: Path) -> dict[str, str]:
    """A host that has busybox and nothing else."""
    subprocess.run(["busybox", "--install", "-s", str(directory)], check=True, capture_output=True)
    return {"PATH": str(directory)}


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """This machine as a server, by OpenSSH."""
    need("sshd")
    with Sshd(tmp_path_factory.mktemp("host") / "sshd") as server:
        yield server


@pytest.fixture(scope="session")
def ssh_session(ssh_server: Sshd) -> Iterator[Session]:
    """How it is reached."""
    with _open(ssh_server) as host:
        yield host.session


def _open(server: Sshd) -> AbstractContextManager[ActionHost]:
    own = {"host": server.address, "port": server.port, "user": server.user, "ssh_config_file": "none"}
    files = {"private_key_file": str(server.client_key), "known_hosts_file": str(server.known_hosts)}
    return open_host("ssh", **own, **files)


@pytest.fixture
def reference(ssh_server: Sshd, ssh_session: Session, tmp_path: Path) -> Reference:
    """The same host for ansible-core and drumline."""
    host = ActionHost(platform=Platform.POSIX, session=ssh_session)
    return Reference(host=host, server=ssh_server, place=tmp_path)


@pytest.fixture(scope="module")
def disposable_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A server of which tests may change what they like."""
    require_disposable(tmp_path_factory.mktemp("trial"))
    with DisposableSshd(tmp_path_factory.mktemp("disposable") / "sshd") as server:
        yield server


@pytest.fixture(scope="module")
def disposable_session(disposable_server: Sshd) -> Iterator[Session]:
    """How it is reached."""
    with _open(disposable_server) as host:
        yield host.session


@pytest.fixture
def disposable(disposable_session: Session) -> ActionHost:
    """A host of which tests may change what they like; all tests of a module have the same."""
    return ActionHost(platform=Platform.POSIX, session=disposable_session)


@pytest.fixture
def disposable_reference(disposable_server: Sshd, disposable: ActionHost, tmp_path: Path) -> Reference:
    """The same host for ansible-core and drumline."""
    return Reference(host=disposable, server=disposable_server, place=tmp_path)


@pytest.fixture(params=["dash", "bash", "busybox", "ssh"])
def posix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OneTripHost:
    """This machine, its scripts read by each of three shells, and over SSH."""
    if request.param == "ssh":
        return OneTripHost(platform=Platform.POSIX, session=request.getfixturevalue("ssh_session"))
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"{request.param} isn't installed")
    directory = tmp_path_factory.mktemp("bin")
    environment: dict[str, str] = {}
    if request.param == "busybox":
        environment = _busybox(directory)
        shell = str(directory / "sh")

    def in_its_shell(run: Run) -> Run:
        if run.language is not Language.SH or run.executable is not None:
            return run
        return replace(run, executable=shell, environment={**environment, **run.environment})

    return OneTripHost(platform=Platform.POSIX, session=LocalSession(), adapt=in_its_shell)


# Windows.


@pytest.fixture
def directory(windows_host: wsman.Windows) -> Iterator[tuple[str, Path]]:
    r"""An empty directory on Windows: its name there (``C:\…``) and where it lies here."""
    name = r"C:\actions-test"
    place = windows_host.path(name)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    yield name, place
    shutil.rmtree(place)
