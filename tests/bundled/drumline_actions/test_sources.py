"""Where packages come from, and what they are told: files of apt and dnf, keys of rpm, debconf and dpkg."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.compared import HERE, Reference, Use
from support.needs import need

from drumline.plugin import ActionFailed, Platform
from drumline.testing import ActionHost, HostFile
from drumline.testing.cases import ActionCases, Case, here
from drumline_local.transport import LocalSession

SOURCES = "/etc/apt/sources.list.d"
SHOP = {"name": "My Shop", "uris": ["http://shop.example/debian"], "suites": ["stable"]}


@pytest.fixture
def posix() -> ActionHost:
    """One host is enough for what has no scripts of its own."""
    return ActionHost(platform=Platform.POSIX, session=LocalSession())


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A public key, as text."""
    home = tmp_path_factory.mktemp("gpg")
    common = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    make = [*common, "--passphrase", "", "--quick-generate-key", "shop", "rsa2048", "sign"]
    subprocess.run(make, check=True, capture_output=True)
    subprocess.run([*common, "--armor", "--output", str(home / "key"), "--export"], check=True)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=False)
    return home / "key"


# apt.


def test_a_source_and_its_key(disposable: ActionHost, key: Path) -> None:
    disposable.settings = {"check": True}
    assert disposable("deb822_repository", **SHOP, signed_by=key.as_uri()).changed
    disposable.run(f"! test -e {SOURCES}/my-shop.sources && ! test -e /etc/apt/keyrings/my-shop.asc")
    disposable.settings = {}
    made = disposable.twice("deb822_repository", **SHOP, signed_by=key.as_uri(), components=["main"], enabled=False)
    assert len(disposable.requests) == 1
    assert made.values["key_filename"] == "/etc/apt/keyrings/my-shop.asc"
    disposable.run(f"cmp /etc/apt/keyrings/my-shop.asc {key}")
    expected = "Components: main\nEnabled: no\nX-Repolib-Name: My Shop\nSigned-By: /etc/apt/keyrings/my-shop.asc\n"
    expected += "Suites: stable\nTypes: deb\nURIs: http://shop.example/debian\n"
    assert made.values["repo"] == expected
    disposable.run(f"printf %s '{expected}' | cmp - {SOURCES}/my-shop.sources")
    disposable.twice("deb822_repository", **SHOP, signed_by=key.read_text(), mode="0600")
    disposable.run(f"grep -qx '    -----BEGIN PGP PUBLIC KEY BLOCK-----' {SOURCES}/my-shop.sources")
    disposable.run(
        f"grep -qx '    [.]' {SOURCES}/my-shop.sources && test $(stat -c %a {SOURCES}/my-shop.sources) = 600"
    )
    disposable.twice("deb822_repository", name="My Shop", state="absent")
    disposable.run(f"! test -e {SOURCES}/my-shop.sources && ! test -e /etc/apt/keyrings/my-shop.asc")
    with pytest.raises(ActionFailed, match="Could not fetch signed_by key"):
        disposable("deb822_repository", **SHOP, signed_by="file:///nowhere")


def test_answers_for_packages(disposable: ActionHost) -> None:
    shop = {"name": "shop", "question": "shop/port", "vtype": "string", "value": "80"}
    disposable.settings = {"check": True}
    assert disposable("debconf", **shop).changed
    disposable.settings = {}
    assert disposable("debconf", name="shop").values["current"] == {}
    made = disposable.twice("debconf", **shop)
    assert (made.values["previous"], made.values["current"]) == ({"shop/port": ""}, {"shop/port": "80"})
    password = {"question": "shop/password", "vtype": "password", "value": "secret"}
    disposable.twice("debconf", name="shop", **password)
    assert "secret" not in str(disposable.requests[0].text)  # type: ignore[union-attr]
    disposable.twice("debconf", name="shop", **{**password, "value": "other"})
    several = {"question": "shop/rooms", "vtype": "multiselect"}
    disposable.twice("debconf", name="shop", **several, value=["a", "b"])
    assert not disposable("debconf", name="shop", **several, value=["b", "a"]).changed
    disposable.twice("debconf", name="shop", question="shop/open", vtype="boolean", value=True, unseen=True)
    with pytest.raises(ActionFailed, match="required together"):
        disposable("debconf", name="shop", question="shop/port")


def test_selections_of_dpkg(disposable: ActionHost) -> None:
    disposable.settings = {"check": True}
    assert disposable("dpkg_selections", name="tar", selection="hold").changed
    disposable.settings = {}
    made = disposable.twice("dpkg_selections", name="tar", selection="hold")
    assert made.values == {"before": "install", "after": "hold"}
    disposable.twice("dpkg_selections", name="tar", selection="install")
    with pytest.raises(ActionFailed, match="Failed to find package 'no-such'"):
        disposable("dpkg_selections", name="no-such", selection="hold")


# dnf and rpm.

EPEL = "[epel]\nbaseurl = http://a/\n\thttp://b/\nenabled = 0\nexclude = x y\nname = EPEL\n\n"
HERE_TOO = {"name": "epel", "file": "f", "reposdir": here()}


class TestYumRepository(ActionCases):
    action = "yum_repository"
    platforms = (Platform.POSIX,)
    cases = (
        Case(
            "a source in a file of its own",
            {
                **HERE_TOO,
                "description": "EPEL",
                "baseurl": ["http://a/", "http://b/"],
                "enabled": False,
                "exclude": ["x", "y"],
                "mode": "0600",
            },
            changed=True,
            values={"repo": "epel", "state": "present"},
            after={"f.repo": HostFile(EPEL, 0o600)},
        ),
        Case(
            "one more in a file, whose comments stay",
            {**HERE_TOO, "name": "base", "description": "Base", "metalink": "http://c", "timeout": 3},
            before={"f.repo": f"# ours\n{EPEL}"},
            changed=True,
            after={"f.repo": f"# ours\n{EPEL}[base]\nmetalink = http://c\nname = Base\ntimeout = 3\n\n"},
        ),
        Case(
            "another setting, in its place",
            {**HERE_TOO, "description": "EPEL", "mirrorlist": "http://m"},
            before={"f.repo": f"{EPEL}[base]\nname=x\n"},
            changed=True,
            after={"f.repo": "[epel]\nmirrorlist = http://m\nname = EPEL\n\n[base]\nname=x\n"},
        ),
        Case(
            "one goes",
            {**HERE_TOO, "state": "absent"},
            before={"f.repo": f"{EPEL}[base]\nname=x\n"},
            changed=True,
            after={"f.repo": "[base]\nname=x\n"},
        ),
        Case(
            "the last goes, and its file",
            {**HERE_TOO, "state": "absent"},
            before={"f.repo": EPEL},
            changed=True,
            after={},
        ),
        Case("none is there", {**HERE_TOO, "state": "absent"}, changed=False, after={}),
        Case(
            "no directory",
            {"name": "a", "description": "a", "baseurl": ["b"], "reposdir": here("none")},
            failed="does not exist",
        ),
        Case("no place", {"name": "a", "description": "a"}, answers=(), failed="needs one of baseurl"),
    )


@pytest.mark.ansible
def test_yum_repository_as_the_reference(reference: Reference) -> None:
    common = {"name": "epel", "file": "f", "reposdir": HERE}
    wanted: list[dict[str, Any]] = [
        {"description": "EPEL", "baseurl": ["http://a/", "http://b/"], "gpgcheck": False, "exclude": ["x", "y"]},
        {"description": "EPEL", "metalink": "http://a/", "gpgkey": ["k", "l"], "sslverify": False, "priority": "1"},
        {"state": "absent"},
        {"baseurl": ["http://a"]},
    ]
    files: tuple[dict[str, Any], ...] = ({}, {"f.repo": EPEL}, {"f.repo": "[base]\nname = x\n\n"})
    uses = [Use(f"{one} {before}", {**common, **one}, before=before) for one in wanted for before in files]
    reference.compare("yum_repository", uses)


def test_a_key_of_rpm(disposable: ActionHost, key: Path) -> None:
    need("rpm")
    disposable.settings = {"check": True}
    assert disposable("rpm_key", key=str(key)).changed
    disposable.settings = {}
    disposable.run("! rpm -q gpg-pubkey")
    with pytest.raises(ActionFailed, match="does not match any key fingerprints"):
        disposable("rpm_key", key=str(key), fingerprint=["AB CD"])
    disposable.twice("rpm_key", key=key.as_uri())
    listed = ["gpg", "--show-keys", "--with-colons", str(key)]
    shown = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
    disposable.twice("rpm_key", key=f"0x{shown.split(':')[4]}", state="absent")
    disposable.run("! rpm -q gpg-pubkey")
    with pytest.raises(ActionFailed, match="Not a valid key"):
        disposable("rpm_key", key="a key")
    with pytest.raises(ActionFailed, match="a valid file must be given"):
        disposable("rpm_key", key="DEADBEEF")


@pytest.mark.ansible
def test_files_and_answers_as_the_reference(disposable_reference: Reference, key: Path) -> None:
    uses = (
        Use("deb822_repository", {**SHOP, "signed_by": str(key), "components": ["main"], "by_hash": True}),
        Use("deb822_repository", {**SHOP, "signed_by": key.as_uri(), "types": ["deb", "deb-src"]}),
        Use("deb822_repository", {**SHOP, "signed_by": key.read_text(), "languages": ["en"]}),
        Use("deb822_repository", {"name": "My Shop", "state": "absent"}),
        Use("dpkg_selections", {"name": "sed", "selection": "hold"}),
        Use("debconf", {"name": "blog", "question": "blog/port", "vtype": "string", "value": "80"}),
    )
    host = disposable_reference.host
    anew = f"rm -f {SOURCES}/my-shop.sources; echo PURGE | debconf-communicate blog"
    anew += "; echo sed install | dpkg --set-selections"
    told = ("repo", "dest", "key_filename", "before", "after", "current", "previous")
    for use in uses:
        host.run(anew)
        theirs = disposable_reference.both(use)[1]
        host.run(anew)
        ours = host(use.name, **use.arguments).values
        assert {name: ours.get(name) for name in told} == {name: theirs.get(name) for name in told}
