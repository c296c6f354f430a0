"""``file``, ``stat``, ``template`` and ``fetch`` on real files."""

from __future__ import annotations

import hashlib
import os
import socket
import stat as modes
from pathlib import Path

import pytest

from drumline.plugin import ActionFailed, Call, Completed, Get, Platform
from drumline.plugin.manager import load_plugins
from drumline.templating.templates import Templating
from drumline.testing import ActionHost, HostFile, HostLink
from drumline.testing.cases import ActionCases, Case, here

ACTIONS = load_plugins().actions
NAMES = ["plain", "with space", "ü ☃", "quote'\"`", "-dash", "new\nline", "[a]*"]
POSIX, WINDOWS = [Platform.POSIX], [Platform.WINDOWS]


class TestFile(ActionCases):
    action = "file"
    round_trips = 1
    cases = (
        Case(
            "a directory is made with those above it",
            {"path": here("ü b/c"), "state": "directory"},
            changed=True,
            values={"state": "directory", "path": here("ü b/c")},
            after={"ü b/": None, "ü b/c/": None},
        ),
        Case(
            "a directory is removed with a file that is read-only",
            {"path": here("ü b"), "state": "absent"},
            platforms=WINDOWS,
            before={"ü b/c/file": "x"},
            setup=f"(Get-Item '{here('ü b/c/file')}').IsReadOnly = $true",
            changed=True,
            values={"state": "absent"},
            after={},
        ),
        Case("what is not there stays so", {"path": here("x"), "state": "absent"}, changed=False, after={}),
        Case("an empty file", {"path": here("f"), "state": "touch"}, changed=True, after={"f": ""}, repeats=False),
        Case(
            "a file is one",
            {"path": here("f"), "state": "file"},
            before={"f": "x"},
            changed=False,
            values={"state": "file"},
        ),
        Case("no file", {"path": here("absent"), "state": "file"}, failed="is absent"),
        Case("a directory is not a file", {"path": here(), "state": "file"}, failed="is directory"),
        Case("no directory", {"path": here("f"), "state": "directory"}, before={"f": "x"}, failed="as a file"),
        Case("a link", {"path": here("l"), "state": "link", "src": "C:\\"}, platforms=WINDOWS, failed="can't be had"),
        Case("a source without a link", {"path": "/nowhere", "src": "/x"}, answers=[], failed="requires state"),
    )


class TestFileOnPosix(ActionCases):
    action = "file"
    platforms = POSIX
    round_trips = 1
    cases = (
        *(
            Case(
                f"a directory is made: {name!r}",
                {"path": here(f"{name}/below"), "state": "directory", "mode": "0750"},
                changed=True,
                values={"state": "directory", "path": here(f"{name}/below"), "mode": "0750"},
                after={f"{name}/": HostFile(None, 0o750), f"{name}/below/": HostFile(None, 0o750)},
            )
            for name in NAMES
        ),
        *(
            Case(
                f"a directory is removed: {name!r}",
                {"path": here(name), "state": "absent"},
                before={f"{name}/below/file": "x"},
                changed=True,
                values={"state": "absent"},
                after={},
            )
            for name in NAMES
        ),
        Case(
            "set-group-id is taken away when the mode says so",
            {"path": here("sub"), "mode": "0755"},
            before={"sub/": HostFile(None, 0o2775)},
            changed=True,
            values={"state": "directory"},
            after={"sub/": HostFile(None, 0o755)},
        ),
        Case(
            "a file's mode, in letters",
            {"path": here("file"), "mode": "u+x,go="},
            before={"file": HostFile("x", 0o640)},
            changed=True,
            values={"state": "file"},
            after={"file": HostFile("x", 0o700)},
        ),
        Case(
            "an empty file with a mode",
            {"path": here("file"), "state": "touch", "mode": "0600"},
            changed=True,
            after={"file": HostFile("", 0o600)},
            repeats=False,
        ),
        Case(
            "a time, as touch -t takes it",
            {"path": here("file"), "state": "file", "modification_time": "200001020304.05"},
            before={"file": "x"},
            call={"environment": {"TZ": "UTC"}},
            changed=True,
        ),
        Case(
            "times that are kept",
            {"path": here("f"), "state": "touch", "access_time": "preserve", "modification_time": "preserve"},
            before={"f": "x"},
            changed=False,
        ),
        Case("nothing", {"path": here("absent"), "mode": "0644"}, failed="is absent"),
        Case(
            "a link is made",
            {"path": here("a link"), "src": here("real"), "state": "link"},
            before={"real/": None},
            changed=True,
            values={"state": "link", "dest": here("a link"), "src": here("real")},
            after={"real/": None, "a link": HostLink(here("real"))},
        ),
        Case(
            "a link to a directory is replaced, and nothing put into that",
            {"path": here("a link"), "src": "other", "state": "link"},
            before={"real/": None, "other": "x", "a link": HostLink("real")},
            changed=True,
            after={"real/": None, "other": "x", "a link": HostLink("other")},
        ),
        Case(
            "a link to nothing",
            {"path": here("a link"), "src": "nowhere", "state": "link"},
            failed="does not exist",
            after={},
        ),
        Case(
            "a link to nothing, by force",
            {"path": here("a link"), "src": "nowhere", "state": "link", "force": True},
            changed=True,
            after={"a link": HostLink("nowhere")},
        ),
        Case(
            "a link in place of a file",
            {"path": here("file"), "src": here("real"), "state": "link"},
            before={"real/": None, "file": "x"},
            failed="only with force",
            after={"real/": None, "file": "x"},
        ),
        Case(
            "a link in place of a file, by force",
            {"path": here("file"), "src": here("real"), "state": "link", "force": True},
            before={"real/": None, "file": "x"},
            changed=True,
            after={"real/": None, "file": HostLink(here("real"))},
        ),
        Case(
            "a link is removed, and not what it leads to",
            {"path": here("link"), "state": "absent"},
            before={"real/file": "x", "link": HostLink("real")},
            changed=True,
            after={"real/": None, "real/file": "x"},
        ),
        Case("all below nothing", {"path": "/nowhere", "recurse": True}, answers=[], failed="requires state"),
    )


def test_touch(posix: ActionHost, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    os.utime(path, (1, 1))
    assert posix("file", path=str(path), state="touch").changed
    assert path.stat().st_mtime > 1
    posix.settings["environment"] = {"TZ": "UTC"}
    posix.twice("file", path=str(path), state="file", modification_time="200001020304.05")
    assert path.stat().st_mtime == 946782245


def test_hard_links(posix: ActionHost, tmp_path: Path) -> None:
    real, name = tmp_path / "real", tmp_path / "name"
    real.write_text("x")
    posix.twice("file", path=str(name), src=str(real), state="hard")
    assert name.samefile(real)
    name.unlink()
    name.write_text("y")
    with pytest.raises(ActionFailed, match="only with force"):
        posix("file", path=str(name), src=str(real), state="hard")
    posix.twice("file", path=str(name), src=str(real), state="hard", force=True)
    assert name.samefile(real)


@pytest.mark.parametrize("mode", ["u=rwX,go=rX", "0700"])
def test_recurse(posix: ActionHost, tmp_path: Path, mode: str) -> None:
    (tmp_path / "a b/c").mkdir(parents=True)
    (tmp_path / "a b/file").write_text("x")
    (tmp_path / "a b/file").chmod(0o600)
    (tmp_path / "link").symlink_to("/etc/passwd")
    posix.twice("file", path=str(tmp_path), state="directory", recurse=True, mode=mode)
    assert (tmp_path / "a b/file").stat().st_mode & 0o777 == (0o644 if "X" in mode else 0o700)
    assert (tmp_path / "a b/c").stat().st_mode & 0o777 == (0o755 if "X" in mode else 0o700)
    assert modes.S_IMODE(os.stat("/etc/passwd").st_mode) == 0o644


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_owners(posix: ActionHost, tmp_path: Path) -> None:
    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "tree/link").symlink_to("nowhere")
    posix.twice("file", path=str(tmp_path / "tree"), state="directory", recurse=True, owner="nobody", group="1")
    assert {path.lstat().st_uid for path in (tmp_path / "tree").rglob("*")} == {65534}
    assert (tmp_path / "tree").stat().st_gid == 1
    result = posix.twice("file", path=str(tmp_path / "tree"), owner="root", follow=False)
    assert result.values["owner"] == "root"
    posix.twice("file", path=str(tmp_path / "tree/link"), src="away", state="link", force=True, owner="nobody")
    assert (tmp_path / "tree/link").lstat().st_uid == 65534


# stat


@pytest.mark.parametrize("name", NAMES)
def test_stat_of_a_file(posix: ActionHost, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"content")
    path.chmod(0o4750)
    result = posix("stat", path=str(path))
    found, real = result.values["stat"], path.stat()
    assert not result.changed
    assert all(found[key] for key in ("exists", "isreg", "isuid", "xusr", "readable"))
    assert not any(found[key] for key in ("isdir", "islnk", "wgrp", "roth"))
    assert found["path"] == str(path)
    assert found["mode"] == "4750"
    assert (found["size"], found["uid"], found["inode"]) == (7, real.st_uid, real.st_ino)
    assert (found["mtime"], found["nlink"], found["dev"]) == (int(real.st_mtime), 1, real.st_dev)
    assert found["pw_name"] == path.owner()
    assert found["checksum"] == hashlib.sha1(b"content").hexdigest()


def test_stat_of_other_things(posix: ActionHost, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("sub")
    (tmp_path / "sub").mkdir()
    found = posix("stat", path=str(link)).values["stat"]
    assert found["islnk"]
    assert (found["lnk_target"], found["lnk_source"]) == ("sub", str(tmp_path / "sub"))
    assert posix("stat", path=str(link), follow=True).values["stat"]["isdir"]
    assert posix("stat", path=str(tmp_path / "absent")).values["stat"] == {"exists": False}
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "socket"))
        assert posix("stat", path=str(tmp_path / "socket")).values["stat"]["issock"]
    os.mkfifo(tmp_path / "fifo")
    assert posix("stat", path=str(tmp_path / "fifo")).values["stat"]["isfifo"]
    assert posix("stat", path="/dev/null").values["stat"]["ischr"]


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_checksums(posix: ActionHost, tmp_path: Path, algorithm: str) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    found = posix("stat", path=str(tmp_path / "file"), checksum_algorithm=algorithm).values["stat"]
    assert found["checksum"] == hashlib.new(algorithm, b"abc").hexdigest()
    found = posix("stat", path=str(tmp_path / "file"), get_checksum=False).values["stat"]
    assert "checksum" not in found


@pytest.mark.windows
def test_stat_on_windows(windows: ActionHost, directory: tuple[str, Path]) -> None:
    name, place = directory
    (place / "ü file.txt").write_bytes(b"content")
    found = windows("win_stat", path=f"{name}\\ü file.txt", checksum_algorithm="sha256").values["stat"]
    assert found["exists"]
    assert found["isreg"]
    assert not found["isdir"]
    assert not found["islnk"]
    assert (found["path"], found["filename"], found["extension"]) == (f"{name}\\ü file.txt", "ü file.txt", ".txt")
    assert (found["size"], found["checksum"]) == (7, hashlib.sha256(b"content").hexdigest())
    assert found["lastwritetime"] == pytest.approx((place / "ü file.txt").stat().st_mtime, abs=1)
    found = windows("win_stat", path=name).values["stat"]
    assert found["isdir"]
    assert found["size"] == 7
    found = windows("win_stat", path=f"{name}\\absent").values["stat"]
    assert found == {"exists": False, "path": f"{name}\\absent"}


# template


def test_template(posix: ActionHost, tmp_path: Path) -> None:
    source = tmp_path / "app.conf.j2"
    source.write_bytes("name={{ n }}\r\nü\n".encode())
    posix.settings["render"] = lambda text, path: text.replace("{{ n }}", Path(path).name)
    target = tmp_path / "app.conf"
    result = posix.twice("template", src=str(source), dest=str(target), mode="0604")
    assert target.read_bytes() == "name=app.conf.j2\nü\n".encode()
    assert target.stat().st_mode & 0o777 == 0o604
    assert result.values["src"] == str(source)
    posix.twice("template", src=str(source), dest=str(target), newline_sequence="\\r\\n", output_encoding="latin-1")
    assert target.read_bytes() == b"name=app.conf.j2\r\n\xfc\r\n"
    for wrong in ({"newline_sequence": "x"}, {"output_encoding": "ascii"}, {"output_encoding": "nonsense"}):
        with pytest.raises(ActionFailed):
            posix("template", src=str(source), dest=str(target), **wrong)
    source.write_bytes(b"\xff")
    with pytest.raises(ActionFailed, match="UTF-8"):
        posix("template", src=str(source), dest=str(target))


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("a\n{% if n %}\nb [[ n ]]\n{% endif %}\n", {}, "a\nb [[ n ]]\n"),
        ("{% if n %}\nb\n{% endif %}\n", {"trim_blocks": False}, "\nb\n\n"),
        ("a\n  {% if n %}\nb\n  {% endif %}\n", {"lstrip_blocks": True}, "a\nb\n"),
        ("[[ n ]] {{ n }}\n", {"variable_start_string": "[[", "variable_end_string": "]]"}, "1 {{ n }}\n"),
        ("<% if n %>b<% endif %>", {"block_start_string": "<%", "block_end_string": "%>"}, "b"),
        ("(# x #)b", {"comment_start_string": "(#", "comment_end_string": "#)"}, "b"),
        ("#jinja2: trim_blocks: False, variable_start_string: '[['\n{% if n %}\n[[ n }}{% endif %}", {}, "\n1"),
    ],
)
def test_the_syntax_of_templates(
    posix: ActionHost, tmp_path: Path, text: str, arguments: dict[str, object], expected: str
) -> None:
    templating = Templating()
    posix.settings["render"] = lambda text, path, **syntax: templating.render_file(text, path, {"n": 1}, **syntax)
    (tmp_path / "t").write_text(text)
    posix("template", src=str(tmp_path / "t"), dest=str(tmp_path / "out"), **arguments)
    assert (tmp_path / "out").read_text() == expected


@pytest.mark.parametrize("line", ["#jinja2: trim: False", "#jinja2: trim_blocks: nope"])
def test_a_first_line_that_sets_something_else(posix: ActionHost, tmp_path: Path, line: str) -> None:
    (tmp_path / "t").write_text(f"{line}\nx")
    with pytest.raises(ActionFailed, match="The template's first line"):
        posix("template", src=str(tmp_path / "t"), dest=str(tmp_path / "out"))


def test_what_file_and_lsattr_say(posix: ActionHost, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("words\n")
    assert not {"mimetype", "attributes"} & posix("stat", path=str(path)).values["stat"].keys()
    found = posix("stat", path=str(path), get_mime=True, get_attributes=True).values["stat"]
    assert (found["mimetype"], found["charset"]) in (("text/plain", "us-ascii"), ("unknown", "unknown"))


@pytest.mark.windows
def test_template_on_windows(windows: ActionHost, directory: tuple[str, Path], tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text("a\nü\n")
    windows.twice("win_template", src=str(tmp_path / "t.j2"), dest=f"{directory[0]}\\t.txt")
    assert (directory[1] / "t.txt").read_bytes() == "a\r\nü\r\n".encode()


# fetch


@pytest.fixture
def project(posix: ActionHost, tmp_path: Path) -> Path:
    posix.settings["lookup"] = {"playbook_dir": str(tmp_path)}.__getitem__
    return tmp_path


@pytest.mark.parametrize("become", [False, True])
@pytest.mark.parametrize("size", [0, 7, 600_000])
def test_fetch(posix: ActionHost, project: Path, size: int, become: bool) -> None:
    posix.settings["become"] = become
    source = project / "on the host"
    source.write_bytes(os.urandom(size))
    result = posix.twice("fetch", src=str(source), dest="got")
    target = project / "got/host" / str(source).lstrip("/")
    assert target.read_bytes() == source.read_bytes()
    assert result.values["dest"] == str(target)
    assert list(target.parent.iterdir()) == [target]
    source.write_bytes(b"other")
    assert posix("fetch", src=str(source), dest=f"{project}/", flat=True).changed is False
    assert posix("fetch", src=str(source), dest=str(project / "flat"), flat=True).changed
    assert (project / "flat").read_bytes() == b"other"


def test_fetch_faults(posix: ActionHost, project: Path) -> None:
    with pytest.raises(ActionFailed, match="does not exist"):
        posix("fetch", src=str(project / "absent"), dest="got")
    assert not posix("fetch", src=str(project / "absent"), dest="got", fail_on_missing=False).changed
    with pytest.raises(ActionFailed, match="is a directory"):
        posix("fetch", src=str(project), dest="got")
    (project / "file").write_text("x")
    with pytest.raises(ActionFailed, match="trailing slash"):
        posix("fetch", src=str(project / "file"), dest=str(project), flat=True)


def test_fetch_stays_below_its_directory(posix: ActionHost, project: Path) -> None:
    source = project / "file"
    source.write_text("x")
    result = posix("fetch", src=f"{project}/../../../../../../../../../..{source}", dest="got")
    assert Path(result.values["dest"]).is_relative_to(project / "got/host")
    for name in ("..", "", "."):
        with pytest.raises(ActionFailed, match=r"src names no file|is a directory"):
            posix("fetch", src=f"{project}/{name}", dest=f"{project}/", flat=True)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("../../x", "..%2F..%2Fx"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("/etc", "%2Fetc"),
        ("a\\b", "a%5Cb"),
        ("hö.st", "hö.st"),
    ],
)
def test_a_hosts_name_is_one_directory(tmp_path: Path, host: str, name: str) -> None:
    """Whatever it is: names are checked where they are read, but an action doesn't rely on it."""
    action = ACTIONS["fetch"]
    arguments = {argument.name: argument.default for argument in action.arguments}
    arguments |= {"src": "/the/file", "dest": str(tmp_path / "got")}
    lookup = {"playbook_dir": str(tmp_path)}.__getitem__
    steps = action.perform(Call(host=host, platform=Platform.POSIX, arguments=arguments, lookup=lookup))
    next(steps)
    request = steps.send(Completed(code=0, stdout=b"checksum=0\0real=/the/file\0"))
    assert isinstance(request, Get)
    assert request.destination == tmp_path / "got" / name / "the/file"


@pytest.mark.windows
def test_fetch_on_windows(windows: ActionHost, directory: tuple[str, Path], tmp_path: Path) -> None:
    (directory[1] / "a file").write_bytes(b"\x00content")
    result = windows.twice("fetch", src=f"{directory[0]}\\a file", dest=str(tmp_path))
    assert (tmp_path / "host/C:/actions-test/a file").read_bytes() == b"\x00content"
    assert result.values["dest"] == str(tmp_path / "host/C:/actions-test/a file")
    assert [type(request) for request in windows.requests] != [Get]
    with pytest.raises(ActionFailed, match="does not exist"):
        windows("fetch", src=f"{directory[0]}\\absent", dest=str(tmp_path))
