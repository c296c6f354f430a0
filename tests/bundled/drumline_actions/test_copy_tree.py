"""``copy`` of directories that are made to go wrong: names that shells expand, links in circles, endless files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.narrowing import expect

from drumline.plugin import ActionFailed, Request, Run
from drumline.plugin.leftovers import machine, own_prefix
from drumline.testing import ActionHost, Answer
from drumline_actions import tree as walking

#: Names that a shell, a pattern or an option parser would take for something else.
NAMES = [
    "a$HOME.txt",
    "${HOME}",
    "~",
    "~root",
    "`id`",
    "$(id)",
    "-n",
    "--",
    "new\nline",
    " ",
    "[a]*?",
    "quote'\"",
    "\\",
    "%s",
]


@pytest.fixture
def loops(tmp_path: Path) -> Path:
    """A directory with two links upwards, one sideways in a circle, and one that leads nowhere."""
    root = tmp_path / "tree"
    (root / "lib/crystal").mkdir(parents=True)
    (root / "other").mkdir()
    (root / "file").write_text("f")
    (root / "lib/up").symlink_to("..")
    (root / "lib/crystal/top").symlink_to("../..")
    (root / "lib/other").symlink_to("../other")
    (root / "other/lib").symlink_to("../lib")
    (root / "nowhere").symlink_to("not there")
    return root


def _shape(root: Path) -> dict[str, str | bytes]:
    """What is below a directory, links as they are."""
    shape: dict[str, str | bytes] = {}
    for directory, directories, files in os.walk(root):
        for name in (*directories, *files):
            path = Path(directory, name)
            shape[str(path.relative_to(root))] = (
                f"-> {path.readlink()}" if path.is_symlink() else path.read_bytes() if path.is_file() else "directory"
            )
    return shape


@pytest.mark.parametrize("remote", [False, True])
def test_names_are_data(posix: ActionHost, tmp_path: Path, remote: bool) -> None:
    posix.settings["environment"] = {"HOME": str(tmp_path / "home")}
    source = tmp_path / "a$HOME"
    for name in NAMES:
        (source / name / name).mkdir(parents=True)
        (source / name / name / "small").write_text(name)
    (source / "large$HOME").write_bytes(b"x" * 100_000)
    (source / os.fsdecode(b"not UTF-8 \xff")).write_bytes(b"x" * 100_000)
    src = str(source).replace("$", "${NO_SUCH}$") if remote else str(source)
    posix.settings["environment"]["NO_SUCH"] = ""
    if remote:
        (tmp_path / "home").mkdir()
        source.rename(tmp_path / "plain$x")
        source, src = tmp_path / "plain$x", str(tmp_path / "plain$x")
    posix("copy", src=src, dest=str(tmp_path / "dest"), remote_src=remote)
    assert _shape(tmp_path / "dest" / source.name) == _shape(source)
    assert not posix("copy", src=src, dest=str(tmp_path / "dest"), remote_src=remote).changed


def test_what_the_author_wrote_is_expanded_below_the_home(posix: ActionHost, tmp_path: Path) -> None:
    posix.settings["environment"] = {"HOME": str(tmp_path / "home"), "WHERE": "there"}
    (tmp_path / "home").mkdir()
    (tmp_path / "~$WHERE").mkdir()
    (tmp_path / "~$WHERE/~$WHERE").write_text("x")
    for dest, place in ("~", ""), ("~/", ""), ("~/$WHERE", "there"):
        posix("copy", src=str(tmp_path / "~$WHERE"), dest=dest)
        assert (tmp_path / "home" / place / "~$WHERE/~$WHERE").read_text() == "x"


@pytest.mark.parametrize("remote", [False, True])
def test_links_in_circles_are_made_anew(posix: ActionHost, loops: Path, tmp_path: Path, remote: bool) -> None:
    posix("copy", src=str(loops), dest=str(tmp_path / "dest"), remote_src=remote)
    shape = _shape(tmp_path / "dest/tree")
    assert shape.pop("file") == b"f"
    assert {name: link for name, link in shape.items() if link != "directory"} == {
        "lib/up": "-> ..",
        "lib/crystal/top": "-> ../..",
        "lib/other/lib": "-> ../lib",
        "other/lib/up": "-> ..",
        "other/lib/other": "-> ../other",
        "other/lib/crystal/top": "-> ../..",
        "nowhere": "-> not there",
    }
    assert not posix("copy", src=str(loops), dest=str(tmp_path / "dest"), remote_src=remote).changed


@pytest.mark.parametrize("remote", [False, True])
def test_links_that_are_not_followed(posix: ActionHost, loops: Path, tmp_path: Path, remote: bool) -> None:
    arguments = {"src": f"{loops}/", "dest": str(tmp_path / "dest"), "remote_src": remote, "local_follow": False}
    posix("copy", **arguments)
    assert _shape(tmp_path / "dest") == _shape(loops)
    assert not posix("copy", **arguments).changed
    (tmp_path / "dest/nowhere").unlink()
    (tmp_path / "dest/nowhere").symlink_to("elsewhere")
    assert posix("copy", **arguments).changed
    assert _shape(tmp_path / "dest") == _shape(loops)


def test_links_have_temporary_names_that_are_no_ones_and_are_swept(
    posix: ActionHost, loops: Path, tmp_path: Path
) -> None:
    arguments = {"src": f"{loops}/", "dest": str(tmp_path / "dest"), "remote_src": True, "local_follow": False}
    posix("copy", **arguments)
    link, file = tmp_path / "dest/nowhere", tmp_path / "dest/nowhere.drumline.new"
    link.unlink()
    link.symlink_to("elsewhere")
    file.write_text("mine")
    prefix, _, rest = own_prefix().partition(machine())
    process, _, moment = rest.strip("-").partition("-")
    left = tmp_path / f"dest/{prefix}{machine()}-{process}-{int(moment) - 1}-left"
    left.symlink_to("of a run that was killed")
    assert posix("copy", **arguments).changed
    assert file.read_text() == "mine"
    file.unlink()
    assert _shape(tmp_path / "dest") == _shape(loops)


@pytest.mark.parametrize("dest", ["tree/lib", "tree/lib/", "tree/not there/yet", "tree/lib/up/lib"])
def test_a_directory_of_the_host_into_itself(posix: ActionHost, loops: Path, dest: str) -> None:
    before = _shape(loops)
    with pytest.raises(ActionFailed, match="can't be copied into itself"):
        posix("copy", src=str(loops), dest=f"{loops.parent}/{dest}", remote_src=True)
    assert _shape(loops) == before


@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_a_pipe_never_ends(posix: ActionHost, tmp_path: Path, remote: bool, inside: bool) -> None:
    (tmp_path / "tree").mkdir()
    os.mkfifo(tmp_path / "tree/pipe")
    source = tmp_path / "tree" if inside else tmp_path / "tree/pipe"
    with pytest.raises(ActionFailed, match=r"tree/pipe.* is (no file|neither a file nor a directory)"):
        posix("copy", src=str(source), dest=str(tmp_path / "dest"), remote_src=remote)
    with pytest.raises(ActionFailed, match="pipe is no file"):
        posix("fetch", src=str(tmp_path / "tree/pipe"), dest=str(tmp_path / "got"))


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_links_among_neighbours_are_counted(posix: ActionHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MOST", 5000)
    for one in range(9):
        (tmp_path / f"tree/{one}").mkdir(parents=True)
        for other in range(9):
            (tmp_path / f"tree/{one}/to {other}").symlink_to(f"../{other}")
    with pytest.raises(ActionFailed, match="more than 5000 files and directories"):
        posix("copy", src=str(tmp_path / "tree"), dest=str(tmp_path / "dest"))


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_nothing_is_an_empty_file(posix: ActionHost, tmp_path: Path) -> None:
    for remote in False, True:
        posix("copy", src="/dev/null", dest=str(tmp_path / f"empty{remote}"), remote_src=remote)
        assert (tmp_path / f"empty{remote}").read_bytes() == b""


# Windows.


@pytest.mark.windows
def test_names_are_data_on_windows(windows: ActionHost, directory: tuple[str, Path], tmp_path: Path) -> None:
    names = ["%TEMP%.txt", "$HOME", "~", "`n", "[a]", "-Force", "' '", "\u2018q\u2019", "@(1)"]
    for name in names:
        (tmp_path / "%OS%" / name / name).mkdir(parents=True)
        (tmp_path / "%OS%" / name / name / "small").write_text(name)
    (tmp_path / "%OS%" / "large %TEMP%").write_bytes(b"x" * 100_000)
    windows("copy", src=str(tmp_path / "%OS%"), dest=f"{directory[0]}\\here")
    assert _shape(directory[1] / "here/%OS%") == _shape(tmp_path / "%OS%")
    assert not windows("copy", src=str(tmp_path / "%OS%"), dest=f"{directory[0]}\\here").changed


@pytest.mark.windows
@pytest.mark.parametrize("name", ["..\\..\\x", "a:b", "NUL", "nul.txt", "*", "end.", "a?"])
def test_names_that_windows_can_not_have(windows: ActionHost, tmp_path: Path, name: str) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / name).write_text("x")
    with pytest.raises(ActionFailed, match="isn't a valid name there"):
        windows("copy", src=str(tmp_path / "tree"), dest="C:\\never")
    assert windows.requests == []


@pytest.mark.windows
def test_links_in_circles_on_the_way_to_windows(windows: ActionHost, loops: Path) -> None:
    with pytest.raises(ActionFailed, match="is a link that leads nowhere"):
        windows("copy", src=str(loops), dest="C:\\never")
    assert windows.requests == []


@pytest.mark.windows
def test_links_in_circles_on_windows(windows: ActionHost, directory: tuple[str, Path]) -> None:
    name, place = directory
    (place / "tree/lib").mkdir(parents=True)
    (place / "tree/file").write_text("f")
    (place / "tree/lib/up").symlink_to("..")
    real = windows.answer

    def saying(target: str) -> None:
        """Wine shows the link as one, but doesn't say where it leads."""
        told = f"{{\nfunction Get-Item($LiteralPath, [switch]$Force) {{ @{{ Target = @('{target}') }} }}\n"

        def answer(request: Request) -> Answer:
            run = expect(Run, request)
            return real(replace(run, library=run.library.replace("{\n", told, 1)))

        windows.answer = answer

    saying(f"{name}\\tree")
    with pytest.raises(ActionFailed, match="up is a link that leads back to a directory that is being copied"):
        windows("copy", src=f"{name}\\tree", dest=f"{name}\\dest", remote_src=True)
    saying(f"{name}\\tree\\lib\\up")
    with pytest.raises(ActionFailed, match="a link in it leads to itself"):
        windows("copy", src=f"{name}\\tree", dest=f"{name}\\dest2", remote_src=True)
    windows.answer = real
    assert windows("stat", path=f"{name}\\tree").values["stat"]["size"] == 1


@pytest.mark.windows
def test_a_directory_into_itself_on_windows(windows: ActionHost, directory: tuple[str, Path]) -> None:
    name, place = directory
    (place / "tree/lib").mkdir(parents=True)
    with pytest.raises(ActionFailed, match="can't be copied into itself"):
        windows("copy", src=f"{name}\\tree", dest=f"{name}\\tree\\lib", remote_src=True)
    assert _shape(place) == {"tree": "directory", "tree/lib": "directory"}


@pytest.mark.parametrize("name", ["copy", "script"])
def test_a_pipe_is_refused(posix: ActionHost, tmp_path: Path, name: str) -> None:
    (tmp_path / "tree").mkdir()
    os.mkfifo(tmp_path / "tree/pipe")
    arguments = {
        "copy": {"src": str(tmp_path / "tree"), "dest": f"{tmp_path}/there/"},
        "script": {"cmd": str(tmp_path / "tree/pipe")},
    }
    with pytest.raises(ActionFailed, match=r"tree/pipe on this machine is no file"):
        posix(name, **arguments[name])


def test_private_files_of_the_host_stay_private(posix: ActionHost, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "secret").touch(mode=0o600)
    (tmp_path / "src" / "run").touch(mode=0o755)
    posix.twice("copy", src=f"{tmp_path}/src/", dest=str(tmp_path / "dest"), remote_src=True)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "dest").iterdir()}
    assert modes == {"secret": 0o600, "run": 0o755}
