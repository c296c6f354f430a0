"""``-e`` in all its forms."""

from pathlib import Path

import pytest

from drumline.errors import FilesError, UsageError
from drumline.loading.extra_vars import read_extra_vars
from drumline.model.value import Template


def test_pairs_are_strings_and_later_ones_win() -> None:
    options = ["version=5 name='two words'", "version=6", "path=C:\\temp\\new", "empty="]
    assert read_extra_vars(options) == {"version": "6", "name": "two words", "path": "C:\\temp\\new", "empty": ""}


def test_yaml_and_json_have_types() -> None:
    assert read_extra_vars(['{"a": 1, "b": [true, null]}', "{c: {d: x}}"]) == {
        "a": 1,
        "b": [True, None],
        "c": {"d": "x"},
    }


def test_templates_are_templates() -> None:
    variables = read_extra_vars(["a={{ b }}", '{"c": "{{ d }}"}'])
    assert [type(variables[name]) for name in "ac"] == [Template, Template]
    assert [variables[name].text for name in "ac"] == ["{{ b }}", "{{ d }}"]


@pytest.mark.parametrize("text", ['{"a": 1, "b": "{{ c }}"}', "a: 1\nb: '{{ c }}'\n"])
def test_a_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "extra.yml"
    file.write_text(text)
    variables = read_extra_vars([f"@{file}"])
    assert variables["a"] == 1
    assert variables["b"].position.path == str(file)


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    file = tmp_path / "extra.yml"
    file.write_text("---\n")
    assert read_extra_vars([f"@{file}"]) == {}


@pytest.mark.parametrize("option", ["plain", "a=1 b", "[1]", "{a", '{"1a": 2}', "{a: 1, a: 2}", "1a=2", "a-b=1"])
def test_what_cannot_be_understood(option: str) -> None:
    with pytest.raises(UsageError):
        read_extra_vars([option])


@pytest.mark.parametrize("option", ["a-b=1", "c=1 1a=2"])
def test_a_name_that_is_none_is_called_so(option: str) -> None:
    with pytest.raises(UsageError, match="Not a name for a variable"):
        read_extra_vars([option])


def test_braces_on_the_command_line_are_not_called_a_file() -> None:
    with pytest.raises(UsageError) as caught:
        read_extra_vars(['{"a": '])
    assert "file" not in str(caught.value)


def test_an_empty_option_sets_nothing() -> None:
    assert read_extra_vars(["", " ", "a=1"]) == {"a": "1"}


def test_a_password_in_a_broken_option_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        read_extra_vars(['{"password": "hunter2", "x"'])
    assert "hunter2" not in str(caught.value)


def test_mistakes_in_a_file_have_their_place(tmp_path: Path) -> None:
    file = tmp_path / "extra.yml"
    file.write_text("a: 1\nb: [\n")
    with pytest.raises(FilesError, match=str(file)):
        read_extra_vars([f"@{file}"])
    with pytest.raises(FilesError, match="doesn't exist"):
        read_extra_vars([f"@{tmp_path}/missing.yml"])
    file.write_text("- a\n")
    with pytest.raises(UsageError, match="something else"):
        read_extra_vars([f"@{file}"])
