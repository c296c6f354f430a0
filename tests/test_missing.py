"""A package that isn't installed: which one it is and how it gets there, in one message."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.program import environment

from drumline.missing import missing_package

SETUP = Path(__file__).parent.parent / "setup.cfg"
#: What an import names, for each package that is always needed.
MODULES = {"ahocorasick-rs": "ahocorasick_rs", "pywinrm": "winrm", "PyYAML": "yaml"}


def needed() -> list[str]:
    """The packages that come with drumline."""
    setup = configparser.ConfigParser()
    setup.read(SETUP)
    return [re.split(r"[ <>=]", line)[0] for line in setup["options"]["install_requires"].split("\n") if line]


def without(directory: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call drumline where a module can't be found."""
    start = f"import sys; sys.modules[{module!r}] = None; from drumline.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", start, *arguments],
        cwd=directory,
        env=environment(directory),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("package", needed())
def test_each_is_named_as_it_is_installed(package: str) -> None:
    module = MODULES.get(package, package)
    error = ModuleNotFoundError(f"No module named '{module}.part'", name=f"{module}.part")
    assert missing_package(error) == (
        f"the Python package '{package}' is not installed. Install it: {sys.executable} -m pip install {package}"
    )


@pytest.mark.parametrize("name", ["drumline.nothing", "drumline_ssh", "_sqlite3", None])
def test_what_no_one_can_install_is_something_else(name: str | None) -> None:
    assert missing_package(ModuleNotFoundError("No module", name=name)) is None


@pytest.mark.parametrize("package", ["msgspec", "click", "PyYAML"])
def test_the_program_says_so_and_ends(tmp_path: Path, package: str) -> None:
    ended = without(tmp_path, MODULES.get(package, package), "run", "site.yml", "-i", "web1,")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "error: A part of drumline's installation is missing\n"
        f"  The Python package '{package}' is not installed. Install it: {sys.executable} -m pip install {package}\n"
    )


def test_a_job_says_so_whose_transport_needs_it(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("- hosts: all\n  tasks:\n    - ping:\n")
    inventory = "web1 ansible_connection=ssh ansible_host=127.0.0.1 ansible_user=user ansible_password=word\n"
    (tmp_path / "inventory").write_text(inventory)
    ended = without(tmp_path, "paramiko", "run", "site.yml", "-i", "inventory")
    assert ended.returncode == 2, ended.stderr
    assert "the Python package 'paramiko' is not installed. Install it: " in ended.stdout
    assert "fault in drumline" not in ended.stdout
