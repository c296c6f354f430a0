"""Packages: real apt with a repository that the tests make, and programs that answer as those of other systems do."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from drumline.plugin import ActionFailed, Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case, here

PROGRAMS = Path(__file__).with_name("programs")
ON = {"environment": {"PATH": f"{PROGRAMS / 'rpm'}:/usr/bin:/bin", "PACKAGES": here()}}

THERE = {"there": ""}
GONE = {"name": ["there"], "state": "absent"}
NEWEST = {"name": ["there"], "state": "latest"}


def build(repository: Path, name: str, version: str, **fields: str) -> None:
    """A package with one file, and its entry in the list of the repository."""
    tree = repository / "tree" / f"{name}-{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "opt").mkdir()
    (tree / "opt" / name).write_text(version)
    said = {"Package": name, "Version": version, "Architecture": "all", "Maintainer": "a <a@b.c>", **fields}
    control = "".join(f"{key}: {value}\n" for key, value in said.items()) + "Description: for tests\n"
    (tree / "DEBIAN" / "control").write_text(control)
    file = repository / f"{name}_{version}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(tree), str(file)], check=True, capture_output=True)
    data = file.read_bytes()
    entry = f"{control}Filename: ./{file.name}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n"
    with (repository / "Packages").open("a") as packages:
        packages.write(entry)


@pytest.fixture
def repository(disposable: ActionHost, tmp_path: Path) -> Path:
    """The only one of the host. Its lists haven't been read."""
    build(tmp_path, "shop", "1.0", Depends="libshop")
    build(tmp_path, "libshop", "1.0", Provides="libsell")
    for line in (
        "rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*",
        f"echo 'deb [trusted=yes] file:{tmp_path} ./' >/etc/apt/sources.list",
        # Directories of tests are closed to others, and so to the user whom apt reads as.
        "echo 'APT::Sandbox::User \"root\";' >/etc/apt/apt.conf.d/99test",
        "dpkg --purge shop libshop >/dev/null 2>&1 || :",
    ):
        disposable.run(line)
    return tmp_path


def test_a_package_comes_and_goes(disposable: ActionHost, repository: Path) -> None:
    with pytest.raises(ActionFailed, match="Unable to locate package shop"):
        disposable("apt", name=["shop"])
    disposable.settings = {"check": True}
    assert disposable("apt", update_cache=True).changed
    disposable.settings = {}
    result = disposable.twice("apt", name=["shop"], update_cache=True)
    assert not disposable("apt", update_cache=True, cache_valid_time=3600).values["cache_updated"]
    assert len(disposable.requests) == 1
    assert result.values["cache_updated"] is True
    assert "Setting up shop (1.0)" in result.values["stdout"]
    disposable.run("test -e /opt/shop && test -e /opt/libshop")
    assert not disposable("apt", name=["shop=1.*", "libsell", "libshop"], state="present").changed
    disposable.settings = {"check": True}
    assert disposable("apt", name=["shop"], state="absent").changed
    disposable.settings = {}
    disposable.run("test -e /opt/shop")
    disposable.twice("apt", name=["shop"], state="absent", purge=True)
    disposable.run("! test -e /opt/shop && test -e /opt/libshop")
    disposable.twice("apt", autoremove=True)
    disposable.run("! test -e /opt/libshop")


def test_the_newest_version(disposable: ActionHost, repository: Path) -> None:
    disposable("package", name=["shop"], update_cache=True)
    assert not disposable("apt", name=["shop"], state="latest").changed
    build(repository, "shop", "2.0", Depends="libshop")
    assert disposable("apt", update_cache=True).changed
    assert not disposable("package", name=["shop"]).changed
    assert disposable.twice("apt", name=["shop"], state="latest").changed
    disposable.run("grep -qx 2.0 /opt/shop")
    with pytest.raises(ActionFailed, match="downgrade"):
        disposable("apt", name=["shop=1.0"])
    disposable.twice("apt", name=["shop=1.0"], allow_downgrade=True)
    upgraded = disposable.twice("apt", upgrade="dist")
    assert "1 upgraded" in upgraded.message
    disposable.run("grep -qx 2.0 /opt/shop")


def test_ten_upgraded_packages_are_a_change(disposable: ActionHost, repository: Path) -> None:
    names = [f"part{number}" for number in range(10)]
    for version in "1.0", "2.0":
        for name in names:
            build(repository, name, version)
        disposable.settings = {}
        disposable("apt", name=[f"{name}={version}" for name in names if version == "1.0"], update_cache=True)
    assert disposable("apt", upgrade="dist").changed
    disposable("apt", name=names, state="absent")


def test_a_source_after_a_line_without_an_end(disposable: ActionHost, repository: Path) -> None:
    line, place = f"deb [trusted=yes] file:{repository} ./", "/etc/apt/sources.list.d"
    disposable.run("rm /etc/apt/sources.list; printf %s '# other' >/opt/other.list; chown daemon /opt/other.list")
    disposable.run(f"chmod 0600 /opt/other.list; ln -s /opt/other.list {place}/shop.list")
    disposable.twice("apt_repository", repo=line, filename="shop", update_cache=False)
    disposable.run(f"test -L {place}/shop.list && test $(stat -c %U%a /opt/other.list) = daemon600")
    disposable.run(f"printf '%s\\n' '# other' '{line}' | cmp - {place}/shop.list")


def test_a_file(disposable: ActionHost, repository: Path) -> None:
    disposable("apt", update_cache=True)
    disposable.twice("apt", deb=f"{repository}/libshop_1.0.deb")
    disposable.run("test -e /opt/libshop")
    with pytest.raises(ActionFailed, match="Unable to install package"):
        disposable("apt", deb="/nowhere.deb")


def test_by_whatever_there_is(disposable: ActionHost, repository: Path) -> None:
    disposable("apt", update_cache=True)
    disposable.twice("package", name=["shop"])
    disposable.twice("package", name=["shop"], state="absent")
    with pytest.raises(ActionFailed, match="no manager of packages 'emerge'"):
        disposable("package", name=["shop"], use="emerge")


def test_facts_of_packages(disposable: ActionHost) -> None:
    [dpkg] = disposable("package_facts").facts["packages"]["dpkg"]
    assert dpkg["source"] == "apt"
    assert {*dpkg} == {"name", "version", "arch", "category", "source"}
    with pytest.raises(ActionFailed, match="portage"):
        disposable("package_facts", manager=["portage"])


def test_a_source(disposable: ActionHost, repository: Path) -> None:
    disposable.run("rm /etc/apt/sources.list")
    line = f"deb [trusted=yes]   file:{repository} ./"
    disposable.settings = {"check": True}
    assert disposable("apt_repository", repo=line).changed
    disposable.settings = {}
    made = disposable.twice("apt_repository", repo=line, filename="shop", mode="0600")
    assert made.values["sources_added"] == ["/etc/apt/sources.list.d/shop.list"]
    disposable.run("test $(stat -c %a /etc/apt/sources.list.d/shop.list) = 600")
    disposable("apt", name=["shop"])  # the lists have been read
    gone = disposable.twice("apt_repository", repo=line.replace("   ", " "), state="absent")
    assert gone.values["sources_removed"] == ["/etc/apt/sources.list.d/shop.list"]
    with pytest.raises(ActionFailed, match="Failed to update apt cache"):
        disposable("apt_repository", repo="deb file:/nowhere ./", update_cache_retries=1)
    disposable.run("! ls /etc/apt/sources.list.d/*.list")
    with pytest.raises(ActionFailed, match="Invalid repository string"):
        disposable("apt_repository", repo="nonsense")


def test_a_key(disposable: ActionHost, tmp_path: Path) -> None:
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    subprocess.run([*gpg, "--passphrase", "", "--quick-gen-key", "a@b.c"], check=True, capture_output=True)
    key = subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True, text=True).stdout
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)
    added = disposable.twice("apt_key", data=key)
    identifier = added.values["key_id"]
    assert identifier in added.values["after"]
    assert identifier not in added.values["before"]
    disposable.twice("apt_key", id=identifier, state="absent")
    with pytest.raises(ActionFailed, match="No key was found"):
        disposable("apt_key", data="nonsense")


class TestDnf(ActionCases):
    action = "dnf"
    platforms = (Platform.POSIX,)
    cases = (
        Case(
            "it is installed",
            {"name": ["shop", "there"], "enablerepo": ["extra"]},
            before={"there": ""},
            call=ON,
            changed=True,
            values={"rc": 0, "results": ["Installed: shop"]},
            after={"there": "", "shop": "", "asked": "-y --enablerepo=extra install shop\n"},
        ),
        Case("removed", GONE, before=THERE, call=ON, changed=True, after={"asked": ...}),
        Case("it is there", {"name": ["there"], "state": "installed"}, before=THERE, call=ON, changed=False),
        Case("the newest", NEWEST, before=THERE, call=ON, changed=False),
        Case("not the newest", NEWEST, before={**THERE, "there.newer": ""}, call=ON, changed=True),
        Case("a check", {"name": ["shop"]}, call={**ON, "check": True}, changed=True, after={}, repeats=False),
        Case("there is none", {"name": ["nowhere"]}, call=ON, failed="Unable to find a match: nowhere"),
        Case("no option", {"name": ["a"], "enablerepo": ["a b"]}, answers=(), failed="can't be an option"),
    )


class TestPackageOfRedHat(ActionCases):
    action = "package"
    platforms = (Platform.POSIX,)
    cases = (
        Case(
            "it is installed",
            {"name": ["shop"], "use": "dnf"},
            call=ON,
            changed=True,
            values={"rc": 0},
            after={"shop": "", "asked": "-y install shop\n"},
        ),
    )
