"""What went into a plan: the files that were read while it was made, and what was in them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from drumline.plugin.history import InputFile
from drumline.source.inputs import Inputs, inputs_noted, note_content, note_file
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
