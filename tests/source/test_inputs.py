"""What went into a plan: the files that were read while it was made, and what was in them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from drumline.plugin.history import InputFile
from drumline.source.inputs import Inputs, inputs_noted, is_as_before, note_content, note_file
from drumline.source.text import read_text


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def test_what_is_read_meanwhile_is_noted_with_what_was_in_it(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_bytes(b"one")
    with inputs_noted() as inputs:
        assert read_text(file) == "one"
    file.write_bytes(b"two")
    read_text(file)
    note_file(file)
    assert inputs.files() == [InputFile(str(file), 3, digest(b"one"))]


def test_a_file_is_known_by_its_whole_path_once(tmp_path: Path) -> None:
    inputs = Inputs()
    inputs.read(tmp_path / "b" / ".." / "a", b"x")
    inputs.found(tmp_path / "a")
    inputs.read(Path("relative"), b"y")
    assert [file.path for file in inputs.files()] == [str(tmp_path / "a"), str(Path.cwd() / "relative")]


def test_what_was_only_found_is_read_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "b").write_bytes(b"bb")
    (tmp_path / "tree" / "a").write_bytes(b"a")
    os.mkfifo(tmp_path / "tree" / "pipe")
    (tmp_path / "tree" / "broken").symlink_to("nowhere")
    with inputs_noted() as inputs:
        note_file(tmp_path / "tree")
        note_file(tmp_path / "missing")
    tree = tmp_path / "tree"
    assert inputs.files() == [
        InputFile(str(tree / "a"), 1, digest(b"a")),
        InputFile(str(tree / "deep" / "b"), 2, digest(b"bb")),
    ]


def test_a_file_that_is_noted_with_its_directory_too_is_there_once(tmp_path: Path) -> None:
    file = tmp_path / "app" / "a.conf"
    file.parent.mkdir()
    file.write_text("a")
    with inputs_noted() as inputs:
        note_file(file)
        note_file(file.parent)
    assert [one.path for one in inputs.files()] == [str(file)]


def test_outside_nothing_is_noted(tmp_path: Path) -> None:
    with inputs_noted() as outer:
        with inputs_noted() as inner:
            note_content(tmp_path / "a", b"")
        note_content(tmp_path / "b", b"")
    note_content(tmp_path / "c", b"")
    assert [file.path for file in inner.files()] == [str(tmp_path / "a")]
    assert [file.path for file in outer.files()] == [str(tmp_path / "b")]


def test_a_huge_file_is_known_by_its_size_and_time_and_not_read(tmp_path: Path) -> None:
    huge, small = tmp_path / "huge", tmp_path / "small"
    with huge.open("wb") as file:
        file.truncate(1 << 40)  # to read it would take a quarter of an hour
    small.write_bytes(b"content")
    inputs = Inputs()
    inputs.found(huge)
    inputs.found(small)
    before = inputs.files()
    assert [file.size for file in before] == [1 << 40, 7]
    assert before[1].digest == hashlib.sha256(b"content").digest()
    assert inputs.files() == before
    os.utime(huge, (1, 1))
    assert inputs.files()[0].digest != before[0].digest


def test_a_directory_with_very_much_in_it_is_known_as_a_whole(tmp_path: Path) -> None:
    large, small = tmp_path / "large", tmp_path / "small"
    for tree, count in ((large, 1001), (small, 600)):
        for number in range(count):
            (tree / str(number % 7)).mkdir(parents=True, exist_ok=True)
            (tree / str(number % 7) / f"{number}").write_bytes(b"content")
    inputs = Inputs()
    inputs.found(large)
    inputs.found(small)
    before = inputs.files()
    assert [file.path for file in before[:2]] == [str(large), str(small / "0" / "0")]
    assert len(before) == 601
    assert inputs.files() == before
    (large / "new").touch()
    os.utime(large, (1, 1))
    [changed] = set(inputs.files()) - set(before)
    assert changed.path == str(large)


def test_what_is_looked_at_is_bounded_for_all_directories_together(tmp_path: Path) -> None:
    inputs = Inputs()
    for tree in ("one", "two", "three"):
        (tmp_path / tree).mkdir()
        for number in range(600 if tree == "two" else 500):
            (tmp_path / tree / f"{number}").touch()
        inputs.found(tmp_path / tree)
    paths = [file.path for file in inputs.files()]
    assert [path for path in paths if os.path.isdir(path)] == [str(tmp_path / "two")]
    assert len(paths) == 500 + 1 + 500


def test_a_tree_of_directories_alone_is_not_walked_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1500):
        (tmp_path / f"{number}").mkdir()
    scandir, read = os.scandir, []

    def noted(path: str) -> object:
        read.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", noted)
    inputs = Inputs()
    inputs.found(tmp_path)
    assert [file.path for file in inputs.files()] == [str(tmp_path)]
    assert read == [str(tmp_path)]


def test_a_directory_that_is_too_large_to_be_read_is_known_by_its_time(tmp_path: Path) -> None:
    noted = Inputs()
    (tmp_path / "many").mkdir()
    noted.found(tmp_path / "many")
    for name in range(1001):
        (tmp_path / "many" / str(name)).touch()
    [file] = noted.files()
    assert is_as_before(file, bytes)
    os.utime(tmp_path / "many", (1, 1))
    assert not is_as_before(file, bytes)


def test_links_within_a_directory_lead_to_files_or_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "file").write_bytes(b"content")
    links = {"loop": "loop", "round": ".", "directory": "..", "file": "../file"}
    for name, target in links.items():
        (tmp_path / "tree" / name).symlink_to(target)
    inputs = Inputs()
    inputs.found(tmp_path / "tree")
    assert inputs.files() == [InputFile(str(tmp_path / "tree" / "file"), 7, digest(b"content"))]
