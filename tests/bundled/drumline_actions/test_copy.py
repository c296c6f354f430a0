"""``copy`` on real files: what it writes, what it keeps, and that it does nothing the second time."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from drumline.plugin import ActionFailed, Completed, Platform, Put, Request, Run, TransferFailed
from drumline.testing import ActionHost, Answer, HostFile, HostLink
from drumline.testing.cases import ActionCases, Case, here

EVERY_BYTE = bytes(range(256)) * 8
LARGE = os.urandom(300_000)

POSIX, WINDOWS = [Platform.POSIX], [Platform.WINDOWS]
#: Names of files, and on which hosts they can be.
NAMES = {
    **{name: [*POSIX, *WINDOWS] for name in ("plain", "with space", "ü ☃", "quote'$NOT_SET`", "[a]", "-dash")},
    **dict.fromkeys(("quote'\"$NOT_SET`", "new\nline", "[a]*"), POSIX),
}


class TestCopy(ActionCases):
    action = "copy"
    round_trips = 1
    cases = (
        *(
            Case(
                f"any name and all bytes: {name!r}",
                {"src": "source", "dest": here(name)},
                platforms=platforms,
                files={"source": EVERY_BYTE},
                changed=True,
                values={"dest": here(name), "size": len(EVERY_BYTE), "checksum": hashlib.sha1(EVERY_BYTE).hexdigest()},
                after={name: EVERY_BYTE},
                requests=[Run],
            )
            for name, platforms in NAMES.items()
        ),
        Case(
            "large content is uploaded, once",
            {"src": "source", "dest": here("made/")},
            files={"source": LARGE},
            changed=True,
            values={"dest": here("made/source")},
            after={"made/": None, "made/source": LARGE},
            requests=[Run, Put, Run],
        ),
        Case("a new file", {"content": "x\n", "dest": here("f")}, changed=True, after={"f": "x\n"}, requests=[Run]),
        Case(
            "an old file is kept",
            {"content": "new", "dest": here("file"), "force": False},
            before={"file": "old"},
            changed=False,
            after={"file": "old"},
        ),
        Case(
            "into a directory that is there",
            {"src": "app.conf", "dest": here("there")},
            files={"app.conf": "x"},
            before={"there/": None},
            changed=True,
            after={"there/": None, "there/app.conf": "x"},
        ),
        Case(
            "a file of the host",
            {"src": here("a"), "dest": here("b"), "remote_src": True},
            before={"a": "text"},
            changed=True,
            after={"a": "text", "b": "text"},
        ),
        Case(
            "no file of the host",
            {"src": here("x"), "dest": here("b"), "remote_src": True},
            failed="not found",
            after={},
        ),
        Case("a directory of that name", {"content": "x", "dest": here()}, failed="is a directory", after={}),
        Case("no directory", {"content": "x", "dest": here("absent/file")}, failed="does not exist", after={}),
        Case(
            "not the checksum that was expected",
            {"content": "x", "dest": "/file", "checksum": "0" * 40},
            answers=[],
            failed="expected checksum",
        ),
    )

    def test_the_old_file_is_kept_aside(self, posix: ActionHost) -> None:
        self._check_backup(posix)

    @pytest.mark.windows
    def test_the_old_file_is_kept_aside_on_windows(self, windows: ActionHost) -> None:
        self._check_backup(windows)

    def _check_backup(self, host: ActionHost) -> None:
        with host.directory() as there:
            there.fill({"file": "old"})
            result = host("copy", content="new", dest=there.at("file"), backup=True)
            kept = result.values["backup_file"].removeprefix(there.at(""))[1:]
            assert there.entries() == {"file": "new", kept: "old"}


class TestCopyOnPosix(ActionCases):
    action = "copy"
    platforms = POSIX
    round_trips = 1
    cases = (
        *(
            Case(
                f"mode {mode} of {old}",
                {"content": "x", "dest": here("file"), "mode": mode},
                before=before,
                changed=True,
                values={"mode": f"{bits:04o}", "state": "file"},
                after={"file": HostFile("x", bits)},
            )
            for mode, bits in (("0640", 0o640), ("600", 0o600), ("u=rw,g=r,o=", 0o640), ("1777", 0o1777))
            for old, before in (("a new file", {}), ("an old file", {"file": HostFile("x", 0o755)}))
        ),
        Case(
            "an unknown owner leaves the old file",
            {"content": "new", "dest": here("file"), "owner": "no-such-user"},
            before={"file": "old"},
            failed="no-such-user",
            after={"file": "old"},
        ),
        Case(
            "directories that are made have a mode",
            {"src": "app.conf", "dest": here("made/too/"), "directory_mode": "0750"},
            files={"app.conf": "x"},
            changed=True,
            after={"made/": HostFile(None, 0o750), "made/too/": HostFile(None, 0o750), "made/too/app.conf": "x"},
        ),
        Case(
            "what a command accepts",
            {"content": "good\n", "dest": here("file"), "validate": "grep -q good %s"},
            changed=True,
            after={"file": "good\n"},
        ),
        Case(
            "what a command doesn't accept",
            {"content": "bad\n", "dest": here("file"), "validate": "grep good %s"},
            before={"file": "good\n"},
            failed="failed to validate",
            after={"file": "good\n"},
        ),
        Case(
            "the file that a link leads to",
            {"content": "new", "dest": here("link"), "follow": True},
            before={"real": "old", "link": HostLink("real")},
            changed=True,
            after={"real": "new", "link": HostLink("real")},
        ),
        Case(
            "in place of a link",
            {"content": "new", "dest": here("link")},
            before={"real": "old", "link": HostLink("real")},
            changed=True,
            after={"real": "old", "link": "new"},
        ),
        Case(
            "home and variables are the host's",
            {"content": "x", "dest": "~/$WHERE/${WHERE}-${NOT_SET}$ALSO_NOT"},
            call={"environment": {"HOME": here(), "WHERE": "a b"}},
            before={"a b/": None},
            changed=True,
            after={"a b/": None, "a b/a b-${NOT_SET}$ALSO_NOT": "x"},
        ),
    )


class TestCopyOnWindows(ActionCases):
    action = "win_copy"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a file that is read-only stays so",
            {"content": "new", "dest": here("file")},
            before={"file": "old"},
            setup=f"(Get-Item '{here('file')}').IsReadOnly = $true",
            changed=True,
            after={"file": "new"},
        ),
        Case(
            "a mode",
            {"content": "x", "dest": here("file"), "mode": "0644", "owner": "root"},
            failed="no such thing as mode and owner",
            requests=[],
        ),
    )

    @pytest.mark.parametrize("name", ["a|b", "a?b"])
    def test_a_name_that_windows_refuses_is_told_with_its_path(self, windows: ActionHost, name: str) -> None:
        with windows.directory() as there, pytest.raises(ActionFailed) as failed:
            windows("copy", content="x", dest=there.at(name))
        assert failed.value.message.count(there.at(name)) == 1

    def test_it_stays_read_only(self, windows: ActionHost) -> None:
        with windows.directory() as there:
            there.fill({"file": "old"})
            windows.run(f"(Get-Item '{there.at('file')}').IsReadOnly = $true")
            windows("copy", content="new", dest=there.at("file"))
            assert windows("win_stat", path=there.at("file")).values["stat"]["isreadonly"]


def test_large_content_for_another_user_never_leaves_their_hands(posix: ActionHost, tmp_path: Path) -> None:
    posix.settings["become"] = True
    source = tmp_path / "source"
    source.write_bytes(LARGE * 5)
    posix("copy", src=str(source), dest=str(tmp_path / "target"))
    assert not any(isinstance(request, Put) for request in posix.requests)
    assert (tmp_path / "target").read_bytes() == LARGE * 5


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("sudo"), reason="needs root and sudo")
@pytest.mark.parametrize("posix", ["dash"], indirect=True)
@pytest.mark.parametrize("content", [b"small", LARGE * 5], ids=["small", "large"])
def test_a_user_without_rights_owns_what_it_copies(posix: ActionHost, content: bytes) -> None:
    posix.user, posix.settings["become"] = "nobody", True
    with tempfile.TemporaryDirectory() as name:
        directory, source = Path(name) / "theirs", Path(name) / "source"
        directory.mkdir()
        shutil.chown(directory, "nobody")
        Path(name).chmod(0o755)
        source.write_bytes(content)
        source.chmod(0o600)
        posix.twice("copy", src=str(source), dest=f"{directory}/", mode="0600")
        assert (directory / "source").read_bytes() == content
        assert (directory / "source").owner() == "nobody"
        posix.twice("fetch", src=f"{directory}/source", dest=f"{name}/got", flat=True)
        assert Path(name, "got").read_bytes() == content
        with pytest.raises(ActionFailed, match="Permission denied"):
            posix("copy", content="x", dest="/usr/not-theirs")
        posix.twice("file", path=f"{directory}/sub", state="directory")
        assert posix("script", cmd=str(_whoami(Path(name)))).values["stdout"] == "nobody"


def _whoami(directory: Path) -> Path:
    script = directory / "whoami.sh"
    script.write_text("#!/bin/sh\nid -un\n")
    return script


def test_nothing_is_left_when_an_upload_fails(posix: ActionHost, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(LARGE)
    real = posix.answer

    def refuse(request: Request) -> Answer:
        if isinstance(request, Put):
            raise TransferFailed("disk full")
        return real(request)

    posix.answer = refuse
    with pytest.raises(TransferFailed):
        posix("copy", src=str(source), dest=str(tmp_path / "target"))
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_damage_on_the_way_is_noticed(posix: ActionHost, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(LARGE)
    (tmp_path / "target").write_text("old")
    real = posix.answer

    def damage(request: Request) -> Answer:
        answer = real(request)
        if isinstance(request, Put):
            Path(request.destination).write_bytes(LARGE[:-1])
        return answer

    posix.answer = damage
    with pytest.raises(ActionFailed, match="damaged"):
        posix("copy", src=str(source), dest=str(tmp_path / "target"))
    assert (tmp_path / "target").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_new_file_has_the_mode_of_the_umask_and_an_old_one_keeps_its_own(posix: ActionHost, tmp_path: Path) -> None:
    target = tmp_path / "file"
    posix("copy", content="1", dest=str(target))
    assert target.stat().st_mode & 0o777 == 0o666 & ~_umask()
    target.chmod(0o751)
    posix("copy", content="2", dest=str(target))
    assert target.stat().st_mode & 0o777 == 0o751


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_preserve_takes_the_mode_of_the_source(posix: ActionHost, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("#!/bin/sh\n")
    source.chmod(0o705)
    posix.twice("copy", src=str(source), dest=str(tmp_path / "a"), mode="preserve")
    posix.twice("copy", src=str(source), dest=str(tmp_path / "b"), mode="preserve", remote_src=True)
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in "ab"} == {0o705}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize(("owner", "group"), [("nobody", "daemon"), ("65534", "1")])
def test_owner_and_group(posix: ActionHost, tmp_path: Path, owner: str, group: str) -> None:
    target = tmp_path / "file"
    result = posix.twice("copy", content="x", dest=str(target), owner=owner, group=group, mode="4755")
    assert (target.stat().st_uid, target.stat().st_gid) == (65534, 1)
    assert target.stat().st_mode & 0o7777 == 0o4755
    assert (result.values["owner"], result.values["group"]) == ("nobody", "daemon")
    posix("copy", content="other", dest=str(target))
    assert (target.stat().st_uid, target.stat().st_gid) == (65534, 1)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    (root / "a b/empty").mkdir(parents=True)
    (root / "one").write_text("1")
    (root / ".hidden").write_text("h")
    (root / "a b/two").write_bytes(LARGE)
    return root


def _content(root: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}


@pytest.mark.parametrize("remote", [False, True])
def test_directories(posix: ActionHost, tree: Path, tmp_path: Path, remote: bool) -> None:
    for slash, place in ("", "named/site"), ("/", "inside"):
        dest = str(tmp_path / place.partition("/")[0])
        result = posix("copy", src=f"{tree}{slash}", dest=dest, remote_src=remote, directory_mode="0700")
        assert result.changed
        assert _content(tmp_path / place) == _content(tree)
        assert (tmp_path / place / "a b").stat().st_mode & 0o777 == 0o700
        assert not posix("copy", src=f"{tree}{slash}", dest=dest, remote_src=remote).changed


def test_a_host_that_answers_nonsense(posix: ActionHost, tmp_path: Path) -> None:
    posix.settings["environment"] = {"BASH_ENV": "/dev/null"}
    real = posix.answer

    def broken(request: Request) -> Answer:
        real(request)
        return Completed(code=1, stderr=b"sudo: a password is required\n")

    posix.answer = broken
    with pytest.raises(ActionFailed, match="sudo: a password is required"):
        posix("copy", content="x", dest=str(tmp_path / "file"))


# Windows.


@pytest.mark.windows
@pytest.mark.parametrize("remote", [False, True])
def test_directories_on_windows(windows: ActionHost, directory: tuple[str, Path], tree: Path, remote: bool) -> None:
    name, place = directory
    source = str(tree)
    if remote:
        windows("copy", src=source, dest=f"{name}\\here")
        source = f"{name}\\here\\site"
    for end, there in ("", "named/site"), ("\\" if remote else "/", "inside"):
        dest = f"{name}\\{there.partition('/')[0]}"
        assert windows("copy", src=source + end, dest=dest, remote_src=remote).changed
        assert _content(place / there) == _content(tree)
        assert not windows("copy", src=source + end, dest=dest, remote_src=remote).changed


@pytest.mark.parametrize("remote", [False, True])
def test_a_pipe_at_the_destination_is_neither_read_nor_replaced(
    posix: ActionHost, tmp_path: Path, remote: bool
) -> None:
    (tmp_path / "source").write_text("new")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ActionFailed, match=r"pipe is a pipe, a socket or a device; a file can't take its place"):
        posix("copy", src=str(tmp_path / "source"), dest=str(tmp_path / "pipe"), remote_src=remote)
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_that_is_written_to_while_it_is_sent(posix: ActionHost, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * 100_000)
    answer = posix.answer

    def append_first(step: Request) -> Answer:
        if isinstance(step, Put):
            with source.open("ab") as file:
                file.write(b"more")
        return answer(step)

    posix.answer = append_first
    (tmp_path / "there").mkdir()
    with pytest.raises(ActionFailed, match=r"source on this machine was written to while it was sent: run again"):
        posix("copy", src=str(source), dest=str(tmp_path / "there/file"))
    assert list((tmp_path / "there").iterdir()) == []


@pytest.mark.parametrize("check", [False, True])
def test_a_file_is_no_directory(posix: ActionHost, tmp_path: Path, check: bool) -> None:
    (tmp_path / "file").touch()
    posix.settings = {"check": check}
    with pytest.raises(ActionFailed, match="file does not exist"):
        posix("copy", content="x", dest=str(tmp_path / "file" / "g"))
