"""``copy`` on real files: what it writes, what it keeps, and that it does nothing the second time."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from drumline.plugin import ActionFailed, Completed, Put, Request, TransferFailed
from drumline.testing import ActionHost, Answer

EVERY_BYTE = bytes(range(256)) * 8
LARGE = os.urandom(300_000)

NAMES = ["plain", "with space", "ü ☃", "quote'\"$HOME`", "-dash", "new\nline", "[a]*"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_and_all_bytes(posix: ActionHost, tmp_path: Path, name: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(EVERY_BYTE)
    target = tmp_path / name.replace("$HOME", "$NOT_SET_HERE")
    result = posix.twice("copy", src=str(source), dest=str(target))
    assert target.read_bytes() == EVERY_BYTE
    assert result.values["dest"] == str(target)
    assert result.values["checksum"] == hashlib.sha1(EVERY_BYTE).hexdigest()
    assert result.values["size"] == len(EVERY_BYTE)
    assert result.values["state"] == "file"
    assert {path.name for path in tmp_path.iterdir()} == {"source", target.name}


def test_small_content_takes_one_round_trip(posix: ActionHost, tmp_path: Path) -> None:
    posix("copy", content="hello\n", dest=str(tmp_path / "file"))
    assert len(posix.requests) == 1
    assert (tmp_path / "file").read_text() == "hello\n"


def test_large_content_is_uploaded_once(posix: ActionHost, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(LARGE)
    assert posix("copy", src=str(source), dest=str(tmp_path / "target")).changed
    assert [type(request).__name__ for request in posix.requests] == ["Run", "Put", "Run"]
    assert (tmp_path / "target").read_bytes() == LARGE
    assert not posix("copy", src=str(source), dest=str(tmp_path / "target")).changed
    assert len(posix.requests) == 1
    assert len(list(tmp_path.iterdir())) == 2


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


@pytest.mark.parametrize(("mode", "bits"), [("0640", 0o640), ("600", 0o600), ("u=rw,g=r,o=", 0o640), ("1777", 0o1777)])
def test_mode(posix: ActionHost, tmp_path: Path, mode: str, bits: int) -> None:
    target = tmp_path / "file"
    result = posix.twice("copy", content="x", dest=str(target), mode=mode)
    assert target.stat().st_mode & 0o7777 == bits
    assert result.values["mode"] == f"{bits:04o}"
    target.chmod(0o755)
    assert posix("copy", content="x", dest=str(target), mode=mode).changed
    assert target.stat().st_mode & 0o7777 == bits


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


def test_an_unknown_owner_leaves_the_old_file(posix: ActionHost, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    with pytest.raises(ActionFailed, match="no-such-user"):
        posix("copy", content="new", dest=str(target), owner="no-such-user")
    assert target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_directory_as_target(posix: ActionHost, tmp_path: Path) -> None:
    source = tmp_path / "app.conf"
    source.write_text("x")
    posix.twice("copy", src=str(source), dest=f"{tmp_path}/made/too/", directory_mode="0750")
    assert (tmp_path / "made/too/app.conf").read_text() == "x"
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o750
    (tmp_path / "there").mkdir()
    posix.twice("copy", src=str(source), dest=str(tmp_path / "there"))
    assert (tmp_path / "there/app.conf").read_text() == "x"
    with pytest.raises(ActionFailed, match="is a directory"):
        posix("copy", content="x", dest=str(tmp_path / "there"))
    with pytest.raises(ActionFailed, match="does not exist"):
        posix("copy", content="x", dest=str(tmp_path / "absent/file"))


def test_force_and_backup(posix: ActionHost, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    assert not posix("copy", content="new", dest=str(target), force=False).changed
    assert target.read_text() == "old"
    result = posix("copy", content="new", dest=str(target), backup=True)
    assert Path(result.values["backup_file"]).read_text() == "old"
    assert target.read_text() == "new"


def test_validate(posix: ActionHost, tmp_path: Path) -> None:
    target = tmp_path / "file"
    posix("copy", content="good\n", dest=str(target), validate="grep -q good %s")
    with pytest.raises(ActionFailed, match="failed to validate"):
        posix("copy", content="bad\n", dest=str(target), validate="grep good %s")
    assert target.read_text() == "good\n"
    assert len(list(tmp_path.iterdir())) == 1


def test_links(posix: ActionHost, tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    posix.twice("copy", content="new", dest=str(link), follow=True)
    assert link.is_symlink()
    assert real.read_text() == "new"
    posix.twice("copy", content="newer", dest=str(link))
    assert not link.is_symlink()
    assert real.read_text() == "new"


def test_checksum_of_the_source(posix: ActionHost, tmp_path: Path) -> None:
    with pytest.raises(ActionFailed, match="expected checksum"):
        posix("copy", content="x", dest=str(tmp_path / "file"), checksum="0" * 40)
    assert posix.requests == []


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


def test_files_of_the_host(posix: ActionHost, tmp_path: Path) -> None:
    (tmp_path / "here").write_text("text")
    posix.twice("copy", src=str(tmp_path / "here"), dest=str(tmp_path / "there"), remote_src=True)
    assert (tmp_path / "there").read_text() == "text"
    with pytest.raises(ActionFailed, match="not found"):
        posix("copy", src=str(tmp_path / "absent"), dest=str(tmp_path / "there"), remote_src=True)


def test_home_and_variables_are_the_hosts(posix: ActionHost, tmp_path: Path) -> None:
    posix.settings["environment"] = {"HOME": str(tmp_path), "WHERE": "a b"}
    (tmp_path / "a b").mkdir()
    posix.twice("copy", content="x", dest="~/$WHERE/${WHERE}-${NOT_SET}$ALSO_NOT")
    assert (tmp_path / "a b" / "a b-${NOT_SET}$ALSO_NOT").read_text() == "x"


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
@pytest.mark.parametrize("name", ["plain", "with space", "ü ☃", "quote'$HOME`", "[a]"])
def test_any_name_and_all_bytes_on_windows(
    windows: ActionHost, directory: tuple[str, Path], tmp_path: Path, name: str
) -> None:
    (tmp_path / "source").write_bytes(EVERY_BYTE)
    result = windows.twice("win_copy", src=str(tmp_path / "source"), dest=f"{directory[0]}\\{name}")
    assert (directory[1] / name).read_bytes() == EVERY_BYTE
    assert result.values["dest"] == f"{directory[0]}\\{name}"
    assert result.values["checksum"] == hashlib.sha1(EVERY_BYTE).hexdigest()
    assert result.values["size"] == len(EVERY_BYTE)
    assert [path.name for path in directory[1].iterdir()] == [name]


@pytest.mark.windows
def test_replacing_on_windows(windows: ActionHost, directory: tuple[str, Path]) -> None:
    target = f"{directory[0]}\\file"
    windows.twice("copy", content="old", dest=target)
    assert not windows("copy", content="new", dest=target, force=False).changed
    result = windows("copy", content="new", dest=target, backup=True)
    assert (directory[1] / "file").read_text() == "new"
    assert (directory[1] / result.values["backup_file"].rpartition("\\")[2]).read_text() == "old"
    assert len(list(directory[1].iterdir())) == 2


@pytest.mark.windows
def test_a_read_only_file_on_windows(windows: ActionHost, directory: tuple[str, Path]) -> None:
    target = f"{directory[0]}\\file"
    windows("copy", content="old", dest=target)
    windows("shell", cmd=f"(Get-Item {target}).IsReadOnly = $true")
    windows.twice("copy", content="new", dest=target)
    assert (directory[1] / "file").read_text() == "new"
    assert windows("win_stat", path=target).values["stat"]["isreadonly"]


@pytest.mark.windows
def test_large_content_on_windows(windows: ActionHost, directory: tuple[str, Path], tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(LARGE)
    result = windows.twice("copy", src=str(tmp_path / "source"), dest=f"{directory[0]}\\made\\")
    assert (directory[1] / "made/source").read_bytes() == LARGE
    assert result.values["dest"] == f"{directory[0]}\\made\\source"
    assert len(list((directory[1] / "made").iterdir())) == 1


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


@pytest.mark.windows
def test_faults_on_windows(windows: ActionHost, directory: tuple[str, Path]) -> None:
    with pytest.raises(ActionFailed, match="does not exist"):
        windows("copy", content="x", dest=f"{directory[0]}\\absent\\file")
    with pytest.raises(ActionFailed, match="is a directory"):
        windows("copy", content="x", dest=directory[0])
    with pytest.raises(ActionFailed, match="no such thing as mode and owner"):
        windows("copy", content="x", dest=f"{directory[0]}\\file", mode="0644", owner="root")
    with pytest.raises(ActionFailed, match="not found"):
        windows("copy", src=f"{directory[0]}\\absent", dest=f"{directory[0]}\\file", remote_src=True)


@pytest.mark.windows
@pytest.mark.parametrize("name", ["a|b", "a?b"])
def test_a_name_that_windows_refuses_is_told_with_its_path(
    windows: ActionHost, directory: tuple[str, Path], name: str
) -> None:
    path = f"{directory[0]}\\{name}"
    with pytest.raises(ActionFailed) as failed:
        windows("copy", content="x", dest=path)
    assert failed.value.message.count(path) == 1


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
