"""``archive``, ``acl`` and ``xattr`` on real files, and beside Ansible's collections."""

from __future__ import annotations

import io
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from support.compared import HERE, Reference, Use

from drumline.plugin import ActionFailed, Platform
from drumline.testing import ActionHost, HostFile
from drumline.testing.cases import ActionCases, Case, here

POSIX = [Platform.POSIX]
TREE = {"d/": None, "d/a b": "one", "d/sub/": None, "d/sub/x.log": "log", "e": "two"}


class TestArchive(ActionCases):
    action = "archive"
    platforms = POSIX
    round_trips = 1
    cases = (
        Case(
            "one file is only compressed, beside itself",
            {"path": [here("e")], "mode": "0600"},
            before={"e": "two"},
            changed=True,
            values={"dest": here("e.gz"), "dest_state": "compress", "archived": [here("e")], "mode": "0600"},
            after={"e": "two", "e.gz": ...},
        ),
        Case(
            "nothing that is to be kept is left",
            {"path": [here("*")], "exclude_path": [here("e*")], "dest": here("x.tar"), "format": "tar", "remove": True},
            before=TREE,
            changed=True,
            values={"expanded_exclude_paths": [here("e")], "expanded_paths": [here("d"), here("e")], "missing": []},
            after={"e": "two", "x.tar": ...},
            repeats=False,
        ),
        Case(
            "some of them are missing",
            {"path": [here("d"), here("none")], "dest": here("x.tgz")},
            before=TREE,
            changed=True,
            values={"missing": [here("none")], "dest_state": "incomplete"},
        ),
        Case("a tree without a name for it", {"path": [here("d")]}, before=TREE, failed='must specify "dest"'),
        Case("nothing at all", {"path": [here("n*")], "dest": here("x")}, failed="no source paths were found"),
        Case(
            "an archive that would be removed",
            {"path": [here("d")], "dest": here("d/x"), "remove": True},
            before=TREE,
            failed="can not be contained",
        ),
        Case(
            "an archive in one of several that would be removed",
            {"path": [here("e"), here("d")], "dest": here("d/x.tgz"), "remove": True},
            before=TREE,
            failed="can not be contained",
        ),
        Case(
            "an older archive among what is packed becomes the new one",
            {"path": [here("*")], "dest": here("x.tgz"), "remove": True},
            before={"a.log": "1", "x.tgz": "old"},
            changed=True,
            after={"x.tgz": ...},
            repeats=False,
        ),
        Case(
            "all is gone and the archive is there",
            {"path": [here("gone")], "dest": here("x.gz")},
            before={"x.gz": "kept"},
            changed=False,
            after={"x.gz": "kept"},
        ),
    )


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "tar", "zip"])
def test_what_an_archive_holds(posix: ActionHost, tmp_path: Path, kind: str) -> None:
    if kind in ("xz", "zip"):
        posix.settings = {"environment": {"PATH": "/usr/bin:/bin"}}
    with posix.directory() as there:
        there.fill(TREE)
        wanted: dict[str, Any] = {"path": [there.at("d"), there.at("e")], "dest": there.at("out"), "format": kind}
        posix.twice("archive", **wanted)
        data = Path(there.at("out")).read_bytes()
    if kind == "zip":
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            held = {name: file.read(name).decode() for name in file.namelist() if not name.endswith("/")}
    else:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            held = {one.name: tar.extractfile(one).read().decode() for one in tar if one.isfile()}  # type: ignore[union-attr]
    assert held == {"d/a b": "one", "d/sub/x.log": "log", "e": "two"}


ARCHIVES: tuple[dict[str, Any], ...] = (
    {"path": [f"{HERE}/e"]},
    {"path": [f"{HERE}/e"], "format": "zip"},
    {"path": [f"{HERE}/e"], "force_archive": True, "dest": f"{HERE}/x"},
    {"path": [f"{HERE}/d"], "dest": f"{HERE}/x"},
    {"path": [f"{HERE}/d"]},
    {"path": [f"{HERE}/*"], "exclude_path": [f"{HERE}/e"], "dest": f"{HERE}/x.bz2", "format": "bz2"},
    {"path": [f"{HERE}/d", f"{HERE}/e"], "dest": f"{HERE}/x.zip", "format": "zip", "exclusion_patterns": ["*.log"]},
    {"path": [f"{HERE}/d", f"{HERE}/none"], "dest": f"{HERE}/x"},
    {"path": [f"{HERE}/none"], "dest": f"{HERE}/x"},
    {"path": [f"{HERE}/e"], "dest": f"{HERE}/x", "remove": True},
)


@pytest.mark.ansible
def test_archive_as_the_reference(reference: Reference) -> None:
    wrong = []
    for arguments in ARCHIVES:
        ours, theirs = reference.both(Use("archive", arguments, before=TREE))
        assert bool(ours.get("failed")) == bool(theirs.get("failed")), f"{arguments}: {ours} instead of {theirs}"
        if theirs.get("failed"):
            continue
        theirs["expanded_paths"].sort()
        said = ("changed", "arcroot", "dest", "dest_state", "state", "missing", "expanded_paths", "mode", "owner")
        wrong += [
            f"{arguments} {n}: {ours.get(n)} instead of {theirs.get(n)}" for n in said if ours.get(n) != theirs.get(n)
        ]
        files = set(theirs["archived"]) - {name.rstrip("/") for name in theirs["archived"] if name.endswith("/")}
        if not {name for name in files if Path(name).suffix} <= set(ours["archived"]):
            wrong.append(f"{arguments}: {ours['archived']} instead of {theirs['archived']}")
    assert not wrong, "\n".join(wrong)


# Access control lists and extended attributes.

needs_lists = pytest.mark.skipif(
    subprocess.run("command -v setfacl setfattr", shell=True, capture_output=True, check=False).returncode != 0,
    reason="acl and attr aren't installed",
)


@pytest.fixture
def lists(ssh_session: Any) -> ActionHost:
    return ActionHost(platform=Platform.POSIX, session=ssh_session)


@needs_lists
def test_an_access_control_list(lists: ActionHost) -> None:
    with lists.directory() as there:
        there.fill({"f": HostFile("x", 0o640), "d/": None, "d/g": HostFile("y", 0o640)})
        path = there.at("f")
        lists.settings = {"check": True}
        daemon = {"path": path, "etype": "user", "entity": "daemon", "permissions": "rw", "state": "present"}
        assert lists("acl", **daemon).changed
        lists.settings = {}
        assert lists("acl", path=path).values["acl"] == ["user::rw-", "group::r--", "other::---"]
        made = lists.twice("acl", **daemon)
        assert made.message == "user:daemon:rw is present"
        assert "user:daemon:rw-" in made.values["acl"]
        lists.twice("acl", path=path, entry="u:daemon", state="absent")
        lists.twice("acl", path=there.at("d"), entry="default:group:daemon:rx", state="present")
        lists.twice(
            "acl", path=there.at("d"), etype="user", entity="bin", permissions="r", state="present", recursive=True
        )
        assert "user:bin:r--" in lists("acl", path=there.at("d/g")).values["acl"]
        with pytest.raises(ActionFailed, match="Path not found"):
            lists("acl", path=there.at("none"))
        with pytest.raises(ActionFailed, match="'etype' MUST be set"):
            lists("acl", path=path, state="present")


@needs_lists
def test_extended_attributes(lists: ActionHost) -> None:
    with lists.directory() as there:
        there.fill({"f": "x"})
        path = there.at("f")
        lists.settings = {"check": True}
        assert lists("xattr", path=path, key="a", value="b c").changed
        lists.settings = {}
        assert lists("xattr", path=path, state="keys").values["xattr"] == {}
        lists.twice("xattr", path=path, key="a", value="b c")
        assert lists("xattr", path=path, key="user.a").values["xattr"] == {"user.a": "b c"}
        assert lists("xattr", path=path, state="keys").values["xattr"] == {"user.a": ""}
        lists.twice("xattr", path=path, key="a", state="absent")
        with pytest.raises(ActionFailed, match="needs a key"):
            lists("xattr", path=path, state="absent")


@pytest.mark.ansible
@needs_lists
def test_lists_and_attributes_as_the_reference(reference: Reference) -> None:
    file, directory = {"path": f"{HERE}/f"}, {"path": f"{HERE}/d"}
    daemon = {"etype": "user", "entity": "daemon"}
    lists: tuple[dict[str, Any], ...] = (
        {**file},
        {**file, **daemon, "permissions": "rw", "state": "present"},
        {**file, **daemon, "state": "absent"},
        {**file, "entry": "g:daemon:r", "state": "present"},
        {**file, "etype": "other", "permissions": "r", "state": "present"},
        {**directory, **daemon, "permissions": "rX", "state": "present", "default": True},
        {**directory, **daemon, "permissions": "rX", "state": "present", "recalculate_mask": "no_mask"},
        {**directory, "entry": "d:u:daemon:rx", "state": "present"},
    )
    before = {"f": HostFile("x", 0o640), "d/": None}
    reference.compare("acl", [Use(f"{one}", one, before=before) for one in lists], "ansible.posix.acl")
    attributes: tuple[dict[str, Any], ...] = (
        {**file},
        {**file, "key": "a"},
        {**file, "key": "a", "value": "b c"},
        {**file, "key": "a", "state": "absent"},
        {**file, "state": "all"},
        {**file, "state": "keys"},
    )
    uses = [Use(f"{one}", one, before=before) for one in attributes]
    reference.compare("xattr", uses, "community.general.xattr")


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_what_is_left_out_is_not_removed(posix: ActionHost) -> None:
    with posix.directory() as there:
        there.fill({"a.log": "1", "b.keep": "2"})
        posix("archive", path=[there.at("*")], dest=there.at("x.tgz"), exclusion_patterns=["*.keep"], remove=True)
        assert set(there.entries()) == {"b.keep", "x.tgz"}
