"""Where a task's files are found."""

from pathlib import Path

import pytest

from drumline.plugin import ActionFailed
from drumline.source.files import find_file


def test_the_directory_of_the_kind_comes_first(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "a").write_text("beside")
    assert find_file("a", "files", [tmp_path]) == tmp_path / "a"
    (tmp_path / "files" / "a").write_text("inside")
    assert find_file("a", "files", [tmp_path]) == tmp_path / "files" / "a"


def test_absolute_paths_and_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a").write_text("x")
    assert find_file(str(tmp_path / "a"), "files", [Path("/nowhere")]) == tmp_path / "a"
    assert find_file("~/a", "files", [Path("/nowhere")]) == tmp_path / "a"


def test_all_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(ActionFailed) as caught:
        find_file("a", "files", [tmp_path])
    assert str(tmp_path / "files" / "a") in caught.value.message
    assert str(tmp_path / "a") in caught.value.message
