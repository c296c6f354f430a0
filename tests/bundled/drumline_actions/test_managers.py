"""Managers of packages of other systems: their real programs with repositories that the tests make, but for apk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.needs import need

from drumline.plugin import ActionFailed, Platform, Session
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case, here

PROGRAMS = Path(__file__).with_name("programs")
ON = {"environment": {"PATH": f"{PROGRAMS / 'alpine'}:/usr/bin:/bin", "PACKAGES": here()}}
SHOP = {"name": ["shop"], "world": here("world")}
OLD = {"shop": "1.0", "shop.new": "2.0", "world": "shop\n"}


class TestApk(ActionCases):
    action = "apk"
    platforms = (Platform.POSIX,)
    round_trips = 1
    cases = (
        Case(
            "a package comes",
            SHOP,
            before={"shop.new": "2.0", "world": ""},
            call=ON,
            changed=True,
            values={"packages": ["shop"]},
            after={"shop": "2.0", "shop.new": "2.0", "world": "shop\n"},
        ),
        Case("an old one will do", SHOP, before=OLD, call=ON, changed=False),
        Case(
            "one that others needed is asked for from now on",
            SHOP,
            before={**OLD, "world": "shopping\n"},
            call=ON,
            changed=True,
        ),
        Case(
            "the newest",
            {**SHOP, "state": "latest"},
            before=OLD,
            call=ON,
            changed=True,
            after={**OLD, "shop": "2.0"} | {"world": ...},
        ),
        Case("all are upgraded", {"upgrade": True, "update_cache": True}, before=OLD, call=ON, changed=True),
        Case("one goes", {**SHOP, "state": "absent"}, before=OLD, call=ON, changed=True, values={"packages": ["shop"]}),
        Case("none is there", {"name": ["none"]}, call=ON, failed="no such package"),
        Case("nothing to do", {}, answers=(), failed="is required"),
    )


def built(directory: Path, *versions: str) -> None:
    """Packages of rpm with one file, and the list of the repository."""
    for name, version in (("rest", "1"), *(("shop", version) for version in versions)):
        spec = directory / f"{name}.spec"
        spec.write_text(
            f"Name: {name}\nVersion: {version}\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n"
            f"%description\nx\n%install\nmkdir -p %{{buildroot}}/opt\necho {version} >%{{buildroot}}/opt/{name}\n"
            f"%files\n/opt/{name}\n"
        )
        define = [f"--define=_rpmdir {directory}", f"--define=_topdir {directory}/top", "--define=_build_id_links none"]
        subprocess.run(["rpmbuild", "-bb", "--quiet", *define, str(spec)], check=True, capture_output=True)
    subprocess.run(["createrepo_c", "-q", str(directory / "noarch")], check=True)


@pytest.fixture
def suse(disposable: ActionHost, tmp_path: Path) -> ActionHost:
    """A host with a repository that zypper and dnf know, and a database of rpm with one package."""
    need("zypper", "dnf", "rpmbuild", "createrepo_c")
    built(tmp_path, "1.0", "2.0")
    repository = f"[shop]\\nname=shop\\nbaseurl={(tmp_path / 'noarch').as_uri()}\\ngpgcheck=0\\nenabled=1\\n"
    for line in (
        "mkdir -p /etc/zypp/repos.d /etc/products.d /etc/rpm /etc/yum.repos.d",
        "rm -rf /var/lib/rpm /var/cache/zypp /var/cache/dnf; mkdir /var/lib/rpm",
        "echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros",
        f"printf '{repository}' | tee /etc/zypp/repos.d/shop.repo >/etc/yum.repos.d/shop.repo",
        f"rpm --initdb && rpm -i {tmp_path}/noarch/rest-1-1.noarch.rpm",
    ):
        disposable.run(line)
    return disposable


def test_packages_by_zypper(suse: ActionHost) -> None:
    suse.settings = {"check": True}
    assert suse("zypper", name=["shop"]).changed
    suse.run("! rpm -q shop")
    suse.settings = {}
    made = suse.twice("zypper", name=["shop=1.0"], disable_gpg_check=True)
    assert (made.values["rc"], made.values["state"]) == (0, "present")
    suse.run("grep -qx 1.0 /opt/shop")
    assert not suse("zypper", name=["shop"]).changed
    assert not suse("zypper", name=["shop>=1.0", "rest"]).changed
    release = suse("command", cmd="rpm -q --qf %{VERSION}-%{RELEASE} shop").values["stdout"]
    assert not suse("zypper", name=[f"shop={release}"]).changed
    suse.twice("zypper", name=["*"], state="latest", disable_gpg_check=True)
    suse.run("grep -qx 2.0 /opt/shop")
    suse.twice("zypper", name=["shop<2.0"], disable_gpg_check=True)
    suse.twice("package", name=["shop"], state="latest", use="zypper", disable_gpg_check=True)
    suse("zypper", name=["shop=1.0"], disable_gpg_check=True)
    suse.twice("zypper", name=["*"], state="dist-upgrade", disable_gpg_check=True)
    suse.twice("zypper", name=["shop"], state="absent")
    suse.run("! test -e /opt/shop")
    with pytest.raises(ActionFailed, match="nosuch"):
        suse("zypper", name=["nosuch"])


def test_packages_by_real_dnf(suse: ActionHost) -> None:
    suse.settings = {"check": True}
    assert suse("dnf", name=["shop"]).changed
    suse.run("! rpm -q shop")
    suse.settings = {}
    suse.twice("dnf", name=["shop-1.0"])
    assert not suse("dnf", name=["shop"]).changed
    suse.twice("dnf", name=["shop"], state="latest")
    suse.run("grep -qx 2.0 /opt/shop")
    suse.twice("dnf", name=["shop"], state="absent")
    with pytest.raises(ActionFailed, match="nosuch"):
        suse("dnf", name=["nosuch"])


def pressed(directory: Path, version: str) -> None:
    """A package of pacman, and the list of the repository with it alone."""
    tree, entry = directory / f"tree-{version}", directory / f"list-{version}" / f"shop-{version}-1"
    (tree / "opt").mkdir(parents=True)
    entry.mkdir(parents=True)
    (tree / "opt" / "pressed").write_text(f"{version}\n")
    said = {"pkgname": "shop", "pkgver": f"{version}-1", "pkgdesc": "x", "arch": "any", "size": "4"}
    (tree / ".PKGINFO").write_text("".join(f"{name} = {value}\n" for name, value in said.items()))
    package = directory / f"shop-{version}-1-any.pkg.tar.gz"
    subprocess.run(["tar", "-czf", package, "-C", tree, ".PKGINFO", "opt"], check=True)
    shown = {"FILENAME": package.name, "NAME": "shop", "VERSION": f"{version}-1", "ARCH": "any", "ISIZE": "4"}
    shown["CSIZE"] = str(package.stat().st_size)
    (entry / "desc").write_text("".join(f"%{name}%\n{value}\n\n" for name, value in shown.items()))
    subprocess.run(["tar", "-czf", directory / "shop.db", "-C", entry.parent, entry.name], check=True)


@pytest.fixture
def arch(disposable: ActionHost, tmp_path: Path) -> ActionHost:
    """A host with a repository that pacman knows."""
    need("pacman")
    settings = f"[options]\\nArchitecture = auto\\nSigLevel = Never\\n[shop]\\nServer = {tmp_path.as_uri()}\\n"
    disposable.run(
        f"printf '{settings}' >/etc/pacman.conf; rm -rf /var/lib/pacman; mkdir -p /var/lib/pacman; chmod 755 {tmp_path}"
    )
    pressed(tmp_path, "1.0")
    return disposable


def test_packages_by_pacman(arch: ActionHost, tmp_path: Path) -> None:
    made = arch.twice("pacman", name=["shop"], update_cache=True)
    assert made.values == {"packages": ["shop"], "cache_updated": True} | {"stdout": made.values["stdout"]}
    arch.run("grep -qx 1.0 /opt/pressed")
    pressed(tmp_path, "2.0")
    arch.settings = {"check": True}
    assert arch("pacman", update_cache=True).changed
    arch.settings = {}
    arch.twice("pacman", update_cache=True)
    assert not arch("pacman", name=["shop"]).changed
    arch.settings = {"check": True}
    assert arch("pacman", name=["shop"], state="latest").changed
    arch.settings = {}
    arch.twice("pacman", name=["shop"], state="latest", reason="dependency", reason_for="all")
    arch.run("grep -qx 2.0 /opt/pressed && pacman -Qdq | grep -qx shop")
    arch.twice("pacman", name=[f"{tmp_path}/shop-1.0-1-any.pkg.tar.gz"])
    assert arch.twice("pacman", upgrade=True).values["packages"] == ["shop"]
    arch.twice("pacman", name=["shop"], state="absent")
    arch.run("! test -e /opt/pressed")
    with pytest.raises(ActionFailed, match="target not found: nosuch"):
        arch("pacman", name=["nosuch"])


@pytest.fixture
def node(ssh_session: Session, tmp_path: Path) -> ActionHost:
    """A host with npm that asks nobody, and a package."""
    need("npm")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "package.json").write_text(json.dumps({"name": "drumline-shop", "version": "1.0.0"}))
    (tmp_path / "app").mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "npm_config_offline": "true",
        "npm_config_cache": str(tmp_path / "cache"),
    }
    return ActionHost(platform=Platform.POSIX, session=ssh_session, settings={"environment": environment})


def test_packages_by_npm(node: ActionHost, tmp_path: Path) -> None:
    app, package = tmp_path / "app", f"file:{tmp_path}/package"
    (app / "package.json").write_text('{"name": "own", "version": "1.0.0"}')
    node.settings["check"] = True
    assert node("npm", name=package, path=str(app)).changed
    assert not (app / "node_modules").exists()
    node.settings["check"] = False
    node.twice("npm", name=package, path=str(app))
    assert not node("npm", name="drumline-shop", path=str(app)).changed
    assert not node("npm", name="drumline-shop", version="1.0.0", path=str(app)).changed
    assert len(node.requests) == 1
    shutil.rmtree(app / "node_modules")
    node.twice("npm", path=str(app), production=True)
    assert node("npm", path=str(app), ci=True).changed
    node.twice("npm", name="drumline-shop", path=str(app), state="absent")
    with pytest.raises(ActionFailed, match="path must be specified"):
        node("npm", name="x")
    with pytest.raises(ActionFailed, match="ENOTCACHED"):
        node("npm", name="drumline-no-such", path=str(app))
