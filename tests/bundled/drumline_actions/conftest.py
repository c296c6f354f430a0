"""Real hosts to perform actions on: this machine under several shells, and a Windows where there is one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from drumline.plugin import (
    Language,
    Platform,
    Run,
)
from drumline.testing import ActionHost
from drumline_lab import wsman
from drumline_local.transport import LocalSession

# POSIX.


def _busybox(directory: Path) -> dict[str, str]:
    """A host that has busybox and nothing else."""
    subprocess.run(["busybox", "--install", "-s", str(directory)], check=True, capture_output=True)
    return {"PATH": str(directory)}


@pytest.fixture(params=["dash", "bash", "busybox"])
def posix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ActionHost:
    """This machine, its scripts read by each of three shells."""
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

    return ActionHost(platform=Platform.POSIX, session=LocalSession(), adapt=in_its_shell)


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
