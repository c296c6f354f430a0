"""``sysctl`` and ``mount`` on a disposable host, ``pip`` with packages that the tests make."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from drumline.plugin import ActionFailed, Platform, Session
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case, here

PLAIN = {"reload": False}


class TestSysctl(ActionCases):
    action = "sysctl"
    platforms = (Platform.POSIX,)
    round_trips = 1
    cases = (
        Case(
            "a setting is added",
            {"name": "vm.swappiness", "value": "5", "sysctl_file": here("f"), **PLAIN},
            before={"f": "# kernel\nvm.other = 1\n"},
            changed=True,
            after={"f": "# kernel\nvm.other = 1\nvm.swappiness=5\n"},
        ),
        Case(
            "it is changed in its place, once",
            {"name": "a.b", "value": "1  2", "sysctl_file": here("f"), **PLAIN},
            before={"f": "a.b = 3\nc = 1\na.b=4\n"},
            changed=True,
            after={"f": "a.b=1 2\nc = 1\n"},
        ),
        Case(
            "it is removed",
            {"name": "a.b", "state": "absent", "sysctl_file": here("f"), **PLAIN},
            before={"f": "a.b = 3\nc = 1\n"},
            changed=True,
            after={"f": "c = 1\n"},
        ),
        Case(
            "a check",
            {"name": "a.b", "value": "1", "sysctl_file": here("f")},
            call={"check": True},
            changed=True,
            after={},
            repeats=False,
        ),
        Case(
            "a setting that the kernel hasn't",
            {"name": "no.such", "value": "1", "sysctl_file": here("f"), "sysctl_set": True, **PLAIN},
            failed="setting no.such failed",
        ),
        Case("no value", {"name": "a.b"}, answers=(), failed="value cannot be None"),
    )


@pytest.fixture
def place(disposable: ActionHost) -> str:
    disposable.run("mkdir -p /opt/mounts && : >/opt/mounts/fstab")
    return "/opt/mounts"


def test_a_mount_comes_and_goes(disposable: ActionHost, place: str) -> None:
    common = {"path": f"{place}/a b", "fstab": f"{place}/fstab"}
    whole = {**common, "src": "tmpfs", "fstype": "tmpfs", "opts": "size=1m"}
    disposable.settings = {"check": True}
    assert disposable("mount", **whole, state="mounted").changed
    disposable.settings = {}
    disposable.run(f"! test -e '{place}/a b'")
    disposable.twice("mount", **whole, state="present")
    disposable.run(
        f"grep -qxF 'tmpfs {place}/a\\040b tmpfs size=1m 0 0' {place}/fstab && ! mountpoint -q '{place}/a b'"
    )
    made = disposable.twice("mount", **whole, state="mounted", backup=True)
    assert made.values["fstype"] == "tmpfs"
    disposable.run(f"mountpoint -q '{place}/a b'")
    disposable.twice("mount", **{**whole, "opts": "size=2m"}, state="mounted")
    disposable.run(f"grep -q ' {place}/a.040b .*size=2048k' /proc/mounts")
    disposable.twice("mount", **common, state="unmounted")
    disposable("mount", **whole, state="mounted")
    disposable.twice("mount", **common, state="absent")
    disposable.run(f"! test -e '{place}/a b' && ! grep -q tmpfs {place}/fstab")
    with pytest.raises(ActionFailed, match="src, fstype"):
        disposable("mount", **common, state="mounted")
    with pytest.raises(ActionFailed, match="is not mounted"):
        disposable("mount", **common, state="remounted")


def test_a_second_swap_leaves_the_first(disposable: ActionHost, place: str) -> None:
    disposable.run(f"echo '/swap1 none swap sw 0 0' >{place}/fstab")
    swap = {"path": "none", "fstype": "swap", "opts": "sw", "fstab": f"{place}/fstab"}
    disposable.twice("mount", **swap, src="/swap2", state="present")
    disposable.run(f"grep -q ^/swap1 {place}/fstab && grep -q ^/swap2 {place}/fstab")
    disposable.twice("mount", **swap, src="/swap1", state="absent_from_fstab")
    disposable.run(f"! grep -q ^/swap1 {place}/fstab && grep -q ^/swap2 {place}/fstab")


def test_a_check_tells_of_a_directory_that_goes(disposable: ActionHost, place: str) -> None:
    disposable.run(f"mkdir -p {place}/empty")
    disposable.settings = {"check": True}
    assert disposable("mount", path=f"{place}/empty", fstab=f"{place}/fstab", state="absent").changed
    disposable.settings = {}
    disposable.twice("mount", path=f"{place}/empty", fstab=f"{place}/fstab", state="absent")


def test_an_fstab_stays_whose_it_is(disposable: ActionHost, place: str) -> None:
    disposable.run(f"ln -sf fstab {place}/link && chown daemon {place}/fstab && chmod 0600 {place}/fstab")
    tmpfs = {"path": f"{place}/x", "src": "tmpfs", "fstype": "tmpfs", "state": "present"}
    disposable.twice("mount", **tmpfs, fstab=f"{place}/link")
    disposable.twice("sysctl", name="a.b", value="1", sysctl_file=f"{place}/link", reload=False)
    disposable.twice("cron", name="a", job="b", user="root", cron_file=f"{place}/link")
    disposable.run(f"test -L {place}/link && test $(stat -c %U%a {place}/fstab) = daemon600")


# pip.


def wheel(directory: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(directory / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", f"version = '{version}'\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


def test_packages_of_python(ssh_session: Session, tmp_path: Path) -> None:
    if shutil.which("python3") is None:
        pytest.skip("there is no Python")
    host = ActionHost(platform=Platform.POSIX, session=ssh_session)
    wheel(tmp_path, "drumline_shop", "1.0")
    common = {
        "virtualenv": str(tmp_path / "env"),
        "virtualenv_command": "python3 -m venv",
        "extra_args": f"--no-index --find-links {tmp_path}",
    }
    made = host.twice("pip", **common, name=["drumline-shop"])
    assert len(host.requests) == 1
    assert made.values["virtualenv"] == str(tmp_path / "env")
    wheel(tmp_path, "drumline_shop", "2.0")
    assert not host("pip", **common, name=["drumline_shop"]).changed
    host.settings = {"check": True}
    assert host("pip", **common, name=["drumline-shop"], state="latest").changed
    host.settings = {}
    host.twice("pip", **common, name=["drumline-shop"], state="latest")
    host.twice("pip", **common, name=["drumline-shop"], version="1.0")
    (tmp_path / "requirements.txt").write_text("drumline-shop>=2\n")
    host.twice("pip", **common, requirements=str(tmp_path / "requirements.txt"))
    host.twice("pip", virtualenv=str(tmp_path / "env"), name=["drumline-shop"], state="absent")
    with pytest.raises(ActionFailed, match="No matching distribution"):
        host("pip", **common, name=["no-such-thing"])
