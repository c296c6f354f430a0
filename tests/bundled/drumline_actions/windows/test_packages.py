"""``win_package`` with Wine's Windows Installer, and with installers of other kinds."""

from __future__ import annotations

import hashlib
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from drumline.plugin import ActionFailed, Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case

WINDOWS = [Platform.WINDOWS]
CODE = "{5A3D2B10-7C1E-4F6B-9D27-3E8A1B5C4D60}"
SOURCE = f"""<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="{CODE[1:-1]}" Name="Flagship" Language="1033" Version="1.2.0" Manufacturer="Flagship"
      UpgradeCode="5A3D2B10-7C1E-4F6B-9D27-3E8A1B5C4D61">
    <Package InstallScope="perMachine" Compressed="yes"/>
    <Media Id="1" Cabinet="c.cab" EmbedCab="yes"/>
    <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFilesFolder">
      <Directory Id="INSTALLDIR" Name="Flagship"/></Directory></Directory>
    <DirectoryRef Id="INSTALLDIR"><Component Id="C" Guid="5A3D2B10-7C1E-4F6B-9D27-3E8A1B5C4D62">
      <File Id="F" Source="flagship.txt" KeyPath="yes"/></Component></DirectoryRef>
    <Feature Id="All" Level="1"><ComponentRef Id="C"/></Feature>
  </Product>
</Wix>
"""
UNINSTALL = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\Flagship"
REG, CMD = "C:\\windows\\system32\\reg.exe", "C:\\windows\\system32\\cmd.exe"
#: What an installer would do.
REGISTERED = f"reg.exe add {UNINSTALL} /v UninstallString /d 'reg.exe delete {UNINSTALL} /f' /f"
GONE = f"reg.exe delete {UNINSTALL} /f 2>$null; $global:LASTEXITCODE = 0"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """The address of a server for these files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def msi(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A package with one file."""
    directory = tmp_path_factory.mktemp("msi")
    (directory / "flagship.txt").write_text("it")
    (directory / "it.wxs").write_text(SOURCE)
    subprocess.run(["wixl", "-o", "it.msi", "it.wxs"], cwd=directory, check=True, capture_output=True)
    return (directory / "it.msi").read_bytes()


@pytest.fixture
def uninstalled(windows: ActionHost) -> Iterator[None]:
    """Neither before nor after it is installed."""
    yield
    windows.settings = {}
    windows("win_package", product_id=CODE, state="absent")


@pytest.mark.usefixtures("uninstalled")
def test_an_msi_comes_and_goes(windows: ActionHost, msi: bytes) -> None:
    with windows.directory() as there:
        there.fill({"a b.msi": msi})
        path, log = there.at("a b.msi"), there.at("log")
        windows.settings = {"check": True}
        assert windows("win_package", path=path).changed
        windows.settings = {}
        done = windows("win_package", path=path, log_path=log, checksum=hashlib.sha1(msi).hexdigest())
        assert (done.changed, done.values["rc"], done.values["reboot_required"]) == (True, 0, False)
        assert "log" in there.entries()
        assert not windows("win_package", path=path, product_id="{no such product}").changed
        assert not windows("win_package", path="https://nowhere.invalid/it.msi", product_id=CODE).changed
        with pytest.raises(ActionFailed, match=r"The checksum of '.*' is "):
            windows("win_package", path=path, checksum="0")
        assert windows("win_package", path=path, state="absent").changed
        assert not windows("win_package", product_id=CODE, state="absent").changed


@pytest.mark.usefixtures("uninstalled")
def test_an_msi_of_a_web_server(windows: ActionHost, msi: bytes, tmp_path: Path) -> None:
    (tmp_path / "it.msi").write_bytes(msi)
    with serving(tmp_path) as url:
        assert windows("win_package", path=f"{url}/it.msi").changed
        assert not windows("win_package", path=f"{url}/it.msi").changed
        with pytest.raises(ActionFailed, match="the server answered with 404"):
            windows("win_package", path=f"{url}/none.msi")
        with pytest.raises(ActionFailed, match="Nothing says what is to be uninstalled"):
            windows("win_package", path=f"{url}/it.msi", state="absent")


class TestOtherInstallers(ActionCases):
    action = "win_package"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "it registers itself",
            {"path": REG, "arguments": f"add {UNINSTALL} /v DisplayName /d Flagship /f", "product_id": "Flagship"},
            setup=GONE,
            changed=True,
            values={"rc": 0},
        ),
        Case(
            "arguments in a list",
            {
                "path": REG,
                "arguments": ["add", UNINSTALL, "/v", "Comments", "/d", 'with "blanks" \\', "/f"],
                "product_id": "Flagship",
            },
            setup=GONE,
            changed=True,
        ),
        Case(
            "by the registry's own command",
            {"product_id": "Flagship", "state": "absent"},
            setup=REGISTERED,
            changed=True,
            values={"rc": 0},
        ),
        Case("gone already", {"product_id": "Flagship", "state": "absent"}, setup=GONE, changed=False),
        Case(
            "a restart is needed",
            {"path": CMD, "arguments": "/c exit 3010", "creates_path": "C:\\none"},
            changed=True,
            repeats=False,
            values={"rc": 3010, "reboot_required": True},
        ),
        Case(
            "an exit code that is meant",
            {"path": CMD, "arguments": "/c exit 7", "creates_service": "none", "expected_return_code": [7]},
            changed=True,
            repeats=False,
            values={"rc": 7, "reboot_required": False},
        ),
        Case(
            "it fails",
            {"path": CMD, "arguments": "/c echo No& exit 1603", "creates_path": "C:\\none"},
            failed="unexpected rc from 'C:\\windows\\system32\\cmd.exe /c echo No& exit 1603': 1603: No",
        ),
        Case("its file is there", {"path": "C:\\none.exe", "creates_path": REG}, changed=False),
        Case(
            "in another version",
            {"path": "C:\\none.exe", "creates_path": REG, "creates_version": "0"},
            failed="none.exe' can't be found",
        ),
        Case("no such installer", {"path": "C:\\none.exe"}, failed="The package 'C:\\none.exe' can't be found"),
    )
