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
from drumline.testing.cases import ActionCases, Case, Some, here, local

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
        Case("a link", {"path": here("l"), "state": "link", "src": "C:\\"}, platforms=WINDOWS, failed="on Windows"),
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
            "a time that is written in another way",
            {"path": here("file"), "modification_time": "2000-01-02", "modification_time_format": "%Y-%m-%d"},
            before={"file": "x"},
            changed=True,
        ),
        Case(
            "a time that isn't written so",
            {"path": here("file"), "access_time": "2000", "access_time_format": "%Y-%m-%d"},
            before={"file": "x"},
            failed="isn't written as",
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
        Case(
            "all below, of what is a directory already",
            {"path": here("d"), "recurse": True, "mode": "u=rwX,go="},
            before={"d/": HostFile(None, 0o755), "d/f": HostFile("x", 0o644)},
            changed=True,
            values={"state": "directory"},
            after={"d/": HostFile(None, 0o700), "d/f": HostFile("x", 0o600)},
        ),
        Case(
            "all below nothing makes a directory",
            {"path": here("d"), "recurse": True},
            changed=True,
            after={"d/": None},
        ),
        Case("all below a file", {"path": here("f"), "recurse": True}, before={"f": "x"}, failed="requires state"),
        Case(
            "all below a link",
            {"path": "/nowhere", "recurse": True, "state": "link"},
            answers=[],
            failed="requires state",
        ),
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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_a_link_leads_to_is_left_alone(posix: ActionHost, tmp_path: Path) -> None:
    (tmp_path / "f").touch(mode=0o640)
    (tmp_path / "link").symlink_to("f")
    posix.twice("file", path=str(tmp_path / "link"), owner="daemon", mode="0600", follow=False)
    assert (tmp_path / "link").lstat().st_uid == 1
    assert ((tmp_path / "f").stat().st_uid, (tmp_path / "f").stat().st_mode & 0o777) == (0, 0o640)


def test_a_check_touches_where_a_link_leads(posix: ActionHost, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    posix.settings = {"check": True}
    assert posix("file", path=str(tmp_path / "link"), state="touch", mode="0600").changed
    assert not (tmp_path / "nowhere").exists()
    posix.settings = {}
    assert posix("file", path=str(tmp_path / "link"), state="touch", mode="0600").changed
    assert (tmp_path / "nowhere").exists()


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


class TestStat(ActionCases):
    action = "stat"
    round_trips = 1
    cases = (
        Case(
            "a file",
            {"path": here("ü file.txt"), "checksum_algorithm": "sha256"},
            before={"ü file.txt": "content"},
            changed=False,
            values={
                "stat": Some(
                    exists=True,
                    isreg=True,
                    isdir=False,
                    islnk=False,
                    path=here("ü file.txt"),
                    size=7,
                    checksum=hashlib.sha256(b"content").hexdigest(),
                )
            },
        ),
        Case("a directory", {"path": here()}, changed=False, values={"stat": Some(exists=True, isdir=True)}),
        *(
            Case(
                f"a checksum: {algorithm}",
                {"path": here("file"), "checksum_algorithm": algorithm},
                before={"file": "abc"},
                values={"stat": Some(checksum=hashlib.new(algorithm, b"abc").hexdigest())},
            )
            for algorithm in ("md5", "sha1", "sha256", "sha512")
        ),
    )


class TestStatOnPosix(ActionCases):
    action = "stat"
    platforms = POSIX
    cases = (
        Case("nothing", {"path": here("absent")}, changed=False, values={"stat": {"exists": False}}),
        Case(
            "a link",
            {"path": here("link")},
            before={"sub/": None, "link": HostLink("sub")},
            values={"stat": Some(islnk=True, lnk_target="sub", lnk_source=here("sub"))},
        ),
        Case(
            "what a link leads to",
            {"path": here("link"), "follow": True},
            before={"sub/": None, "link": HostLink("sub")},
            values={"stat": Some(isdir=True)},
        ),
        Case("a pipe", {"path": here("p")}, setup=f"mkfifo '{here('p')}'", values={"stat": Some(isfifo=True)}),
        Case("a device", {"path": "/dev/null"}, values={"stat": Some(ischr=True)}),
    )

    def test_a_socket(self, posix: ActionHost, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(str(tmp_path / "socket"))
            assert posix("stat", path=str(tmp_path / "socket")).values["stat"]["issock"]

    def test_what_is_not_asked_for_is_not_said(self, posix: ActionHost, tmp_path: Path) -> None:
        path = tmp_path / "text"
        path.write_text("words\n")
        found = posix("stat", path=str(path), get_checksum=False).values["stat"]
        assert not {"checksum", "mimetype", "attributes"} & found.keys()

    def test_what_file_and_lsattr_say(self, posix: ActionHost, tmp_path: Path) -> None:
        path = tmp_path / "text"
        path.write_text("words\n")
        found = posix("stat", path=str(path), get_mime=True, get_attributes=True).values["stat"]
        assert (found["mimetype"], found["charset"]) in (("text/plain", "us-ascii"), ("unknown", "unknown"))


class TestStatOnWindows(ActionCases):
    action = "win_stat"
    platforms = WINDOWS
    cases = (
        Case(
            "a file's names",
            {"path": here("ü file.txt")},
            before={"ü file.txt": "content"},
            values={"stat": Some(filename="ü file.txt", extension=".txt")},
        ),
        Case("the size of a directory", {"path": here()}, before={"f": "content"}, values={"stat": Some(size=7)}),
        Case(
            "nothing",
            {"path": here("absent")},
            changed=False,
            values={"stat": {"exists": False, "path": here("absent")}},
        ),
    )

    def test_when_it_was_written(self, windows: ActionHost, directory: tuple[str, Path]) -> None:
        name, place = directory
        (place / "file").write_bytes(b"content")
        found = windows("win_stat", path=f"{name}\\file").values["stat"]
        assert found["lastwritetime"] == pytest.approx((place / "file").stat().st_mtime, abs=1)


# template


def _name_of_the_file(text: str, path: str) -> str:
    """Renders a text of which nothing but the name of the file is to be known."""
    return text.replace("{{ n }}", Path(path).name)


def _render(text: str, path: str, **syntax: object) -> str:
    """Renders a text with jinja2, where n is 1."""
    return Templating().render_file(text, path, {"n": 1}, **syntax)


class TestTemplate(ActionCases):
    action = "template"
    platforms = POSIX
    round_trips = 1
    cases = (
        Case(
            "a file with a mode",
            {"src": local("app.conf.j2"), "dest": here("app.conf"), "mode": "0604"},
            files={"app.conf.j2": "name={{ n }}\r\nü\n"},
            call={"render": _name_of_the_file},
            changed=True,
            values={"src": local("app.conf.j2")},
            after={"app.conf": HostFile("name=app.conf.j2\nü\n", 0o604)},
        ),
        Case(
            "other ends of lines, another encoding",
            {"src": "t.j2", "dest": here("t"), "newline_sequence": "\\r\\n", "output_encoding": "latin-1"},
            files={"t.j2": "name={{ n }}\r\nü\n"},
            call={"render": _name_of_the_file},
            before={"t": "old"},
            changed=True,
            after={"t": b"name=t.j2\r\n\xfc\r\n"},
        ),
        *(
            Case(
                f"wrong: {wrong}",
                {"src": "t.j2", "dest": here("t"), **wrong},
                files={"t.j2": "ü"},
                failed=message,
                after={},
            )
            for wrong, message in (
                ({"newline_sequence": "x"}, "newline_sequence"),
                ({"output_encoding": "ascii"}, "ascii"),
                ({"output_encoding": "nonsense"}, "nonsense"),
            )
        ),
        Case("no text", {"src": "t", "dest": here("t")}, files={"t": b"\xff"}, failed="UTF-8", after={}),
        *(
            Case(
                f"syntax: {text!r} {' '.join(syntax)}",
                {"src": "t", "dest": here("out"), **syntax},
                files={"t": text},
                call={"render": _render},
                changed=True,
                after={"out": rendered},
            )
            for text, syntax, rendered in (
                ("a\n{% if n %}\nb [[ n ]]\n{% endif %}\n", {}, "a\nb [[ n ]]\n"),
                ("{% if n %}\nb\n{% endif %}\n", {"trim_blocks": False}, "\nb\n\n"),
                ("a\n  {% if n %}\nb\n  {% endif %}\n", {"lstrip_blocks": True}, "a\nb\n"),
                ("[[ n ]] {{ n }}\n", {"variable_start_string": "[[", "variable_end_string": "]]"}, "1 {{ n }}\n"),
                ("<% if n %>b<% endif %>", {"block_start_string": "<%", "block_end_string": "%>"}, "b"),
                ("(# x #)b", {"comment_start_string": "(#", "comment_end_string": "#)"}, "b"),
                ("#jinja2: trim_blocks: False, variable_start_string: '[['\n{% if n %}\n[[ n }}{% endif %}", {}, "\n1"),
            )
        ),
        *(
            Case(
                f"a first line that sets something else: {line}",
                {"src": "t", "dest": here("out")},
                files={"t": f"{line}\nx"},
                failed="The template's first line",
                after={},
            )
            for line in ("#jinja2: trim: False", "#jinja2: trim_blocks: nope")
        ),
    )


class TestTemplateOnWindows(ActionCases):
    action = "win_template"
    platforms = WINDOWS
    cases = (
        Case(
            "ends of lines are those of Windows",
            {"src": "t.j2", "dest": here("t.txt")},
            files={"t.j2": "a\nü\n"},
            changed=True,
            after={"t.txt": "a\r\nü\r\n"},
        ),
    )


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


class TestFetch(ActionCases):
    action = "fetch"
    round_trips = 1
    cases = (
        Case(
            "into a file",
            {"src": here("a file"), "dest": local("flat"), "flat": True},
            before={"a file": b"\x00content"},
            changed=True,
            values={"dest": local("flat")},
            made={"flat": b"\x00content"},
        ),
        Case(
            "into a directory; the file is there",
            {"src": here("file"), "dest": local("sub") + "/", "flat": True},
            before={"file": "x"},
            files={"sub/file": "x"},
            changed=False,
            made={},
        ),
        Case("nothing", {"src": here("absent"), "dest": local("got")}, failed="does not exist", made={}),
        Case(
            "nothing, which may be",
            {"src": here("absent"), "dest": local("got"), "fail_on_missing": False},
            changed=False,
            made={},
        ),
        Case("a directory", {"src": here(), "dest": local("got")}, failed="is a directory", made={}),
        Case(
            "a directory that is called a file",
            {"src": here("file"), "dest": local(), "flat": True},
            before={"file": "x"},
            failed="trailing slash",
            made={},
        ),
    )


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
