"""``git`` with repositories that the tests make, and beside ansible-core."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.compared import HERE, Reference, Use

from drumline.plugin import ActionFailed
from drumline.testing import ActionHost

NAME = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "protocol.file.allow=always"]


def git(place: Path, *words: str) -> str:
    done = subprocess.run(["git", *NAME, "-C", str(place), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(place: Path, text: str) -> str:
    (place / "file").write_text(text)
    git(place, "add", "-A")
    git(place, "commit", "-qm", text)
    return git(place, "rev-parse", "HEAD")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """Two commits on main, a tag on the first, a branch."""
    place = tmp_path / "origin"
    place.mkdir()
    git(place, "init", "-qb", "main")
    commit(place, "one")
    git(place, "tag", "-a", "v1", "-m", "v1")
    git(place, "checkout", "-qb", "old")
    git(place, "checkout", "-q", "main")
    commit(place, "two")
    return place


@pytest.fixture
def host(ssh_session: Any) -> ActionHost:
    from drumline.plugin import Platform

    return ActionHost(platform=Platform.POSIX, session=ssh_session)


def test_a_clone_and_its_versions(host: ActionHost, origin: Path) -> None:
    one, two = git(origin, "rev-parse", "v1^{}"), git(origin, "rev-parse", "main")
    with host.directory() as there:
        common = {"repo": f"file://{origin}", "dest": there.at("shop")}
        host.settings = {"check": True}
        assert host("git", **common).changed
        host.settings = {}
        assert there.entries() == {}
        made = host.twice("git", **common)
        assert len(host.requests) == 1
        assert made.values == {"before": None, "after": two, "remote_url_changed": False}
        back = host.twice("git", **common, version="v1")
        assert (back.values["before"], back.values["after"]) == (two, one)
        host.twice("git", **common, version="main")
        host.twice("git", **common, version="old")
        host.twice("git", **common, version=two)
        three = commit(origin, "three")
        assert not host("git", **common, update=False).changed
        host.settings = {"check": True}
        assert host("git", **common, version="main").values["after"] == three
        host.settings = {}
        assert host.twice("git", **common, version="main").values["after"] == three
        with pytest.raises(ActionFailed, match="nonsense"):
            host("git", **common, version="nonsense")


def test_local_changes(host: ActionHost, origin: Path) -> None:
    with host.directory() as there:
        common = {"repo": str(origin), "dest": there.at("shop")}
        host.twice("git", **common)
        there.fill({"shop/file": "mine"})
        with pytest.raises(ActionFailed, match="Local modifications exist"):
            host("git", **common)
        assert host.twice("git", **common, force=True).message == "Local modifications exist."
        assert there.entries()["shop/file"] == "two"


def test_other_clones(host: ActionHost, origin: Path, tmp_path: Path) -> None:
    with host.directory() as there:
        host.twice("git", repo=f"file://{origin}", dest=there.at("shallow"), depth=1, version="v1")
        host.run(f"test $(git -C {there.at('shallow')} rev-list --count HEAD) = 1")
        host.twice("git", repo=str(origin), dest=there.at("bare"), bare=True)
        commit(origin, "three")
        host.twice("git", repo=str(origin), dest=there.at("bare"), bare=True)
        host.twice("git", repo=str(origin), dest=there.at("a/b"), archive=there.at("it.tar.gz"), archive_prefix="x/")
        assert there.entries()["it.tar.gz"] is not None
        moved = host("git", repo=f"file://{origin}", dest=there.at("a/b"))
        assert (moved.changed, moved.values["remote_url_changed"]) == (True, True)
        with pytest.raises(ActionFailed, match="Failed to list"):
            host("git", repo="/nowhere", dest=there.at("c"))


def test_submodules(host: ActionHost, origin: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "-qb", "main")
    commit(inner, "inner")
    git(origin, "submodule", "add", "-q", str(inner), "part")
    git(origin, "commit", "-qm", "part")
    allowed = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}
    host.settings = {"environment": allowed}
    with host.directory() as there:
        host.twice("git", repo=str(origin), dest=there.at("shop"))
        assert there.entries()["shop/part/file"] == "inner"


@pytest.mark.ansible
def test_git_as_the_reference(reference: Reference, origin: Path) -> None:
    wanted: list[dict[str, Any]] = [{}, {"version": "v1"}, {"version": "old"}, {"bare": True}, {"clone": False}]
    wanted.append({"version": "nonsense"})
    for given in wanted:
        ours, theirs = reference.both(Use("git", {"repo": str(origin), "dest": f"{HERE}/shop", **given}))
        names = ("failed",) if theirs.get("failed") else ("before", "after", "changed")
        assert {name: ours.get(name) for name in names} == {name: theirs.get(name) for name in names}, given
